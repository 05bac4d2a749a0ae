"""Stories of ADL case B, in both directions of default, of the fund, and of deficits."""

from tests.proof import proves
from tests.tables.story import run_story


@proves("A12", "A8", "A9", "A10", "I23", "I25")
def test_the_articles_example() -> None:
    """1 BTC lent, BTC at 100,000: in a default the lender gets 100,000 USDC."""
    run_story("""
        price   BTC  90000
        deposit lena BTC  1
        lend    lena BTC  1
        deposit bob  USDC 100,000
        borrow  bob  BTC  1
        withdraw bob BTC  1
        expect  pool BTC  utilization 1
        price   BTC  100000
        expect  bob  value 0
        keep    value lena value
        step +1s
        saw  HandedOver account=bob stage=BOOK reason=NO_LIQUIDITY_IN_BAND
        saw  HandedOver account=bob stage=BACKSTOP reason=PRICE_GAP
        saw  AdlOpened asset=BTC case=BORROWER_DEFAULT mark=100000 needed=1BTC allotted=1BTC
        saw  AdlMatched lender=lena payer=bob giver=bob quantity=1BTC value=100000
        count AdlLeg 1
        saw  AdlLeg giver=bob receiver=lena asset=USDC form=AVAILABLE quantity=100000USDC
        unseen DeficitBooked
        expect lena USDC available 100,000
        expect lena BTC  lent 0
        expect lena value = $value
        expect bob  BTC  owed 0
        expect bob  USDC available 0
        expect pool BTC  lent 0
        expect pool BTC  borrowed 0
        saw  LiquidationEnded account=bob
    """)


# The borrowed token rises: Bob sold SOL short.
RISES = """
    deposit ann SOL  60
    lend    ann SOL  60
    deposit bea SOL  40
    lend    bea SOL  40
    deposit bob USDC 22,000
    borrow  bob SOL  100
    withdraw bob SOL 100
"""

# The collateral falls: Alice owes USDC against SOL.
FALLS = """
    deposit ann USDC 60,000
    lend    ann USDC 60,000
    deposit bea USDC 40,000
    lend    bea USDC 40,000
    deposit alice SOL  100
    borrow  alice USDC 17,000
    withdraw alice USDC 17,000
"""


@proves("A12", "A10", "I17", "I22")
def test_the_borrowed_token_rises() -> None:
    run_story(
        RISES
        + """
        keep  anns ann SOL lent
        price SOL 218                              # NE 200, M 436, MF 0.92 % < ACMF 1.4 %
        step +1s
        saw  AdlOpened asset=SOL case=BORROWER_DEFAULT policy=1
        # 200 >= 1.05 * 0.02 * 218 (100 - x) from x = 56.312801.
        expect bob SOL owed <= 43.687200
        expect bob SOL owed >  43.687100
        expect bob value ~ 200
        saw  LiquidationEnded account=bob
        expect ann SOL  lent <= 26.212320          # pro rata to claims: six tenths
        expect ann SOL  lent >= 26.212260
        expect bea SOL  lent <= 17.474880
        expect ann USDC available >= 7,365.7
        expect ann value ~ 13,080                  # 60 * 218
        expect bea value ~  8,720
        unseen DeficitBooked
    """
    )


@proves("A12", "A10", "I17", "I22")
def test_the_collateral_falls() -> None:
    run_story(
        FALLS
        + """
        price SOL 185                              # NE -350, TV 1,500
        step +1s
        saw  AdlOpened asset=USDC case=BORROWER_DEFAULT
        # -350 + 0.1x >= 1.05 * 0.02 * (17,000 - x) from x = 5,842.975207, in kind at the mark.
        saw  AdlMatched payer=alice lender=ann value=3505.785125
        saw  AdlMatched payer=alice lender=bea value=2337.190083
        saw  AdlLeg giver=alice receiver=ann asset=SOL lighter=1
        expect ann USDC lent 56,494.214875
        expect ann SOL  available ~ 18.950189865   # 3,505.785125 / 185
        expect bea SOL  available ~ 12.633459909
        expect ann value ~ 60,000
        expect bea value ~ 40,000
        expect alice value ~ 1,500
        expect alice USDC owed 11,157.024792
        saw  LiquidationEnded account=alice
        unseen DeficitBooked
    """
    )


@proves("I29", "I31", "A12")
def test_own_assets_then_the_fund_then_a_deficit() -> None:
    run_story(
        RISES
        + """
        deposit fund USDC 1,000
        deposit bob  BTC  0.00000001               # dust: 0.00095 USDC of collateral
        price SOL 250                              # owes 25,000, has 22,000
        step +1s
        saw  HandedOver account=bob stage=BACKSTOP reason=PRICE_GAP
        saw  AdlMatched payer=bob giver=bob
        saw  AdlMatched payer=bob giver=fund
        saw  DeficitBooked account=bob asset=SOL
        expect fund USDC available < 0.001
        expect bob  SOL  owed 0
        expect bob  assets < 0.002
        # Of 100 SOL 88 are paid by Bob, 4 by the fund, and 8 are lost.
        expect pool SOL  deficit <= 8
        expect pool SOL  deficit >  7.99999
        expect ann  SOL  lent 0
        expect bea  SOL  lent 0
        expect ann  USDC available >= 13,799.99    # 60 % of 23,000
        expect ann  USDC available <= 13,800.01
        expect bea  USDC available >=  9,199.99
        expect pool SOL  borrowed 0
        saw  LiquidationEnded account=bob
        steps 3 +1s
        unseen DeficitBooked
    """
    )


@proves("I5", "I29", "I32")
def test_a_deficit_falls_on_all_lenders_pro_rata_through_the_index() -> None:
    run_story(
        RISES
        + """
        deposit cat SOL 100
        lend    cat SOL 100
        price SOL 250                              # 12 of 100 SOL nobody pays for
        keep  index pool SOL lend_index
        step +1s
        saw   DeficitBooked account=bob quantity=12SOL lenders=12SOL value=3000
        expect pool SOL deficit 12
        expect pool SOL lend_index < $index
        # 88 are settled pro rata to claims of 60, 40 and 100; then 12 of 112 are lost.
        expect ann SOL lent ~ 30
        expect bea SOL lent ~ 20
        expect cat SOL lent ~ 50
        expect ann USDC available 6,600
        expect cat USDC available 11,000
        expect pool SOL cash 100
        steps 3 +1s
        unseen DeficitBooked
        expect pool SOL deficit 12
    """
    )


@proves("I31")
def test_dust_in_another_asset_does_not_block_the_booking() -> None:
    run_story(
        RISES
        + """
        deposit bob BTC 0.00000001
        withdraw bob USDC 1,100
        price SOL 500
        step +1s
        saw  DeficitBooked account=bob asset=SOL
        expect bob SOL owed 0
        expect bob liquidating 0
    """
    )


@proves("I30")
def test_nobody_leaves_between_insolvency_and_booking() -> None:
    run_story(
        RISES
        + """
        deposit cat SOL 50
        lend    cat SOL 50
        redeem  cat SOL 1
        price SOL 250                              # TV -3,000
        redeem   cat SOL 1                         | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        withdraw cat SOL 2 redeem                  | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 1
        sell     cat SOL 2 @ 250 redeem            | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 1
        expect   max_redeem cat SOL 0
        # Elsewhere and the other way the gate is open.
        deposit  cat USDC 10
        lend     cat USDC 10
        redeem   cat USDC 10
        lend     cat SOL 1
        step +1s
        saw  DeficitBooked account=bob
        redeem  cat SOL 1
    """
    )


@proves("I15", "A6")
def test_a_deficit_says_why_adl_could_not_do_it() -> None:
    run_story(
        RISES
        + """
        price SOL 250
        step +1s
        saw  HandedOver account=bob stage=BOOK
        saw  HandedOver account=bob stage=BACKSTOP
        saw  HandedOver account=bob stage=ADL asset=SOL
    """
    )


@proves("A12", "I24")
def test_lenders_whom_the_swap_would_hurt_come_last() -> None:
    # Dan lends USDC and owes BTC: swapping his claim for lighter SOL would leave him liquidatable.
    run_story("""
        deposit ann USDC 20,000
        lend    ann USDC 20,000
        deposit fox BTC  1
        lend    fox BTC  1
        deposit dan USDC 61,000
        lend    dan USDC 61,000
        borrow  dan BTC  0.58
        withdraw dan BTC 0.58                      # NE 3,000, M 1,160
        deposit lea SOL 400
        borrow  lea USDC 48,000
        withdraw lea USDC 48,000
        price SOL 125                              # -3,000 + 0.1x >= 0.021 (48,000 - x)
        step +1s
        saw  AdlOpened needed=33123.966943USDC allotted=33123.966943USDC
        saw  AdlCandidate account=ann last=0 allotted=20000USDC
        saw  AdlCandidate account=dan last=1 allotted=13123.966943USDC
        expect ann USDC lent 0
        expect dan USDC lent 47,876.033057
        expect dan net_equity > 1,160
        expect dan liquidating 0
    """)


@proves("I7", "I18")
def test_nobody_becomes_liquidatable_by_the_default_of_another() -> None:
    run_story("""
        deposit ann USDC 100,000
        lend    ann USDC 100,000
        deposit fox BTC  1
        lend    fox BTC  1
        deposit dan USDC 10,000
        lend    dan USDC 10,000
        borrow  dan BTC  0.095
        withdraw dan BTC 0.095                     # NE 500, M 190
        deposit alice SOL  100
        borrow  alice USDC 17,000
        withdraw alice USDC 17,000
        price SOL 185
        step +1s
        saw   AdlOpened case=BORROWER_DEFAULT
        expect dan liquidating 0
        steps 3 +1s
        unseen LiquidationStarted
    """)


@proves("I29", "I31")
def test_an_account_with_two_debts_divides_what_it_has_by_value() -> None:
    run_story("""
        deposit ann SOL  100
        lend    ann SOL  100
        deposit fox BTC  1
        lend    fox BTC  1
        deposit bob USDC 44,000
        borrow  bob SOL  100
        borrow  bob BTC  0.2
        withdraw bob SOL 100
        withdraw bob BTC 0.2
        price BTC 150000
        price SOL 300                              # owes 30,000 of each
        step +1s
        # An atom of BTC is worth 0.0015.
        expect fox USDC available >= 21,999.998
        expect fox USDC available <= 22,000.002
        expect ann USDC available >= 21,999.998
        saw  DeficitBooked account=bob asset=BTC
        saw  DeficitBooked account=bob asset=SOL
        expect pool BTC deficit ~ 0.05333333       # 8,000 / 150,000
        expect pool SOL deficit >= 26.666660
        expect pool SOL deficit <= 26.666670
        expect bob liquidating 0
        expect bob assets 0
    """)


@proves("A4", "I33")
def test_a_pool_whose_lenders_lost_everything_lives_on() -> None:
    run_story("""
        deposit ann SOL  100
        lend    ann SOL  100
        deposit bob USDC 21,000
        borrow  bob SOL  100
        withdraw bob SOL 100
        price SOL 2100
        step +1s
        saw  DeficitBooked account=bob asset=SOL
        expect ann SOL lent 0
        expect ann USDC available 21,000
        expect pool SOL deficit 90
        deposit cat SOL 5
        lend    cat SOL 5
        redeem  cat SOL 5
    """)


@proves("A13", "I9")
def test_debts_are_non_recourse() -> None:
    run_story(
        RISES
        + """
        price SOL 250
        step +1s
        saw  DeficitBooked account=bob
        deposit  bob USDC 500
        expect   bob USDC available 500
        withdraw bob USDC 500
        expect   ann SOL lent 0
    """
    )


@proves("I12", "A4")
def test_a_liquidation_may_pass_the_bound_but_not_the_cash() -> None:
    run_story("""
        set SOL pool.throttle_threshold 50%
        deposit mia USDC 100,000
        buy     mia SOL 100 @ 190
        deposit usd USDC 20,000
        lend    usd USDC 20,000
        deposit alice SOL 100
        lend    alice SOL 100
        borrow  alice USDC 17,000
        withdraw alice USDC 17,000
        deposit bob USDC 50,000
        borrow  bob SOL 50
        redeem  alice SOL 1                        | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        price SOL 192.1
        step +1s
        saw  Redeemed account=alice source=LIQUIDATION
        expect pool SOL utilization > 50%
        steps 20 +1s
        expect pool SOL utilization <= 1
        expect pool SOL cash >= 0
        expect alice liquidating 0
    """)


@proves("I17", "I28")
def test_two_halves_are_liquidated_like_the_whole() -> None:
    halves = """
        deposit ann SOL 60
        lend    ann SOL 60
        deposit bea SOL 40
        lend    bea SOL 40
        deposit left  USDC 11,000
        borrow  left  SOL  50
        withdraw left SOL  50
        deposit right USDC 11,000
        borrow  right SOL  50
        withdraw right SOL 50
        price SOL 218
        step +1s
    """
    whole = run_story(RISES + "price SOL 218\nstep +1s\nkeep owed bob SOL owed").kept["owed"]
    story = run_story(halves + "keep left left SOL owed\nkeep right right SOL owed")
    assert abs(story.kept["left"] - story.kept["right"]) <= 10
    assert abs(story.kept["left"] + story.kept["right"] - whole) <= 20
    story.run("""
        expect ann SOL lent <= 26.212320
        expect ann SOL lent >= 26.212260
    """)


@proves("A8", "I24")
def test_a_sliver_of_debt_does_not_make_a_payment_in_kind_heavy() -> None:
    # Dan owes 0.1 SOL: what repays it counts in full, the rest is lighter than his USDC.
    run_story("""
        deposit fox SOL 10
        lend    fox SOL 10
        deposit dan USDC 20,000
        lend    dan USDC 20,000
        borrow  dan SOL  0.1
        withdraw dan SOL 0.1
        deposit alice SOL 100
        borrow  alice USDC 17,000
        withdraw alice USDC 17,000
        price SOL 185
        step +1s
        saw  AdlLeg giver=alice receiver=dan asset=SOL lighter=1
        expect dan SOL owed 0
    """)


@proves("I21", "I29")
def test_no_round_is_opened_where_nobody_can_pay_anything() -> None:
    run_story("""
        deposit ann SOL 100
        lend    ann SOL 100
        deposit bob USDC 22,000
        borrow  bob SOL 100
        withdraw bob SOL 100
        price SOL 500
        step +1s
        count AdlOpened 1
        saw   AdlOpened needed=44SOL
        saw   DeficitBooked account=bob quantity=56SOL
        steps 3 +1s
        unseen AdlOpened
        unseen DeficitBooked
    """)
