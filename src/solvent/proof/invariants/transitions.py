"""Transitions: what must hold between two states, given the command and its events.

A command's events must explain its effect to the atom: tokens and shares are booked again from the
events (`postings`) and compared with the columns (I3, I9), interest is charged again from the curve
(I5, I6), and what a user's own command left behind is held against the caps (I12) and margins (A13)
that were in force before it. What the waterfall did in a time step is in `waterfall_checks`.

Both states come as state views, so nothing here can touch an engine.

Specification: section 9.
"""

from collections import Counter
from collections.abc import Iterator

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain.events import Event
from solvent.domain.rejections import Limit
from solvent.domain.settlement_properties import up
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.proof.invariants.bookings import check_bookings, check_left, check_standstill
from solvent.proof.invariants.doubts import check_doubts, check_left_behind
from solvent.proof.invariants.interest import OF_TIME, check_interest
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.moments import check_moment, check_premiums, check_waiting
from solvent.proof.invariants.orders import check_orders
from solvent.proof.invariants.postings import Bookings, book_events
from solvent.proof.invariants.state_view import FINE, Health, PoolView, StateView, places_of_others
from solvent.proof.invariants.strangers import check_strangers
from solvent.proof.invariants.triggers import check_waiting_orders
from solvent.proof.invariants.waterfall import check_waterfall
from solvent.reference.state import FUND

MARKET_COMMANDS = (c.UpdatePrice, c.HaltPrice, c.TimeStep, c.ChangeParameter)
"""Commands that may take a healthy account below maintenance (I7)."""
AMOUNT_LIMITS = (
    Limit.AVAILABLE_BALANCE,
    Limit.LENT_CLAIM,
    Limit.POOL_CASH,
    Limit.SUPPLY_CAP,
    Limit.COMMITTED_CAPACITY,
)
"""Limits that refuse every amount above the largest one, share rounding or not."""


def check_transition(
    before: StateView, after: StateView, command: c.Command, events: tuple[Event, ...]
) -> list[Breach]:
    """All that is wrong with how `command` led from one state to the other."""
    if events and isinstance(events[0], e.Refused):
        return list(_refused(before, after, command, events[0], len(events)))
    booked = book_events(before, events)
    found = [
        *_tokens(before, after, booked),
        *_shares(before, after, booked),
        *_pools(before, after, booked),
        *check_orders(before, after, command, events),
        *check_waiting_orders(before, after, events),
    ]
    if isinstance(command, c.TimeStep):
        found += check_interest(before, after, booked)
        found += check_premiums(before, after)
        found += check_strangers(before, after, events)
        found += check_bookings(before, events)
        found += check_left(before, after, events)
        found += check_doubts(after)
        return found + check_waterfall(before, after, events)
    found += _still(before, after, booked)
    found += check_standstill(before, after)
    found += check_left_behind(before, after, events)
    found += _entered(before, after)
    if isinstance(command, c.UpdatePrice | c.HaltPrice):
        found += check_moment(before, after, command, events)
    else:
        found += check_waiting(before, after)
    if not isinstance(command, MARKET_COMMANDS):
        found += _healthy(before, after)
        found += _owner(before, after, command)
        found += _caps(before, after, booked)
        found += _margins(before, after, command, booked)
    if isinstance(command, c.Lend | c.Redeem | c.Borrow | c.Repay):
        found += _no_gain(before, after, command)
    return found


def _refused(
    before: StateView, after: StateView, command: c.Command, refusal: e.Refused, count: int
) -> Iterator[Breach]:
    """I37: a refusal is the only event, names its command and changes nothing."""
    if before != after:
        yield breach("I37", "a refused command changed the state")
    if count != 1 or c.COMMAND_KINDS[refusal.command] is not type(command):
        yield breach("I37", "a refusal stands beside events or names another command", count)
    quantity = getattr(command, "quantity", 0)
    if (
        refusal.limit in AMOUNT_LIMITS
        and not isinstance(command, c.PlaceOrder)
        and 0 < quantity <= refusal.largest
    ):
        yield breach(
            "I37",
            "less was refused than would have passed",
            refusal.account,
            refusal.asset,
            quantity,
            refusal.largest,
        )


def _tokens(before: StateView, after: StateView, booked: Bookings) -> Iterator[Breach]:
    """I3, I9: balances, pool cash and the external account changed by what the events say."""
    empty = (0,) * len(before.pools)
    for account in _touched(before, after, booked.tokens):
        new = after.holdings[account]
        old = before.holdings[account] if account < len(before.holdings) else None
        if old is not None and (old.available, old.locked) == (new.available, new.locked):
            was: tuple[int, ...] = new.available
            now = was
        else:
            was = _sums(old.available, old.locked) if old is not None else empty
            now = _sums(new.available, new.locked)
        for asset in range(len(before.pools)):
            change, said = now[asset] - was[asset], booked.tokens[account, asset]
            if change != said:
                yield breach(
                    "I9",
                    "a balance moved otherwise than the events say",
                    account,
                    asset,
                    change,
                    said,
                )
    for asset, (old_pool, new_pool) in enumerate(zip(before.pools, after.pools, strict=True)):
        if new_pool.cash - old_pool.cash != booked.cash[asset]:
            yield breach(
                "I3",
                "a pool's cash moved otherwise than the events say",
                asset,
                new_pool.cash - old_pool.cash,
                booked.cash[asset],
            )
        gone = after.external[asset] - before.external[asset]
        if gone != booked.external[asset]:
            yield breach(
                "I3",
                "tokens came or went without deposit or withdrawal",
                asset,
                gone,
                booked.external[asset],
            )


def _touched(before: StateView, after: StateView, *said: Counter[tuple[int, int]]) -> list[int]:
    """Accounts that hold something else than before, or of which the events say so."""
    named = {account for moved in said for account, _ in moved}
    named = {account for account in named if account < len(after.holdings)}
    return sorted(named.union(places_of_others(after.holdings, before.holdings)))


def _sums(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(left + right for left, right in zip(one, other, strict=True))


def _shares(before: StateView, after: StateView, booked: Bookings) -> Iterator[Breach]:
    """I9: claims and debts changed by what the events say, and no other account's did."""
    for account in _touched(before, after, booked.claims, booked.debts):
        if account >= len(before.holdings):
            continue
        old, new = before.holdings[account], after.holdings[account]
        for asset in range(len(before.pools)):
            claim = new.lent_shares[asset] - old.lent_shares[asset]
            if claim != booked.claims[account, asset]:
                yield breach(
                    "I9",
                    "a claim moved otherwise than the events say",
                    account,
                    asset,
                    claim,
                    booked.claims[account, asset],
                )
            debt = new.debt_shares[asset] - old.debt_shares[asset]
            if debt != booked.debts[account, asset]:
                yield breach(
                    "I9",
                    "a debt moved otherwise than the events say",
                    account,
                    asset,
                    debt,
                    booked.debts[account, asset],
                )


def _pools(before: StateView, after: StateView, booked: Bookings) -> Iterator[Breach]:
    """I4, I5, I6, I32: indices and residue rise, fees are as said, deficits are counted once."""
    for asset, (old, new) in enumerate(zip(before.pools, after.pools, strict=True)):
        if new is old or new == old:
            if booked.fees[asset] or booked.deficits[asset]:
                yield breach("I6", "fees or a deficit were announced and not booked", asset)
            continue
        lent, owed = _scaled(old, booked.rescaled[asset])
        if new.debt_index < owed:
            yield breach("I5", "a debt index fell", asset, owed, new.debt_index)
        if new.lend_index < lent and asset not in booked.deficits:
            yield breach("I5", "a lend index fell without a deficit", asset, lent, new.lend_index)
        if new.deficit - old.deficit != booked.deficits[asset]:
            yield breach(
                "I32",
                "the stock of deficits is not the sum of those booked",
                asset,
                new.deficit - old.deficit,
                booked.deficits[asset],
            )
        if asset in booked.adjusted:
            continue
        if new.exact_sink < old.exact_sink:
            yield breach("I4", "rounding took from the pool", asset, old.sink, new.sink)


def _scaled(pool: PoolView, events: list[e.SharesRescaled]) -> tuple[int, int]:
    """Both indices as they would be on the scale of now, rounded down."""
    lent, owed = pool.lend_index, pool.debt_index
    for event in events:
        if event.of_debts:
            owed = owed * event.divisor // event.multiplier
        else:
            lent = lent * event.divisor // event.multiplier
    return lent, owed


def _still(before: StateView, after: StateView, booked: Bookings) -> Iterator[Breach]:
    """I5, I6, I13: without a time step no time passes, no bound moves, no interest is charged."""
    if after.now != before.now:
        yield breach("I35", "time passed outside a time step", before.now, after.now)
    for asset, (old, new) in enumerate(zip(before.pools, after.pools, strict=True)):
        if new.bound != old.bound:
            yield breach("I13", "a bound moved outside a time step", asset, old.bound, new.bound)
        if any(getattr(new, name) != getattr(old, name) for name in OF_TIME):
            yield breach("I6", "interest was charged outside a time step", asset)
        if new.lend_index != old.lend_index:
            yield breach("I6", "lenders were paid and nobody charged", asset)
        if new.fees - old.fees != booked.fees[asset] or new.fee_part != old.fee_part:
            yield breach("I6", "fees were taken outside a time step", asset, old.fees, new.fees)
        for event in booked.indices[asset]:
            if (event.lend_index, event.debt_index) != (old.lend_index, old.debt_index):
                yield breach("I6", "indices were said that are not the pool's", asset)


def _entered(before: StateView, after: StateView) -> Iterator[Breach]:
    """I14: an account that enters the waterfall is at MMR >= 100 %, stale prices in its favour."""
    for account in after.liquidating - before.liquidating:
        health = after.health[account]
        if not health.liquidatable:
            yield breach(
                "I14",
                "a healthy account entered the waterfall",
                account,
                health.net_equity,
                health.maintenance,
            )
    for account in before.liquidating - after.liquidating:
        yield breach("I14", "an account left the waterfall outside a time step", account)


def _healthy(before: StateView, after: StateView) -> Iterator[Breach]:
    """I7: users' commands take no account below maintenance."""
    for account in places_of_others(after.health, before.health):
        new = after.health[account]
        old = before.health[account] if account < len(before.health) else None
        if not new.liquidatable or account in before.liquidating:
            continue
        if old is None or not old.liquidatable:
            yield breach(
                "I7",
                "a user's command took a healthy account below maintenance",
                account,
                new.net_equity,
                new.maintenance,
            )


def _owner(before: StateView, after: StateView, command: c.Command) -> Iterator[Breach]:
    """I8, I11: a liquidating account only helps itself; a deposit never lowers health.

    Health falls when it does so however stale prices are read.
    """
    account = getattr(command, "account", FUND)
    if account >= len(before.holdings):
        return
    liquidating = account in before.liquidating
    if liquidating and not isinstance(command, c.Deposit | c.Repay):
        kind = c.COMMAND_KINDS.index(type(command))
        yield breach("I8", "a liquidating account acted", account, kind)
    if not isinstance(command, c.Deposit | c.Repay):
        return
    old, new = before.health[account], after.health[account]
    fall = min(old.surplus - new.surplus, old.careful_surplus - new.careful_surplus)
    if fall > slack(after, command.asset):
        name = "I8" if liquidating else "I11"
        yield breach(name, "a deposit or a repayment lowered health", account, command.asset, fall)


def slack(view: StateView, asset: int) -> int:
    """What share rounding of one asset may cost an account, in 10^-12 USDC: some atoms' value."""
    pool = view.pools[asset]
    atoms = up(pool.lend_index, INDEX_SCALE) + up(pool.debt_index, INDEX_SCALE) + 1
    decimals = view.parameters.assets[asset].decimals
    return up(atoms * view.prices[asset].mark * FINE, 10**decimals) + 1


def _caps(before: StateView, after: StateView, booked: Bookings) -> Iterator[Breach]:
    """I12, I30: the result keeps the bound and the limits, whatever kind of command led there."""
    for asset in booked.borrowed | booked.redeemed:
        old, new = before.pools[asset], after.pools[asset]
        parameters = before.parameters.assets[asset].pool
        worse = new.borrowed * old.lent > old.borrowed * new.lent or not new.lent
        if worse and new.borrowed * RATIO > old.bound * new.lent:
            yield breach(
                "I12",
                "utilization was left above the bound",
                asset,
                new.borrowed,
                new.lent,
                old.bound,
            )
        grew = asset in booked.borrowed and new.borrowed > old.borrowed
        if grew and new.borrowed > parameters.open_borrow_lend_limit:
            yield breach(
                "I12",
                "borrowed was left above its limit",
                asset,
                new.borrowed,
                parameters.open_borrow_lend_limit,
            )
    for asset in booked.lent - booked.borrowed:
        limit = before.parameters.assets[asset].pool.open_borrow_lend_limit
        if before.pools[asset].lent < after.pools[asset].lent and after.pools[asset].lent > limit:
            yield breach(
                "I12", "lent was left above its limit", asset, after.pools[asset].lent, limit
            )
    for asset in booked.redeemed:
        if before.pools[asset].impaired:
            yield breach("I30", "a lender left before a loss was booked", asset)


def _margins(
    before: StateView, after: StateView, command: c.Command, booked: Bookings
) -> Iterator[Breach]:
    """A13, I12: an actor has its initial margin and leverage, or is no worse than before."""
    actors = booked.actors | {getattr(command, "account", FUND)}
    for account in actors:
        if account >= len(before.holdings) or before.holdings[account] == after.holdings[account]:
            continue
        old, new = before.health[account], after.health[account]
        if not new.exposure:
            continue
        spare = sum(slack(after, asset) for asset in booked.lent | booked.redeemed | booked.repaid)
        if new.careful_equity < new.initial and _riskier(old, new, spare):
            yield breach(
                "A13",
                "risk was added without initial margin",
                account,
                new.careful_equity,
                new.initial,
            )
        limit = after.holdings[account].leverage_limit
        above = new.exposure * RATIO > limit * max(0, new.careful_equity + spare)
        raised = new.exposure * old.careful_equity > old.exposure * (new.careful_equity + spare)
        if above and (raised or old.careful_equity <= 0) and new.exposure > old.exposure:
            yield breach(
                "I12",
                "leverage was raised above its limit",
                account,
                new.exposure,
                new.careful_equity,
                limit,
            )


def _riskier(old: Health, new: Health, spare: int) -> bool:
    initial = new.careful_equity - new.initial + spare < old.careful_equity - old.initial
    surplus = new.careful_surplus + spare
    return initial or surplus < old.careful_surplus


def _no_gain(
    before: StateView,
    after: StateView,
    command: c.Lend | c.Redeem | c.Borrow | c.Repay,
) -> Iterator[Breach]:
    """I4, I9, I44: the actor gains no atom and loses one at most; no other's worth moves."""
    asset = command.asset
    for account in range(len(before.holdings)):
        change = after.net(account, asset) - before.net(account, asset)
        if account != command.account:
            if change:
                yield breach("I9", "somebody else's worth moved", account, asset, change)
        elif change > 0:
            yield breach("I4", "rounding gave an atom", account, asset, change)
        elif change < -1:
            yield breach("I44", "a part cost more than an atom", account, asset, change)
