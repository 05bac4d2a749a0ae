"""The pool's verbs: shares round for the pool, nothing is created, and nobody gains by a loop."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from solvent.domain import commands as c
from solvent.domain.events import Event, Refused
from solvent.domain.labels import Source
from solvent.domain.parameters import MAX_SHARES, USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INDEX_SCALE
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import (
    EXTERNAL,
    POOL,
    LedgerError,
    available,
    borrowed_fall,
    borrowed_total,
    change_claim,
    change_debt,
    claim_of,
    debt_of,
    forgive_debt,
    lent_total,
    locked,
    move,
    settle_residue,
)
from solvent.reference.lending import pool as pools
from solvent.reference.state import TREASURY, State
from solvent.reference.waterfall.default import settle_defaults
from tests.proof import proves
from tests.tables.audit import faults
from tests.tables.story import Story

SOL = 2
ANN, BOB, CAT = 2, 3, 4

WORLD = """
    set SOL pool.curve.points 0:100% 1:1000%
    set SOL pool.fee 13%
    deposit ann SOL  1,000
    lend    ann SOL  777.123456789
    deposit bob SOL  1,000
    deposit bob USDC 900,000
    borrow  bob SOL  333.333333333
    deposit cat SOL  1,000
    lend    cat SOL  0.000000777
    step_to 19h
"""


@pytest.fixture(scope="module", name="snapshot")
def _snapshot() -> bytes:
    return Story().run(WORLD).engine.snapshot()


@pytest.fixture(name="state")
def _state(snapshot: bytes) -> State:
    return fresh(snapshot)


def fresh(snapshot: bytes) -> State:
    """The world anew."""
    return ReferenceEngine.restore(snapshot).state


def total_of(state: State, account: int) -> int:
    """What an account has of SOL, less what it owes."""
    return (
        state.accounts[account].available[SOL]
        + claim_of(state, account, SOL)
        - debt_of(state, account, SOL)
    )


amounts = st.one_of(st.integers(1, 1000), st.integers(1, 300 * 10**9))


@proves("I4", "I1")
@given(st.lists(amounts, min_size=1, max_size=5))
def test_lending_and_redeeming_at_one_instant_gains_nothing(
    snapshot: bytes, parts: list[int]
) -> None:
    state = fresh(snapshot)
    assume(sum(parts) <= state.accounts[CAT].available[SOL])
    before = total_of(state, CAT), state.pools[SOL].sink
    for part in parts:
        if pools.lend_shares_down(state, SOL, part):
            pools.lend(state, CAT, SOL, part, Source.MANUAL)
    for part in parts:
        most = min(part, claim_of(state, CAT, SOL), pools.redeemable(state.pools[SOL]))
        if most:
            pools.redeem(state, CAT, SOL, most, Source.MANUAL)
    assert total_of(state, CAT) <= before[0]
    assert state.pools[SOL].sink >= before[1]
    assert faults(state) == []


@proves("I4", "I1")
@given(st.lists(amounts, min_size=1, max_size=5))
def test_borrowing_and_repaying_at_one_instant_gains_nothing(
    snapshot: bytes, parts: list[int]
) -> None:
    state = fresh(snapshot)
    assume(sum(parts) < pools.redeemable(state.pools[SOL]))
    before = total_of(state, BOB), state.pools[SOL].sink
    for part in parts:
        pools.borrow(state, BOB, SOL, part, Source.MANUAL)
    for part in parts:
        pools.repay(state, BOB, SOL, part, Source.MANUAL)
    assert total_of(state, BOB) <= before[0]
    assert state.pools[SOL].sink >= before[1]
    assert faults(state) == []


@proves("I4", "I44")
@given(st.lists(amounts, min_size=2, max_size=50))
def test_a_split_borrow_costs_at_most_an_atom_a_part_more(
    snapshot: bytes, parts: list[int]
) -> None:
    whole, split = fresh(snapshot), fresh(snapshot)
    assume(sum(parts) < pools.redeemable(whole.pools[SOL]))
    pools.borrow(whole, BOB, SOL, sum(parts), Source.MANUAL)
    for part in parts:
        pools.borrow(split, BOB, SOL, part, Source.MANUAL)
    dearer = debt_of(split, BOB, SOL) - debt_of(whole, BOB, SOL)
    assert 0 <= dearer <= len(parts)


@proves("I44")
@given(amounts)
def test_a_repayment_and_a_lend_move_what_they_say(snapshot: bytes, quantity: int) -> None:
    state = fresh(snapshot)
    owed, free = debt_of(state, BOB, SOL), state.accounts[BOB].available[SOL]
    assume(quantity <= free)
    paid = pools.repay(state, BOB, SOL, quantity, Source.MANUAL)
    assert paid == min(quantity, owed)
    assert free - state.accounts[BOB].available[SOL] == paid
    assert paid - 1 <= owed - debt_of(state, BOB, SOL) <= paid
    lent = claim_of(state, CAT, SOL)
    pools.lend(state, CAT, SOL, quantity, Source.MANUAL)
    assert quantity - 1 <= claim_of(state, CAT, SOL) - lent <= quantity


def test_whole_claims_and_debts_close_without_a_share_left(state: State) -> None:
    pools.repay(state, BOB, SOL, debt_of(state, BOB, SOL), Source.MANUAL)
    pools.redeem(state, ANN, SOL, claim_of(state, ANN, SOL), Source.MANUAL)
    assert state.accounts[BOB].debt_shares[SOL] == 0
    assert state.accounts[ANN].lent_shares[SOL] == 0
    assert borrowed_total(state.pools[SOL]) == 0


@proves("I5", "I29", "I32")
def test_a_write_off_takes_from_the_lenders_what_was_owed(state: State) -> None:
    pool = state.pools[SOL]
    lent, owed, index = lent_total(pool), debt_of(state, BOB, SOL), pool.lend_index
    shares = state.accounts[BOB].debt_shares[SOL]
    loss = borrowed_fall(pool, shares)
    assert owed - 1 <= loss <= owed
    forgive_debt(state, BOB, SOL, shares)
    pools.write_down(state, SOL, fees=0, treasury=0, residue=0, lenders=loss)
    assert 0 <= lent - lent_total(pool) - loss <= 1
    assert pool.lend_index < index
    assert pool.deficit == loss
    assert debt_of(state, BOB, SOL) == 0
    assert faults(state) == []


@proves("A9", "I25", "I26")
@given(st.integers(1, 330 * 10**9))
def test_a_claim_and_a_debt_fall_together_without_cash(snapshot: bytes, quantity: int) -> None:
    state = fresh(snapshot)
    pool = state.pools[SOL]
    cash, sink = pool.cash, pool.sink
    claim, debt = claim_of(state, ANN, SOL), debt_of(state, BOB, SOL)
    pools.cancel(state, SOL, quantity, lender=ANN, borrower=BOB)
    assert pool.cash == cash
    assert pool.sink >= sink
    assert quantity <= claim - claim_of(state, ANN, SOL) <= quantity + 1
    assert quantity - 1 <= debt - debt_of(state, BOB, SOL) <= quantity
    assert faults(state) == []


def test_a_handed_over_claim_cancels_the_receivers_debt(state: State) -> None:
    claim, debt = claim_of(state, ANN, SOL), debt_of(state, BOB, SOL)
    shares = pools.claim_shares_up(state, ANN, SOL, debt)
    pools.transfer_claim(state, SOL, shares, ANN, BOB, Source.ADL_PROVIDER)
    assert claim_of(state, ANN, SOL) <= claim - debt
    assert debt_of(state, BOB, SOL) <= 1
    assert claim_of(state, BOB, SOL) == 0
    assert faults(state) == []


@proves("I1")
def test_a_claim_handed_over_whole_takes_nothing_of_what_is_carried(state: State) -> None:
    pool = state.pools[SOL]
    shares = state.accounts[ANN].lent_shares[SOL]
    others = pool.lend_shares - shares
    # Between giver and receiver the pool has fewer claims than it carries parts for.
    assert pool.unpaid > others
    unpaid, residue = pool.unpaid, pool.residue
    pools.transfer_claim(state, SOL, shares, ANN, CAT, Source.ADL_PROVIDER)
    assert (pool.unpaid, pool.residue) == (unpaid, residue)
    assert pool.lend_shares == shares + others
    assert faults(state) == []


def test_nobody_in_default_takes_no_claim_out_of_the_sink(state: State) -> None:
    move(state, USDC, 5, EXTERNAL, POOL)
    settle_residue(state, USDC)
    assert (lent_total(state.pools[USDC]), state.pools[USDC].sink) == (0, 5)
    state.events = []
    settle_defaults(state, {})
    assert state.events == []
    assert state.pools[USDC].sink == 5


@proves("I3")
@pytest.mark.parametrize(
    "wrong",
    [
        lambda state: move(state, SOL, -1, EXTERNAL, POOL),
        lambda state: move(state, SOL, 1, locked(ANN), available(ANN)),
        lambda state: move(state, SOL, 10**15, available(ANN), POOL),
        lambda state: move(state, SOL, 10**15, POOL, EXTERNAL),
        lambda state: change_claim(state, BOB, SOL, -1),
        lambda state: change_debt(state, ANN, SOL, -1),
    ],
)
def test_no_balance_goes_below_zero(state: State, wrong: Callable[[State], None]) -> None:
    with pytest.raises(LedgerError):
        wrong(state)


@proves("I4")
def test_a_rounding_against_the_pool_stops_the_engine(state: State) -> None:
    change_claim(state, ANN, SOL, 5)
    with pytest.raises(LedgerError, match="rounding took"):
        settle_residue(state, SOL)


def test_events_say_what_was_done(state: State) -> None:
    state.events = []
    pools.lend(state, CAT, SOL, 10**9, Source.AUTO_LEND)
    event: Event = state.events[-1]
    assert type(event).__name__ == "Lent"


@proves("A9")
def test_a_lend_for_more_shares_than_there_can_be_is_refused(snapshot: bytes) -> None:
    engine = ReferenceEngine.restore(snapshot)
    engine.state.pools[SOL].lend_index = 1
    before = engine.state_hash()
    (refused,) = engine.apply_one(c.Lend(CAT, SOL, 900 * 10**9))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.limit) == (RejectionCode.LEND_LIMIT, Limit.SUPPLY_CAP)
    assert engine.state_hash() == before


def test_fees_become_no_more_shares_than_there_can_be(state: State) -> None:
    pool = state.pools[SOL]
    pool.lend_index = 1
    assert pool.fees * INDEX_SCALE > MAX_SHARES
    pools.claim_fees(state, SOL, pool.fees)
    assert MAX_SHARES - INDEX_SCALE < pool.lend_shares <= MAX_SHARES


def test_fees_become_no_claim_where_there_are_too_many_shares(state: State) -> None:
    pool = state.pools[SOL]
    pool.lend_shares = MAX_SHARES + 1
    fees, claim = pool.fees, claim_of(state, TREASURY, SOL)
    pools.claim_fees(state, SOL, pool.fees)
    assert (pool.lend_shares, pool.fees) == (MAX_SHARES + 1, fees)
    assert claim_of(state, TREASURY, SOL) == claim
