"""Stories of the first two stages: the book, then the backstop providers."""

from tests.proof import proves
from tests.tables.story import run_story

# Bob sold 100 SOL short: 22,000 USDC in hand, and the price rises.
SHORT = """
    deposit lender SOL  100
    lend    lender SOL  100
    deposit mia    SOL  1,000
    deposit bob    USDC 22,000
    borrow  bob    SOL  100
    withdraw bob   SOL  100
"""

# Alice borrowed 17,000 USDC against 100 SOL, and SOL falls to 190: NE 100, M 340, TV 2,000.
LONG = """
    deposit lender USDC 100,000
    lend    lender USDC 100,000
    deposit alice  SOL  100
    borrow  alice  USDC 17,000
    withdraw alice USDC 17,000
"""


@proves("A13", "I14", "I16", "I17", "I19", "I20")
def test_the_book_buys_back_what_is_needed_and_no_more() -> None:
    run_story(
        SHORT
        + """
        sell mia SOL 200 @ 216
        buy  bob SOL 1 @ 190                       # an open order, whose funds are freed first
        price SOL 215                              # NE 500 > M 430
        expect bob liquidating 0
        price SOL 216                              # NE 400 <= M 432, and MF 1.85 % > ACMF 1.4 %
        saw LiquidationStarted account=bob net_equity=400 maintenance=432
        saw OrderExpired account=bob reason=LIQUIDATION
        expect bob USDC locked 0
        expect bob liquidating 1
        # One step closes a tenth of the position at most.
        step +1s
        count Filled 1
        saw Filled taker=bob quantity=10 price=216 taker_fee=21.6 system_order=BOOK_LIQUIDATION
        saw Repaid account=bob quantity=10 source=LIQUIDATION
        unseen HandedOver
        step +1s
        saw Filled taker=bob quantity=9
        # 358.96 - 2.16x >= 1.05 (349.92 - 4.32x) from x = 3.558923; lots are a ten-thousandth.
        step +1s
        saw Filled taker=bob quantity=3.559
        saw Repaid account=bob quantity=3.559 source=LIQUIDATION
        saw LiquidationEnded account=bob
        expect bob liquidating 0
        expect bob SOL owed 77.441                 # 100 - 22.559 of all three fills
        steps 5 +1s
        unseen Filled
        expect fund USDC available ~ 48.72744      # 1 % of 22.559 * 216
    """
    )


@proves("I8", "I14")
def test_who_is_liquidating_can_only_deposit_and_repay() -> None:
    run_story(
        SHORT
        + """
        deposit bob SOL 1
        deposit bob BTC 0.0000001
        price SOL 221
        expect   bob liquidating 1
        withdraw bob USDC 1                        | ACCOUNT_LIQUIDATING
        lend     bob USDC 1                        | ACCOUNT_LIQUIDATING
        redeem   bob USDC 1                        | ACCOUNT_LIQUIDATING
        borrow   bob SOL 1                         | ACCOUNT_LIQUIDATING
        buy      bob SOL 1 @ 200                   | ACCOUNT_LIQUIDATING
        cancel_all bob                             | ACCOUNT_LIQUIDATING
        settings bob auto_lend=1                   | ACCOUNT_LIQUIDATING
        dust     bob BTC                           | ACCOUNT_LIQUIDATING
        keep     margin bob maintenance
        repay    bob SOL 1
        expect   bob maintenance < $margin
        deposit  bob USDC 1,000
        step     +1s
        saw      LiquidationEnded account=bob
        withdraw bob BTC 0.0000001
    """
    )


@proves("I16")
def test_the_book_pays_no_price_that_lowers_health() -> None:
    # Repaying frees 2 % of the debt, but TV is 1.85 % of it: nothing above 219.99 is bought.
    run_story(
        SHORT
        + """
        sell mia SOL 200 @ 220
        price SOL 216
        steps 2 +1s
        unseen Filled
        unseen HandedOver                          # MF is above ACMF: the book is patient
        expect bob SOL owed 100
        step +1s
        saw HandedOver account=bob stage=BOOK reason=NO_LIQUIDITY_IN_BAND
    """
    )


@proves("I14", "A6")
def test_redeems_and_sells_collateral_then_repays() -> None:
    run_story(
        LONG
        + """
        set_aside
        deposit mia USDC 100,000
        lend  alice SOL 100
        buy   mia SOL 100 @ 190
        price SOL 192.1                            # NE 289 <= M 340, MF 1.7 % > ACMF
        step +1s
        saw  Redeemed account=alice source=LIQUIDATION
        saw  Filled taker=alice side=ASK price=190
        saw  Repaid account=alice source=LIQUIDATION
        expect alice USDC owed < 17,000
        expect alice SOL lent < 100
    """.replace("        set_aside\n", "")
    )


@proves("A6", "I15", "I17")
def test_a_provider_takes_over_what_the_book_could_not() -> None:
    # A discount of 5 %: 100 + 0.055v >= 1.05 (340 - 0.02v) from v = 3,381.578948.
    run_story(
        LONG
        + """
        open    vera provider
        deposit vera USDC 50,000
        commit  vera USDC 20,000
        keep    before alice value
        price SOL 190
        saw  LiquidationStarted account=alice net_equity=100 maintenance=340 total_value=2000
        unseen BackstopFilled
        step +1s
        saw  HandedOver account=alice stage=BOOK reason=NO_LIQUIDITY_IN_BAND value=17000
        count BackstopFilled 1
        saw  BackstopFilled provider=vera account=alice discount=5%
        saw  BackstopFilled fund_value=56.359650   # a third of 5 %
        unseen AdlOpened
        saw  LiquidationEnded account=alice
        # An atom of SOL too much costs 0.9 / 0.076 = 12 atoms of the debt at most.
        expect alice USDC owed <= 13,618.421052
        expect alice USDC owed >= 13,618.421040
        expect vera  USDC owed >= 3,381.578948
        expect vera  USDC owed <= 3,381.578960
        expect vera  USDC committed <= 16,618.421052
        # 3,494.298246 and 56.35965 USDC of SOL at 190
        expect vera  SOL  available >= 18.391043400
        expect vera  SOL  available <= 18.391043500
        expect fund  SOL  available ~ 0.296629736
        expect alice value > 1,830                 # 2,000 less the discount of 169.08
        expect alice value < 1,831
    """
    )


@proves("I17")
def test_providers_share_pro_rata_to_free_capacity() -> None:
    run_story(
        LONG
        + """
        open    vera provider
        open    vito provider
        deposit vera USDC 50,000
        deposit vito USDC 50,000
        commit  vera USDC 3,000
        commit  vito USDC 1,000
        price SOL 190
        step +1s
        count BackstopFilled 2
        expect vera USDC owed >= 2,536.184211      # three quarters of 3,381.578948
        expect vera USDC owed <= 2,536.184220
        expect vito USDC owed >= 845.394737
        expect vito USDC owed <= 845.394740
        saw  LiquidationEnded account=alice
    """
    )


@proves("A13")
def test_a_provider_is_never_pushed_under_his_initial_margin() -> None:
    run_story(
        LONG
        + """
        open    vera provider
        open    vito provider
        commit  vera USDC 20,000                   # promised, but nothing behind it
        deposit vito USDC 10
        commit  vito USDC 20,000
        price SOL 190
        step +1s
        unseen BackstopFilled provider=vera
        saw  BackstopFilled provider=vito
        keep   equity vito net_equity
        expect vito exposure < 110
        expect vito net_equity >= 0
        expect vito liquidating 0
        saw  HandedOver account=alice stage=BACKSTOP reason=NO_BACKSTOP_CAPACITY
    """
    )


@proves("A6")
def test_a_provider_who_lends_what_he_takes_over_nets_at_once() -> None:
    run_story(
        LONG
        + """
        open    vera provider
        deposit vera USDC 50,000
        lend    vera USDC 50,000
        borrow  vera SOL  1                        | INSUFFICIENT_SUPPLY POOL_CASH 0
        deposit lender SOL 10
        lend    lender SOL 10
        borrow  vera SOL  5
        withdraw vera SOL 5
        commit  vera USDC 20,000
        price SOL 190
        step +1s
        saw  Netted account=vera asset=USDC source=LIQUIDATION_BACKSTOP
        expect vera USDC owed 0
        expect vera USDC lent <= 46,618.421052
        # The SOL he receives repays the SOL he owes.
        saw  Repaid account=vera asset=SOL quantity=5SOL source=BACKSTOP_PROVIDER
        expect vera SOL owed 0
        expect vera SOL available >= 13.391043400
        expect vera SOL available <= 13.391043500
    """
    )


@proves("A13")
def test_a_providers_own_claim_counts_against_what_he_takes_over() -> None:
    # 100 - 0.07q >= 0.04 (q - 100) up to q = 945.45; without netting it would be 909.09.
    run_story(
        LONG
        + """
        open    vera provider
        deposit vera USDC 100
        lend    vera USDC 100
        commit  vera USDC 20,000
        price SOL 190
        step +1s
        saw  BackstopFilled provider=vera
        expect vera USDC owed >  845.40
        expect vera USDC owed <= 845.46
        expect vera USDC lent 0
    """
    )


@proves("A6", "I15")
def test_a_lent_claim_goes_to_a_provider_without_redemption() -> None:
    run_story("""
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit alice  SOL  100
        lend    alice  SOL  100
        borrow  alice  USDC 17,000
        withdraw alice USDC 17,000
        deposit bob    USDC 60,000
        borrow  bob    SOL  100                    # the SOL pool is empty now
        open    vera   provider
        deposit vera   USDC 50,000
        commit  vera   USDC 20,000
        price SOL 190
        step +1s
        saw  HandedOver account=alice stage=BOOK reason=NO_REDEEMABLE_CASH
        saw  BackstopLeg receiver=vera asset=SOL form=CLAIM
        saw  BackstopLeg receiver=fund asset=SOL form=CLAIM
        unseen AdlOpened
        saw  LiquidationEnded account=alice
        expect pool SOL cash 0
        expect vera SOL lent > 18
    """)


@proves("A6", "I15")
def test_a_position_over_the_book_limit_goes_to_providers() -> None:
    run_story(
        "set waterfall.book_limit 1,000\n"
        + SHORT
        + """
        sell mia SOL 200 @ 216
        open    vera provider
        deposit vera USDC 50,000
        commit  vera SOL  100
        price SOL 216
        step +1s
        saw  Filled taker=bob quantity=10          # the book does its part of the step
        saw  HandedOver account=bob stage=BOOK reason=OVER_BOOK_LIMIT
        saw  BackstopFilled provider=vera
    """
    )


@proves("A6", "I15")
def test_no_provider_takes_an_account_that_is_worth_nothing() -> None:
    run_story(
        SHORT
        + """
        open    vera provider
        deposit vera USDC 50,000
        commit  vera SOL  100
        price SOL 221                              # TV -100
        step +1s
        saw  HandedOver account=bob stage=BACKSTOP reason=PRICE_GAP
        unseen BackstopFilled
        saw  AdlOpened case=BORROWER_DEFAULT
    """
    )


@proves("I7")
def test_interest_alone_can_liquidate() -> None:
    run_story(
        "set SOL pool.curve.points 0:5000% 1:5000%\n"
        + SHORT.replace("bob    SOL  100", "bob SOL 90").replace("bob   SOL  100", "bob SOL 90")
        + """
        withdraw bob USDC 3,100                    # NE 900 of M 360, and 103 an hour to pay
        steps 5 +1h
        saw  InterestCharged asset=SOL
        expect bob liquidating 0
        step +1h
        saw  LiquidationStarted account=bob
    """
    )


@proves("I7", "I14")
def test_a_parameter_change_can_liquidate() -> None:
    run_story(
        SHORT
        + """
        change SOL MAINTENANCE_BASE 3%
        expect bob liquidating 0
        change SOL INITIAL_BASE 12%
        change SOL MAINTENANCE_BASE 11%
        saw  LiquidationStarted account=bob maintenance=2200
    """
    )


@proves("A6", "I15")
def test_nothing_acts_while_the_book_is_skipped_by_the_draw() -> None:
    run_story(
        "set waterfall.book_probability 0.0000001\n"
        + SHORT
        + """
        sell mia SOL 200 @ 216
        price SOL 216
        steps 5 +1s
        unseen Filled
        unseen HandedOver
        expect bob SOL owed 100
    """
    )
