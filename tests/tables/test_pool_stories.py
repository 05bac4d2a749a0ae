"""Stories of the pool: lending, borrowing, throttle, interest, settings, dust and withdrawals."""

from tests.proof import proves
from tests.tables.story import run_story


@proves("A3", "I12", "I13", "I37")
def test_full_pause_and_its_end() -> None:
    run_story("""
        set SOL pool.throttle_threshold 90%
        deposit alice SOL  100
        lend    alice SOL  100
        deposit carl  SOL  11
        deposit bob   USDC 50,000
        borrow  bob   SOL  90
        expect  pool  SOL  utilization 90%
        expect  pool  SOL  bound_in_force 90%
        # All that would leave the pool more utilized is paused, whatever its kind.
        redeem   alice SOL 1              | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        borrow   bob   SOL 1              | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        withdraw alice SOL 1 redeem       | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        withdraw bob   SOL 90.5 borrow    | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 90
        sell     alice SOL 1 @ 200 redeem | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        sell     bob   SOL 91 @ 200 borrow | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 90
        expect  max_redeem alice SOL 0
        expect  max_borrow bob   SOL 0
        # Time alone does not end the pause.
        steps   10 +1s
        redeem  alice SOL 1               | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        # Lending and repaying stay open, and end it.
        lend    carl  SOL 10
        repay   bob   SOL 1
        # 89 borrowed bear 98.888888889 lent: of 110 the rest can go.
        expect  max_redeem alice SOL 11.111111111
        redeem  alice SOL 11.111111112    | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 11.111111111
        redeem  alice SOL 11.111111111
        redeem  alice SOL 0.000000001     | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
    """)


@proves("A3", "I13")
def test_creeping_bound() -> None:
    run_story("""
        set SOL pool.throttle_threshold 80%
        set SOL pool.throttle_update_fraction 50%
        deposit alice SOL  100
        lend    alice SOL  100
        deposit bob   USDC 50,000
        borrow  bob   SOL  81             | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 80
        borrow  bob   SOL  80
        borrow  bob   SOL  1              | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 0
        step +1s
        saw     ThrottleMoved asset=SOL bound=90%
        borrow  bob   SOL  11             | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 10
        borrow  bob   SOL  10
        step +1s
        saw     ThrottleMoved asset=SOL bound=95%
        borrow  bob   SOL  5
        step +1s
        saw     ThrottleMoved asset=SOL bound=97.5%
        redeem  alice SOL  2.6            | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 2.564102564
        # A pool that was relieved cannot be drained back to where it was.
        repay   bob   SOL  45
        expect  pool  SOL  bound 97.5%
        expect  pool  SOL  bound_in_force 80%
        borrow  bob   SOL  31             | INSUFFICIENT_SUPPLY UTILIZATION_BOUND 30
        step +1s
        saw     ThrottleMoved asset=SOL bound=80%
    """)


@proves("I12", "I13")
def test_the_bound_never_creeps_past_the_maximum() -> None:
    run_story("""
        set SOL pool.throttle_threshold 80%
        set SOL pool.max_utilization 90%
        set SOL pool.throttle_update_fraction 1
        deposit alice SOL  100
        lend    alice SOL  100
        deposit bob   USDC 50,000
        borrow  bob   SOL  80
        steps   5 +1s
        expect  pool  SOL  bound 90%
        borrow  bob   SOL  10
        steps   5 +1s
        expect  pool  SOL  bound 90%
        borrow  bob   SOL  0.000000001    | INSUFFICIENT_SUPPLY MAX_UTILIZATION 0
    """)


@proves("A4", "I1")
def test_a_fully_lent_pool_serves_nobody() -> None:
    run_story("""
        deposit alice SOL  100
        lend    alice SOL  100
        deposit carl  SOL  5
        deposit bob   USDC 50,000
        borrow  bob   SOL  101            | INSUFFICIENT_SUPPLY POOL_CASH 100
        borrow  bob   SOL  100
        expect  pool  SOL  utilization 1
        expect  pool  SOL  cash 0
        redeem   alice SOL 0.000000001    | INSUFFICIENT_SUPPLY POOL_CASH 0
        withdraw alice SOL 0.000000001 redeem | INSUFFICIENT_SUPPLY POOL_CASH 0
        borrow   bob   SOL 0.000000001    | INSUFFICIENT_SUPPLY POOL_CASH 0
        lend     carl  SOL 5
        redeem   alice SOL 5.000000001    | INSUFFICIENT_SUPPLY POOL_CASH 5
        redeem   alice SOL 5
        repay    bob   SOL 95
        redeem   alice SOL 95
        expect   pool  SOL cash 0                  # what is left of 5 lent is borrowed
    """)


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


@proves("I6", "A1")
def test_interest_of_hours_and_days() -> None:
    # 8.76 % a year are 0.00001 an hour, at every utilization.
    run_story("""
        set SOL pool.curve.points 0:8.76% 1:8.76%
        deposit alice SOL  1,000
        lend    alice SOL  1,000
        deposit bob   USDC 500,000
        borrow  bob   SOL  500
        saw     Borrowed quantity=500 entry_fee=0.005SOL   # the whole first hour
        expect  bob   SOL  owed 500.005
        expect  alice SOL  lent 1000.005
        step +30m
        unseen  InterestCharged
        expect  bob   SOL  owed 500.005
        step +30m
        saw     InterestCharged asset=SOL hour=1 apr=8.76% interest=0.00500005SOL
        expect  bob   SOL  owed 500.01000005       # 500.005 * 1.00001
        expect  alice SOL  lent 1000.01000005
        step +1s
        unseen  InterestCharged
        # 500.005 * 1.00001^24, every hour's index rounded up at its fourteenth digit
        step_to 24h
        count   InterestCharged 23
        expect  bob   SOL  owed  ~ 500.125015001
        expect  alice SOL  lent  ~ 1000.125015001
        expect  pool  SOL  residue < 0.000000100
    """)


@proves("I6")
def test_interest_does_not_depend_on_how_often_time_steps() -> None:
    text = """
        set SOL pool.curve.points 0:8.76% 1:8.76%
        set SOL pool.fee 20%
        deposit alice SOL  1,000
        lend    alice SOL  1,000
        deposit bob   USDC 500,000
        borrow  bob   SOL  500
    """
    once = run_story(text + "step_to 72h").engine.state
    often = run_story(text + "steps 288 +15m").engine.state
    pool, other = once.pools[2], often.pools[2]
    assert (pool.debt_index, pool.lend_index) == (other.debt_index, other.lend_index)
    assert (pool.fees, pool.residue) == (other.fees, other.residue)


@proves("I6")
def test_the_entry_fee_is_the_rest_of_the_hour() -> None:
    run_story("""
        set SOL pool.curve.points 0:8.76% 1:8.76%
        deposit alice SOL  1,000
        lend    alice SOL  1,000
        deposit bob   USDC 500,000
        deposit carl  USDC 500,000
        step_to 770m                               # 12:50
        price SOL 200
        price BTC 100000
        borrow  bob   SOL  300                     # 300 * 0.00001 / 6
        saw     Borrowed quantity=300 entry_fee=0.0005SOL
        borrow  bob   SOL  300                     # raising pays for the part that is raised
        saw     Borrowed quantity=300 entry_fee=0.0005SOL
        repay   bob   SOL  300                     # and repaying refunds nothing
        expect  bob   SOL  owed 300.001
        step_to 13h
        saw     InterestCharged asset=SOL hour=13 interest=0.00300001SOL
        borrow  carl  SOL  300                     # at the full hour: all of it
        saw     Borrowed quantity=300 entry_fee=0.003SOL
    """)


@proves("I6", "I1")
def test_interest_is_split_between_lenders_and_fee() -> None:
    run_story("""
        set SOL pool.curve.points 0:8.76% 1:8.76%
        set SOL pool.fee 20%
        deposit alice SOL  600
        lend    alice SOL  600
        deposit carl  SOL  400
        lend    carl  SOL  400
        deposit bob   USDC 500,000
        borrow  bob   SOL  500
        expect  pool  SOL  fees 0.001              # of 0.005
        expect  alice SOL  lent 600.0024           # of 0.004: six tenths
        expect  carl  SOL  lent 400.0016
        expect  pool  SOL  lend_apr ~ 0.03504021   # 8.76 % * U * 0.8, U = 500.005 / 1000.004
        collect SOL
        saw     FeesCollected asset=SOL quantity=0.001
        expect  treasury SOL available 0.001
        expect  pool  SOL  fees 0
        collect SOL                                | INSUFFICIENT_FUNDS POOL_CASH
    """)


@proves("A4", "I12", "I1")
def test_the_fee_may_carry_borrowed_above_lent_but_never_cash_below_zero() -> None:
    run_story("""
        set SOL pool.curve.points 0:876% 1:876%
        set SOL pool.fee 100%
        deposit alice SOL  100
        lend    alice SOL  100
        deposit bob   USDC 500,000
        borrow  bob   SOL  99.9
        step_to 48h
        price   SOL 200
        expect  pool  SOL  borrowed > 100
        expect  pool  SOL  lent 100
        expect  pool  SOL  cash 0.1
        expect  pool  SOL  borrow_apr 876%
        redeem  alice SOL  0.000000001             | INSUFFICIENT_SUPPLY POOL_CASH 0
        borrow  bob   SOL  0.000000001             | INSUFFICIENT_SUPPLY POOL_CASH 0
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


@proves("I12")
def test_auto_lend_obeys_the_limit() -> None:
    run_story("""
        set SOL pool.open_borrow_lend_limit 10
        deposit  alice SOL 8
        settings alice auto_lend=1
        expect   alice SOL lent 8
        deposit  alice SOL 3
        expect   alice SOL lent 8
        expect   alice SOL available 3
        lend     alice SOL 3                       | LEND_LIMIT OPEN_BORROW_LEND_LIMIT 2
    """)


@proves("I12")
def test_borrow_and_lend_limits_and_states() -> None:
    run_story("""
        set SOL pool.open_borrow_lend_limit 50
        deposit alice SOL  100
        lend    alice SOL  60                      | LEND_LIMIT OPEN_BORROW_LEND_LIMIT 50
        lend    alice SOL  50
        deposit bob   USDC 100,000
        change  SOL   OPEN_BORROW_LEND_LIMIT 20
        borrow  bob   SOL  30                      | BORROW_LIMIT OPEN_BORROW_LEND_LIMIT 20
        borrow  bob   SOL  20
        change  SOL   OPEN_BORROW_LEND_LIMIT 10    # below what is outstanding: blocks new ones
        borrow  bob   SOL  1                       | BORROW_LIMIT OPEN_BORROW_LEND_LIMIT 0
        lend    alice SOL  1                       | LEND_LIMIT OPEN_BORROW_LEND_LIMIT 0
        redeem  alice SOL  1
        repay   bob   SOL  1
        change  SOL   POOL_STATE repay_only
        borrow  bob   SOL  1                       | BORROW_LIMIT POOL_STATE 0
        lend    alice SOL  1                       | LEND_LIMIT POOL_STATE 0
        redeem  alice SOL  1
        repay   bob   SOL  1
        change  SOL   POOL_STATE closed
        redeem  alice SOL  1                       | INSUFFICIENT_SUPPLY POOL_STATE 0
        borrow  bob   SOL  1                       | BORROW_LIMIT POOL_STATE 0
        repay   bob   SOL  1
        change  SOL   POOL_STATE open
        redeem  alice SOL  1
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
        expect  pool  SOL  utilization ~ 0.400001169
        expect  pool  SOL  borrow_apr  ~ 0.040000117
        expect  pool  SOL  lend_apr    < 0.0144002
        expect  pool  SOL  bound 90%
        expect  max_redeem alice SOL > 55
        expect  max_borrow bob   SOL > 49
        expect  bob   maintenance > 160
    """)
    before = story.engine.state_hash()
    story.run("""
        expect  max_borrow   bob SOL > 0
        expect  max_withdraw bob SOL redeem borrow > 0
        expect  max_lend     alice SOL 0
        expect  bob value > 0
    """)
    assert story.engine.state_hash() == before
