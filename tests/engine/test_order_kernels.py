"""Orders: what is asked of books and of orders about to be placed, as the reference answers."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.commands import (
    OrderType,
    PlaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from solvent.domain.parameters import MAX_SUPPLY
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import INT64_MAX, RATIO
from solvent.engine.memory.layout import NONE
from solvent.engine.orderbook import book, depth, order_plan, orders
from solvent.engine.refusals import refusal_code, refusal_limit
from solvent.kernels.language import message, row_in
from solvent.reference.orderbook import book as reference_book
from solvent.reference.orderbook import depth as reference_depth
from solvent.reference.orderbook import orders as reference_orders
from solvent.reference.state import Order, State
from tests.engine.pairs import Pair, pair_of, pairs, plain_pair, row_of
from tests.engine.stepwise import command_row
from tests.engine.test_book_kernels import side_ids

PLAIN = plain_pair()


@pytest.mark.slow
def test_books_of_the_simulator_answer_as_the_reference_does() -> None:
    rng = Random(5)
    walked = 0
    for state, store in lending_pairs(rng):
        for asset in range(1, len(state.pools)):
            for side in Side:
                check_side(Pair(state, store), asset, side)
                walked += check_walks(Pair(state, store), asset, side, rng)
    assert walked > 1000


def lending_pairs(rng: Random) -> Iterator[Pair]:
    """The simulator's states, with some orders that would borrow or only reduce a debt."""
    for state, _ in pairs():
        for order in state.orders.values():
            if rng.random() < 0.2:
                order.unfunded += 1
                paid = reference_book.pays_with(order.side, order.asset)
                state.accounts[order.account].unfunded[paid] += 1
            order.reduce_only |= rng.random() < 0.1
        yield pair_of(state)


def check_side(pair: Pair, asset: int, side: Side) -> None:
    """Best price, impact limit and priority."""
    state, store = pair
    assert side_ids(store, asset, side) == reference_book.side_of(state, asset, side)
    best = reference_book.best_price(state, asset, side)
    assert book.best_price(store, asset, side) == (NONE if best is None else best)
    for account in range(len(state.accounts)):
        limit = reference_depth.impact_limit(state, asset, side, account)
        found = depth.impact_limit(store, asset, side, account)
        assert found == (NONE if limit is None else limit)


def check_walks(pair: Pair, asset: int, side: Side, rng: Random) -> int:
    """What takers would get, surely or not; how many would get something."""
    state, store = pair
    prices = [order.price for order in state.orders.values() if order.asset == asset]
    got = 0
    for account in range(len(state.accounts)):
        limit = rng.choice((1, INT64_MAX, *prices))
        quantity = rng.choice((rng.randrange(1, 10**12), INT64_MAX))
        for sure in (False, True):
            asked = (account, asset, side, limit, quantity)
            expected = reference_depth.walk(state, *asked, sure=sure)
            seen = depth.walk(store, *asked, sure=sure)
            assert (seen.quantity, seen.quote) == (expected.quantity, expected.quote)
            got += expected.quantity > 0
    return got


@given(
    price=st.integers(1, 10**13),
    budget=st.integers(0, 10**12),
    fee=st.integers(0, 10**8),
    lots=st.integers(1, 10**6),
    quote_ahead=st.integers(0, 10**9),
    fee_ahead=st.integers(0, RATIO - 1),
)
def test_a_budget_buys_what_it_buys_in_the_reference(
    price: int, budget: int, fee: int, lots: int, quote_ahead: int, fee_ahead: int
) -> None:
    state, store = PLAIN
    for asset in (1, 2):
        wanted = lots * reference_book.market_of(state, asset).lot
        purchase = reference_book.Purchase(asset, price, fee, quote_ahead, fee_ahead)
        asked = row_in(book.Purchase, row_of([*purchase, budget]))
        most = reference_book.affordable(state, purchase, budget, wanted)
        assert book.affordable(store, asked, wanted) == most


@pytest.mark.parametrize("price", [1, 3, 10**12, INT64_MAX // 100, INT64_MAX])
def test_an_impact_limit_stays_within_a_price(price: int) -> None:
    state = plain_pair().state
    for side in Side:
        reference_book.insert(state, resting(state, side, price))
    store = pair_of(state).store
    for side in Side:
        limit = reference_depth.impact_limit(state, 1, side, 2)
        assert limit is not None
        assert depth.impact_limit(store, 1, side, 2) == min(limit, INT64_MAX)


def resting(state: State, side: Side, price: int) -> Order:
    """An order that can pay."""
    flags = {"reduce_only": False, "auto_borrow": False, "auto_borrow_repay": False}
    number = len(state.orders) + 1
    order = Order(
        order=number,
        account=0,
        asset=1,
        side=side,
        price=price,
        quantity=1,
        locked=0,
        unfunded=0,
        self_trade_prevention=SelfTradePrevention.REJECT_TAKER,
        client_id=0,
        **flags,
    )
    order.locked = reference_book.required_lock(state, order)
    return order


def test_orders_are_refused_as_in_the_reference() -> None:
    rng = Random(6)
    seen: set[tuple[RejectionCode, Limit] | None] = set()
    for pair in lending_pairs(rng):
        for _ in range(8):
            seen.add(check_order(pair, random_order(rng, pair.state)))
    assert None in seen
    assert len(seen) >= 15


def check_order(pair: Pair, command: PlaceOrder) -> tuple[RejectionCode, Limit] | None:
    """Form, refusal and the largest quantity of one order."""
    state, store = pair
    row = message(PlaceOrder, command_row(command).fields)
    store.globals.largest = 0
    refusal = reference_orders.order_form(state, command)
    if refusal is None:
        assert orders.order_form(store, row) == 0
        plan = reference_orders.plan_order(state, command)
        numbers = plan.quantity, plan.limit, plan.payment, plan.whole
        assert order_plan.plan_order(store, row) == numbers
        refusal = reference_orders.order_refusal(state, command)
        number = orders.order_refusal(store, row)
    else:
        number = orders.order_form(store, row)
    assert refusal_of(number, store.globals.largest) == refusal
    assert store.globals.scratch_top == 0
    if refusal is None:
        return None
    if refusal.limit is not Limit.NONE:
        largest = reference_orders.largest_order(state, command)
        assert orders.largest_order(store, row) == largest
    return refusal.code, refusal.limit


def refusal_of(number: int, largest: int) -> Refusal | None:
    """A refusal as the reference says it."""
    if number == 0:
        return None
    return Refusal(RejectionCode(refusal_code(number)), Limit(refusal_limit(number)), largest)


def random_order(rng: Random, state: State) -> PlaceOrder:
    """An order that is sensible but for one or two things, if at all."""
    asset = rng.randrange(1, len(state.pools))
    market = reference_book.market_of(state, asset)
    mark = max(market.tick, state.mark(asset))
    price = mark * rng.choice((9, 10, 11)) // 10 // market.tick * market.tick
    lots = rng.randrange(1, 10 ** rng.randrange(1, 6)) * market.min_quantity // market.lot
    order = PlaceOrder(
        account=rng.randrange(2, len(state.accounts)) if len(state.accounts) > 2 else 1,
        asset=asset,
        side=rng.choice(tuple(Side)),
        time_in_force=rng.choice(tuple(TimeInForce)),
        price=max(market.tick, price),
        quantity=lots * market.lot,
        post_only=rng.random() < 0.1,
        reduce_only=rng.random() < 0.1,
        auto_borrow=rng.random() < 0.5,
        auto_lend_redeem=rng.random() < 0.5,
        self_trade_prevention=rng.choice(tuple(SelfTradePrevention)),
    )
    if rng.random() < 0.4:
        order = replace(order, order_type=OrderType.MARKET, price=0, post_only=False)
        if rng.random() < 0.5 and market.min_impact_multiplier:
            order = replace(order, quantity=0, quote_quantity=quote_for(rng, state, order))
    return spoiled(rng, order) if rng.random() < 0.2 else order


def quote_for(rng: Random, state: State, order: PlaceOrder) -> int:
    """Some USDC, most often just what a quantity would cost or bring."""
    place = order.asset, order.side, order.account
    limit = reference_depth.impact_limit(state, *place)
    asked = order.account, order.asset, order.side, limit or 0, order.quantity
    seen = reference_depth.walk(state, *asked, sure=False)
    if seen.quote and rng.random() < 0.8:
        return seen.quote
    return rng.randrange(1, 10**11)


def spoiled(rng: Random, order: PlaceOrder) -> PlaceOrder:
    """The order with a number that is out of bounds, or just within."""
    number = rng.choice((-1, 0, 1, RATIO, MAX_SUPPLY, MAX_SUPPLY + 1, INT64_MAX))
    return rng.choice(
        (
            replace(order, price=number),
            replace(order, quantity=number),
            replace(order, quote_quantity=number),
        )
    )
