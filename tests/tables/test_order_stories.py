"""Stories of orders that are asked at the fill what they promised at placement (I42)."""

import pytest

from tests.proof import proves
from tests.tables.story import run_story

TWO_LEVELS = """
    set taker_fee 0.05%
    deposit mia SOL  1,000
    deposit ben USDC 1,000,000
    sell mia SOL 24.79 @ 174.95
    sell mia SOL 74.302 @ 175
"""


@proves("I42")
@pytest.mark.parametrize("quantity", ["45.1", "45.101", "61.3", "77.777", "90.5"])
@pytest.mark.parametrize("kind", ["market fok", "market ioc", "175 fok", "175"])
def test_a_bid_over_two_makers_is_filled_whole(quantity: str, kind: str) -> None:
    """Cases f01 and f02: all but a lot was bought; a fill-or-kill order filled in part."""
    run_story(
        TWO_LEVELS
        + f"""
        buy ben SOL {quantity} @ {kind}
        count Filled 2
        unseen OrderExpired
        unseen OrderRested
        expect ben SOL  available {quantity}
        expect ben USDC locked 0
    """
    )


@proves("I42")
def test_a_resting_bid_pays_many_takers_what_one_would_cost() -> None:
    run_story(
        """
        set maker_fee 0.07%
        set SOL market.tick 0.00001
        deposit mia SOL  10
        deposit ben USDC 0.060061
        buy  ben SOL 0.0003 @ 200.05999
        expect ben USDC available 0
        sell mia SOL 0.0001 @ 200.05999
        saw  Filled quote=0.020006 maker_fee=0.000015
        sell mia SOL 0.0001 @ 200.05999
        saw  Filled quote=0.020006 maker_fee=0.000014
        sell mia SOL 0.0001 @ 200.05999
        count Filled 1
        expect ben SOL available 0.0003
        expect ben orders 0
    """.replace("0.060061", "0.060061")
    )


@proves("I42")
def test_fill_or_kill_by_quote_is_all_or_nothing() -> None:
    """Case 03."""
    run_story("""
        deposit mia SOL  10
        deposit ben USDC 10,000
        sell mia SOL 3 @ 200
        buy  ben SOL for 2,000 @ market fok        # the book has 600
        unseen Filled
        saw  OrderExpired quantity=0 unspent=2000USDC reason=FILL_OR_KILL
        buy  ben SOL for 600 @ market fok
        saw  Filled quantity=3
        saw  OrderExpired unspent=0USDC reason=IMMEDIATE_OR_CANCEL
        sell mia SOL 3 @ 200
        buy  ben SOL for 599.99 @ market fok       # 0.01 buys no lot
        saw  Filled quantity=2.9999
        saw  OrderExpired unspent=0.01USDC reason=IMMEDIATE_OR_CANCEL
    """)


@proves("I42")
def test_a_quote_includes_the_fee_and_what_is_left_of_it_is_said() -> None:
    """Case 04: the whole balance buys 1.998 SOL."""
    run_story("""
        set taker_fee 0.1%
        deposit mia SOL  10
        deposit ben USDC 400
        sell mia SOL 3 @ 200
        buy  ben SOL for 400 @ market ioc
        saw  Filled quantity=1.998 quote=399.6 taker_fee=0.3996
        saw  OrderExpired unspent=0.0004USDC reason=IMMEDIATE_OR_CANCEL
        deposit mia USDC 1,000
        buy  mia SOL 3 @ 190
        sell ben SOL for 190 @ market              # the fee is taken out of it
        saw  Filled quantity=1 quote=190 taker_fee=0.19
        saw  OrderExpired unspent=0USDC reason=IMMEDIATE_OR_CANCEL
        deposit ben USDC 1,000
        buy  ben SOL for 900 @ market              # 1.002 are left
        saw  OrderExpired unspent=699.3996USDC reason=PRICE_IMPACT
    """)


@proves("I42")
def test_a_quote_below_the_minimum_is_refused() -> None:
    run_story("""
        set SOL market.min_quantity 0.5
        deposit mia SOL  10
        deposit ben USDC 400
        sell mia SOL 3 @ 200
        buy  ben SOL for 99.99 @ market            | INVALID_QUANTITY
        buy  ben SOL for 100 @ market
        saw  Filled quantity=0.5
    """)


@proves("I42")
def test_reduce_only_asks_fill_as_makers() -> None:
    """Case 01."""
    run_story("""
        deposit ann SOL  10
        deposit ben USDC 10,000
        sell ann SOL 5 @ 200 reduce
        buy  ben SOL 5 @ 200
        saw  Filled maker=ann quantity=5
        unseen OrderExpired
    """)


@proves("I42")
def test_reduce_only_by_quote_is_held_to_the_debt() -> None:
    run_story("""
        deposit lender SOL 100
        lend    lender SOL 100
        deposit mia SOL  100
        deposit ben USDC 10,000
        sell mia SOL 20 @ 200
        borrow ben SOL 2
        buy  ben SOL for 500 @ market reduce       | INVALID_ORDER OUTSTANDING_DEBT 2
        buy  ben SOL for 400 @ market reduce repay
        saw  Filled quantity=2
        expect ben SOL owed 0
    """)


@proves("I42")
def test_a_maker_on_credit_pays_from_what_is_free_then_redeems_then_borrows() -> None:
    run_story("""
        deposit lender USDC 50,000
        lend    lender USDC 50,000
        deposit ann BTC  1
        buy  ann SOL 10 @ 200 borrow
        deposit ann USDC 1,000
        lend    ann USDC 500
        deposit mia SOL  20
        sell mia SOL 2 @ 200
        unseen Borrowed
        unseen Redeemed
        expect ann USDC available 100
        sell mia SOL 8 @ 200
        saw  Redeemed account=ann quantity=500USDC source=SPOT_MARGIN
        saw  Borrowed account=ann quantity=1000 source=SPOT_MARGIN
        expect ann USDC available 0
        expect ann USDC owed 1,000
    """)


@proves("I42")
def test_a_bid_on_credit_is_paid_from_what_came_while_it_rested() -> None:
    """Case 08: 50,000 USDC arrive before the bid is hit for 2,000; nothing is borrowed."""
    run_story("""
        set USDC pool.curve.points 0:50% 1:50%
        set USDC pool.fee 15%
        deposit lender USDC 50,000
        lend    lender USDC 50,000
        deposit ann BTC  1
        buy  ann SOL 10 @ 200 borrow
        deposit ann USDC 50,000
        deposit mia SOL  20
        sell mia SOL 10 @ 200
        saw  Filled maker=ann quantity=10 quote=2000
        unseen Borrowed
        expect ann USDC available 48,000
        expect ann USDC owed 0
        expect pool USDC borrowed 0
    """)


@proves("I42")
def test_own_and_unfunded_orders_set_no_band() -> None:
    """Case 06: of an own lot at 190 and 5 SOL at 200, a bid for 2 gets 2 at 200."""
    run_story("""
        deposit ann SOL  1
        deposit ann USDC 5,000
        deposit mia SOL  20
        sell ann SOL 0.0001 @ 190
        sell mia SOL 5 @ 200
        buy  ann SOL 2 @ market ioc stop_maker
        saw  Filled maker=mia quantity=2 price=200
        deposit lender SOL 100
        lend    lender SOL 100
        deposit zoe USDC 1,000
        sell zoe SOL 0.01 @ 190 borrow             # cannot be borrowed any more
        deposit tom USDC 1,000,000
        borrow  tom SOL 100
        buy  tom SOL 1 @ market
        saw  OrderExpired account=zoe reason=INSUFFICIENT_BORROWABLE_QUANTITY
        saw  Filled maker=mia quantity=1 price=200
    """)


@proves("I42")
def test_orders_that_never_rest_are_not_counted() -> None:
    """Case 07."""
    run_story("""
        set max_orders_per_account 1
        deposit ann SOL  10
        deposit ben USDC 5,000
        buy  ben SOL 10 @ 199
        sell ann SOL 1 @ 210
        sell ann SOL 1 @ market
        count Filled 1
        sell ann SOL 1 @ 199 ioc
        count Filled 1
        sell ann SOL 1 @ 199 fok
        count Filled 1
        sell ann SOL 1 @ 199                       | ORDER_LIMIT ORDER_COUNT
    """)
