"""Stories of what the book may pay and get, of its patience, and of who comes after it."""

import pytest

from tests.proof import proves
from tests.tables.story import run_story

# Alice owes 17,000 USDC against 100 SOL.
LONG = """
    deposit lender USDC 50,000
    lend    lender USDC 50,000
    deposit alice  SOL  100
    borrow  alice  USDC 17,000
    withdraw alice USDC 17,000
    deposit ben    USDC 40,000
    deposit friend USDC 10
"""
DUST_BID = "buy friend SOL 0.0001 @ 195.7\nstep +1s\n"


@proves("I39")
@pytest.mark.parametrize("above", ["", DUST_BID], ids=["alone", "with a lot above the market"])
def test_a_lot_above_the_market_starves_no_sale(above: str) -> None:
    """Case 15: a friend's lot at 195.7 each second kept 200 SOL bid at 189.5 from being sold to."""
    story = run_story(LONG + "price SOL 190\nbuy ben SOL 200 @ 189.5\n")
    story.run((above or "step +1s\n") * 5)
    story.run("expect alice liquidating 0\nexpect alice SOL available > 87")


@proves("I16", "I45")
def test_nothing_is_sold_far_below_the_mark_while_a_provider_waits() -> None:
    """Case 16: the only bid is 52 % of the mark."""
    run_story("""
        set SOL haircut.weight 50%
        price SOL 105
        deposit lender USDC 50,000
        lend    lender USDC 50,000
        deposit alice  SOL  100
        borrow  alice  USDC 4,950
        withdraw alice USDC 4,950
        open    vera   provider
        deposit vera   USDC 20,000
        commit  vera   USDC 20,000
        deposit ben    USDC 20,000
        price SOL 100
        buy   ben SOL 200 @ 52
        steps 3 +1s
        unseen Filled
        saw  BackstopFilled provider=vera account=alice discount=5%
        expect alice liquidating 0
    """)


@proves("I16")
@pytest.mark.parametrize(("bid", "filled"), [("185", 1), ("184.31", 1), ("184.29", 0), ("178", 0)])
def test_a_lone_bid_is_met_within_the_providers_discount_of_the_mark(bid: str, filled: int) -> None:
    """Case a19: a bid 8 % below got what a provider would have taken at 5 %.

    194 less 5 % is 184.3; the total value is 12.8 % of the debt.
    """
    story = run_story(f"""
        deposit lender USDC 1,000,000
        lend    lender USDC 1,000,000
        deposit alice  SOL  1,000
        borrow  alice  USDC 172,000
        withdraw alice USDC 172,000
        open    vera   provider
        deposit vera   USDC 1,000,000
        commit  vera   USDC 500,000
        deposit ben    USDC 500,000
        price SOL 194
        buy   ben SOL 2,000 @ {bid}
        step +1s
        count Filled {filled}
    """)
    if not filled:
        story.run("""
            steps 2 +1s
            unseen Filled
            saw  HandedOver account=alice stage=BOOK reason=NO_LIQUIDITY_IN_BAND
            saw  BackstopFilled provider=vera account=alice discount=5%
            expect alice liquidating 0
        """)


@proves("I16")
@pytest.mark.parametrize("weight", ["1", "0.99", "0.985"])
def test_collateral_of_any_weight_is_sold_at_the_mark(weight: str) -> None:
    """Case 17: NE is 1.7 % of the debt, above ACMF and below maintenance."""
    run_story(f"""
        set SOL haircut.weight {weight}
        price SOL 100
        deposit lender USDC 50,000
        lend    lender USDC 50,000
        deposit alice  SOL  100
        borrow  alice  USDC 9,400
        withdraw alice USDC 9,400
        deposit ben    USDC 100,000
        price SOL {9400 * 1.017 / 100 / float(weight):.2f}
        expect alice liquidating 1
        buy   ben SOL 500 @ {9400 * 1.017 / 100 / float(weight):.2f}
        step +1s
        saw  Filled taker=alice side=ASK system_order=BOOK_LIQUIDATION
        steps 60 +1s
        expect alice liquidating 0
        unseen AdlOpened
    """)


@proves("I16")
@pytest.mark.parametrize("weight", ["1", "0.985", "0.95"])
def test_a_stable_coin_of_any_weight_is_sold_for_a_debt_in_another_token(weight: str) -> None:
    """Case a13: 59 steps without a fill, beside 1,000,000 bid at 1.0000. BTC is the coin here."""
    owed = f"{100_000 * float(weight) / 1.05 / 200:.4f}"
    story = run_story(f"""
        set BTC decimals 6
        set BTC market.tick 0.0001
        set BTC market.lot 0.01
        set BTC market.min_quantity 0.01
        set BTC haircut.weight {weight}
        price BTC 1
        deposit lender SOL 480
        lend    lender SOL 480
        deposit alice  BTC 100,000
        borrow  alice  SOL {owed}
        withdraw alice SOL {owed}
        deposit mia    USDC 10,000,000
        deposit mia    SOL  100,000
        price SOL 206.40
        expect alice liquidating 1
        buy   mia BTC 1,000,000 @ 1
        sell  mia SOL 10,000 @ 206.40
        buy   mia SOL 1,000  @ 206.39
        steps 59 +1s
        saw    Filled taker=alice asset=BTC side=ASK price=1
        saw    Filled taker=alice asset=SOL side=BID price=206.40
        unseen AdlOpened
        expect alice liquidating 0
    """)
    assert story.names.asset("BTC") == 1


@proves("I16")
def test_a_debt_of_small_maintenance_is_bought_back() -> None:
    """Case a13b."""
    # Repaying frees 0.9 %, less than the fee of 1 %: the fee is cut.
    run_story("""
        set SOL maintenance.base 0.9%
        deposit lender SOL 480
        lend    lender SOL 480
        deposit bob USDC 100,000
        borrow  bob SOL  470
        withdraw bob SOL 470
        deposit mia SOL 1,000
        price SOL 210.90
        expect bob liquidating 1
        sell  mia SOL 1,000 @ 210.91
        step +1s
        saw  Filled taker=bob side=BID price=210.91 quantity=47
        saw  Repaid account=bob quantity=47
        steps 2 +1s
        count Filled 2
        unseen HandedOver
    """)


@proves("I39", "A6")
@pytest.mark.parametrize("dust", ["", "deposit alice SOL 0.0001\nlend alice SOL 0.0001\n"])
@pytest.mark.parametrize(("probability", "seed"), [("1", 0), *(("0.5", seed) for seed in range(4))])
def test_a_claim_of_two_cents_in_a_full_pool_skips_no_book(
    dust: str, probability: str, seed: int
) -> None:
    """Case a6: a step without an attempt of the book moved 103,943 USDC by ADL."""
    run_story(
        f"""
        set waterfall.book_probability {probability}
        set seed {seed}
        deposit lender USDC 1,000,000
        lend    lender USDC 1,000,000
        deposit other SOL 10
        lend    other SOL 10
        """
        + dust
        + f"""
        deposit bob  USDC 100,000
        borrow  bob  SOL {"10.0001" if dust else "10"}
        deposit alice BTC 10
        borrow  alice USDC 880,000
        withdraw alice USDC 880,000
        price   BTC 93,800
        deposit ben USDC 20,000,000
        buy     ben BTC 100 @ 93,790
        steps 60 +1s
        saw    Filled taker=alice asset=BTC
        unseen AdlOpened
        expect alice liquidating 0
    """
    )


WITH_PROVIDER = """
    open    vera provider
    deposit vera USDC 50,000
    commit  vera USDC 50,000
"""


@proves("I45")
def test_patience_hands_over_between_acmf_and_maintenance() -> None:
    """Case 39: an hour of steps went by."""
    # NE 299.8, M 340, ACMF 238: nobody bids, and a provider has room.
    run_story(
        LONG
        + WITH_PROVIDER
        + """
        price SOL 192.22
        steps 2 +1s
        unseen HandedOver
        step +1s
        saw  HandedOver account=alice stage=BOOK reason=NO_LIQUIDITY_IN_BAND
        saw  BackstopFilled provider=vera account=alice
        saw  LiquidationEnded account=alice
        sell alice SOL 1 @ 193
    """
    )


@proves("I45")
def test_small_fills_shorten_what_is_left_and_never_reset_the_clock() -> None:
    # Each second a quarter of the chunk is sold, so the fourth attempt is the last.
    second = "buy ben SOL 0.5 @ 183\nstep +1s\ncount Filled 1\n"
    story = run_story(LONG + WITH_PROVIDER + "price SOL 192.22\n" + second)
    story.run("buy ben SOL 0.5 @ 183\nstep +1s\n" * 2 + "count Filled 1\nunseen HandedOver")
    second = "buy ben SOL 0.5 @ 183\nstep +1s\n"
    story.run(second + "saw HandedOver account=alice stage=BOOK\nexpect alice liquidating 0")


@proves("I45")
def test_a_chunk_that_closes_the_need_and_not_the_gap_is_short() -> None:
    """The only ask is 1.5 % above the mark, and the fee is cut to what leaves NE - M as it is."""
    run_story("""
        set waterfall.target_buffer 0
        deposit lender SOL 100
        lend    lender SOL 100
        deposit bob USDC 21,000
        borrow  bob SOL 100
        withdraw bob SOL 100
        deposit ben SOL 100
        sell    ben SOL 100 @ 209
        price   SOL 205.9                     # NE 410, M 411.8: MF is above ACMF
        steps   3 +1s                         # each is short by 99.1 % of itself
        saw     Filled taker=bob
        unseen  HandedOver
        expect  bob liquidating 1
        step    +1s
        saw     HandedOver account=bob stage=BOOK reason=NO_LIQUIDITY_IN_BAND
        saw     AdlMatched lender=lender payer=bob
        expect  bob liquidating 0
    """)


@proves("I12")
@pytest.mark.parametrize("held", ["USDC 1,000", "BTC 0.02"])
def test_a_provider_stays_within_its_leverage_limit(held: str) -> None:
    """Case 37: a limit of 3, held in USDC or in BTC."""
    story = run_story(
        LONG
        + f"""
        open    vera provider
        deposit vera {held}
        settings vera leverage_limit=3
        commit  vera USDC 17,000
        price SOL 175
        step +1s
        saw  BackstopFilled provider=vera
        keep equity vera net_equity
        keep exposure vera exposure
    """
    )
    # An atom of either side rounds for the provider, but never above the limit.
    assert 2.999 * story.kept["equity"] < story.kept["exposure"] <= 3 * story.kept["equity"]


@proves("I45")
def test_a_commitment_can_be_called_until_its_notice_is_over() -> None:
    run_story(
        LONG
        + WITH_PROVIDER
        + """
        uncommit vera USDC 40,000
        saw  BackstopCommitted account=vera committed=50000USDC leaving=40000USDC
        uncommit vera USDC 10,001                  | INSUFFICIENT_FUNDS COMMITTED_CAPACITY 10000
        step +59m
        expect vera USDC committed 50,000
        step +1m
        expect vera USDC committed 10,000
    """
    )
