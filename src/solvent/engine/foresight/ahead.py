"""A look ahead in kernels: who is at or above MMR 100 % at other marks, and what is at stake.

One walk over all accounts, many points at each, so that memory is read once. The screen of the scan
clears most of the healthy; of the others health and worth are exact, as everywhere. Marks are
written into the prices of the store, which is an image's.
"""

from solvent.domain.units import FINE_PER_VALUE
from solvent.engine.foresight.rows import (
    Holding,
    Room,
    asset_sums,
    at_stake,
    holdings_in,
    indices_in,
    opposite_values,
    point_row,
    point_words,
)
from solvent.engine.ledger import (
    account_row,
    asset_row,
    claim_worth,
    debt_worth,
    is_stale,
    pool_row,
    positions_of,
)
from solvent.engine.margin import (
    Doubt,
    first_asset,
    is_liquidatable,
    no_health,
    with_asset,
)
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, value_down, value_up
from solvent.engine.watch.rows import Screen
from solvent.engine.watch.scan import (
    AT_ONCE,
    bring_positions,
    bring_rows,
    list_owing,
    prepare_screen,
    surely_healthy,
)
from solvent.engine.waterfall.insolvency import booked_worth, lacks, lend_indices, rounding
from solvent.kernels.language import (
    allocate_rows,
    bit,
    kernel,
    narrow,
    release,
    row_in,
    wrapping_sub,
)
from solvent.kernels.rows import Memory

_AHEAD = 8
_ROWS_EACH = 2
"""Positions and rows are sent for so far before their turn."""


@kernel
def look_ahead(s: Store, points: int, marks: Memory, out: Memory, found: Memory) -> int:
    """Write the sums of every point; return how many accounts are at MMR 100 % at the first one.

    These go into `found`, in order. `marks` has a row an asset for each point, `out` is zeros.
    """
    assets = s.globals.assets
    screens = allocate_rows(Screen, points * assets)
    for point in range(points):
        put_marks(s, marks.at(point * assets))
        prepare_screen(s, screens.at(point * assets))
    top = s.globals.scratch_top
    owing = take(s, AT_ONCE)
    room = row_in(Room, take(s, Room.WIDTH + assets * (Holding.WIDTH + 1)))
    lend_indices(s, indices_in(room, assets))
    room.doubted = _stale_assets(s)
    count = 0
    for start in range(0, s.globals.accounts, AT_ONCE):
        listed = list_owing(s, start, owing)
        for place in range(min(listed, _AHEAD)):
            bring_positions(s, owing[place])
        for place in range(listed):
            if place + _AHEAD < listed:
                bring_positions(s, owing[place + _AHEAD])
            bring_rows(s, start + AT_ONCE + place * _ROWS_EACH)
            room.account = owing[place]
            room.known = 0
            for point in range(points):
                at = point * assets
                sums = out.at(point * point_words(assets))
                healthy = surely_healthy(
                    screens.at(at), account_row(s, room.account).held, positions_of(s, room.account)
                )
                if healthy or not _is_liquidatable(s, room, marks.at(at)):
                    _add_opposites(s, room, marks.at(at), opposite_values(sums, assets))
                    if account_row(s, room.account).is_liquidating:
                        _add_lack(s, room, sums)
                else:
                    _add_liquidatable(s, room, sums, marks.at(at))
                    if point == 0:
                        found[count] = room.account
                        count += 1
    s.globals.scratch_top = top
    release(screens)
    return count


@kernel
def put_marks(s: Store, marks: Memory) -> None:
    """Let the marks of a point be in force."""
    for asset in range(s.globals.assets):
        s.prices[asset].mark = marks[asset]


@kernel
def _stale_assets(s: Store) -> int:
    """Assets at stale prices, as bits."""
    doubted = 0
    for asset in range(s.globals.assets):
        if is_stale(s, asset):
            doubted = doubted | bit(asset)
    return doubted


@kernel
def _put_holdings(s: Store, room: Room) -> None:
    """Write what an account has and owes, atoms, unless it is known."""
    if room.known:
        return
    room.known = 1
    room.length = 0
    positions = positions_of(s, room.account)
    holdings = holdings_in(room)
    rest = account_row(s, room.account).held
    while rest:
        asset = first_asset(rest)
        rest = rest & wrapping_sub(rest, 1)
        row = positions[asset]
        pool = pool_row(s, asset)
        held = holdings[room.length]
        held.asset = asset
        held.free = row.available + row.locked
        held.lent = claim_worth(pool, row.lent_shares) if row.lent_shares else 0
        held.debt = debt_worth(pool, row.debt_shares) if row.debt_shares else 0
        room.length += 1


@kernel
def _is_liquidatable(s: Store, room: Room, marks: Memory) -> bool:
    """Whether the account is at or above MMR 100 % at the marks of a point, exactly.

    They are in force for what it has and owes after that.
    """
    _put_holdings(s, room)
    holdings = holdings_in(room)
    values = no_health(0)
    for place in range(room.length):
        held = holdings[place]
        asset = held.asset
        s.prices[asset].mark = marks[asset]
        quantity = held.free + held.lent
        values = with_asset(s, values, asset, quantity, held.debt, 0, Doubt.FOR_ACCOUNT)
    return is_liquidatable(values)


@kernel
def _add_opposites(s: Store, room: Room, marks: Memory, squares: Memory) -> None:
    """Add what a healthy account could close of others' holdings in what it owes."""
    _put_holdings(s, room)
    _put_values(s, room, marks)
    holdings = holdings_in(room)
    assets = s.globals.assets
    for one in range(room.length):
        owed = holdings[one]
        if owed.owes:
            for other in range(room.length):
                had = holdings[other]
                if had.has and other != one:
                    squares[owed.asset * assets + had.asset] += min(owed.owes, had.has)


@kernel
def _put_values(s: Store, room: Room, marks: Memory) -> None:
    """Write what holdings and debts are worth at the marks of a point."""
    holdings = holdings_in(room)
    for place in range(room.length):
        held = holdings[place]
        about = asset_row(s, held.asset)
        mark = marks[held.asset]
        quantity = held.free + held.lent
        held.has = value_down(quantity, mark, about) if quantity else 0
        held.owes = value_up(held.debt, mark, about) if held.debt else 0


@kernel
def _add_liquidatable(s: Store, room: Room, point: Memory, marks: Memory) -> None:
    """Add what an account at MMR 100 % owes and has, what of it is at stake, and what it lacks."""
    sums = asset_sums(point)
    holdings = holdings_in(room)
    point_row(point).accounts += 1
    _put_values(s, room, marks)
    spare = 0
    for place in range(room.length):
        held = holdings[place]
        by_asset = sums[held.asset]
        by_asset.owed += held.debt
        by_asset.free += held.free
        by_asset.lent += held.lent
        spare += held.has - held.owes
    if spare < 0 or account_row(s, room.account).held & room.doubted:
        _add_lack(s, room, point)
    _pair(room, at_stake(point, s.globals.assets), s.globals.assets)


@kernel
def _pair(room: Room, squares: Memory, assets: int) -> None:
    """Add what is at stake: first what is had of what is owed, then the largest with the largest.

    Values of holdings and debts are used up by it.
    """
    holdings = holdings_in(room)
    for place in range(room.length):
        held = holdings[place]
        own = min(held.has, held.owes)
        squares[held.asset * assets + held.asset] += own
        held.has -= own
        held.owes -= own
    while True:
        has = 0
        owes = 0
        for place in range(room.length):
            if holdings[place].has > holdings[has].has:
                has = place
            if holdings[place].owes > holdings[owes].owes:
                owes = place
        part = min(holdings[has].has, holdings[owes].owes)
        if part == 0:
            return
        squares[holdings[has].asset * assets + holdings[owes].asset] += part
        holdings[has].has -= part
        holdings[owes].owes -= part


@kernel
def _add_lack(s: Store, room: Room, point: Memory) -> None:
    """Add what an account lacks if it is insolvent, as the bookings count it."""
    indices = indices_in(room, s.globals.assets)
    worth = booked_worth(s, room.account, indices)
    if lacks(worth) > rounding(s):
        sums = point_row(point)
        sums.insolvent += 1
        sums.lacking += narrow(divide_up(lacks(worth), FINE_PER_VALUE))
