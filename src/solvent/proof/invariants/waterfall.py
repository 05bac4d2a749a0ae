"""Waterfall checks: what a pass did to accounts in trouble, and in which order.

A time step of several passes is cut into them first (`passes`).

Stages come in order and each says why it handed over (I15); only accounts at MMR >= 100 % are their
liquidated side, none through a stale price (I14); no step lowers health (I16) or closes more than
it may (I17); the bound moves by its rule (I13); a debt is written off once a booking (I32). The
settlements themselves, round by round and fill by fill, are in `settlements`, bookings in
`bookings`.

Specification: sections 7.2, 9.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.commands import Side
from solvent.domain.events import Event
from solvent.domain.labels import Reason, Stage, SystemOrder, Tier
from solvent.domain.settlement_properties import up
from solvent.domain.units import FINE_PER_VALUE, INDEX_SCALE, RATIO
from solvent.proof.invariants.interest import accrued
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.sales import check_sales
from solvent.proof.invariants.settlements import check_settlements
from solvent.proof.invariants.standbys import check_standbys
from solvent.proof.invariants.state_view import FINE, Health, StateView, health_in

DISTURBING = (
    e.IndexUpdated,
    e.MarkUpdated,
    e.PriceStaleness,
    w.BookingOpened,
)
"""Events after which an account's health differs for other reasons than the waterfall's work."""
ROUNDING = 4 * FINE_PER_VALUE


def check_waterfall(before: StateView, after: StateView, events: tuple[Event, ...]) -> list[Breach]:
    """All that is wrong with the waterfall's work of one pass."""
    work = any(type(event) in _RULES and not isinstance(event, e.Stepped) for event in events)
    found = list(_bounds(before, after, quiet=not (work or before.liquidating)))
    if not work:
        return found
    order = _Order(set(before.liquidating))
    for event in events:
        if type(event) in _RULES:
            found += _RULES[type(event)](order, event)
    started = accrued(before, after.now)
    found += _starts(before, started, after, events)
    found += _ends(after, order)
    if order.passes != 1:
        found.append(breach("I18", "a step is not one pass", order.passes))
    if not any(isinstance(event, DISTURBING) for event in events):
        found += _health(started, after, _excused(order, events))
        found += check_sales(started, after, events)
    found += _chunks(started, events)
    found += check_standbys(started, after, events)
    return found + check_settlements(after.parameters, events)


def _bounds(before: StateView, after: StateView, *, quiet: bool) -> Iterator[Breach]:
    """I13: the bound is clamp(U + f * (max - U), t, max); seen where nothing moved U after it."""
    for asset, pool in enumerate(after.pools):
        parameters = before.parameters.assets[asset].pool
        low, high = parameters.throttle_threshold, parameters.max_utilization
        if not low <= pool.bound <= high:
            yield breach("I13", "a bound is outside threshold and maximum", asset, pool.bound)
        if quiet:
            level = pool.utilization_up
            target = level + parameters.throttle_update_fraction * (high - level) // RATIO
            if pool.bound != max(low, min(target, high)):
                yield breach("I13", "a bound moved against its rule", asset, pool.bound, target)


@dataclass(slots=True)
class _Order:
    """What happened so far in the pass, and which accounts are in the waterfall."""

    liquidating: set[int]
    handed: dict[tuple[int, Stage], Reason] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    parties: set[int] = field(default_factory=set)
    booked: set[tuple[int, int, int]] = field(default_factory=set)
    passes: int = 0

    def stepped(self, event: e.Stepped) -> Iterator[Breach]:
        """I14: who is in the waterfall at the end of the pass is as was said."""
        self.passes += 1
        if event.liquidating != len(self.liquidating):
            yield breach("I14", "a pass ended with others in the waterfall than was said")

    def started(self, event: w.LiquidationStarted) -> Iterator[Breach]:
        """I14: net equity is at or below maintenance, and something is owed."""
        if event.account in self.liquidating:
            yield breach("I14", "an account entered the waterfall twice", event.account)
        self.liquidating.add(event.account)
        self.ended.discard(event.account)

    def end(self, event: w.LiquidationEnded) -> Iterator[Breach]:
        """I14: only an account in the waterfall leaves it."""
        yield from self._inside(event.account)
        self.liquidating.discard(event.account)
        self.ended.add(event.account)
        self.parties.discard(event.account)

    def over(self, event: w.HandedOver) -> Iterator[Breach]:
        """I15: a stage hands over after the one before it did."""
        yield from self._inside(event.account)
        if event.stage is Stage.BACKSTOP:
            yield from self._after(event.account, Stage.BOOK)
        if event.stage is Stage.ADL:
            yield from self._after(event.account, Stage.BACKSTOP)
        self.handed[event.account, event.stage] = event.reason

    def filled(self, event: e.Filled) -> Iterator[Breach]:
        """I14, I15: the liquidation engine trades for accounts in the waterfall, before others."""
        self.parties |= {event.maker}
        if event.system_order is SystemOrder.USER:
            yield breach("I9", "somebody traded in a time step", event.taker)
        yield from self._inside(event.taker)
        if (event.taker, Stage.BOOK) in self.handed:
            yield breach("I15", "the book acted after it had handed over", event.taker)

    def offered(self, event: w.BackstopOffered) -> Iterator[Breach]:
        """I15: the backstop takes what the book handed over."""
        yield from self._inside(event.account)
        yield from self._after(event.account, Stage.BOOK)
        if (event.account, Stage.BACKSTOP) in self.handed:
            yield breach("I15", "the backstop acted after it had handed over", event.account)

    def taken(self, event: w.BackstopFilled) -> Iterator[Breach]:
        """I14: a fill is of an account in the waterfall."""
        self.parties.add(event.provider)
        yield from self._inside(event.account)
        yield from self._after(event.account, Stage.BOOK)

    def stuck(self, event: w.AdlStuck) -> Iterator[Breach]:
        """I15, I21: ADL comes after book and backstop, for a positive rest, with their reasons."""
        yield from self._inside(event.account)
        yield from self._after(event.account, Stage.BACKSTOP)
        said = (event.book_reason, event.backstop_reason)
        known = (
            self.handed.get((event.account, Stage.BOOK)),
            self.handed.get((event.account, Stage.BACKSTOP)),
        )
        if said != known:
            yield breach("I15", "ADL repeats other reasons than the stages gave", event.account)
        if event.needed < 1:
            yield breach("I21", "ADL fired for nothing", event.account, event.needed)

    def matched(self, event: w.AdlMatched) -> Iterator[Breach]:
        """Both sides of a match changed."""
        self.parties |= {event.lender, event.payer}
        yield from ()

    def deficit(self, event: w.DebtWrittenOff) -> Iterator[Breach]:
        """I32: each debt of an account is written off once a booking."""
        key = event.booking, event.account, event.asset
        if key in self.booked:
            yield breach("I32", "a deficit was booked twice", *key)
        self.booked.add(key)

    def _inside(self, account: int) -> Iterator[Breach]:
        if account not in self.liquidating:
            yield breach("I14", "the waterfall touched an account that is not in it", account)

    def _after(self, account: int, stage: Stage) -> Iterator[Breach]:
        if (account, stage) not in self.handed:
            yield breach("I15", "a stage acted before the one ahead handed over", account, stage)


_RULES: dict[type[Event], Callable[..., Iterator[Breach]]] = {
    e.Stepped: _Order.stepped,
    w.LiquidationStarted: _Order.started,
    w.LiquidationEnded: _Order.end,
    w.HandedOver: _Order.over,
    e.Filled: _Order.filled,
    w.BackstopOffered: _Order.offered,
    w.BackstopFilled: _Order.taken,
    w.AdlStuck: _Order.stuck,
    w.AdlMatched: _Order.matched,
    w.DebtWrittenOff: _Order.deficit,
}


def _starts(
    before: StateView, started: StateView, after: StateView, events: tuple[Event, ...]
) -> Iterator[Breach]:
    """I14: what entered the waterfall was at MMR >= 100 %, stale prices read in its favour.

    Asked at the marks and indices with which the step's waterfall began, at those that its bookings
    made, and at those it left.
    """
    lower = list(started.pools)
    for event in events:
        if isinstance(event, w.PoolWrittenDown):
            lower[event.asset] = lower[event.asset]._replace(lend_index=event.lend_index)
    for event in events:
        if isinstance(event, w.LiquidationStarted):
            holding = started.holdings[event.account]
            then = health_in(before.parameters, started.pools, after.prices, holding)
            less = health_in(before.parameters, tuple(lower), after.prices, holding)
            states = (then, less, after.health[event.account])
            healthy = not any(state.liquidatable for state in states)
            if event.net_equity > event.maintenance or healthy:
                yield breach(
                    "I14",
                    "a healthy account entered the waterfall",
                    event.account,
                    then.net_equity,
                    then.maintenance,
                )


def _ends(after: StateView, order: _Order) -> Iterator[Breach]:
    """I17, I19: an account that left owes nothing or is healthy; one that stays needs it."""
    for account in order.ended - order.parties:
        health = after.health[account]
        if health.liquidatable:
            yield breach(
                "I19",
                "an account left the waterfall unhealthy",
                account,
                health.net_equity,
                health.maintenance,
            )
    for account in after.liquidating:
        if _restored(after, after.health[account]):
            yield breach("I17", "an account at target health is still in the waterfall", account)
    if order.liquidating != after.liquidating:
        yield breach("I14", "who is in the waterfall is not who was said to be")


def _restored(view: StateView, health: Health) -> bool:
    buffer = view.parameters.waterfall.target_buffer
    enough = health.net_equity * RATIO >= health.maintenance * (RATIO + buffer)
    return health.debts_value == 0 or (enough and not health.liquidatable)


def _excused(order: _Order, events: tuple[Event, ...]) -> set[int]:
    """Accounts whose health may fall: paid in flagged legs, or gone and then paid by others."""
    flagged = {
        event.receiver
        for event in events
        if isinstance(event, w.AdlLeg) and event.tier >= Tier.FLAGGED
    }
    return flagged | (order.ended & order.parties)


def _health(started: StateView, after: StateView, excused: set[int]) -> Iterator[Breach]:
    """I16: at unchanged marks no step lowers the health of an account worth something.

    What interest took before the waterfall began (`started`) is not its work.

    One that is beyond recovery may end with less, if it ends without debt. What a stale price is
    worth is a matter of doubt, so accounts that hold or owe one are not compared.
    """
    prices = tuple(enumerate(after.prices))
    rounding = sum(_unit(after, asset) for asset in range(len(after.pools)))
    for account in started.liquidating - excused:
        holding = started.holdings[account]
        old = health_in(started.parameters, started.pools, started.prices, holding)
        new = after.health[account]
        if any(price.stale and _has(started, account, asset) for asset, price in prices):
            continue
        if old.total_value > 0 and new.debts_value and new.surplus < old.surplus - rounding:
            yield breach(
                "I16", "a step lowered an account's health", account, old.surplus, new.surplus
            )


def _has(view: StateView, account: int, asset: int) -> bool:
    return bool(view.quantity(account, asset) or view.health[account].debts[asset])


def _chunks(before: StateView, events: tuple[Event, ...]) -> Iterator[Breach]:
    """I17: the book buys back no more of a debt in a pass than its share of it, up to lots."""
    bought: Counter[tuple[int, int]] = Counter()
    for event in events:
        if isinstance(event, e.Filled) and event.side is Side.BID:
            bought[event.taker, event.asset] += event.quantity
    for (account, asset), quantity in bought.items():
        parameters = before.parameters.assets[asset]
        if parameters.market is None:
            continue
        pool = before.pools[asset]
        debt = up(before.holdings[account].debt_shares[asset] * pool.debt_index, INDEX_SCALE)
        share = up(debt * before.parameters.waterfall.book_fraction, RATIO)
        most = max(share, parameters.market.min_quantity) + parameters.market.lot
        if quantity > min(debt, most):
            yield breach(
                "I17", "the book bought more than its share", account, asset, quantity, most
            )


def _atom(view: StateView, asset: int) -> int:
    decimals = view.parameters.assets[asset].decimals
    return up(view.prices[asset].mark * FINE, 10**decimals)


def _unit(view: StateView, asset: int) -> int:
    """Value in 10^-12 USDC that rounding may leave: some atoms of the debt and of anything held."""
    most = max(_atom(view, other) for other in range(len(view.pools)))
    shares = up(view.pools[asset].debt_index, INDEX_SCALE)
    return 3 * most + (len(view.holdings) + 3) * shares * _atom(view, asset) + ROUNDING
