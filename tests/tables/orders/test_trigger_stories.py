"""Stories of orders that wait for a price: when they fire, in which order, and what ends them."""

import pytest

from tests.proof import proves
from tests.tables.story import run_story

MARKET = """
    deposit mia SOL  1,000
    deposit mia USDC 1,000,000
    deposit ben SOL  100
    deposit ben USDC 10,000
    buy  mia SOL 50 @ 190
    sell mia SOL 50 @ 210
    buy  mia SOL 100 @ 170
"""
"""A book around the mark of 200, whose orders are 1 to 3."""


@proves("I42")
@pytest.mark.parametrize(
    ("waits", "early", "late"),
    [
        ("when mark 190 sell ben SOL 10 @ market", "190.01", "190"),
        ("when mark 190 sell ben SOL 10 @ market", "195", "150"),
        ("when mark 209 buy ben SOL 10 @ market", "208.99", "209"),
        ("when index 190 sell ben SOL 10 @ market", "190.01", "189"),
        ("when mark 205 sell ben SOL 10 @ 180", "204.99", "206"),
        ("when mark 195 buy ben SOL for 1,000 @ market", "195.01", "195"),
    ],
)
def test_a_stop_and_a_take_fire_at_their_price(waits: str, early: str, late: str) -> None:
    run_story(
        MARKET
        + f"""
        {waits}
        saw    TriggerPlaced order=4 account=ben
        expect ben SOL  locked 0
        expect ben USDC locked 0
        price  SOL {early}
        unseen Triggered
        price  SOL {late}
        saw    Triggered order=4 account=ben reached={late}
        saw    Filled taker_order=4 maker=mia
        price  SOL {early}
        price  SOL {late}
        unseen Triggered
    """
    )


@proves("I42")
def test_a_trade_is_what_the_last_price_says_and_one_stop_sets_off_the_next() -> None:
    run_story("""
        deposit mia SOL  1,000
        deposit ben SOL  100
        deposit sue USDC 10,000
        buy   sue SOL 2  @ 190
        buy   sue SOL 10 @ 180
        buy   sue SOL 10 @ 175
        when last 180 sell ben SOL 15 @ 170                | INVALID_PRICE
        sell mia SOL 1 @ 190 ioc
        when last 180 sell ben SOL 15 @ 170
        when last 175 sell ben SOL 1 @ 160
        price SOL 150
        unseen Triggered
        price SOL 200
        sell  mia SOL 1 @ 190 ioc
        unseen Triggered
        sell  mia SOL 1 @ 180 ioc
        saw   Triggered order=5 account=ben reached=180
        saw   Filled taker_order=5 quantity=6 price=175
        saw   Triggered order=6 account=ben reached=175
        saw   Filled taker_order=6 quantity=1 price=175
        count Filled 4
    """)


@proves("I42")
def test_what_was_reached_first_fires_first_then_what_waited_longer() -> None:
    run_story(
        MARKET
        + """
        when mark 180 sell ben SOL 30 @ market
        when mark 185 sell ben SOL 30 @ market
        when mark 185 sell ben SOL 30 @ market
        when mark 210 buy  ben SOL 1  @ market
        price SOL 150
        saw   Filled taker_order=5 quantity=30 price=190
        saw   Filled taker_order=6 quantity=20 price=190
        unseen TriggerFailed
        count Triggered 3
        expect ben orders 0
        price SOL 250
        saw   Triggered order=7
    """
    )


@proves("I27", "I42")
def test_in_the_book_a_fired_order_comes_behind_those_that_rest_at_its_price() -> None:
    run_story(
        MARKET
        + """
        when   mark 195 buy ben SOL 5 @ 190
        buy    mia SOL 5 @ 190
        price  SOL 195
        saw    Triggered order=4
        saw    OrderRested order=4
        expect ben USDC locked 950
        deposit carl SOL 100
        sell   carl SOL 57 @ 190 ioc
        saw    Filled maker_order=1 quantity=50
        saw    Filled maker_order=5 quantity=5
        saw    Filled maker_order=4 quantity=2
        cancel ben #4
        saw    OrderCancelled order=4
    """
    )


@proves("I42")
@pytest.mark.parametrize(
    ("waits", "code"),
    [
        ("when mark 190 sell ben SOL 101 @ 180", "INSUFFICIENT_FUNDS"),
        ("when mark 190 buy ben SOL 1 @ 290", "INVALID_PRICE"),
        ("when mark 190 buy ben SOL 5 @ 210 post", "INVALID_ORDER"),
        ("when mark 190 buy ben SOL 5 @ market reduce", "INVALID_ORDER"),
        ("when mark 190 buy ben SOL 1000 @ 180 borrow", "INSUFFICIENT_SUPPLY"),
        ("when mark 190 sell ben SOL for 0.0001 @ market", "INVALID_QUANTITY"),
    ],
)
def test_a_fired_order_is_refused_for_what_an_order_is_refused_for(waits: str, code: str) -> None:
    run_story(
        MARKET
        + f"""
        {waits}
        price  SOL 190
        saw    TriggerFailed order=4 account=ben code={code} reached=190
        unseen Triggered
        expect ben SOL locked 0
        price  SOL 200
        price  SOL 190
        unseen TriggerFailed
    """
    )


@proves("I42")
def test_the_rules_of_repay_only_are_asked_when_it_fires() -> None:
    run_story(
        MARKET
        + """
        lend   mia USDC 100,000
        when   mark 190 buy ben SOL 60 @ 190 borrow
        when   mark 180 buy ben SOL 60 @ 180 borrow
        price  SOL 190
        saw    Triggered order=4
        cancel ben #4
        change USDC POOL_STATE repay_only
        price  SOL 180
        saw    TriggerFailed order=5 code=BORROW_LIMIT limit=POOL_STATE
    """
    )


@proves("I20")
def test_whoever_is_liquidated_has_nothing_left_that_waits() -> None:
    run_story(
        MARKET
        + """
        lend    mia SOL 500
        deposit sue USDC 2,500
        borrow  sue SOL 10
        withdraw sue SOL 10
        when    mark 230 buy sue SOL 10 @ market
        when    mark 250 buy sue SOL 10 @ market
        buy     sue SOL 1 @ 150
        price   SOL 249
        saw     LiquidationStarted account=sue
        saw     OrderExpired order=4 account=sue reason=LIQUIDATION
        saw     OrderExpired order=5 account=sue reason=LIQUIDATION
        saw     OrderExpired order=6 account=sue reason=LIQUIDATION
        unseen  Triggered
        when    mark 300 buy sue SOL 10 @ market           | ACCOUNT_LIQUIDATING
    """
    )


@proves("I34", "I42")
def test_under_a_halt_nothing_fires_and_after_it_the_price_that_is_then_counts() -> None:
    run_story(
        MARKET
        + """
        when   mark 190 sell ben SOL 10 @ market
        when   mark 195 sell ben SOL 10 @ market
        halt   SOL
        when   mark 190 sell ben SOL 10 @ market           | TRADING_PAUSED STALE_PRICE
        price  SOL 180
        price  SOL 192
        unseen Triggered
        resume SOL
        saw    Triggered order=5 reached=192
        count  Triggered 1
    """
    )


@proves("I41")
def test_quotes_of_one_moment_fire_once_when_it_ends() -> None:
    run_story(
        MARKET
        + """
        when   mark 190 sell ben SOL 10 @ market
        price  SOL 180 more
        unseen Triggered
        price  SOL 195 more
        price  BTC 100,000
        unseen Triggered
        expect mark SOL 195
        price  SOL 180 more
        step   +1s
        saw    Triggered order=4
    """
    )


@proves("I42")
def test_its_own_orders_are_met_as_its_prevention_says() -> None:
    run_story(
        MARKET
        + """
        buy    ben SOL 1 @ 195
        when   mark 190 sell ben SOL 10 @ 180
        when   mark 185 sell ben SOL 10 @ 180 stop_maker
        price  SOL 190
        saw    Triggered order=5
        saw    OrderExpired order=5 reason=SELF_TRADE_PREVENTION
        price  SOL 185
        saw    OrderExpired order=4 reason=SELF_TRADE_PREVENTION
        saw    Filled taker_order=6 maker_order=1
    """
    )


@proves("I12")
def test_what_waits_counts_among_the_orders_and_gives_its_place_up_when_it_fires() -> None:
    run_story(
        "set max_orders_per_account 3\n"
        + MARKET
        + """
        when   mark 190 sell mia SOL 1 @ 300               | ORDER_LIMIT ORDER_COUNT
        when   mark 190 buy ben SOL 1 @ 180
        buy    ben SOL 1 @ 150
        when   mark 180 sell ben SOL 1 @ market
        buy    ben SOL 1 @ 150                             | ORDER_LIMIT ORDER_COUNT
        buy    ben SOL 1 @ 150 ioc
        price  SOL 190
        saw    OrderRested order=4
        cancel_all ben
        count  OrderCancelled 3
        price  SOL 150
        unseen Triggered
        cancel ben #6                                      | RESOURCE_NOT_FOUND
        when   mark 160 sell ben SOL 1 @ market
        cancel mia #9                                      | RESOURCE_NOT_FOUND
        cancel ben #9
        saw    OrderCancelled order=9
        price  SOL 160
        unseen Triggered
    """
    )
