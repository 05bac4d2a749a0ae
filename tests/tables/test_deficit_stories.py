"""Stories of what nobody can pay: the fund, then a deficit on the lenders, and nobody dodges it."""

from tests.proof import proves
from tests.tables.story import run_story
from tests.tables.test_default_stories import RISES


@proves("I29", "I31", "A12")
def test_own_assets_then_the_fund_then_a_deficit() -> None:
    run_story(
        RISES
        + """
        deposit fund USDC 1,000
        deposit bob  BTC  0.00000001               # dust: 0.00095 USDC of collateral
        price SOL 250                              # owes 25,000, has 22,000
        step +1s
        saw  FundPaid account=bob quantity=1000USDC
        saw  DebtWrittenOff account=bob asset=SOL
        saw  HandedOver account=bob stage=BACKSTOP reason=PRICE_GAP
        saw  AdlMatched payer=bob giver=bob
        expect fund USDC available 0
        # His atom of BTC is worth more than the rest of his debt, which no atom of it pays for.
        expect bob  SOL  owed <= 0.000004
        expect bob  assets < 0.002
        # Of 100 SOL 88 are paid by Bob, 4 out of what the fund gave him, and 8 are lost.
        expect pool SOL  deficit <= 8
        expect pool SOL  deficit >  7.99999
        expect ann  SOL  lent <= 0.000004
        expect bea  SOL  lent <= 0.000004
        expect ann  USDC available >= 13,799.99    # 60 % of 23,000
        expect ann  USDC available <= 13,800.01
        expect bea  USDC available >=  9,199.99
        expect pool SOL  borrowed <= 0.000004
        steps 3 +1s
        expect bob  SOL  owed 0
        expect bob  liquidating 0
        expect pool SOL  deficit <= 8.000004
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
        saw   DebtWrittenOff account=bob quantity=12SOL value=3000
        saw   PoolWrittenDown asset=SOL claims=200SOL loss=12SOL lenders=12SOL fraction=60000000
        expect pool SOL deficit 12
        expect pool SOL lend_index < $index
        # 12 of 200 are lost; then 88 are settled pro rata to claims of 56.4, 37.6 and 94.
        expect ann SOL lent ~ 30
        expect bea SOL lent ~ 20
        expect cat SOL lent ~ 50
        expect ann USDC available ~ 6,600
        expect cat USDC available ~ 11,000
        expect pool SOL cash 100
        steps 3 +1s
        unseen DebtWrittenOff
        expect pool SOL deficit 12
    """
    )


@proves("I31")
def test_dust_in_another_asset_does_not_block_the_booking() -> None:
    # An atom of BTC is worth 0.0012: what is left of Bob buys none.
    run_story("""
        deposit ann BTC 1
        lend    ann BTC 1
        deposit bob USDC 110,000
        borrow  bob BTC 1
        withdraw bob BTC 1
        withdraw bob USDC 5,000
        deposit bob SOL 0.000000003
        price BTC 119999.99
        step +1s
        saw  DebtWrittenOff account=bob asset=BTC
        expect bob BTC owed 0
        expect bob USDC available > 0
        expect bob SOL  available 0.000000003
        expect bob liquidating 0
    """)


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
        # Elsewhere the gate is open.
        deposit  cat USDC 10
        lend     cat USDC 10
        redeem   cat USDC 10
        lend     cat SOL 1                         | LEND_LIMIT INSOLVENCY_GATE 0
        step +1s
        saw  DebtWrittenOff account=bob
        redeem  cat SOL 1
    """
    )


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
        saw  DebtWrittenOff account=bob asset=BTC
        saw  DebtWrittenOff account=bob asset=SOL
        expect pool BTC deficit ~ 0.05333333       # 8,000 / 150,000
        expect pool SOL deficit >= 26.666660
        expect pool SOL deficit <= 26.666670
        expect bob liquidating 0
        expect bob assets < 0.0015
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
        saw  DebtWrittenOff account=bob asset=SOL
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
        saw  DebtWrittenOff account=bob
        deposit  bob USDC 500
        expect   bob USDC available 500
        withdraw bob USDC 500
        expect   ann SOL lent 0
    """
    )


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
        saw   DebtWrittenOff account=bob quantity=56SOL
        steps 3 +1s
        unseen AdlOpened
        unseen DebtWrittenOff
    """)
