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
        saw  HandedOver account=bob stage=BOOK reason=PRICE_GAP
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
    set waterfall.patience 1
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
    set waterfall.patience 1
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


@proves("A12", "I24")
def test_lenders_whom_the_swap_would_hurt_come_last() -> None:
    # Dan lends USDC and owes BTC: swapping his claim for lighter SOL would leave him liquidatable.
    run_story("""
        set waterfall.patience 1
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
        set waterfall.patience 1
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
        set waterfall.patience 1
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
    # An atom of value is worth 220 atoms of SOL here, at the slope of M times 1.05.
    assert abs(story.kept["left"] - story.kept["right"]) <= 220
    assert abs(story.kept["left"] + story.kept["right"] - whole) <= 3 * 220
    story.run("""
        expect ann SOL lent <= 26.212320
        expect ann SOL lent >= 26.212260
    """)


@proves("A8", "I24")
def test_a_sliver_of_debt_does_not_make_a_payment_in_kind_heavy() -> None:
    # Dan owes 0.1 SOL: what repays it counts in full, the rest is lighter than his USDC.
    run_story("""
        set waterfall.patience 1
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
