"""Booking checks: a certain loss is shared once and equally (I38), and nobody dodges it.

A booking is judged by its own records: who bears what each pool loses, that its claims fall by one
fraction and once, that an account's debts fall by one fraction and leave it worth nothing, and what
the fund pays to whom (I29). Between insolvency and booking no claim on an impaired pool moves, and
no insolvent account's debt does.

Specification: sections 8.7, 9.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from solvent.domain.booking_properties import booking_flaws
from solvent.domain.events import Event
from solvent.domain.settlement_properties import up
from solvent.domain.settlements import Booking, SettlementError, settlements_of
from solvent.domain.units import FINE_PER_VALUE, HOUR, HOURS_PER_YEAR, INDEX_SCALE, RATIO
from solvent.domain.waterfall_events import AdlLeg, PartyBalance
from solvent.proof.invariants.interest import rate_on
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.solvency import (
    DUST,
    ONE,
    Held,
    Quoted,
    Worth,
    counted_for,
    counted_strictly,
    worth_of,
)
from solvent.proof.invariants.state_view import FINE, StateView

ROUNDED_APART = 8
"""So many atoms of each asset a step may round besides those of an account's ADL legs."""
LOSS_INTERVALS = 60
"""In one of so many intervals interest that is lost is booked where nothing else happens."""


def check_standstill(before: StateView, after: StateView) -> Iterator[Breach]:
    """I38: while a pool is impaired no claim on it moves, and who is insolvent repays nothing."""
    shut = [asset for asset, pool in enumerate(before.pools) if pool.impaired]
    if not shut:
        return
    lost = [pool.impaired * ONE // INDEX_SCALE for pool in before.pools]
    for account, old in enumerate(before.holdings):
        new = after.holdings[account]
        if old is new:
            continue
        for asset in shut:
            # Shares worth no atom are swept when their owner borrows: no claim, so none that moves.
            index = before.pools[asset].lend_index
            claims = [each.lent_shares[asset] * index // INDEX_SCALE for each in (old, new)]
            if new.lent_shares[asset] != old.lent_shares[asset] and any(claims):
                yield breach("I38", "a claim on an impaired pool moved", account, asset)
        repaid = any(now < then for now, then in zip(new.debt_shares, old.debt_shares, strict=True))
        owes = any(old.debt_shares[asset] for asset in shut)
        # Who became solvent by a deposit may repay with it.
        if repaid and owes and worth_of(after, account, lost).lacks > len(lost):
            yield breach("I38", "an insolvent account chose whom to repay", account)


def check_left(before: StateView, after: StateView, events: tuple[Event, ...]) -> Iterator[Breach]:
    """I31, I38: what an account lacked for certain before a time step is booked after it.

    What interest alone adds waits for the first of so many intervals that finds a cent of it, or
    for the hour where nobody said anything for one.
    """
    waits = _waits(after)
    none = [0] * len(before.pools)
    legs = Counter(event.giver for event in events if isinstance(event, AdlLeg))
    for account in before.liquidating & after.liquidating:
        if worth_of(before, account, none).lacks <= len(none):
            continue
        left = worth_of(after, account, none).lacks
        # What settlements round, an atom a leg, is booked with the next step's losses.
        rounded = ROUNDED_APART + legs[account]
        spare = DUST + rounded * sum(_atom(after, asset) for asset in range(len(none)))
        # What waits is interest of the debt that was, of which the step may have settled most.
        cost = max(interest_up(view, account, waits) for view in (before, after))
        if left > spare + cost:
            yield breach("I31", "a certain loss outlived a time step", account, left)


def _waits(view: StateView) -> int:
    """Microseconds for which interest that is lost may wait."""
    interval = view.parameters.waterfall.interval
    since = view.now // interval * interval - view.heard * interval
    # Until the first interval after a command it is as it was before.
    return min(HOUR, LOSS_INTERVALS * interval) if 0 <= since < HOUR else HOUR


def interest_up(view: StateView, account: int, time: int) -> int:
    """What an account's debts cost at most in so many microseconds, in 10^-12 USDC."""
    cost = 0
    for asset, debt in enumerate(view.health[account].debts):
        parameters, pool = view.parameters.assets[asset], view.pools[asset]
        apr = pool.apr if pool.apr >= 0 else rate_on(parameters.pool.curve, pool.utilization_up)
        value = up(debt * view.prices[asset].mark * FINE, 10**parameters.decimals)
        cost += up(value * apr * time, RATIO * HOURS_PER_YEAR * HOUR)
    return cost


def _atom(view: StateView, asset: int) -> int:
    """Value of an atom, or of a share where that is more, in 10^-12 USDC."""
    atoms = up(view.pools[asset].debt_index, INDEX_SCALE)
    return up(atoms * view.prices[asset].mark * FINE, 10 ** view.parameters.assets[asset].decimals)


def check_bookings(view: StateView, events: tuple[Event, ...]) -> Iterator[Breach]:
    """All that is wrong with the bookings of a time step; `view` has the parameters."""
    try:
        settlements = settlements_of(events)
    except SettlementError:
        # `check_settlements` says so.
        return
    for booking in [each for each in settlements if isinstance(each, Booking)]:
        for flaw in booking_flaws(booking):
            whose = () if flaw.account is None else (flaw.account,)
            yield breach(flaw.invariant, flaw.sentence, *whose, *flaw.numbers)
        yield from _accounts(view, booking)
        yield from _fund(view, booking)


def _accounts(view: StateView, booking: Booking) -> Iterator[Breach]:
    """I29, I38: only who lacks anything is booked, all its debts alike, down to worth nothing."""
    after = [pool.lend_index for pool in booking.pools]
    for down in booking.downs:
        after[down.asset] = 0 if down.restarted else down.lend_index
    for place, booked in enumerate(booking.accounts):
        account, balances = booked.account, booking.parties[place].balances
        before = _worth(view, booking, [one for one in balances if not one.after], after)
        if before.lacks <= 0:
            yield breach("I38", "a solvent account was booked", account, before.lacks)
        # A pool that lost most of its claims has fewer shares after it, for the same index.
        lent = {one.asset: one.lent_shares for one in balances if not one.after}
        left = [replace(one, lent_shares=lent.get(one.asset, 0)) for one in balances if one.after]
        rest = _worth(view, booking, left, after)
        unit = sum(_unit(view, booking, pool.asset) for pool in booking.pools)
        if not -unit <= rest.lacks <= len(after):
            yield breach("I29", "a booking leaves another worth than none", account, rest.lacks)
        shares = [
            (written.quantity, _open(booking, one))
            for written in booking.written[account]
            for one in balances
            if (one.asset, one.after) == (written.asset, 0)
        ]
        for quantity, debt in shares:
            first_quantity, first_debt = shares[0]
            gap = abs(quantity * first_debt - first_quantity * debt)
            steps = max(up(pool.debt_index, INDEX_SCALE) + 1 for pool in booking.pools)
            if gap > steps * (debt + first_debt):
                yield breach("I38", "debts of an account fall by other fractions", account)


def _worth(
    view: StateView, booking: Booking, balances: list[PartyBalance], indices: list[int]
) -> Worth:
    """What an account with these balances was worth, claims at these indices."""
    assets = debts = 0
    rows: dict[int, Held] = {}
    marks = {pool.asset: pool.mark for pool in booking.pools}
    for one in balances:
        pool = booking.pools[one.asset]
        quantity = one.available + one.locked + one.lent_shares * indices[one.asset] // INDEX_SCALE
        decimals = view.parameters.assets[one.asset].decimals
        held = Held(quantity, one.debt)
        quoted = Quoted(pool.mark, decimals, stale=bool(pool.stale))
        counted = counted_for(view, held, quoted, strictly=True)
        assets, debts = assets + counted.assets, debts + counted.debts
        rows[one.asset] = held
    return counted_strictly(view, Worth(assets, debts), rows, marks)


def _open(booking: Booking, one: PartyBalance) -> int:
    """What of a debt counts: of a stale asset not what the account has of it."""
    held = one.available + one.locked if booking.pools[one.asset].stale else 0
    return max(0, one.debt - held)


def _unit(view: StateView, booking: Booking, asset: int) -> int:
    """What rounding of an asset may leave an account, in 10^-12 USDC: some atoms and shares."""
    pool = booking.pools[asset]
    atoms = 6 * up(pool.debt_index, INDEX_SCALE) + up(pool.lend_shares, INDEX_SCALE)
    value = up(atoms * pool.mark * FINE, 10 ** view.parameters.assets[asset].decimals)
    return value * 2 if pool.stale else value


def _fund(view: StateView, booking: Booking) -> Iterator[Breach]:
    """I29: the fund pays what is lacking as far as it reaches, up to an atom an account."""
    opened = booking.opened
    units = [_unit(view, booking, pool.asset) // FINE_PER_VALUE + 1 for pool in booking.pools]
    atoms = len(booking.accounts) * sum(units)
    owed = min(opened.fund_value, opened.shortfall)
    if not owed - atoms <= opened.paid <= owed:
        yield breach("I29", "the fund paid another amount", opened.paid, owed)
