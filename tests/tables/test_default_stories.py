"""Stories of ADL case B, in both directions of default, of the fund, and of deficits."""

from solvent.domain.waterfall_events import AdlMatched
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
        unseen DebtWrittenOff
        expect lena USDC available 100,000
        expect lena BTC  lent 0
        expect lena value = $value
        expect bob  BTC  owed 0
        expect bob  USDC available 0
        expect pool BTC  lent 0
        expect pool BTC  borrowed 0
        saw  LiquidationEnded account=bob
    """)


# A fee of 1 % would leave nothing of what these accounts are worth.
CHEAP = "set waterfall.book_fee 0.1%\n"

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
        CHEAP
        + RISES
        + """
        keep  anns ann SOL lent
        price SOL 218                              # NE 200, M 436, MF 0.92 % < ACMF 1.4 %
        step +1s
        saw  AdlOpened asset=SOL case=BORROWER_DEFAULT policy=1
        # With a tenth of the worth as fee: 200 - 0.001x >= 0.021 (21,800 - x) from x = 12,890.
        saw  AdlOpened tier=CASH paid_in=0 needed=59.128440664SOL
        expect bob SOL owed ~ 40.871559336
        expect bob value ~ 187.11
        saw  AdlLeg giver=bob receiver=0 asset=USDC value=7.734
        saw  AdlLeg giver=bob receiver=0 asset=USDC value=5.156
        saw  LiquidationEnded account=bob
        expect ann SOL  lent ~ 24.522935602        # pro rata to claims: six tenths
        expect bea SOL  lent ~ 16.348623734
        expect ann USDC available ~ 7,734.000039
        expect ann value ~ 13,080                  # 60 * 218
        expect bea value ~  8,720
        unseen DebtWrittenOff
    """
    )


@proves("A10", "A12", "I23", "I40")
def test_the_fee_is_told_as_such_where_the_fund_is_a_lender() -> None:
    run_story("""
        set waterfall.patience 1
        set waterfall.book_fee 0.1%
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit alice  SOL  100
        lend    alice  SOL  100
        borrow  alice  USDC 17,000
        withdraw alice USDC 17,000
        deposit bob    USDC 60,000
        borrow  bob    SOL  100
        withdraw bob   SOL  100
        open    vera   provider
        deposit vera   USDC 50,000
        commit  vera   USDC 20,000
        price SOL 190
        step +1s
        saw  BackstopLeg receiver=fund asset=SOL form=CLAIM
        expect fund SOL lent > 0.2
        price SOL 595                              # Bob: NE 500, M 1,190
        step +1s
        saw  AdlMatched lender=fund payer=bob
        saw  AdlLeg giver=bob receiver=fund quantity=111.410426USDC value=111.410426
        saw  AdlLeg giver=bob receiver=fund quantity=0.111410USDC value=0.111410
        saw  LiquidationEnded account=bob
    """)


@proves("A10", "I23")
def test_the_fee_is_as_much_as_a_pool_whose_cash_ends_has_left() -> None:
    """Caps count all of a pool's cash for each payer; the last match of the last one finds less."""
    run_story("""
        set waterfall.patience 1
        set waterfall.book_fee 0.1%
        deposit ann  SOL  120
        lend    ann  SOL  120
        deposit bea  SOL  80
        lend    bea  SOL  80
        deposit bob  USDC 22,000
        lend    bob  USDC 22,000
        borrow  bob  SOL  100
        withdraw bob SOL  100
        deposit bert USDC 22,000
        lend    bert USDC 22,000
        borrow  bert SOL  100
        withdraw bert SOL 100
        deposit dave BTC  1
        borrow  dave USDC 18,200
        withdraw dave USDC 18,200
        price SOL 218
        step +1s
        saw  AdlMatched lender=ann payer=bob  value=12,890.000065 fee=12.890000
        saw  AdlMatched lender=ann payer=bert value=2,578.000013  fee=2.578000
        saw  AdlMatched lender=bea payer=bert value=10,312.000052 fee=4.531870  # not 10.312
        saw  AdlLeg giver=bert receiver=fund quantity=4.531870USDC
        expect pool USDC utilization 1
        expect bert value ~ 192.890129
    """)


@proves("A12", "A10", "I17", "I22")
def test_the_collateral_falls() -> None:
    run_story(
        FALLS
        + """
        price SOL 185                              # NE -350, TV 1,500
        step +1s
        saw  AdlOpened asset=USDC case=BORROWER_DEFAULT
        # -350 + (1 - 0.909)x >= 1.05 * 0.02 * (17,000 - x) from x = 6,312.5, in kind at the mark,
        # with the fee of 1 % for those who are paid so.
        saw  AdlMatched payer=alice lender=ann quantity=3787.500005USDC value=3825.375005 fee=37.875
        saw  AdlMatched payer=alice lender=bea quantity=2525.000004USDC value=2550.250004 fee=25.25
        saw  AdlLeg giver=alice receiver=ann asset=SOL tier=FLAGGED
        expect ann USDC lent 56,212.499995
        expect ann SOL  available ~ 20.677702730   # 3,825.375005 / 185
        expect bea SOL  available ~ 13.785135157
        expect ann value ~ 60,037.875
        expect bea value ~ 40,025.25
        expect alice value ~ 1,436.875
        expect alice USDC owed 10,687.499991
        saw  LiquidationEnded account=alice
        unseen DebtWrittenOff
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
        price SOL 125                              # -3,000 + 0.091x >= 0.021 (48,000 - x)
        step +1s
        # Ann owes nothing, so lighter tokens do not endanger her: she comes first. What is then
        # left, sized anew, leaves Dan above maintenance.
        saw  AdlOpened tier=FLAGGED needed=35785.714287USDC allotted=20000USDC
        saw  AdlOpened tier=FLAGGED needed=15785.714287USDC allotted=15785.714287USDC
        saw  AdlCandidate account=ann allotted=20000USDC
        saw  AdlCandidate account=dan allotted=15785.714287USDC
        expect ann USDC lent 0
        expect dan USDC lent 45,214.285713
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
    halves = f"""
        {CHEAP}
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
    whole = run_story(CHEAP + RISES + "price SOL 218\nstep +1s\nkeep owed bob SOL owed").kept[
        "owed"
    ]
    story = run_story(halves + "keep left left SOL owed\nkeep right right SOL owed")
    # An atom of value is worth 220 atoms of SOL here, at the slope of M times 1.05.
    assert abs(story.kept["left"] - story.kept["right"]) <= 220
    assert abs(story.kept["left"] + story.kept["right"] - whole) <= 3 * 220
    story.run("""
        expect ann SOL lent <= 24.522936
        expect ann SOL lent >= 24.522935
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
        saw  AdlLeg giver=alice receiver=dan asset=SOL tier=FLAGGED
        expect dan SOL owed 0
    """)


@proves("A8", "I23")
def test_nobody_is_short_of_the_mark_because_others_have_crumbs() -> None:
    # Twelve claims of 5 atoms, 1.1 * 10^-6 USDC each, beside a large one.
    crumbs = [f"crumb{number}" for number in range(12)]
    lent = [f"deposit {one} SOL 0.000000005\nlend {one} SOL 0.000000005\n" for one in crumbs]
    story = run_story(
        "set waterfall.patience 1\n"
        + "".join(lent)
        + """
        deposit ann SOL 100
        lend    ann SOL 100
        deposit bob USDC 22,000.1
        borrow  bob SOL 100.00000006
        withdraw bob SOL 100.00000006
        price SOL 220
        step +1s
    """
    )
    matches = [event for event in story.events if isinstance(event, AdlMatched)]
    assert len(matches) == len(crumbs) + 1
    for match in matches:
        exact = match.quantity * story.state.mark(2)
        assert abs(match.value * 10**13 - exact) < 2 * 10**13, match
