"""The mirror of a pool values shares as the pool does, at indices of every size."""

from random import Random

import pytest

from solvent.domain.units import INDEX_SCALE
from solvent.history.followers.pools import PoolMirror
from solvent.reference.ledger import borrowed_total, debt_of, lent_total
from solvent.reference.state import new_state
from tests.history.market_records import simulated
from tests.proof import proves

INDICES = (1, 7, INDEX_SCALE // 3, INDEX_SCALE - 1, INDEX_SCALE, INDEX_SCALE + 1, 9 * INDEX_SCALE)


@proves("I4")
@pytest.mark.parametrize("lend_index", INDICES)
@pytest.mark.parametrize("debt_index", INDICES)
def test_what_shares_are_worth(lend_index: int, debt_index: int) -> None:
    rng = Random(lend_index * 31 + debt_index)
    state, mirror = new_state(simulated(19).parameters), PoolMirror(1)
    for pool in (state.pools[1], mirror):
        pool.lend_index, pool.debt_index = lend_index, debt_index
    for _ in range(200):
        held = rng.randrange(10 ** rng.randint(1, 15))
        state.accounts[0].debt_shares[1] = held
        for pool in (state.pools[1], mirror):
            pool.lend_shares, pool.debt_shares = held + 5, held + 7
        assert mirror.debt(held) == debt_of(state, 0, 1)
        assert mirror.lent() == lent_total(state.pools[1])
        assert mirror.borrowed() == borrowed_total(state.pools[1])
