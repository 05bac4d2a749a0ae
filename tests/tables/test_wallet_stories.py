"""Stories of the wallet: margin, settings, dust, withdrawals, leaving, and what people watch."""

from tests.proof import proves
from tests.tables.story import run_story


@proves("A5")
def test_lent_tokens_are_collateral_in_full() -> None:
    run_story("""
        deposit lender USDC 100,000
        lend    lender USDC 100,000
        deposit alice  SOL  100
        keep    equity alice net_equity
        keep    value  alice value
        expect  max_borrow alice USDC 100,000
        expect  alice  net_equity 18,000          # 100 * 200 * 0.9
        lend    alice  SOL  100
        expect  alice  net_equity = $equity
        expect  alice  value      = $value
        borrow  alice  USDC 17,000
        expect  alice  net_equity 18,000          # the debt is in the wallet
        withdraw alice USDC 17,001                | INSUFFICIENT_FUNDS AVAILABLE_BALANCE 17,000
        withdraw alice USDC 17,000
        expect  alice  net_equity 1,000
        expect  alice  exposure   17,000
        expect  alice  maintenance 340
    """)


@proves("A13", "I10")
def test_a_borrow_is_over_collateralised_when_it_is_made() -> None:
    run_story("""
        deposit lender SOL  100
        lend    lender SOL  100
        borrow  bob    SOL  0.000000001           | MAX_LEVERAGE_REACHED LEVERAGE 0
        deposit bob    USDC 1,000
        # What is borrowed weighs 0.9: 1,000 - 20x >= 8x.
        borrow  bob    SOL  35.714285715          | INSUFFICIENT_MARGIN INITIAL_MARGIN 35.714285714
        borrow  bob    SOL  35.714285714
        withdraw bob   SOL  0.01                  | INSUFFICIENT_MARGIN INITIAL_MARGIN
        withdraw bob   USDC 0.01                  | INSUFFICIENT_MARGIN INITIAL_MARGIN 0
    """)


@proves("I12", "A13")
def test_the_leverage_limit_is_the_accounts_own() -> None:
    run_story("""
        deposit  lender SOL  100
        lend     lender SOL  100
        deposit  bob    USDC 1,000
        settings bob leverage_limit=2
        # 200x <= 2 (1,000 - 20x)
        borrow   bob    SOL  9                    | MAX_LEVERAGE_REACHED LEVERAGE 8.333333333
        borrow   bob    SOL  8.333333333
        settings bob leverage_limit=51            | INVALID_CLIENT_REQUEST LEVERAGE 50
        settings bob leverage_limit=10
        borrow   bob    SOL  9
    """)


def test_one_side_per_asset() -> None:
    run_story("""
        deposit lender SOL  100
        lend    lender SOL  100
        deposit alice  SOL  10
        deposit alice  USDC 10,000
        lend    alice  SOL  10
        borrow  alice  SOL  1                      | BORROW_REQUIRES_LEND_REDEEM
        withdraw alice SOL  11 borrow              | BORROW_REQUIRES_LEND_REDEEM
        redeem  alice  SOL  10
        borrow  alice  SOL  1
        lend    alice  SOL  1                      | LEND_REQUIRES_BORROW_REPAY
        repay   alice  SOL  1
        lend    alice  SOL  1
    """)


def test_auto_lend_and_auto_repay() -> None:
    run_story("""
        deposit  lender SOL  100
        lend     lender SOL  100
        deposit  alice  USDC 10,000
        settings alice  auto_lend=1
        saw      Lent account=alice asset=USDC quantity=10000 source=AUTO_LEND
        deposit  alice  USDC 5
        expect   alice  USDC lent 10,005
        borrow   alice  SOL  10
        withdraw alice  SOL  10
        deposit  alice  SOL  4                     # owes SOL: not lent, and not repaid either
        expect   alice  SOL  available 4
        settings alice  auto_repay_borrows=1
        deposit  alice  SOL  1
        saw      Repaid account=alice quantity=1 source=AUTO_BORROW_REPAY
        deposit  alice  SOL  20
        expect   alice  SOL  owed 0
        expect   alice  SOL  lent 15               # 4 + 20 - 9
        settings alice  auto_lend=2                | INVALID_CLIENT_REQUEST
    """)


def test_dust_goes_to_the_treasury_at_the_mark() -> None:
    run_story("""
        deposit alice SOL 0.00009                  # below the market's minimum of 0.0001
        dust    alice SOL                          | PRECONDITION_FAILED
        deposit treasury USDC 100
        dust    alice SOL
        saw     DustConverted account=alice asset=SOL quantity=0.00009 received=0.018
        expect  alice    USDC available 0.018
        expect  treasury SOL  available 0.00009
        dust    alice SOL                          | INVALID_QUANTITY
        dust    alice USDC                         | INVALID_ASSET
        deposit alice SOL 0.0001
        dust    alice SOL                          | INVALID_QUANTITY
        deposit bob   SOL 0.00005
        lend    bob   SOL 0.00005
        dust    bob   SOL                          # what is lent counts, and is redeemed
        expect  bob   USDC available 0.01
        expect  bob   SOL  lent 0
    """)


@proves("I12", "I37")
def test_a_withdrawal_redeems_then_borrows() -> None:
    run_story("""
        deposit  lender SOL  100
        lend     lender SOL  100
        deposit  alice  SOL  10
        deposit  alice  USDC 10,000
        lend     alice  SOL  6
        withdraw alice  SOL  5                     | INSUFFICIENT_FUNDS AVAILABLE_BALANCE 4
        expect   max_withdraw alice SOL 4
        expect   max_withdraw alice SOL redeem 10
        withdraw alice  SOL  11 redeem             | INSUFFICIENT_FUNDS LENT_CLAIM 10
        expect   max_withdraw alice SOL redeem borrow 58.076923076
        withdraw alice  SOL  500 redeem borrow     | INSUFFICIENT_SUPPLY POOL_CASH 58.076923076
        withdraw alice  SOL  15 redeem borrow
        saw      Redeemed account=alice quantity=6 source=WITHDRAWAL
        saw      Borrowed account=alice quantity=5 source=WITHDRAWAL
        saw      Withdrawn account=alice quantity=15
        expect   alice  SOL  owed 5
        expect   max_withdraw alice SOL redeem borrow 43.076923076
    """)


@proves("I33")
def test_everyone_can_leave() -> None:
    run_story("""
        set SOL pool.curve.points 0:50% 1:50%
        set SOL pool.throttle_threshold 80%
        deposit alice SOL  60
        lend    alice SOL  60
        deposit carl  SOL  40
        lend    carl  SOL  40
        deposit bob   USDC 50,000
        borrow  bob   SOL  77.7
        withdraw bob  SOL  77.7
        step_to 20h
        price   SOL   200
        # A borrower can always repay in full and take out his collateral.
        deposit bob   SOL  80
        repay   bob   SOL  80
        expect  bob   SOL  owed 0
        withdraw bob  USDC 50,000
        # With no debt left every lender can leave with all that is his.
        redeem  alice SOL  60
        keep    rest  alice SOL lent
        expect  alice SOL  lent > 0
        keep    all   max_redeem alice SOL
        expect  max_redeem alice SOL = $rest
        withdraw alice SOL 60
        withdraw alice SOL 0.001 redeem
        keep    carls carl SOL lent
        expect  max_redeem carl SOL = $carls
        withdraw carl SOL 40 redeem
        expect  pool SOL  borrowed 0
    """)


@proves("I11")
def test_a_gift_never_lowers_health() -> None:
    run_story("""
        set SOL haircut.kind inverse_square_root
        set SOL haircut.penalty 0.001
        deposit  lender USDC 100,000
        lend     lender USDC 100,000
        deposit  lender SOL  100
        lend     lender SOL  100
        deposit  alice  SOL  100
        borrow   alice  USDC 10,000
        keep     equity alice net_equity
        deposit  alice  SOL  1,000
        expect   alice  net_equity > $equity
        keep     equity alice net_equity
        deposit  alice  BTC  0.00000001
        expect   alice  net_equity >= $equity
        settings alice  auto_repay_borrows=1
        keep     equity alice net_equity
        keep     margin alice maintenance
        deposit  alice  USDC 1
        expect   alice  net_equity  > $equity
        expect   alice  maintenance < $margin
    """)


@proves("I11")
def test_a_gift_to_a_whale_does_not_lower_health_by_a_rounded_weight() -> None:
    """Case 36: 31.82 USDC on 253 million, where the weight's last digit falls."""
    run_story("""
        set SOL haircut.kind inverse_square_root
        set SOL haircut.weight 90%
        set SOL haircut.penalty 0.01
        price    SOL 2,000
        deposit  lender USDC 10,000,000
        lend     lender USDC 10,000,000
        deposit  alice  SOL  126,547.615503544
        borrow   alice  USDC 1,000,000
        keep     equity alice net_equity
        deposit  alice  SOL  0.015908969
        expect   alice  net_equity >= $equity
    """)


@proves("A14", "I37")
def test_previews_and_figures_that_people_watch() -> None:
    story = run_story("""
        set SOL pool.curve.points 0:0 80%:8% 1:100%
        set SOL pool.fee 10%
        set SOL pool.throttle_threshold 90%
        deposit alice SOL  100
        lend    alice SOL  100
        deposit bob   USDC 5,000
        borrow  bob   SOL  40
        expect  pool  SOL  utilization 0.4
        expect  pool  SOL  borrow_apr  0.04
        expect  pool  SOL  lend_apr    0.0144
        expect  pool  SOL  bound 90%
        expect  max_redeem alice SOL 55.555555555
        expect  max_borrow bob   SOL 50
        expect  bob   maintenance 160
    """)
    before = story.engine.state_hash()
    story.run("""
        expect  max_borrow   bob SOL > 0
        expect  max_withdraw bob SOL redeem borrow > 0
        expect  max_lend     alice SOL 0
        expect  bob value > 0
    """)
    assert story.engine.state_hash() == before
