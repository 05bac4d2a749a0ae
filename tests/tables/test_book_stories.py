"""Stories of the order book: who trades with whom, at what price, and what becomes of the rest."""

import pytest

from tests.proof import proves
from tests.tables.story import run_story

MAKERS = """
    deposit mia SOL  100
    deposit ben USDC 100,000
    sell mia SOL 1 @ 201          # order 1
    sell mia SOL 2 @ 202          # order 2
    sell mia SOL 3 @ 201          # order 3: same price as 1, but later
"""


@proves("I3")
def test_price_then_time() -> None:
    run_story(
        MAKERS
        + """
        buy ben SOL 5 @ 202
        count Filled 3
        saw   Filled trade=1 maker_order=1 price=201 quantity=1 quote=201
        saw   Filled trade=2 maker_order=3 price=201 quantity=3
        saw   Filled trade=3 maker_order=2 price=202 quantity=1 taker=ben maker=mia side=BID
        unseen OrderRested
        expect order 2 quantity 1
        expect ben SOL  available 5
        expect mia SOL  locked    1
        expect mia USDC available 1,006           # 4 * 201 + 202
        expect ben USDC available 98,994
    """
    )


def test_a_limit_order_rests_and_holds_what_it_may_cost() -> None:
    run_story(
        MAKERS
        + """
        buy ben SOL 2 @ 201.5
        saw   OrderAccepted locked=403USDC
        count Filled 2
        buy ben SOL 10 @ 201.5
        count Filled 1                             # 2 are left at 201
        saw   OrderRested quantity=8SOL
        expect order 5 quantity 8
        expect order 5 locked 1,612                # 8 * 201.5
        expect ben USDC locked 1,612
        sell mia SOL 8 @ 200
        saw   Filled price=201.5 quantity=8        # at the maker's price
        expect ben USDC locked 0
    """
    )


def test_immediate_or_cancel() -> None:
    run_story(
        MAKERS
        + """
        buy ben SOL 5 @ 201 ioc
        count Filled 2
        saw   OrderExpired quantity=1SOL reason=IMMEDIATE_OR_CANCEL
        expect ben USDC locked 0
        expect ben SOL  available 4
    """
    )


def test_fill_or_kill() -> None:
    run_story(
        MAKERS
        + """
        buy ben SOL 5 @ 201 fok
        unseen Filled
        saw   OrderExpired quantity=5SOL reason=FILL_OR_KILL
        expect ben USDC locked 0
        buy ben SOL 4 @ 201 fok
        count Filled 2
        unseen OrderExpired
    """
    )


def test_post_only() -> None:
    run_story(
        MAKERS
        + """
        buy ben SOL 1 @ 201 post                   | INVALID_ORDER
        buy ben SOL 1 @ 200.99 post
        saw   OrderRested quantity=1SOL
        buy ben SOL 1 @ market post                | INVALID_ORDER
        buy ben SOL 1 @ 200 post ioc               | INVALID_ORDER
    """
    )


def test_market_orders_stop_at_the_impact_band() -> None:
    run_story("""
        deposit mia SOL  100
        deposit ben USDC 100,000
        sell mia SOL 1 @ 200
        sell mia SOL 1 @ 206                       # 3 % above the best: inside the band
        sell mia SOL 1 @ 206.01                    # outside
        buy  ben SOL 3 @ market
        count Filled 2
        saw  OrderExpired quantity=1SOL reason=PRICE_IMPACT
        buy  ben SOL 3 @ market                    # the band starts at the best price again
        count Filled 1
        buy  ben SOL 3 @ market
        unseen Filled
        saw  OrderExpired quantity=3SOL reason=INSUFFICIENT_LIQUIDITY
    """)


def test_a_limit_order_stops_at_the_impact_band_too() -> None:
    run_story("""
        deposit mia SOL  100
        deposit ben USDC 100,000
        sell mia SOL 1 @ 200
        sell mia SOL 1 @ 207
        buy  ben SOL 2 @ 210
        count Filled 1
        saw  OrderExpired quantity=1SOL reason=PRICE_IMPACT
        expect ben USDC locked 0
        deposit ben SOL  10
        deposit mia USDC 10,000
        buy  mia SOL 1 @ 190                       # the other way round
        buy  mia SOL 1 @ 184
        sell ben SOL 2 @ 184
        count Filled 1
        saw  OrderExpired quantity=1SOL reason=PRICE_IMPACT
    """)


def test_market_orders_by_quote() -> None:
    run_story("""
        deposit mia SOL  100
        deposit ben USDC 1,000
        sell mia SOL 2 @ 200
        sell mia SOL 9 @ 205
        buy  ben SOL for 502.5 @ market            # 400 for two, 102.5 for a half
        count Filled 2
        expect ben SOL  available 2.5
        expect ben USDC available 497.5
        buy  ben SOL for 0.01 @ market             | INVALID_QUANTITY   # less than a lot costs
        buy  ben SOL for 100 @ 205                 | INVALID_ORDER
        sell ben SOL for 100 @ market
        saw  OrderExpired reason=INSUFFICIENT_LIQUIDITY
        buy  mia SOL 1 @ 200
        sell ben SOL for 100 @ market
        saw  Filled quantity=0.5 price=200 side=ASK
    """)


def test_price_band() -> None:
    run_story("""
        deposit ben USDC 100,000
        deposit ben SOL  100
        buy  ben SOL 1 @ 250.01                    | INVALID_PRICE PRICE_BAND 250
        buy  ben SOL 1 @ 250 post
        cancel ben #1
        sell ben SOL 1 @ 149.99                    | INVALID_PRICE PRICE_BAND
        sell ben SOL 1 @ 150 post
        sell ben SOL 1 @ 999                       # a price far on the safe side may wait
        buy  ben SOL 1 @ 100
    """)


def test_self_trade_prevention() -> None:
    run_story("""
        deposit ann SOL  100
        deposit ann USDC 100,000
        deposit mia SOL  100
        sell ann SOL 1 @ 200                       # 1
        sell mia SOL 1 @ 201                       # 2
        buy  ann SOL 2 @ 201 ioc stop_taker        # 3
        unseen Filled
        saw  OrderExpired order=3 quantity=2SOL reason=SELF_TRADE_PREVENTION
        expect order 1 quantity 1
        buy  ann SOL 2 @ 201 ioc stop_maker        # 4
        saw  OrderExpired order=1 quantity=1SOL reason=SELF_TRADE_PREVENTION
        saw  Filled taker_order=4 maker_order=2 quantity=1
        sell ann SOL 1 @ 200                       # 5
        buy  ann SOL 2 @ 201 ioc stop_both         # 6
        saw  OrderExpired order=5 reason=SELF_TRADE_PREVENTION
        saw  OrderExpired order=6 reason=SELF_TRADE_PREVENTION
        unseen Filled
        expect ann orders 0
    """)


@proves("I3")
def test_fees_go_to_the_treasury() -> None:
    run_story("""
        set maker_fee 0.08%
        set taker_fee 0.1%
        deposit mia SOL  10
        deposit ben USDC 10,000
        sell mia SOL 10 @ 200
        buy  ben SOL 10 @ 200
        saw  Filled quote=2000 taker_fee=2 maker_fee=1.6
        expect ben USDC available 7,998
        expect mia USDC available 1,998.4
        expect treasury USDC available 3.6
        # A fraction of an atom of the quote is paid by the buyer and not received by the seller.
        sell ben SOL 0.0001 @ 200.03
        buy  mia SOL 0.0001 @ 200.03
        saw  Filled quote=0.020003 taker_fee=0.000021 maker_fee=0.000017
    """)


@proves("I12", "A13")
def test_auto_borrow_sells_short_and_auto_repay_buys_back() -> None:
    run_story("""
        deposit lender SOL  100
        lend    lender SOL  100
        deposit mia SOL  100
        deposit mia USDC 100,000
        deposit ben USDC 10,000
        buy  mia SOL 50 @ 199
        sell ben SOL 10 @ 199                      | INSUFFICIENT_FUNDS AVAILABLE_BALANCE 0
        sell ben SOL 10 @ 199 borrow
        saw  Borrowed account=ben quantity=10 source=SPOT_MARGIN
        saw  Filled quantity=10
        expect ben SOL  owed 10
        expect ben USDC available 11,990
        sell mia SOL 4 @ 200
        buy  ben SOL 4 @ 200
        expect ben SOL  owed 10                    # without the flag he keeps both
        expect ben SOL  available 4
        sell mia SOL 4 @ 200
        buy  ben SOL 4 @ 200 repay
        saw  Repaid account=ben quantity=4 source=AUTO_BORROW_REPAY
        expect ben SOL  owed 6
        sell ben SOL 500 @ 199 borrow              | INSUFFICIENT_SUPPLY POOL_CASH
        cancel_all mia
        settings ben leverage_limit=1
        sell ben SOL 90 @ 199 borrow               | MAX_LEVERAGE_REACHED LEVERAGE
    """)


@proves("I12")
def test_a_resting_order_on_credit_borrows_when_it_fills() -> None:
    run_story("""
        deposit lender SOL  100
        lend    lender SOL  100
        deposit ben USDC 10,000
        deposit mia USDC 100,000
        sell ben SOL 10 @ 205 borrow
        unseen Borrowed
        expect ben SOL  owed 0
        expect ben exposure 2,000                  # it counts as exposure until then
        expect pool SOL cash 100
        buy  mia SOL 4 @ 205
        saw  Borrowed account=ben quantity=4 source=SPOT_MARGIN
        expect order 1 quantity 6
        expect ben SOL  owed 4
        expect ben exposure 2,000
        # When the pool has no more, the order ends with the reason, and the taker goes on.
        deposit tom USDC 100,000
        borrow  tom SOL 96
        buy  mia SOL 6 @ 205 ioc
        unseen Filled
        saw  OrderExpired order=1 quantity=6SOL reason=INSUFFICIENT_BORROWABLE_QUANTITY
        expect ben exposure 800
    """)


@proves("I7")
def test_a_maker_who_can_no_longer_bear_it_is_passed_over() -> None:
    run_story("""
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit ben BTC  0.02                      # 2,000, weighs 1,900
        borrow  ben USDC 8,000
        buy  ben SOL 40 @ 200                      # would weigh 0.9 of what it costs
        deposit mia SOL 100
        price BTC 58000                            # 1,102 - 800 would be less than 4 % of 8,000
        sell mia SOL 40 @ 200 ioc
        unseen Filled
        saw  OrderExpired account=ben reason=INSUFFICIENT_MARGIN
        saw  OrderExpired account=mia quantity=40SOL reason=IMMEDIATE_OR_CANCEL
        expect ben liquidating 0
    """)


@proves("I12")
def test_auto_lend_redeem_pays_from_the_lend() -> None:
    run_story("""
        deposit ben USDC 10,000
        lend    ben USDC 10,000
        deposit mia SOL  100
        sell mia SOL 10 @ 200
        buy  ben SOL 10 @ 200                      | INSUFFICIENT_FUNDS AVAILABLE_BALANCE 0
        buy  ben SOL 10 @ 200 redeem
        saw  Redeemed account=ben quantity=2000USDC source=SPOT_MARGIN
        expect ben USDC lent 8,000
        expect ben SOL  available 10
        buy  ben SOL 50 @ 200 redeem               | INSUFFICIENT_FUNDS LENT_CLAIM 40
        buy  ben SOL 50 @ 200 borrow               | BORROW_REQUIRES_LEND_REDEEM
    """)


def test_reduce_only() -> None:
    run_story("""
        deposit lender SOL  100
        lend    lender SOL  100
        deposit mia SOL  100
        deposit ben USDC 10,000
        sell mia SOL 20 @ 200
        buy  ben SOL 1 @ 200 reduce                | INVALID_ORDER OUTSTANDING_DEBT 0
        borrow ben SOL 10
        withdraw ben SOL 10
        buy  ben SOL 11 @ 200 reduce               | INVALID_ORDER OUTSTANDING_DEBT 10
        buy  ben SOL 10 @ 200 reduce repay
        saw  Filled quantity=10
        expect ben SOL owed 0
        sell ben SOL 1 @ 200 reduce                | INVALID_ORDER OUTSTANDING_DEBT 0
    """)


def test_a_reduce_only_maker_ends_when_there_is_nothing_to_reduce() -> None:
    run_story("""
        deposit lender SOL  100
        lend    lender SOL  100
        deposit mia SOL  100
        deposit ben USDC 10,000
        borrow  ben SOL 10
        buy  ben SOL 10 @ 190 reduce               # rests
        repay ben SOL 5
        sell mia SOL 6 @ 190 ioc
        saw  Filled quantity=5                     # trimmed to the debt, not dropped
        saw  OrderExpired account=ben quantity=5SOL reason=REDUCE_ONLY_NOT_REDUCED
        buy  ben SOL 5 @ 190 reduce
        repay ben SOL 5
        sell mia SOL 6 @ 190 ioc
        unseen Filled
        saw  OrderExpired account=ben reason=REDUCE_ONLY_NOT_REDUCED
    """)


@proves("I20")
def test_cancelling_everything_unlocks_everything() -> None:
    run_story("""
        deposit ben USDC 10,000
        deposit ben SOL  10
        deposit ben BTC  1
        buy  ben SOL 1 @ 190
        sell ben SOL 5 @ 210
        sell ben BTC 1 @ 100000
        expect ben orders 3
        expect ben SOL locked 5
        cancel_all ben SOL
        expect ben orders 1
        expect ben SOL  locked 0
        expect ben USDC locked 0
        cancel ben #1                              | RESOURCE_NOT_FOUND
        cancel_all ben
        expect ben BTC  locked 0
        expect ben orders 0
        cancel_all ben
    """)


def test_filters_and_the_number_of_orders() -> None:
    run_story("""
        set max_orders_per_account 2
        deposit ben USDC 10,000
        buy ben SOL 1.00005 @ 190                  | INVALID_QUANTITY
        buy ben SOL 1 @ 190.005                    | INVALID_PRICE
        buy ben SOL 0.0000 @ 190                   | INVALID_QUANTITY
        buy ben SOL 1 @ 0                          | INVALID_PRICE
        buy ben USDC 1 @ 1                         | INVALID_MARKET
        buy ben SOL 1 @ 190
        buy ben SOL 1 @ 190
        buy ben SOL 1 @ 190                        | ORDER_LIMIT ORDER_COUNT
    """)


def test_a_market_without_a_price_is_paused() -> None:
    run_story("""
        deposit ben USDC 10,000
        halt SOL
        buy  ben SOL 1 @ 190                       | TRADING_PAUSED STALE_PRICE
        resume SOL
        buy  ben SOL 1 @ 190
    """)


@proves("I7", "I42", "A13")
@pytest.mark.parametrize("kind", ["ioc", ""])
def test_a_limit_order_is_asked_for_margin_at_every_fill(kind: str) -> None:
    """What improves health as a whole may lower it in the part that fills: 1 atom for nothing."""
    run_story(f"""
        set SOL market.lot 0.000000001
        set SOL market.min_quantity 0.000000001
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit ann SOL 100
        borrow  ann USDC 17,000
        withdraw ann USDC 17,000
        price SOL 194                              # NE 460 between M 340 and I 680
        deposit ben USDC 1
        buy  ben SOL 0.000000001 @ 240             # worth 0.00000024, which is no USDC
        sell ann SOL 10 @ 230 {kind}
        unseen Filled
        saw  OrderExpired account=ann reason=INSUFFICIENT_MARGIN
        expect ann net_equity 460
    """)
