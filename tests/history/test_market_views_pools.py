"""The mirror of a pool follows the rules of the pool, at indices of every size."""

from random import Random

import pytest

from solvent.domain.labels import Source
from solvent.domain.units import INDEX_SCALE
from solvent.history.followers.pools import PoolMirror
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending import pool as pools
from solvent.reference.state import State, new_state
from tests.history.market_records import simulated
from tests.proof import proves

INDICES = (1, 7, INDEX_SCALE // 3, INDEX_SCALE - 1, INDEX_SCALE, INDEX_SCALE + 1, 90 * INDEX_SCALE)


def pair(lend_index: int, debt_index: int, held: int) -> tuple[State, PoolMirror]:
    """A pool in which account 0 holds so many shares of both sides, and its mirror."""
    state = new_state(simulated(19).parameters)
    mirror = PoolMirror(1)
    for pool in (state.pools[1], mirror):
        pool.lend_index, pool.debt_index = lend_index, debt_index
    state.accounts[0].lent_shares[1] = state.accounts[0].debt_shares[1] = held
    return state, mirror


@proves("I4")
@pytest.mark.parametrize("lend_index", INDICES)
@pytest.mark.parametrize("debt_index", INDICES)
def test_shares_and_their_worth(lend_index: int, debt_index: int) -> None:
    rng = Random(lend_index * 31 + debt_index)
    for _ in range(200):
        held = rng.randrange(10 ** rng.randint(1, 15))
        state, mirror = pair(lend_index, debt_index, held)
        claim, debt = claim_of(state, 0, 1), debt_of(state, 0, 1)
        assert (mirror.claim(held), mirror.debt(held)) == (claim, debt)
        quantity = max(0, rng.choice([claim, claim - 1, claim + 1, rng.randrange(claim + 2)]))
        up, down = pools.claim_shares_up, pools.claim_shares_down
        assert mirror.claim_shares_up(held, quantity) == up(state, 0, 1, quantity)
        assert mirror.claim_shares_down(held, quantity) == down(state, 0, 1, quantity)


@proves("I4")
@pytest.mark.parametrize("debt_index", INDICES)
def test_a_debt_taken_over_moves_the_same_shares(debt_index: int) -> None:
    rng = Random(debt_index)
    for _ in range(200):
        held = rng.randrange(1, 10 ** rng.randint(1, 15))
        state, mirror = pair(INDEX_SCALE, debt_index, held)
        state.pools[1].debt_shares = held
        quantity = rng.randrange(1, debt_of(state, 0, 1) + 1)
        shares = mirror.debt_shares_up(held, quantity)
        pools.transfer_debt(state, 1, quantity, 0, 1, Source.LIQUIDATION_BACKSTOP)
        assert held - state.accounts[0].debt_shares[1] == shares
