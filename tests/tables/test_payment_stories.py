"""Stories of how ADL is paid: the tiers of case L, then opposites, closed against each other."""

import pytest

from solvent.domain.parameters import Policy
from tests.proof import proves
from tests.tables.story import run_story
from tests.tables.test_lender_stories import STUCK


@proves("A7", "A8", "A10", "I24")
def test_a_usdc_claim_is_handed_over_and_cancels_the_lenders_debt() -> None:
    # Case L in the second-best currency: the USDC pool is as empty as the SOL pool.
    run_story(
        STUCK
        + """
        deposit j   USDC 30,000
        lend    j   USDC 30,000
        borrow  j   SOL  100
        withdraw j  SOL  100
        deposit hog BTC  1
        borrow  hog USDC 33,000
        expect  pool USDC cash 0
        keep    lent     pool USDC lent
        price SOL 190
        step +1s
        saw  AdlLeg giver=j receiver=i asset=USDC form=CLAIM tier=OWED
        saw  Netted account=i asset=USDC source=ADL_PROVIDER
        unseen AdlLeg form=REDEEMED
        unseen AdlLeg form=AVAILABLE
        expect i USDC lent 0
        expect i USDC owed <= 14,876.033058
        expect i value ~ 2,000
        expect j value ~ 11,000
        expect pool USDC cash 0
        expect pool USDC lent < $lent
        saw  LiquidationEnded account=i
    """
    )


@proves("A8", "A10")
def test_usdc_that_is_lent_is_redeemed_for_a_lender_who_owes_something_else() -> None:
    run_story("""
        deposit lender BTC 1
        lend    lender BTC 1
        deposit i   SOL  100
        lend    i   SOL  100
        borrow  i   BTC  0.17
        withdraw i  BTC  0.17
        deposit j   USDC 30,000
        lend    j   USDC 30,000
        borrow  j   SOL  100
        withdraw j  SOL  100
        price SOL 190
        step +1s
        saw  AdlLeg giver=j receiver=i asset=USDC form=REDEEMED tier=CASH
        saw  Redeemed account=j asset=USDC source=ADL_PROVIDER
        expect i value ~ 2,000
        expect i USDC available >= 2,123.966943
        expect i USDC available <= 2,123.968
        expect i BTC owed 0.17
    """)


@proves("A8", "I40")
def test_a_payer_redeems_past_the_throttle_for_a_stuck_lender() -> None:
    """A claim on the throttled pool would be flagged, and the lender would redeem it himself."""
    run_story("""
        set USDC pool.throttle_threshold 80%
        deposit lender BTC 1
        lend    lender BTC 1
        deposit i   SOL  100
        lend    i   SOL  100
        borrow  i   BTC  0.17
        withdraw i  BTC  0.17
        deposit j   USDC 30,000
        lend    j   USDC 30,000
        borrow  j   SOL  100
        withdraw j  SOL  100
        deposit hog BTC  1
        borrow  hog USDC 24,000
        redeem  j   USDC 1                    | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        deposit m   BTC  1
        price SOL 190
        step +1s
        saw  AdlLeg giver=j receiver=i asset=USDC form=REDEEMED tier=CASH
        unseen AdlLeg tier=FLAGGED
        expect i    USDC available >= 2,123.966943
        expect pool USDC utilization > 86.09%
        step +1s
        sell m BTC 1 @ 100,000
        steps 3 +1s
        saw  LiquidationEnded account=i
        unseen AdlLeg tier=FLAGGED
        expect pool USDC utilization > 86.63%
        expect pool USDC utilization < 86.64%
        redeem  j   USDC 1                    | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
    """)


@proves("A8", "I24")
def test_usdc_is_borrowed_where_the_account_allows_it_and_gains() -> None:
    run_story(
        "set SOL maintenance.base 3%\n"
        + STUCK
        + """
        deposit j   USDC 1,000
        deposit j   BTC  0.3
        borrow  j   SOL  100
        withdraw j  SOL  100
        settings j  auto_borrow_settlements=1
        price SOL 190
        step +1s
        saw  AdlLeg giver=j asset=USDC form=AVAILABLE quantity=1000USDC
        saw  AdlLeg giver=j asset=USDC form=BORROWED
        saw  Borrowed account=j asset=USDC source=RECONCILIATION
        unseen AdlLeg asset=BTC
        expect j USDC owed ~ 1,123.966943
        expect j BTC  available 0.3
        expect j value ~ 12,000
        expect i value ~ 2,000
    """
    )


@proves("A8", "I12")
def test_usdc_is_not_borrowed_where_the_new_debt_weighs_more() -> None:
    run_story(
        "set USDC maintenance.base 3%\n"
        + STUCK
        + """
        deposit j   BTC  0.3
        borrow  j   SOL  100
        withdraw j  SOL  100
        settings j  auto_borrow_settlements=1
        price SOL 190
        step +1s
        unseen AdlLeg form=BORROWED
        saw  AdlLeg giver=j asset=BTC form=AVAILABLE
    """
    )


@proves("A8", "I12")
def test_usdc_is_not_borrowed_past_the_bound_of_its_pool() -> None:
    run_story(
        "set SOL maintenance.base 3%\n"
        + STUCK
        + """
        deposit j   BTC  0.4
        borrow  j   SOL  100
        withdraw j  SOL  100
        settings j  auto_borrow_settlements=1
        change USDC THROTTLE_THRESHOLD 86%         # 17,000 of 20,000 are out: 200 more may go
        step +1s
        price SOL 190
        step +1s
        saw  AdlLeg giver=j asset=USDC form=BORROWED quantity=200USDC
        saw  AdlLeg giver=j asset=BTC form=AVAILABLE
        expect pool USDC utilization <= 86%
    """
    )


@proves("A8", "A10", "I24", "I26")
def test_lighter_assets_come_last_and_are_flagged() -> None:
    run_story(
        "set BTC haircut.weight 80%\n"
        + STUCK
        + """
        deposit j   USDC 500
        deposit j   BTC  0.4
        borrow  j   SOL  100
        withdraw j  SOL  100
        price SOL 190
        step +1s
        saw  AdlLeg giver=j asset=USDC quantity=500USDC tier=OWED
        saw  AdlLeg giver=j asset=BTC tier=FLAGGED
        expect i value >= 2,000
        expect i value <  2,000.002                # an atom of BTC, a unit of USDC
        expect j value <= 21,500
        expect j value >  21,499.998
    """
    )


@proves("A8", "I24")
def test_what_weighs_enough_goes_before_what_is_lighter() -> None:
    run_story(
        "set BTC haircut.weight 80%\n"
        + STUCK
        + """
        deposit j   SOL  0.5
        deposit j   BTC  0.4
        borrow  j   SOL  100
        withdraw j  SOL  100
        price SOL 190
        step +1s
        saw  AdlLeg giver=j asset=SOL tier=IN_KIND
        saw  AdlLeg giver=j asset=BTC tier=FLAGGED
        expect i value >= 2,000
        expect i value <  2,000.001
    """
    )


@proves("A7", "I20")
def test_what_is_locked_in_orders_is_no_escape() -> None:
    run_story(
        STUCK
        + """
        deposit j   USDC 30,000
        borrow  j   SOL  100
        withdraw j  SOL  100
        buy j SOL 150 @ 150                        # 22,500 locked, 7,500 free: enough
        price SOL 190
        step +1s
        unseen OrderExpired account=j
        expect j orders 1
    """
    )
    run_story(
        STUCK
        + """
        deposit j   USDC 30,000
        borrow  j   SOL  100
        withdraw j  SOL  100
        buy j SOL 190 @ 150                        # 28,500 locked, 1,500 free: not enough
        price SOL 190
        step +1s
        saw  OrderExpired account=j reason=ADL_SETTLEMENT
        saw  AdlLeg giver=j asset=USDC form=AVAILABLE
        expect j USDC locked 0
    """
    )


# The specification's example: as that of case L, but i's SOL are free and nobody bids for them.
OPPOSITES = """
    set waterfall.opposites_fee 0
    set waterfall.patience 1
    deposit lender USDC 1,000,000
    lend    lender USDC 1,000,000
    deposit sue SOL  100
    lend    sue SOL  100
    deposit i  SOL  100
    borrow  i  USDC 17,000
    withdraw i USDC 17,000
    deposit j1 USDC 40,000
    deposit j2 USDC 2,000
    deposit j2 BTC  0.1
    borrow  j1 SOL  60
    withdraw j1 SOL 60
    borrow  j2 SOL  40
    withdraw j2 SOL 40
    price SOL 190
    expect i  liquidating 1
    expect i  net_equity  100
    expect i  maintenance 340
    expect pool SOL  cash 0
    expect pool USDC cash 983,000
    step +1s
    count AdlOpened 1
    saw  AdlOpened asset=SOL case=OPPOSITES tier=OWED paid_in=0 mark=190
    saw  AdlOpened needed=11.178773380SOL allotted=11.178773380SOL
    saw  AdlStuck account=i fee=0 book_reason=NO_LIQUIDITY_IN_BAND
    expect i  SOL  available 88.821226620
    expect i  USDC owed 14,876.033057
    expect pool SOL  cash 11.178773380
    expect pool USDC cash 985,123.966943
    expect i  value 2,000
    expect j1 value >= 28,599.999999
    expect j1 value <= 28,600
    expect j2 value >=  4,399.999999
    expect j2 value <=  4,400
    expect sue SOL lent 100
    expect lender USDC lent 1,000,000
    saw  LiquidationEnded account=i
"""

J2_FIRST = """
    saw  AdlCandidate account=j2 position=40SOL cap=10.526315789SOL allotted=10.526315789SOL
    saw  AdlMatched lender=i payer=j2 quantity=10.526315789SOL value=2000 claim_shares=0
    saw  AdlMatched lender=i payer=j1 quantity=0.652457591SOL value=123.966943
    saw  AdlLeg giver=i  receiver=j2 asset=SOL  form=AVAILABLE quantity=10.526315789SOL
    saw  AdlLeg giver=j2 receiver=i  asset=USDC form=AVAILABLE quantity=2000USDC tier=OWED
    count AdlLeg 4
    expect j2 SOL  owed 29.473684211
    expect j2 USDC available 0
    expect j2 BTC  available 0.1
    expect j1 SOL  owed 59.347542409
    expect j1 USDC available 39,876.033057
"""

OUTCOMES = {
    Policy.LEVERAGE: J2_FIRST,
    Policy.QUEUE: J2_FIRST,
    Policy.PRO_RATA: """
        saw  AdlMatched payer=j1 quantity=6.707264028SOL
        saw  AdlMatched payer=j2 quantity=4.471509352SOL
    """,
    Policy.LARGEST_LOAN: """
        saw  AdlMatched payer=j1 quantity=11.178773380SOL value=2123.966943
        expect j2 SOL owed 40
    """,
    Policy.RISK_WEIGHTED: """
        saw  AdlMatched payer=j1
        saw  AdlMatched payer=j2
    """,
}


@proves("A6", "A8", "A10", "A11", "I17", "I21", "I22", "I23", "I40")
@pytest.mark.parametrize("policy", Policy, ids=lambda policy: policy.name.lower())
def test_the_worked_example_of_opposites(policy: Policy) -> None:
    run_story(f"set waterfall.lender_policy {policy.name}\n{OPPOSITES}{OUTCOMES[policy]}")


# Bob sold SOL short, and nobody offers any.
SQUEEZE = """
    set waterfall.patience 1
    deposit lender USDC 100,000
    lend    lender USDC 100,000
    deposit sue SOL 100
    lend    sue SOL 100
    deposit bob USDC 22,000
    borrow  bob SOL 100
    withdraw bob SOL 100
"""


@proves("A10", "A11", "I23", "I40")
def test_a_short_squeeze_is_closed_against_those_who_hold_the_token() -> None:
    # c is USDC, for which nobody sells SOL: al owes USDC against SOL of his own. For x USDC of
    # which 0.5 % are his fee: 200 - 0.005x >= 0.021 (21,800 - 0.995x) from x = 16,218.936731.
    run_story(
        "set waterfall.opposites_fee 0.5%\n"
        + SQUEEZE
        + """
        deposit al SOL 200
        borrow  al USDC 20,000
        withdraw al USDC 20,000
        keep sues sue SOL lent
        price SOL 218                              # NE 200, M 436
        keep als al value
        step +1s
        saw  AdlOpened asset=USDC case=OPPOSITES paid_in=2 needed=16218.936731USDC
        saw  AdlMatched lender=bob payer=al giver=al value=16137.842048 fee=81.094683
        saw  AdlLeg giver=al  receiver=bob asset=SOL  form=AVAILABLE quantity=74.026798386SOL
        saw  AdlLeg giver=bob receiver=al  asset=USDC form=AVAILABLE quantity=16218.936731USDC
        # He is paid for being closed, out of what bob is worth.
        expect al  value > $als
        expect bob value ~ 118.905317
        expect al  value ~ 23,681.094682
        expect sue SOL lent = $sues
        expect bob liquidating 0
        unseen DebtWrittenOff
    """
    )


@proves("A10", "I40")
def test_a_claim_on_what_is_owed_closes_without_cash() -> None:
    run_story(
        SQUEEZE
        + """
        deposit al SOL 200
        lend    al SOL 200
        borrow  al USDC 20,000
        withdraw al USDC 20,000
        deposit hog BTC 1
        borrow  hog SOL 200
        withdraw hog SOL 200
        expect pool SOL cash 0
        price SOL 218
        step +1s
        saw  AdlOpened case=OPPOSITES
        saw  AdlLeg giver=al receiver=bob asset=SOL form=CLAIM tier=OWED
        saw  Netted account=bob asset=SOL
        expect pool SOL cash 0
        expect bob liquidating 0
    """
    )


@proves("A10", "I40")
def test_what_is_locked_is_no_escape_and_only_its_orders_end() -> None:
    run_story(
        SQUEEZE
        + """
        deposit al SOL 120
        deposit al BTC 0.1
        borrow  al USDC 18,000
        withdraw al USDC 18,000
        sell al SOL 120 @ 260
        sell al BTC 0.1 @ 120,000
        price SOL 218
        step +1s
        saw  AdlOpened case=OPPOSITES
        saw  OrderExpired account=al reason=ADL_SETTLEMENT
        unseen OrderExpired account=al reason=LIQUIDATION
        expect al orders 1
        expect al SOL locked 0
        expect al BTC locked 0.1
    """
    )


@proves("A6", "I21")
def test_nothing_is_closed_while_the_book_sells() -> None:
    run_story("""
        deposit lender USDC 1,000,000
        lend    lender USDC 1,000,000
        deposit sue SOL  100
        lend    sue SOL  100
        deposit mia USDC 100,000
        buy     mia SOL  100 @ 189.9
        deposit i   SOL  100
        borrow  i   USDC 17,000
        withdraw i  USDC 17,000
        deposit j   USDC 40,000
        borrow  j   SOL  60
        withdraw j  SOL  60
        price SOL 190
        steps 3 +1s
        saw    Filled taker=i
        unseen AdlOpened
    """)


@proves("I22", "I40")
def test_a_worthless_account_closes_all_it_can_without_a_fee() -> None:
    run_story("""
        deposit lender USDC 1,000,000
        lend    lender USDC 1,000,000
        deposit sue SOL  100
        lend    sue SOL  100
        deposit i   SOL  100
        borrow  i   USDC 17,000
        withdraw i  USDC 17,000
        deposit j   USDC 40,000
        borrow  j   SOL  60
        withdraw j  SOL  60
        price SOL 165
        expect i value -500
        step +1s
        saw  AdlOpened case=OPPOSITES needed=100SOL allotted=60SOL
        saw  AdlMatched lender=i payer=j quantity=60SOL value=9900 fee=0
        expect j SOL owed 0
        expect j USDC available 30,100
    """)


@proves("I22", "I40")
def test_who_is_worth_nothing_closes_nobody() -> None:
    run_story("""
        deposit lender USDC 1,000,000
        lend    lender USDC 1,000,000
        deposit sue SOL  100
        lend    sue SOL  100
        deposit i   SOL  100
        borrow  i   USDC 17,000
        withdraw i  USDC 17,000
        deposit j   BTC  0.13
        deposit j   USDC 1,000
        borrow  j   SOL  60
        withdraw j  SOL  60
        halt  BTC
        price BTC 70,000
        price SOL 190
        step +1s
        unseen AdlCandidate account=j
    """)
