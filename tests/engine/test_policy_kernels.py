"""Policies in kernels against the reference's: random and boundary rounds, most as plain Python."""

from array import array
from collections.abc import Iterable
from itertools import accumulate, product
from random import Random

import numpy as np
import pytest

from benches.common.kernels import call, root_of
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE, Policy
from solvent.domain.units import INT64_MAX
from solvent.engine.allot.apportionment import apportion
from solvent.engine.memory.columns import new_columns, plain_store
from solvent.engine.waterfall import rows
from solvent.engine.waterfall.policies import allot
from solvent.kernels.language import rows_in
from solvent.kernels.machine import compile_kernels
from solvent.kernels.rows import Memory
from solvent.reference.waterfall import policies
from solvent.reference.waterfall.policies import Candidate, Demand
from tests.proof import proves
from tests.tables.market import plain_parameters

EDGES = (1, 2, 3, 7, 10**6, 10**9, 10**12, MAX_SUPPLY - 1, MAX_SUPPLY)
LENGTHS = (1, 2, 3, 2**31, 2**61 - 1, 2**61, 2**62 - 3, 2**62 - 2, 2**62 - 1, 2**62, 2**62 + 1)
COLUMNS = new_columns(plain_parameters())
STORE = plain_store(COLUMNS)
VALUES = (1, 2, 10**6, 10**12, 2**59, MAX_VALUE - 1, MAX_VALUE)


def row(numbers: Iterable[int]) -> Memory:
    return Memory(memoryview(array("q", numbers)))


def numbers_of(memory: Memory, count: int) -> list[int]:
    return [memory[place] for place in range(count)]


def allotted(policy: Policy, candidates: list[Candidate], demand: Demand) -> list[int]:
    """What the kernels allot."""
    table = row([number for candidate in candidates for number in candidate])
    listed = rows_in(rows.Candidate, table)
    assert len(Candidate._fields) == rows.Candidate.WIDTH
    parts = row([0] * len(candidates))
    allot(STORE, policy, listed, len(candidates), demand.quantity, demand.value, parts)
    return numbers_of(parts, len(candidates))


def candidates_of(rng: Random, count: int, extreme: bool) -> list[Candidate]:
    """So many candidates; alike ones too, so that ties occur."""
    found: list[Candidate] = []
    for account in range(count):
        if found and rng.random() < 0.3:
            found.append(rng.choice(found)._replace(account=account))
            continue
        position = rng.choice(EDGES) if extreme else rng.randint(1, 10**10)
        cap = rng.choice((position, max(1, position // 3), 1))
        assets = rng.choice(VALUES) if extreme else rng.randint(1, 10**13)
        total = rng.choice((1, max(1, assets // 10), assets, rng.randint(1, assets)))
        found.append(Candidate(account, position, cap, assets, total))
    return found


def of_one_pool(candidates: list[Candidate]) -> list[Candidate]:
    """As many of them, from the first on, as one pool can have."""
    positions = accumulate(candidate.position for candidate in candidates)
    return [
        candidate
        for candidate, total in zip(candidates, positions, strict=True)
        if total <= 2 * MAX_SUPPLY
    ]


@pytest.mark.slow
@proves("I22", "I35")
@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("extreme", [False, True], ids=["money", "extremes"])
@pytest.mark.parametrize(("rounds", "most"), [(400, 12), (40, 150)], ids=["few", "many"])
def test_allotments_are_the_references(
    policy: Policy, extreme: bool, rounds: int, most: int
) -> None:
    rng = Random(int(policy) * 2 + extreme)
    for _ in range(rounds):
        candidates = of_one_pool(candidates_of(rng, rng.randint(1, most), extreme))
        reach = sum(candidate.cap for candidate in candidates)
        quantity = rng.choice((0, 1, reach // 2, max(0, reach - 1), reach, rng.randint(0, reach)))
        quantity = min(quantity, MAX_SUPPLY)
        value = rng.choice((rng.randint(0, 10**12), *VALUES, 0))
        demand = Demand(quantity, value)
        assert allotted(policy, candidates, demand) == policies.allot(policy, candidates, demand)


@pytest.mark.parametrize("seed", range(3))
def test_apportionment_is_the_references(seed: int) -> None:
    rng = Random(seed)
    for _ in range(600):
        count = rng.randint(0, 9)
        weights = [rng.choice((0, 1, 3, 10**9, MAX_SUPPLY)) for _ in range(count)]
        caps = [rng.choice((0, 1, 2, 10**9, MAX_SUPPLY)) for _ in range(count)]
        total = rng.choice((0, 1, 5, 10**9, rng.randint(0, MAX_SUPPLY)))
        parts = row([0] * count)
        apportion(STORE, total, row(weights), row(caps), count, parts)
        assert numbers_of(parts, count) == policies.apportion(total, weights, caps)


def test_parts_are_exact_however_long_weights_are() -> None:
    """Up to 2^62 for all together they are found by a rate that is rounded down."""
    machine = compile_kernels((apportion,))
    root = root_of(COLUMNS)
    caps = [INT64_MAX] * 2
    for weights in product(LENGTHS, repeat=2):
        for total in (*LENGTHS, INT64_MAX - 1, INT64_MAX):
            expected = policies.apportion(total, weights, caps)
            parts = row([0, 0])
            apportion(STORE, total, row(weights), row(caps), 2, parts)
            assert numbers_of(parts, 2) == expected
            given = [np.array(numbers, dtype=np.int64) for numbers in (weights, caps, (0, 0))]
            call(machine, "apportion", root, total, given[0], given[1], 2, given[2])
            assert given[2].tolist() == expected
