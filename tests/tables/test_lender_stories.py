"""Stories of ADL case L: a lender is liquidatable and his pool has nothing to redeem."""

import pytest

from solvent.domain.parameters import Policy
from solvent.domain.waterfall_events import AdlCandidate
from tests.proof import proves
from tests.tables.story import Story, run_story

# The specification's worked example: SOL falls from 200 to 190, BTC is at 100,000.
EXAMPLE = """
    deposit lender USDC 1,000,000
    lend    lender USDC 1,000,000
    deposit i  SOL  100
    lend    i  SOL  100
    borrow  i  USDC 17,000
    withdraw i USDC 17,000
    deposit j1 USDC 40,000
    deposit j2 USDC 2,000
    deposit j2 BTC  0.1
    borrow  j1 SOL  60
    withdraw j1 SOL 60
    borrow  j2 SOL  40
    withdraw j2 SOL 40
    expect pool SOL cash 0
    price SOL 190
    expect i  liquidating 1
    expect i  net_equity  100
    expect i  maintenance 340
    expect i  value  2,000
    expect j1 value 28,600
    expect j2 value  4,400
    step +1s
    saw  HandedOver account=i stage=BOOK reason=NO_REDEEMABLE_CASH
    saw  HandedOver account=i stage=BACKSTOP reason=NO_BACKSTOP_CAPACITY
    saw  AdlOpened asset=SOL case=STUCK_LENDER mark=190
    saw  AdlOpened needed=11.178773380SOL allotted=11.178773380SOL
    saw  AdlStuck account=i book_reason=NO_REDEEMABLE_CASH backstop_reason=NO_BACKSTOP_CAPACITY
    expect i  value 2,000
    expect j1 value >= 28,599.999999
    expect j1 value <= 28,600
    expect j2 value >=  4,399.999999
    expect j2 value <=  4,400
    expect i  net_equity > 300
    expect i  SOL  lent ~ 88.821226620
    expect pool SOL cash 0
    expect pool SOL lent     ~ 88.821226620
    expect pool SOL borrowed ~ 88.821226620
    expect pool SOL utilization 1
"""

# What j2 has in USDC, and the rest from j1, who has USDC too: nothing in BTC.
J2_FIRST = """
    saw  AdlOpened tier=OWED paid_in=0 needed=11.178773380SOL allotted=11.178773380SOL
    saw  AdlMatched lender=i payer=j2 giver=j2 quantity=10.526315789SOL value=2000
    saw  AdlMatched lender=i payer=j1 giver=j1 quantity=0.652457591SOL value=123.966943
    count AdlLeg 2
    saw  AdlLeg giver=j2 receiver=i asset=USDC form=AVAILABLE quantity=2000USDC tier=OWED
    saw  AdlLeg giver=j1 receiver=i asset=USDC form=AVAILABLE quantity=123.966943USDC tier=OWED
    expect j2 SOL  owed 29.473684211
    expect j2 USDC available 0
    expect j2 BTC  available 0.1
    expect j1 SOL  owed 59.347542409
    expect j1 USDC available 39,876.033057
    expect i  BTC  available 0
    expect i  SOL  lent 88.821226620
    expect i  USDC owed 14,876.033057
    saw  LiquidationEnded account=i
"""

OUTCOMES = {
    Policy.LEVERAGE: J2_FIRST,
    Policy.QUEUE: J2_FIRST,
    Policy.PRO_RATA: """
        saw  AdlMatched lender=i payer=j1 giver=j1 quantity=6.707264028SOL
        saw  AdlMatched lender=i payer=j2 giver=j2 quantity=4.471509352SOL
        count AdlLeg 2
        saw  AdlLeg giver=j1 asset=USDC tier=OWED
        saw  AdlLeg giver=j2 asset=USDC tier=OWED
        saw  LiquidationEnded account=i
    """,
    Policy.LARGEST_LOAN: """
        saw  AdlMatched lender=i payer=j1 quantity=11.178773380SOL value=2123.966943
        count AdlLeg 1
        saw  LiquidationEnded account=i
        saw  AdlLeg giver=j1 receiver=i asset=USDC quantity=2123.966943USDC
        expect j2 SOL owed 40
    """,
    # Weights are loan times leverage: 60 * 40,000 / 28,600 against 40 * 12,000 / 4,400.
    Policy.RISK_WEIGHTED: """
        saw  AdlMatched lender=i payer=j1
        saw  AdlMatched lender=i payer=j2
        expect j1 SOL owed ~ 55.139663750
        expect j2 SOL owed ~ 33.681562870
    """,
}


@proves("A6", "A7", "A8", "A9", "A10", "A11", "I15", "I17", "I21", "I22", "I23", "I24", "I25")
@pytest.mark.parametrize("policy", Policy, ids=lambda policy: policy.name.lower())
def test_the_worked_example(policy: Policy) -> None:
    setting = f"set waterfall.lender_policy {policy.name}\n"
    run_story(setting + EXAMPLE + OUTCOMES[policy])


@proves("A14", "I22")
def test_the_record_names_every_candidate_and_his_allotment() -> None:
    story = run_story(
        EXAMPLE
        + """
        count AdlCandidate 2
        saw  AdlCandidate account=j1 position=60SOL cap=60SOL assets_value=40000 total_value=28600
        saw  AdlCandidate account=j2 position=40SOL cap=10.526315789SOL
        saw  AdlCandidate account=j2 assets_value=12000 total_value=4400
    """
    )
    parts = [event.allotted for event in story.events if isinstance(event, AdlCandidate)]
    assert sum(parts) == 11_178_773_380


# A lender of 100 SOL who owes 17,000 USDC, and one borrower of all of it, still without means.
STUCK = """
    deposit lender USDC 20,000
    lend    lender USDC 20,000
    deposit i   SOL  100
    lend    i   SOL  100
    borrow  i   USDC 17,000
    withdraw i  USDC 17,000
"""


@proves("A6", "A7", "I21")
def test_no_adl_while_the_pool_can_be_redeemed() -> None:
    run_story(
        STUCK
        + """
        deposit mia USDC 100,000
        buy  mia SOL 100 @ 190
        deposit other SOL 100
        lend other SOL 100
        deposit j   USDC 30,000
        borrow  j   SOL  100
        price SOL 192.1
        steps 5 +1s
        saw  Filled taker=i
        unseen AdlOpened
    """
    )


@proves("A11", "I22")
def test_nobody_gives_more_than_he_owes() -> None:
    run_story(
        STUCK
        + """
        deposit j1  USDC 40,000
        borrow  j1  SOL  3
        deposit j2  USDC 40,000
        borrow  j2  SOL  97
        withdraw j2 SOL 97
        withdraw j1 SOL 3
        change SOL LENDER_POLICY pro_rata
        price SOL 170.01                           # i: NE -1,699.1, TV 1
        step +1s
        saw  AdlOpened needed=99.950367529SOL allotted=99.950367529SOL
        saw  AdlMatched payer=j1 quantity=2.998511026SOL
        saw  AdlMatched payer=j2 quantity=96.951856503SOL
        expect i  value ~ 1
        expect j1 value ~ 39,489.97
        expect j2 value ~ 23,509.03
    """
    )


@proves("A6", "A11", "I22")
def test_when_the_caps_do_not_reach_the_record_says_so() -> None:
    # j can pay only for part of what he owes: his BTC price is stale.
    run_story(
        "set waterfall.patience 1\n"
        + STUCK
        + """
        deposit j   USDC 1,000
        deposit j   BTC  0.4
        borrow  j   SOL  100
        withdraw j  SOL  100
        halt BTC
        price SOL 190
        step +1s
        saw  AdlOpened needed=11.178773380SOL allotted=5.263157894SOL
        saw  HandedOver account=i stage=ADL reason=NO_COUNTERPARTY
        # His debt is the default then, and his claim goes to those who lent him USDC.
        saw  AdlOpened asset=USDC case=BORROWER_DEFAULT
        saw  AdlLeg giver=i receiver=lender asset=SOL form=CLAIM
    """
    )


@proves("A7", "I40")
def test_a_borrower_in_liquidation_is_asked_while_he_is_worth_something() -> None:
    # It lowers his risk: what leaves weighs at most 1, and a full debt ends with its maintenance.
    run_story(
        STUCK
        + """
        deposit j   BTC  0.23
        borrow  j   SOL  100
        withdraw j  SOL  100
        price SOL 190
        price BTC 84000                            # j: 18,354 of collateral, 19,000 of debt
        expect j liquidating 1
        expect j value 320
        keep before j net_equity
        step +1s
        saw  AdlOpened asset=SOL case=STUCK_LENDER tier=IN_KIND allotted=11.178773380SOL
        saw  AdlCandidate account=j cap=100SOL
        expect j net_equity > $before
        # What i was given is to be sold first, so he is not in default in this step.
        unseen AdlStuck account=i received=0 fee=0 needed=17000
    """
    )


@proves("I18", "I40")
def test_two_lenders_who_owe_each_other_are_settled_against_each_other() -> None:
    """Case a14: both pools are full, both lenders below maintenance, and nobody else can pay."""
    run_story("""
        deposit ann SOL  500
        lend    ann SOL  500
        deposit bea BTC  0.9
        lend    bea BTC  0.9
        deposit ann USDC 20,000
        deposit bea USDC 20,000
        borrow  ann BTC  0.9
        withdraw ann BTC 0.9
        borrow  bea SOL  425
        withdraw bea SOL 425
        deposit fox USDC 30,000
        borrow  fox SOL  75
        withdraw fox SOL 75
        withdraw ann USDC 3,500                    # NE 16,500, in USDC
        withdraw bea USDC 16,000                   # NE  4,500
        expect pool SOL cash 0
        expect pool BTC cash 0
        change SOL INITIAL_BASE     25%
        change BTC INITIAL_BASE     25%
        change SOL MAINTENANCE_BASE 20%
        change BTC MAINTENANCE_BASE 20%
        expect ann liquidating 1
        expect bea liquidating 1
        keep anns ann value
        keep beas bea value
        steps 5 +1s
        saw  AdlMatched asset=BTC lender=bea payer=ann
        saw  AdlLeg giver=ann receiver=bea asset=SOL form=CLAIM tier=OWED
        unseen AdlLeg tier=FLAGGED
        expect ann liquidating 0
        expect bea liquidating 0
        expect ann value ~ $anns
        expect bea value ~ $beas
    """)


@proves("A7", "A11")
def test_a_borrower_who_is_worth_nothing_is_not_asked() -> None:
    # While his price is halted nobody liquidates him, and nobody counts on him either.
    run_story(
        STUCK
        + """
        deposit j   BTC  0.23
        deposit j   USDC 1,000
        borrow  j   SOL  100
        withdraw j  SOL  100
        halt  BTC
        price BTC 70000                            # 17,100 against 19,000
        price SOL 190
        expect j liquidating 0
        expect j value -1,900
        step +1s
        unseen AdlCandidate account=j
    """
    )


@proves("I17")
def test_a_stuck_claim_retires_the_usdc_debt_first() -> None:
    # BTC weighs 3 % as a debt: 100 + 19x >= 1.05 (430 - 0.02 * 190x) from x = 351.5 / 22.99.
    run_story("""
        set BTC maintenance.base 3%
        deposit lender USDC 20,000
        lend    lender USDC 20,000
        deposit lender BTC  1
        lend    lender BTC  1
        deposit i   SOL  100
        lend    i   SOL  100
        borrow  i   USDC 8,000
        borrow  i   BTC  0.09
        withdraw i  USDC 8,000
        withdraw i  BTC  0.09
        deposit j   USDC 30,000
        borrow  j   SOL  100
        withdraw j  SOL  100
        price SOL 190
        step +1s
        saw  AdlOpened case=STUCK_LENDER needed=15.2892562SOL allotted=15.2892562SOL
        expect i BTC  owed 0.09
        expect i USDC owed ~ 5,095.041322
        saw  LiquidationEnded account=i
    """)


ORDERS = [("ann", "bea"), ("bea", "ann")]


def _two_stuck_lenders(first: str, second: str) -> Story:
    """Two lenders of 50 SOL each; who comes first differs, who is who does not."""
    opening = "deposit ann SOL 1\ndeposit bea SOL 1\nwithdraw ann SOL 1\nwithdraw bea SOL 1\n"
    arrivals = "".join(
        f"""
        deposit {name} SOL 50
        lend {name} SOL 50
        borrow {name} USDC 8,500
        withdraw {name} USDC 8,500
        """
        for name in (first, second)
    )
    return run_story(
        "set waterfall.lender_policy pro_rata\n"
        + opening
        + "deposit lender USDC 20,000\nlend lender USDC 20,000\n"
        + arrivals
        + """
        deposit j1  USDC 20,000
        deposit j2  USDC 20,000
        borrow  j1  SOL  40
        borrow  j2  SOL  60
        withdraw j1 SOL  40
        withdraw j2 SOL  60
        price SOL 190
        step +1s
        count AdlOpened 1
        saw  AdlOpened needed=11.178773380SOL
        """
    )


@proves("I27")
def test_the_order_in_which_stuck_lenders_came_does_not_matter() -> None:
    one, two = (_two_stuck_lenders(*order) for order in ORDERS)
    for story in (one, two):
        story.run("""
            expect ann SOL  lent ~ 44.410613310
            expect bea SOL  lent ~ 44.410613310
            expect ann value ~ 1,000
            expect bea value ~ 1,000
        """)
    assert one.engine.snapshot() == two.engine.snapshot()
