"""Queries: what people are told ahead of time is what then happens, to the unit."""

import pytest

from solvent.domain import commands as c
from solvent.domain.engine_face import EngineFace
from solvent.domain.units import PRICE_SCALE, RATIO
from solvent.domain.waterfall_events import AdlCandidate
from tests.proof import proves
from tests.tables.story import Story, run_story

SOL = 2

WORLD = """
    set SOL pool.curve.points 0:0 80%:8% 1:100%
    set SOL pool.throttle_threshold 90%
    deposit lender SOL  100
    lend    lender SOL  100
    deposit lender USDC 20,000
    lend    lender USDC 20,000
    deposit short  USDC 3,000
    borrow  short  SOL  12
    withdraw short SOL  12
    deposit long   SOL  50
    borrow  long   USDC 8,000
    withdraw long  USDC 8,000
    deposit free   BTC  1
"""


def liquidating_at(engine: EngineFace, account: int, price: int) -> bool:
    """Whether a SOL price makes the account liquidating, tried on a copy."""
    copy = Story.engines.restore(engine.snapshot())
    copy.apply_one(c.UpdatePrice(SOL, 0, price, price, price))
    return account in copy.queries.liquidating()


@proves("A14", "I37")
def test_liquidation_prices_are_the_first_that_liquidate() -> None:
    story = run_story(WORLD)
    engine, names = story.engine, story.names
    before = engine.state_hash()
    short = engine.queries.liquidation_prices(names.account("short"), SOL)
    assert short.below is None
    assert short.above is not None
    assert liquidating_at(engine, names.account("short"), short.above)
    assert not liquidating_at(engine, names.account("short"), short.above - 1)
    long = engine.queries.liquidation_prices(names.account("long"), SOL)
    assert long.above is None
    assert long.below is not None
    assert liquidating_at(engine, names.account("long"), long.below)
    assert not liquidating_at(engine, names.account("long"), long.below + 1)
    assert 180 * PRICE_SCALE < long.below < 182 * PRICE_SCALE
    assert engine.queries.liquidation_prices(names.account("free"), SOL) == (None, None)
    assert engine.state_hash() == before


@proves("A14")
def test_who_is_liquidatable_is_so_at_the_mark_itself() -> None:
    story = run_story(WORLD + "price SOL 170")
    account = story.names.account("long")
    mark = 170 * PRICE_SCALE
    assert story.engine.queries.liquidation_prices(account, SOL) == (mark, mark)


@proves("A14", "A1")
def test_a_pool_report() -> None:
    story = run_story(WORLD)
    report = story.engine.queries.pool(SOL)
    assert report.lent == 100 * 10**9
    assert report.borrowed == 12 * 10**9
    assert report.cash == 88 * 10**9
    assert report.utilization == RATIO * 12 // 100
    assert report.borrow_apr == RATIO * 12 // 1000
    assert report.threshold == report.bound == RATIO * 9 // 10
    assert not report.gated
    # What one user could take out is what a redemption then may, to the atom.
    before = story.engine.snapshot()
    lender = story.names.account("lender")
    for quantity, passes in ((report.withdrawable, True), (report.withdrawable + 1, False)):
        engine = Story.engines.restore(before)
        events = engine.apply_one(c.Redeem(lender, SOL, quantity))
        assert (type(events[0]).__name__ == "Redeemed") is passes


@proves("A14")
def test_an_account_report() -> None:
    story = run_story(WORLD)
    asked, names = story.engine.queries, story.names
    report = asked.fractions(names.account("long"))
    # NE 9,000 - 8,000 of E 8,000, M 160.
    assert report.margin_fraction == RATIO // 8
    assert report.maintenance_ratio == RATIO * 16 // 100
    assert report.leverage == 8 * RATIO
    assert not report.liquidating
    assert not report.over_leverage_limit
    free = asked.fractions(names.account("free"))
    assert (free.margin_fraction, free.maintenance_ratio, free.leverage) == (None, None, 0)
    nobody = asked.fractions(names.account("treasury"))
    assert nobody.leverage is None


def stuck_market(policy: str) -> Story:
    """A fully lent pool with three borrowers and a lender who is about to be stuck."""
    return run_story(f"""
        set waterfall.lender_policy {policy}
        deposit lender USDC 20,000
        lend    lender USDC 20,000
        deposit i   SOL  100
        lend    i   SOL  100
        borrow  i   USDC 17,000
        withdraw i  USDC 17,000
        deposit a   USDC 12,000
        deposit b   USDC 9,000
        deposit e   BTC  0.1
        borrow  a   SOL  40
        borrow  b   SOL  30
        borrow  e   SOL  30
        withdraw a  SOL  40
        withdraw b  SOL  30
        withdraw e  SOL  30
    """)


@proves("A14", "I37")
@pytest.mark.parametrize("policy", ["leverage", "pro_rata", "queue", "largest_loan"])
def test_a_forecast_is_what_the_round_then_takes(policy: str) -> None:
    story = stuck_market(policy)
    story.run("price SOL 190")
    needed = 11_178_773_380
    people = [story.names.account(name) for name in "abe"]
    forecasts = [story.engine.queries.forecast(account, SOL, needed) for account in people]
    story.run("step +1s\nsaw AdlOpened needed=11.178773380SOL")
    allotted = dict.fromkeys(people, 0)
    for event in story.events:
        if isinstance(event, AdlCandidate):
            allotted[event.account] += event.allotted
    ranks = set()
    for account, forecast in zip(people, forecasts, strict=True):
        assert forecast is not None
        assert forecast.allotted == allotted[account]
        assert forecast.candidates == 3
        assert forecast.cash_left == 0
        ranks.add(forecast.rank)
    assert ranks == {1, 2, 3}


@proves("A14")
def test_no_forecast_for_who_does_not_owe() -> None:
    story = stuck_market("queue")
    assert story.engine.queries.forecast(story.names.account("i"), SOL, 10**9) is None


def test_a_holding() -> None:
    story = run_story("""
        deposit ann SOL 10
        lend    ann SOL 4
        sell    ann SOL 1 @ 210
        deposit bob USDC 1,000
        borrow  bob SOL 2
    """)
    asked, names = story.engine.queries, story.names
    assert asked.balances(names.account("ann"))[SOL] == (5 * 10**9, 10**9, 4 * 10**9, 0, 0)
    assert asked.balances(names.account("bob"))[SOL] == (2 * 10**9, 0, 0, 2 * 10**9, 0)


@proves("I37")
def test_who_may_not_act_may_ask_for_nothing() -> None:
    """An account in the waterfall may only repay; the fund and the treasury place no orders."""
    story = run_story(WORLD + "deposit treasury USDC 5")
    engine, names = story.engine, story.names
    long, treasury = names.account("long"), names.account("treasury")
    bid = c.PlaceOrder(
        long, SOL, c.Side.BID, c.OrderType.LIMIT, price=190 * PRICE_SCALE, auto_borrow=True
    )
    assert engine.queries.max_order_like(bid) > 0
    assert engine.queries.max_lend(long, SOL) > 0
    assert engine.queries.max_repay(long, 0) == 0
    story.run("deposit long USDC 10")
    story.run("price SOL 170")
    assert engine.queries.liquidating() == [long]
    assert engine.queries.max_order_like(bid) == 0
    assert engine.queries.max_lend(long, SOL) == engine.queries.max_borrow(long, 0) == 0
    assert engine.queries.max_redeem(names.account("lender"), SOL) > 0
    assert engine.queries.max_withdraw(long, 0, auto_lend_redeem=True, auto_borrow=True) == 0
    assert engine.queries.max_repay(long, 0) == 10 * 10**6
    for borrow in (False, True):
        largest = engine.queries.max_withdraw(
            treasury, 0, auto_lend_redeem=True, auto_borrow=borrow
        )
        assert largest == 5 * 10**6
    assert engine.queries.max_lend(treasury, 0) == 0
    assert engine.queries.max_repay(treasury, 0) == 0


WHALE = """
    set SOL initial.factor 0.00000001
    set SOL maintenance.factor 0.00000001
    deposit whale USDC 900,000,000,000
    deposit whale BTC  5,000,000
    deposit house SOL  1,000,000,000
    lend    house SOL  1,000,000,000
    borrow  whale SOL  900,000,000
    withdraw whale SOL 900,000,000
"""
"""At 8.7 times the mark the debt is worth more than a column holds, and still well covered."""


def test_imagined_prices_end_where_columns_do() -> None:
    story = run_story(WHALE)
    prices = story.engine.queries.liquidation_prices(story.names.account("whale"), SOL)
    assert prices == (None, None)
