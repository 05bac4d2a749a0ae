"""Stories of how a borrower pays in ADL: the settlement order of case L, asset by asset."""

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
