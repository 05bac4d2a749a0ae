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
