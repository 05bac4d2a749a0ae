"""Stories of certain losses: booked first, once and equally, and nobody dodges them before that."""

import pytest

from solvent.domain.units import INDEX_SCALE
from solvent.proof.invariants.solvency import wrong_gates
from solvent.proof.invariants.state_view import view_of
from tests.proof import proves
from tests.tables.story import run_story

POLICIES = ("leverage", "pro_rata", "queue", "largest_loan", "risk_weighted")

TWO_LENDERS = """
    price   BTC 1,000
    deposit eve USDC 1,000,000
    lend    eve USDC 1,000,000
    deposit ann BTC 5
    lend    ann BTC 5
    deposit bea BTC 4.999
    lend    bea BTC 4.999
"""
DEBTOR = """
    deposit bob SOL 60
    borrow  bob BTC 9.999
    withdraw bob BTC 9.999
    price   SOL 100                       # 6,000 for a debt of 9,999
"""
HALVED = """
    deposit eve USDC 100,000
    lend    eve USDC 100,000
    deposit ann SOL 100
    lend    ann SOL 100
    deposit bob USDC 22,000
    borrow  bob SOL 100
    withdraw bob SOL 100
    price   SOL 440                       # 22,000 for a debt of 44,000
"""


@proves("I38", "I29", "I31")
def test_a_loss_spreads_over_pools_as_the_worked_example_says() -> None:
    run_story(
        TWO_LENDERS
        + """
        borrow   bea USDC 4,500
        withdraw bea USDC 4,500
    """
        + DEBTOR
        + """
        redeem  ann BTC 1                     | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        redeem  eve USDC 1                    | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        step +1s
        saw BookingOpened accounts=2 rounds=2 shortfall=3,999.000000 paid=0
        saw BookedAccount account=bob round=1 loss=3,999.000000
        saw DebtWrittenOff account=bob asset=BTC quantity=3.999BTC value=3999
        # bea's 4.999 BTC become 2.99969996, so that she lacks 1,500.30 of her 4,500 USDC.
        saw BookedAccount account=bea round=2 assets_value=2,999.699960 shortfall=1,500.300040
        saw DebtWrittenOff account=bea asset=USDC value=1,500.300040
        saw PoolWrittenDown asset=BTC claims=9.999BTC loss=3.999BTC lenders=3.999BTC
        saw PoolWrittenDown asset=USDC claims=1000000USDC lenders=1500.300040USDC
        # ann's 5 BTC become 3.00030003, and she is paid for them at par.
        expect ann value 3,000.300030
        expect bea value 0
        expect bob value 0
        expect bob BTC owed <= 0.00000001
        expect bea USDC owed 0
        expect eve value >= 998,499.699959
        expect eve value <= 998,499.699960
        expect pool BTC deficit 3.999
        expect pool USDC deficit 1,500.300040
        redeem eve USDC 1
        steps 3 +1s
        # Nobody has lent the atom of BTC that bob still owes: it is written off by itself.
        saw BookingOpened accounts=1 rounds=1 shortfall=0.000010 paid=0
        expect bob BTC owed 0
        steps 3 +1s
        unseen BookingOpened
    """
    )


@proves("I38", "A12")
@pytest.mark.parametrize("policy", POLICIES)
def test_no_policy_decides_who_bears_a_loss(policy: str) -> None:
    """Case a3: one lender bore nothing and the other all."""
    run_story(
        f"set waterfall.default_policy {policy}"
        + TWO_LENDERS
        + DEBTOR
        + """
        step +1s
        saw DebtWrittenOff account=bob asset=BTC value=3999
        count DebtWrittenOff 1
        # -40 % each: 6.000 / 9.999 of 5,000 and of 4,999.
        expect ann value ~ 3,000.30003
        expect bea value >= 2,999.69996
        expect bea value <= 2,999.69997
    """
    )


@proves("I38", "A12")
@pytest.mark.parametrize("policy", POLICIES)
def test_no_policy_spares_a_lender_who_is_levered(policy: str) -> None:
    """Case a3, with a lender whose loss makes him insolvent too."""
    run_story(
        f"set waterfall.default_policy {policy}"
        + TWO_LENDERS
        + "borrow bea USDC 4,500\n withdraw bea USDC 4,500\n"
        + DEBTOR
        + """
        step +1s
        expect ann value ~ 3,000.30003
        saw DebtWrittenOff account=bea asset=USDC value=1,500.300040
        expect pool USDC deficit 1,500.300040
    """
    )


@proves("I38", "I30")
def test_a_lender_does_not_borrow_against_what_is_lost() -> None:
    """Case a2: he left with 36,000 against a claim worth 22,000."""
    run_story(
        HALVED
        + """
        redeem   ann SOL 1                    | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        # The claim counts half of 44,000, times 0.9, less 4 % of what is owed: 19,800 - 1,440.
        borrow   ann USDC 36,000
        withdraw ann USDC 36,000              | MAX_LEVERAGE_REACHED LEVERAGE 18,360
        step +1s
        expect ann value 22,000
        expect eve value 100,000
        expect pool USDC deficit 0
        expect pool SOL deficit 50
    """
    )


@proves("I38", "I30")
def test_nobody_lends_to_a_pool_that_waits_for_its_booking() -> None:
    """Case a20: who came last lost 11,000 of 44,000."""
    run_story(
        HALVED
        + """
        deposit cat SOL 100
        lend    cat SOL 100                   | LEND_LIMIT INSOLVENCY_GATE 0
        settings cat auto_lend=1
        expect  cat SOL lent 0
        deposit cat SOL 1
        expect  cat SOL lent 0
        settings cat auto_lend=0
        expect  max_lend cat SOL 0
        step +1s
        expect  cat value 44,440
        expect  ann value 22,000
        lend    cat SOL 100
    """
    )


@proves("I38")
def test_who_comes_later_bears_nothing_whichever_way_the_price_went() -> None:
    """Case 21."""
    run_story("""
        price   BTC 80,000
        deposit ann BTC 1
        lend    ann BTC 1
        deposit cat BTC 3
        deposit bob USDC 100,000
        borrow  bob BTC 1
        withdraw bob BTC 1
        price   BTC 130,000
        lend    cat BTC 3                     | LEND_LIMIT INSOLVENCY_GATE 0
        keep    before cat value
        step +1s
        expect  cat value = $before
        expect  ann value >= 99,999.99
        expect  ann value <= 100,000
        saw     DebtWrittenOff account=bob quantity=0.23076924BTC
    """)


@proves("I38", "I30")
def test_a_lender_who_is_liquidated_bears_what_his_peer_does() -> None:
    """Case 23: he was redeemed at par in the book stage; 12,000 each."""
    run_story("""
        set waterfall.book_fraction 1
        deposit ann USDC 50,000
        lend    ann USDC 50,000
        deposit bea USDC 50,000
        lend    bea USDC 50,000
        deposit dan BTC 2
        lend    dan BTC 0.5
        deposit bob SOL 400
        borrow  bob USDC 60,000
        withdraw bob USDC 60,000
        borrow  ann BTC 0.45
        withdraw ann BTC 0.45
        sell    dan BTC 1 @ 110,000
        price   BTC 109,900
        keep    ann ann value
        price   SOL 90                        # 36,000 for a debt of 60,000
        redeem  bea USDC 0.000001             | INSUFFICIENT_SUPPLY INSOLVENCY_GATE 0
        step +1s
        saw     DebtWrittenOff account=bob asset=USDC value=24000
        saw     PoolWrittenDown asset=USDC claims=100000USDC lenders=24000USDC fraction=240000000
        expect  bea value >= 37,999.99
        expect  bea value <= 38,000
        # ann had 545 above her debt of 49,455; what she lacks of her own 12,000 falls on BTC.
        saw     DebtWrittenOff account=ann asset=BTC
        expect  ann value < 0.001
        expect  pool USDC deficit 24,000
    """)


@proves("I29", "I38", "I39")
def test_nobody_healthy_is_let_off_for_having_dust_of_a_halted_token() -> None:
    """cat's 0.002 USDC of SOL bear no loss, and she owes 0.001: that is no loss of hers."""
    run_story("""
        deposit ann USDC 100,000
        lend    ann USDC 100,000
        deposit cat SOL 0.00002
        borrow  cat USDC 0.001
        withdraw cat USDC 0.001
        deposit bob BTC 1
        borrow  bob USDC 60,000
        withdraw bob USDC 60,000
        halt    SOL
        price   BTC 50,000
        step +1s
        saw     BookingOpened accounts=1 rounds=1
        saw     DebtWrittenOff account=bob asset=USDC value=10000
        expect  cat USDC owed >= 0.001
        expect  cat liquidating 0
    """)


@proves("I38", "I31", "I39")
@pytest.mark.parametrize("gift", ["", "deposit bob BTC 0.00000001"])
def test_dust_of_a_halted_token_vetoes_nothing(gift: str) -> None:
    """Case 26: 5,000 are booked in the step and the pool is open, with the gift as without."""
    run_story(f"""
        deposit ann USDC 100,000
        lend    ann USDC 100,000
        deposit bob SOL 100
        borrow  bob USDC 15,000
        withdraw bob USDC 15,000
        halt    BTC
        price   SOL 100
        {gift}
        step +1s
        saw     DebtWrittenOff account=bob asset=USDC value=5000
        expect  bob USDC owed 0
        expect  bob liquidating 0
        redeem  ann USDC 1
        expect  ann value >= 94,999.999999
        expect  ann value <= 95,000
    """)


@proves("I38", "I39")
@pytest.mark.parametrize("dust", ["0.00000001", "0.0000001", "0.00001"])
def test_what_is_halted_covers_what_it_may_be_worth_and_no_more(dust: str) -> None:
    """Case a1: a satoshi of a halted token shut the pool for 30 days."""
    # 280 SOL at 300 are 84,000, of which 60,000 are there: 24 % of what is lent is lost at once.
    run_story(f"""
        deposit ann SOL 100
        lend    ann SOL 100
        deposit cat SOL 900
        lend    cat SOL 900
        deposit bob USDC 60,000
        deposit bob BTC {dust}
        borrow  bob SOL 280
        withdraw bob SOL 280
        halt    BTC
        price   SOL 300
        step +1s
        saw     DebtWrittenOff account=bob asset=SOL
        expect  pool SOL deficit >= 79.99
        expect  pool SOL deficit <= 80
        expect  ann value >= 27,599.99
        expect  ann value <= 27,600.2
        expect  bob SOL owed <= 0.01
        redeem  cat SOL 1
    """)


@proves("I38", "I23")
def test_a_claim_is_written_down_before_anybody_is_paid_with_it() -> None:
    """Case a4c: a stuck lender worth 1,500 was paid with it and left with 157."""
    run_story("""
        deposit fox USDC 40,000
        lend    fox USDC 40,000
        deposit dan USDC 40,000
        lend    dan USDC 40,000
        deposit bob SOL 500
        borrow  bob USDC 80,000
        withdraw bob USDC 80,000
        deposit gus BTC 1
        lend    gus BTC 1
        deposit ann SOL 100
        lend    ann SOL 100
        borrow  ann BTC 0.125
        withdraw ann BTC 0.125
        borrow  dan SOL 100
        withdraw dan SOL 100
        price   SOL 140                       # bob has 70,000 for 80,000
        expect  ann value 1,500
        step +1s
        saw     PoolWrittenDown asset=USDC lenders=10000USDC
        expect  ann value >= 1,499.99
        expect  ann value <= 1,500
        expect  fox value >= 34,999.99
        expect  fox value <= 35,000
        expect  dan value >= 20,999.99
        expect  dan value <= 21,000
    """)


@proves("I38", "I14")
def test_whoever_owes_a_stale_asset_does_nothing_that_lowers_his_health() -> None:
    """Case a12: the withdrawal left the lender 20,800 of 30,000."""
    run_story("""
        deposit ann SOL 100
        lend    ann SOL 100
        deposit bob USDC 40,000
        borrow  bob SOL 100
        withdraw bob SOL 100
        halt    SOL
        withdraw bob USDC 19,200              | INSUFFICIENT_MARGIN STALE_PRICE 0
        withdraw bob USDC 1                   | INSUFFICIENT_MARGIN STALE_PRICE 0
        expect  max_withdraw bob USDC 0
        deposit bob USDC 1
        price   SOL 300
        resume  SOL
        step +1s
        expect  ann value 30,000
        expect  bob value 10,001
    """)


@proves("I38")
def test_an_insolvent_account_does_not_choose_which_pool_it_repays() -> None:
    run_story(
        HALVED.replace("price", "settings bob auto_repay_borrows=1\n price")
        + """
        deposit bob SOL 1                     # 1 of 100: kept, and shared by all
        expect  bob SOL owed 100
        repay   bob SOL 1                     | ACCOUNT_LIQUIDATING INSOLVENCY_GATE 0
        step +1s
        expect  ann value >= 22,439.999
        expect  ann value <= 22,440
    """
    )


@proves("I29", "I38")
def test_the_fund_is_split_over_what_accounts_lack() -> None:
    run_story("""
        deposit fund USDC 3,000
        deposit ann SOL 100
        lend    ann SOL 100
        deposit eve BTC 1
        lend    eve BTC 1
        deposit bob USDC 9,000
        borrow  bob SOL 40
        withdraw bob SOL 40
        deposit dan USDC 12,000
        borrow  dan BTC 0.1
        withdraw dan BTC 0.1
        price   BTC 160,000                   # dan lacks 4,000
        price   SOL 275                       # bob lacks 2,000
        step +1s
        saw     BookingOpened shortfall=6,000.000000 fund_value=3,000.000000 paid=3,000.000000
        saw     FundPaid account=bob quantity=1000USDC
        saw     FundPaid account=dan quantity=2000USDC
        saw     DebtWrittenOff account=bob asset=SOL
        expect  fund USDC available 0
        expect  ann value >= 26,499.99
        expect  ann value <= 26,500
        expect  eve value >= 157,999.99
        expect  eve value <= 158,000
    """)


UNPAID = """
    set USDC pool.curve.points 0:100% 1:100%
    set USDC pool.fee 20%
    deposit ann USDC 10,000
    lend    ann USDC 10,000
    deposit bob SOL 100
    borrow  bob USDC 8,000
    withdraw bob USDC 8,000
    step +10h
    price   SOL 0.01
"""


@proves("I38", "I29")
def test_fees_on_interest_never_paid_are_given_back_first() -> None:
    run_story(
        UNPAID
        + """
        expect  pool USDC fees > 1.8
        step +1s
        saw     DebtWrittenOff account=bob asset=USDC
        # All but 1 of 8,009 is lost, and with it all but as much of the fee.
        expect  pool USDC fees < 0.2
    """
    )


@proves("I38", "I29")
def test_fees_that_were_collected_are_given_back_too() -> None:
    run_story(
        UNPAID
        + """
        collect USDC
        expect  treasury USDC available > 1.8
        keep    lent pool USDC lent
        step +1s
        saw     DebtWrittenOff account=bob asset=USDC
        expect  treasury USDC available < 0.2
        expect  pool USDC cash > 1,999.8
    """
    )


@proves("I39")
def test_a_loss_under_a_cent_closes_no_pool() -> None:
    run_story("""
        deposit ann USDC 100
        lend    ann USDC 100
        deposit bob SOL 0.1
        borrow  bob USDC 10
        withdraw bob USDC 10
        deposit cat USDC 100
        price   SOL 99.95                     # 9.995 for 10
        lend    cat USDC 1
        redeem  ann USDC 1
        step +1s
        # The residue is empty, and what it cannot pay is booked like any other loss.
        saw     DebtWrittenOff account=bob asset=USDC value=0.005000
        expect  pool USDC deficit 0.005
    """)


# Each of bob and cat has nearly all of the pool that the other owes, and owes a year's interest.
WEB = """
    set USDC pool.curve.points 0:100% 1:100%
    set SOL  pool.curve.points 0:100% 1:100%
    set USDC pool.fee 50%
    set SOL  pool.fee 50%
    deposit ann USDC 10
    lend    ann USDC 10
    deposit ann SOL 0.05
    lend    ann SOL 0.05
    deposit bob USDC 1,000
    lend    bob USDC 1,000
    deposit bob BTC 0.1
    deposit cat SOL 5
    lend    cat SOL 5
    deposit cat BTC 0.1
    borrow  bob SOL 4.9
    withdraw bob SOL 4.9
    borrow  cat USDC 980
    withdraw cat USDC 980
    step    +365d
"""


@proves("I38", "I29")
@pytest.mark.parametrize(
    ("taken", "expected"),
    [(0, [263383, 263383]), (700, [161718, 194538]), (841, [255081, 257761])],
)
def test_fees_given_back_are_part_of_a_solution_that_goes_round(
    taken: int, expected: list[int]
) -> None:
    """Fees of 842 USDC reach for all of the interest lost, or after some were taken for a part."""
    story = run_story(WEB)
    if taken:
        story.run("deposit ann USDC 900\nlend ann USDC 900\ncollect USDC")
        story.run(f"withdraw treasury USDC {taken}")
    story.run("price SOL 200\nprice BTC 6,000\nprice SOL 200")
    view = view_of(story.state)
    assert list(wrong_gates(view)) == []
    impaired = [pool.impaired for pool in story.state.pools if pool.impaired]
    assert [round(each * 10**6 / INDEX_SCALE) for each in impaired] == expected
    story.run("step +1s\nsaw PoolWrittenDown asset=USDC\nsaw PoolWrittenDown asset=SOL")
