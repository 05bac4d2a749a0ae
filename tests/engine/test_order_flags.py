"""Every flag of an order, by quantity and by USDC, as taker and as maker: no promise is broken.

Both engines carry each out on one market, and say the same; the invariants judge every command.
"""

from collections import Counter
from itertools import product

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Event, Filled, Refused
from solvent.domain.units import PRICE_SCALE
from solvent.engine.engine import FastEngine
from solvent.proof.invariants.state_view import view_of
from solvent.proof.invariants.transitions import check_transition
from solvent.reference.engine import ReferenceEngine
from tests.proof import proves
from tests.reference.machines import SOL, USDC, engine_with
from tests.sizes import sized

POOR, MAKER, TAKER = 3, 4, 5
LOT = 10**5
FLAGS = 5
FORCES = tuple(c.TimeInForce)
KINDS = list(product(tuple(c.Side), tuple(c.OrderType), FORCES, (False, True)))
TRIED = KINDS[:: sized(7, 3, 1)]


def market() -> bytes:
    """A market of two levels a side; POOR has little of everything, lends some and owes BTC."""
    engine = engine_with("taker_fee 0.001", "maker_fee 0.0005")
    apply = engine.apply_one
    for account in (2, POOR, MAKER, TAKER):
        apply(c.OpenAccount(account))
        for asset, quantity in ((USDC, 10**11), (1, 10**9), (SOL, 10**13)):
            apply(c.Deposit(account, asset, quantity if account != POOR else quantity // 500))
    for asset in (USDC, 1, SOL):
        apply(c.Lend(2, asset, (10**10, 10**8, 10**12)[asset]))
    apply(c.Lend(POOR, USDC, 10**8))
    apply(c.Borrow(POOR, SOL, 10**9))
    for side, prices in ((c.Side.ASK, (201, 203)), (c.Side.BID, (199, 197))):
        for price in prices:
            order = c.PlaceOrder(MAKER, SOL, side, price=price * PRICE_SCALE, quantity=3 * 10**9)
            apply(order)
    return engine.snapshot()


class Both:
    """Both engines from one snapshot: the same answers, and no invariant broken."""

    def __init__(self, snapshot: bytes) -> None:
        self.reference = ReferenceEngine.restore(snapshot)
        self.fast = FastEngine.restore(snapshot)

    def apply(self, command: c.Command) -> tuple[Event, ...]:
        """Carry one command out."""
        before = view_of(self.reference.state)
        events = self.reference.apply_one(command)
        assert self.fast.apply_one(command) == events
        breaches = check_transition(before, view_of(self.reference.state), command, events)
        assert breaches == [], command
        return events


def orders(
    side: c.Side, kind: c.OrderType, force: c.TimeInForce, by_quote: bool
) -> list[c.Command]:
    """One order with each set of flags; limit orders cross both levels, or rest between them."""
    buys = side is c.Side.BID
    places = (200, 204 if buys else 196) if kind is c.OrderType.LIMIT else (0,)
    sets = product((False, True), repeat=FLAGS)
    return [
        c.PlaceOrder(
            account=POOR,
            asset=SOL,
            side=side,
            order_type=kind,
            time_in_force=force,
            price=price * PRICE_SCALE,
            quantity=0 if by_quote else quantity,
            quote_quantity=quantity // 5 if by_quote else 0,
            post_only=chosen[0],
            reduce_only=chosen[1],
            auto_borrow=chosen[2],
            auto_borrow_repay=chosen[3],
            auto_lend_redeem=chosen[4],
        )
        for chosen, price, quantity in product(sets, places, (LOT, 10**9, 4 * 10**9))
    ]


@proves("I42", "I7", "I37")
@pytest.mark.parametrize(
    ("side", "kind", "force", "by_quote"), TRIED, ids=lambda each: getattr(each, "name", each)
)
def test_no_flag_breaks_a_promise(
    side: c.Side, kind: c.OrderType, force: c.TimeInForce, by_quote: bool
) -> None:
    snapshot = market()
    seen: Counter[str] = Counter()
    for order in orders(side, kind, force, by_quote):
        both = Both(snapshot)
        events = both.apply(order)
        if isinstance(events[0], Refused):
            seen[events[0].code.name] += 1
            continue
        seen["taken"] += any(isinstance(event, Filled) for event in events)
        # Whatever rests is hit: first by a lot, then by more than it is.
        rested = both.reference.queries.orders_of(POOR)
        other = c.Side.ASK if side is c.Side.BID else c.Side.BID
        for quantity in (LOT, 10 * 10**9) if rested else ():
            price = (190 if other is c.Side.ASK else 210) * PRICE_SCALE
            hit = c.PlaceOrder(
                TAKER, SOL, other, time_in_force=c.TimeInForce.IOC, price=price, quantity=quantity
            )
            events = both.apply(hit)
            made = any(isinstance(event, Filled) and event.maker == POOR for event in events)
            seen["made"] += made
    if by_quote and kind is c.OrderType.LIMIT:
        assert not seen["taken"] + seen["made"], "a limit order has a quantity"
        return
    assert seen["taken"] > 5
    if force is c.TimeInForce.GTC and kind is c.OrderType.LIMIT:
        assert seen["made"] > 5
