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
    once = run_story(text + "step_to 72h").state
    often = run_story(text + "steps 288 +15m").state
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
