"""Invariants: what must hold in every state, each named by its id.

`check` looks at one state and returns what is wrong with it; nothing, in an engine that works. What
can only be seen by comparing two states (that indices do not fall, that a command touched no other
account) is in `transitions`. Both compute what they compare with from the specification's formulas
and from raw columns, never by asking the modules they check.

Deliberately absent: repair. A breach is a defect of the engine, and the engine must stop.

Specification: section 9.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from operator import attrgetter

from solvent.domain.commands import Role, Side
from solvent.domain.parameters import MAX_SHARES, USDC
from solvent.domain.units import INDEX_SCALE, INT64_MAX, INT64_MIN, PRICE_SCALE, RATIO
from solvent.proof.invariants.solvency import wrong_gates
from solvent.proof.invariants.state_view import (
    Holding,
    PoolView,
    StateView,
    places_of_others,
    view_of,
)
from solvent.reference.state import State

LEAST = INDEX_SCALE // 4
"""No index is as low as that: below it new shares would not fit."""
PLACES = ("available", "locked", "lent_shares", "debt_shares", "unfunded", "committed")
ORDER, ACCOUNT, ASSET, SIDE, PRICE, QUANTITY, LOCKED, UNFUNDED = range(8)
PLACE = 15


@dataclass(frozen=True, slots=True)
class Breach:
    """One invariant that does not hold: its id, what is wrong in a sentence, and the numbers."""

    invariant: str
    sentence: str
    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        """One line."""
        return f"{self.invariant}: {self.sentence} {list(self.numbers)}"


def breach(invariant: str, sentence: str, *numbers: int) -> Breach:
    """A breach, its numbers in a row."""
    return Breach(invariant, sentence, numbers)


def check(state: State) -> list[Breach]:
    """All that is wrong with one state."""
    return check_view(view_of(state))


def check_view(view: StateView, last: StateView | None = None) -> list[Breach]:
    """All that is wrong with one state view.

    `last` is an earlier one with which nothing was wrong, and from which this one was made: what
    is the same object in both is not looked at again.
    """
    changed = _changed_holdings(view, last)
    found = [*_pools(view, last, changed), *_tokens(view, last, changed)]
    found += _accounts(view, changed)
    if last is None or _orders_moved(view, last, changed):
        found += _orders(view)
        found += _books(view)
    found += _prices(view)
    found += _waiting(view, last, changed)
    return [*found, *_health(view, last), *_gates(view)]


def _changed_holdings(view: StateView, last: StateView | None) -> list[int]:
    """Accounts that do not hold the same as in the last view."""
    if last is None:
        return list(range(len(view.holdings)))
    return places_of_others(view.holdings, last.holdings)


def _orders_moved(view: StateView, last: StateView, changed: list[int]) -> bool:
    """Whether anything differs that says what is locked, for what, and in which order."""
    if (view.orders, view.books, view.liquidating) != (last.orders, last.books, last.liquidating):
        return True
    return any(
        number >= len(last.holdings)
        or _bound(view.holdings[number]) != _bound(last.holdings[number])
        for number in changed
    )


def _bound(holding: Holding) -> tuple[Collection[int], ...]:
    """What there is of it where an account has orders."""
    return holding.locked, holding.unfunded, holding.open_orders


def _pools(view: StateView, last: StateView | None, changed: list[int]) -> Iterator[Breach]:
    """I1, I2, I12 (never below empty): each pool's books balance."""
    claims, debts = (
        _sums_of(view, last, changed, place) for place in ("lent_shares", "debt_shares")
    )
    for asset, pool in enumerate(view.pools):
        left, right = pool.cash + pool.borrowed, pool.lent + pool.fees + pool.residue
        if left != right:
            yield breach("I1", "cash and loans differ from what the pool owes", asset, left, right)
        if pool.cash < 0:
            yield breach("I12", "the pool is below empty", asset, pool.cash)
        if min(pool.fees, pool.residue, pool.sink, pool.deficit) < 0:
            numbers = (asset, pool.fees, pool.residue, pool.sink, pool.deficit)
            yield breach("I1", "fees, residue, sink or deficit are below zero", *numbers)
        if pool.sink != pool.exact_sink // INDEX_SCALE:
            yield breach("I1", "the sink is not what is nobody's", asset, pool.sink)
        # What sums were in a view with nothing wrong is what its pools and tokens say.
        before = None if last is None else last.pools[asset]
        lent = claims[asset] + (before.lend_shares if before else 0)
        owed = debts[asset] + (before.debt_shares if before else 0)
        if lent != pool.lend_shares:
            yield breach("I2", "claims do not sum to the pool's", asset, lent, pool.lend_shares)
        if owed != pool.debt_shares:
            yield breach("I2", "debts do not sum to the pool's", asset, owed, pool.debt_shares)
        yield from _shares(asset, pool)
        if not 0 <= pool.bound <= RATIO:
            yield breach("I13", "the bound is no utilization", asset, pool.bound)
        if min(pool) < INT64_MIN or max(pool) > INT64_MAX:
            yield breach("I1", "a pool's column is wider than 64 bits", asset, *pool)


def _sums_of(view: StateView, last: StateView | None, changed: list[int], place: str) -> list[int]:
    """What all accounts have together in one of their columns, by asset.

    Of those that did not change since `last` nothing is added: it is what they had together then.
    """
    column = attrgetter(place)
    new = [column(view.holdings[number]) for number in changed]
    if last is None:
        return [sum(each) for each in zip(*new, strict=True)]
    old = [column(last.holdings[number]) for number in changed if number < len(last.holdings)]
    return [
        sum(each[asset] for each in new) - sum(each[asset] for each in old)
        for asset in range(len(view.pools))
    ]


def _shares(asset: int, pool: PoolView) -> Iterator[Breach]:
    """I43: shares are worth an atom at most, and never so little that new ones do not fit."""
    for index in (pool.lend_index, pool.debt_index):
        if not LEAST < index <= INDEX_SCALE:
            yield breach("I43", "a share is worth more than an atom or next to none", asset, index)
    for shares in (pool.lend_shares, pool.debt_shares):
        if shares > MAX_SHARES:
            yield breach("I43", "there are more shares than there may be", asset, shares)


def _tokens(view: StateView, last: StateView | None, changed: list[int]) -> Iterator[Breach]:
    """I3: what external deposits brought is in an account or in a pool."""
    available, locked = (_sums_of(view, last, changed, place) for place in ("available", "locked"))
    for asset, pool in enumerate(view.pools):
        held = available[asset] + locked[asset]
        if last is not None:
            held -= last.pools[asset].cash + last.external[asset]
        if held + pool.cash + view.external[asset]:
            yield breach(
                "I3", "tokens were made or lost", asset, held, pool.cash, view.external[asset]
            )


def _accounts(view: StateView, changed: list[int]) -> Iterator[Breach]:
    """I3, I9, I12: balances exist, one side per asset, and fund and treasury owe nothing."""
    for account in changed:
        holding = view.holdings[account]
        for place in PLACES:
            column: tuple[int, ...] = getattr(holding, place)
            if min(column) < 0 or max(column) > INT64_MAX:
                yield breach("I3", f"{place} is below zero or too wide", account, *column)
        for asset, (lent, owed) in enumerate(
            zip(holding.lent_shares, holding.debt_shares, strict=True)
        ):
            if lent and owed:
                yield breach("I12", "a claim and a debt in one asset", account, asset, lent, owed)
        if holding.role in (Role.BACKSTOP_FUND, Role.TREASURY) and any(holding.debt_shares):
            yield breach("I9", "the house has a debt", account, *holding.debt_shares)
        if holding.role != Role.BACKSTOP_PROVIDER and any(holding.committed):
            yield breach("I9", "somebody but a provider is committed", account)


def _orders(view: StateView) -> Iterator[Breach]:
    """I20: what is locked is what open orders lock, and liquidating accounts have none."""
    locked: dict[int, Counter[int]] = defaultdict(Counter)
    unfunded: dict[int, Counter[int]] = defaultdict(Counter)
    numbers: dict[int, set[int]] = defaultdict(set)
    for row in view.orders:
        account = row[ACCOUNT]
        paid = USDC if row[SIDE] == Side.BID else row[ASSET]
        locked[account][paid] += row[LOCKED]
        unfunded[account][paid] += row[UNFUNDED]
        numbers[account].add(row[ORDER])
        if min(row[QUANTITY], row[PRICE]) < 1 or min(row[LOCKED], row[UNFUNDED]) < 0:
            yield breach("I20", "a resting order is empty or locks less than nothing", *row[:8])
    for account, holding in enumerate(view.holdings):
        if not (account in numbers or any(map(any, _bound(holding)))):
            continue
        if holding.open_orders != numbers[account]:
            yield breach("I20", "an account's list of orders is wrong", account)
        if account in view.liquidating and numbers[account]:
            yield breach("I20", "a liquidating account has orders", account, *numbers[account])
        yield from _held(account, holding, locked[account], unfunded[account])


def _held(
    account: int, holding: Holding, locked: Counter[int], unfunded: Counter[int]
) -> Iterator[Breach]:
    for asset, (held, pending) in enumerate(zip(holding.locked, holding.unfunded, strict=True)):
        if held != locked[asset]:
            yield breach(
                "I20", "locked is not what orders lock", account, asset, held, locked[asset]
            )
        if pending != unfunded[asset]:
            yield breach(
                "I20",
                "unfunded is not what orders would borrow",
                account,
                asset,
                pending,
                unfunded[asset],
            )


def _books(view: StateView) -> Iterator[Breach]:
    """I27: books hold exactly the open orders in price-time priority, and are not crossed.

    One that waited has its time from when it fired.
    """
    prices = {row[ORDER]: row[PRICE] for row in view.orders}
    for asset, (bids, asks) in enumerate(view.books):
        for side, ids, sign in ((Side.BID, bids, -1), (Side.ASK, asks, 1)):
            rows = (row for row in view.orders if row[ASSET] == asset and row[SIDE] == side)
            wanted = [
                number
                for *_, number in sorted(
                    (sign * row[PRICE], row[PLACE], row[ORDER]) for row in rows
                )
            ]
            if list(ids) != wanted:
                yield breach("I27", "a book is not in price-time priority", asset, *ids)
        if bids and asks and prices.get(bids[0], 0) >= prices.get(asks[0], INT64_MAX):
            yield breach("I27", "a book is crossed", asset, prices[bids[0]], prices[asks[0]])


def _waiting(view: StateView, last: StateView | None, changed: list[int]) -> Iterator[Breach]:
    """I20: accounts know what waits of them, and of one that is liquidating nothing does."""
    numbers: dict[int, set[int]] = defaultdict(set)
    for trigger in view.triggers:
        numbers[trigger.becomes.account].add(trigger.order)
    most = view.parameters.max_orders_per_account
    same = last is not None and (
        (view.parameters, view.triggers, view.liquidating)
        == (last.parameters, last.triggers, last.liquidating)
    )
    for account in changed if same else range(len(view.holdings)):
        holding = view.holdings[account]
        if holding.triggers != numbers.get(account, set()):
            yield breach("I20", "an account's list of what waits is wrong", account)
        if holding.triggers and account in view.liquidating:
            yield breach("I20", "a liquidating account has orders", account, *holding.triggers)
        if holding.triggers and len(holding.triggers) + len(holding.open_orders) > most:
            yield breach("I12", "more orders rest and wait than may", account, most)


def _prices(view: StateView) -> Iterator[Breach]:
    """A13, I14: marks lie within the band of their index, and stale flags tell the truth."""
    usdc = view.prices[USDC]
    if (usdc.index_price, usdc.mark, usdc.stale) != (PRICE_SCALE, PRICE_SCALE, False):
        yield breach("A13", "a USDC is not worth a USDC", usdc.index_price, usdc.mark)
    for asset, price in enumerate(view.prices[1:], start=1):
        parameters = view.parameters.assets[asset].price
        oldest = max(0, view.now - parameters.max_age)
        fresh = sum(time >= oldest for *_, time in price.quotes)
        wanted = parameters.min_sources or len(price.quotes) // 2 + 1
        stale = price.halted or price.in_doubt or price.updated < 0 or fresh < wanted
        if stale != price.stale and not price.given:
            yield breach("I14", "a stale flag is wrong", asset, fresh, int(price.stale))
        if price.updated < 0:
            continue
        reach = price.index_price * parameters.mark_band
        if price.mark < 1 or abs(price.mark - price.index_price) * RATIO > max(reach, RATIO - 1):
            yield breach("A13", "the mark left the band", asset, price.index_price, price.mark)
        if max(price.mark, price.index_price) > INT64_MAX:
            yield breach(
                "A13", "a price is wider than 64 bits", asset, price.index_price, price.mark
            )


def _health(view: StateView, last: StateView | None) -> Iterator[Breach]:
    """A13, I10, I19: an account at MMR >= 100 % is in the waterfall, and so is bare debt."""
    asked: Collection[int] = range(len(view.health))
    if last is not None and view.liquidating is last.liquidating:
        asked = places_of_others(view.health, last.health)
    for account in asked:
        health = view.health[account]
        if account in view.liquidating or not any(view.holdings[account].debt_shares):
            continue
        if health.liquidatable:
            yield breach(
                "A13",
                "a liquidatable account is not in the waterfall",
                account,
                health.net_equity,
                health.maintenance,
            )
        if health.debts_value and not health.assets_value:
            yield breach("I10", "a debt stands without collateral", account, health.debts_value)
    strangers = [number for number in view.liquidating if number >= len(view.holdings)]
    if strangers:
        yield breach("I14", "somebody unknown is in the waterfall", *strangers)


def _gates(view: StateView) -> Iterator[Breach]:
    """I38: pools are impaired by what certain losses will take of their claims, and by no more."""
    for numbers in wrong_gates(view):
        yield breach("I38", "a pool is impaired by another fraction", *numbers)
