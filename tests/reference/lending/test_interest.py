"""Interest to the last part: however time is cut, whatever is touched, at the ends of its range."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from solvent.domain.labels import Source
from solvent.domain.parameters import MAX_SHARES, MAX_SUPPLY
from solvent.domain.units import HOUR, HOURS_PER_YEAR, INDEX_SCALE, RATIO, SECOND
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import (
    borrowed_total,
    claim_of,
    debt_of,
    exact_sink,
    lent_total,
    settle_residue,
)
from solvent.reference.lending import pool as pools
from solvent.reference.lending.interest import BASE_SCALE, accrue, fine_index_up, halve_claims
from solvent.reference.limits import pool_state
from solvent.reference.state import State
from tests.proof import proves
from tests.tables.audit import faults
from tests.tables.story import Story

SOL = 2
ANN, BOB, CAT = 2, 3, 4
WORLD = """
    set SOL pool.curve.points 0:1% 80%:8% 1:1000%
    set SOL pool.fee 13%
    deposit ann SOL  1,000
    lend    ann SOL  777.123456789
    deposit bob SOL  1,000
    deposit bob USDC 900,000
    borrow  bob SOL  733.333333333
    deposit cat SOL  1,000
    lend    cat SOL  0.000000777
    step_to 700m
"""
YEAR = HOURS_PER_YEAR * HOUR
times = st.integers(1, 5 * HOUR)


@pytest.fixture(scope="module", name="snapshot")
def _snapshot() -> bytes:
    return Story().run(WORLD).engine.snapshot()


def fresh(snapshot: bytes) -> State:
    """The world anew."""
    return ReferenceEngine.restore(snapshot).state


@proves("I6", "I44")
@given(st.lists(times, min_size=1, max_size=30))
@example([1] * 30)
@example([HOUR] * 5)
def test_however_time_is_cut_the_state_is_the_same(snapshot: bytes, cuts: list[int]) -> None:
    whole, parts = fresh(snapshot), fresh(snapshot)
    start = now = whole.now
    for cut in cuts:
        accrue(parts, now, now + cut)
        now += cut
    accrue(whole, start, now)
    assert parts.pools == whole.pools
    assert parts.accounts == whole.accounts
    assert faults(parts) == []


@proves("I6", "I1")
@given(times)
def test_what_debts_grow_by_is_what_lenders_and_the_fee_get(snapshot: bytes, time: int) -> None:
    state = fresh(snapshot)
    pool = state.pools[SOL]
    sink, claims, fees = exact_sink(pool), pool.lend_shares * pool.lend_index, pool.fees
    accrue(state, state.now, state.now + time)
    assert exact_sink(pool) == sink
    earned = pool.lend_shares * pool.lend_index - claims
    kept = (pool.fees - fees) * INDEX_SCALE
    assert abs(earned * 13 - kept * 87) < 200 * (INDEX_SCALE + pool.lend_shares)


@proves("I44")
@given(st.integers(1, HOUR // SECOND), st.integers(0, HOUR // SECOND), st.integers(1, 10**12))
def test_a_claim_earns_for_the_seconds_that_it_stood(
    snapshot: bytes, start: int, length: int, quantity: int
) -> None:
    """Beside another lender, from any second to any other: its share of the interest of then."""
    state = fresh(snapshot)
    now = state.now + start * SECOND
    accrue(state, state.now, now)
    state.now = now
    state.accounts[CAT].available[SOL] += quantity
    state.external[SOL] -= quantity
    pools.redeem(state, CAT, SOL, claim_of(state, CAT, SOL), Source.MANUAL)
    pools.lend(state, CAT, SOL, quantity, Source.MANUAL)
    lent, pool = claim_of(state, CAT, SOL), state.pools[SOL]
    debts = pool.debt_shares * pool.debt_index
    accrue(state, now, now + length * SECOND)
    grown = pool.debt_shares * pool.debt_index - debts
    part = Fraction(state.accounts[CAT].lent_shares[SOL], pool.lend_shares)
    exact = part * Fraction(87 * grown, 100 * INDEX_SCALE)
    assert -2 < claim_of(state, CAT, SOL) - lent - exact < 2


@proves("I44")
@given(st.integers(1, 1198))
def test_a_debt_pays_for_the_seconds_that_it_stood(snapshot: bytes, seconds: int) -> None:
    state = fresh(snapshot)
    owed, pool = debt_of(state, BOB, SOL), state.pools[SOL]
    accrue(state, state.now, state.now + SECOND)
    apr = pool.apr
    accrue(state, state.now + SECOND, state.now + seconds * SECOND + SECOND)
    most = owed * Fraction(apr, RATIO) * Fraction((seconds + 1) * SECOND, YEAR)
    paid = debt_of(state, BOB, SOL) - owed
    # Less than on what is owed by what the hour has brought so far, 0.1 % here.
    assert Fraction(999, 1000) * most - 1 < paid < most + 1


@proves("I6")
def test_a_pool_of_500_usdc_pays_what_is_shown_to_an_atom_a_year() -> None:
    state = (
        Story()
        .run("""
        set BTC pool.curve.points 0:2% 1:2%
        set BTC pool.fee 15%
        price BTC 100000
        deposit ann BTC 0.005
        lend    ann BTC 0.005
        deposit bob USDC 500,000
        borrow  bob BTC 0.004
        """)
        .state
    )
    claims, debts = Fraction(500_000), Fraction(400_000)
    for _ in range(HOURS_PER_YEAR):
        grown = debts * Fraction(2, 100 * HOURS_PER_YEAR)
        debts = (debts + grown).limit_denominator(10**40)
        claims = (claims + grown * Fraction(85, 100)).limit_denominator(10**40)
    for hour in range(HOURS_PER_YEAR):
        accrue(state, hour * HOUR, (hour + 1) * HOUR)
    assert abs(claim_of(state, 2, 1) - claims) < 1
    assert abs(debt_of(state, 3, 1) - debts) < 1


@proves("I43")
@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=4), st.integers(1, INDEX_SCALE // 4))
@example([1, 1], 1)
@example([10**12, 1], INDEX_SCALE // 4)
def test_halving_shares_costs_a_claim_less_than_an_atom(
    snapshot: bytes, shares: list[int], index: int
) -> None:
    state = fresh(snapshot)
    pool = state.pools[SOL]
    for holder, held in zip(state.accounts[ANN:], [*shares, 0, 0, 0], strict=False):
        holder.lent_shares[SOL] = held
    pool.lend_shares, pool.lend_index, pool.unpaid = sum(shares), index, 0
    state.external[SOL] -= 10**12
    pool.cash += 10**12
    pool.residue = pool.sink = 0
    settle_residue(state, SOL)
    before = [holder.lent_shares[SOL] * index for holder in state.accounts]
    halve_claims(state, SOL)
    assert INDEX_SCALE // 2 < pool.lend_index <= INDEX_SCALE
    for holder, worth in zip(state.accounts, before, strict=True):
        assert 0 <= worth - holder.lent_shares[SOL] * pool.lend_index < INDEX_SCALE
    assert sum(holder.lent_shares[SOL] for holder in state.accounts) == pool.lend_shares


@proves("I43")
def test_a_pool_whose_debts_would_not_fit_freezes_and_thaws(snapshot: bytes) -> None:
    state = fresh(snapshot)
    pool, other = state.pools[SOL], state.pools[0]
    room = 2 * MAX_SUPPLY - borrowed_total(pool)
    # Somebody owes nearly all that there may be.
    state.accounts[BOB].debt_shares[SOL] += 2 * room
    pool.debt_shares += 2 * room
    pool.cash += 3 * MAX_SUPPLY
    state.prices[SOL].mark = 1
    settle_residue(state, SOL)
    assert pool.debt_shares <= MAX_SHARES
    index = pool.debt_index
    accrue(state, state.now, state.now + HOUR)
    assert pool.frozen
    assert pool.debt_index == index
    assert not other.frozen
    assert pool_state(state, SOL).name == "REPAY_ONLY"
    state.accounts[BOB].debt_shares[SOL] -= 2 * room
    pool.debt_shares -= 2 * room
    pool.cash += 3 * MAX_SUPPLY
    settle_residue(state, SOL)
    accrue(state, state.now + HOUR, state.now + 2 * HOUR)
    assert not pool.frozen
    assert pool.debt_index > index
    frozen = [event for event in state.events if type(event).__name__ == "PoolFrozen"]
    assert [event.frozen for event in frozen] == [1, 0]  # type: ignore[attr-defined]


@proves("I43", "I44")
@pytest.mark.parametrize("parts", [1, 2, 3600])
def test_whether_a_pool_freezes_does_not_hang_on_how_an_hour_is_cut(
    snapshot: bytes, parts: int
) -> None:
    """Half an hour's interest would fit, and the hour's does not."""
    state = fresh(snapshot)
    pool = state.pools[SOL]
    since = (state.now // HOUR + 1) * HOUR
    accrue(state, state.now, since)
    grown = fine_index_up(pool, RATIO * HOUR) // BASE_SCALE
    hours = 2 * MAX_SUPPLY * INDEX_SCALE // (pool.debt_index + (grown - pool.debt_index) // 2)
    shares = hours - pool.debt_shares
    state.accounts[BOB].debt_shares[SOL] += shares
    pool.debt_shares += shares
    pool.cash += 3 * MAX_SUPPLY
    pool.apr = RATIO
    state.prices[SOL].mark = 1
    settle_residue(state, SOL)
    index = pool.debt_index
    for part in range(1, parts + 1):
        accrue(state, since + HOUR * (part - 1) // parts, since + HOUR * part // parts)
    assert pool.frozen
    assert pool.debt_index == index


@proves("I44", "I4")
def test_lending_for_no_time_earns_nothing(snapshot: bytes) -> None:
    state = fresh(snapshot)
    lent = lent_total(state.pools[SOL])
    for _ in range(50):
        pools.lend(state, CAT, SOL, 10**9, Source.MANUAL)
        pools.redeem(state, CAT, SOL, 10**9, Source.MANUAL)
    assert lent_total(state.pools[SOL]) <= lent
