"""ADL round: 100,000 stuck claims against a million borrowers, by the engine's policy kernels.

A round ranks the borrowers, allots the claims to them and pairs both sides with two pointers; what
follows, one settlement a pair, is in the burst bench. The peer is the reference's policies, plain
Python, on the same numbers, and both must allot and pair the same atoms.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from benches.common.kernels import Words, call, compiled, root_of
from benches.common.market import market
from benches.common.measure import agree, once, repeat
from benches.common.rows import AT_MOST, TIMES, Row, Target, each, of
from solvent.domain.parameters import Policy
from solvent.domain.units import VALUE_SCALE
from solvent.engine.allot.apportionment import apportion
from solvent.engine.memory.columns import new_columns
from solvent.engine.memory.store import Store
from solvent.engine.waterfall import rows as engine_rows
from solvent.engine.waterfall.policies import allot
from solvent.engine.waterfall.rounds import pair
from solvent.kernels.language import kernel
from solvent.kernels.rows import Memory, Rows
from solvent.reference.waterfall.policies import Candidate, Demand
from solvent.reference.waterfall.policies import allot as reference_allot
from solvent.reference.waterfall.policies import apportion as reference_apportion
from solvent.reference.waterfall.rounds import pair as reference_pair

NAME = "adl-round"
_LOAN, _LOAN_SPREAD = 7.0, 1.6
_CLAIM, _CLAIM_SPREAD = 7.0, 1.3
_TARGETS: dict[Policy, float] = {Policy.QUEUE: 35, Policy.PRO_RATA: 5}


class Round(NamedTuple):
    """Borrowers as rows of a policy's numbers, claims in atoms, and what they are in all."""

    borrowers: Words
    claims: Words
    total: int


@kernel
def allot_round(
    s: Store,
    policy: int,
    rows: Rows[engine_rows.Candidate],
    count: int,
    total: int,
    parts: Memory,
) -> None:
    """Allot `total` atoms, worth as many 10^-6 USDC, among `count` borrowers."""
    allot(s, policy, rows, count, total, total, parts)


@kernel
def whole_round(
    s: Store,
    policy: int,
    rows: Rows[engine_rows.Candidate],
    count: int,
    claims: Memory,
    lenders: int,
    total: int,
    parts: Memory,
    granted: Memory,
    pairs: Rows[engine_rows.Pair],
) -> int:
    """Allot, grant the claims and pair both sides; return how many pairs."""
    allot(s, policy, rows, count, total, total, parts)
    apportion(s, total, claims, claims, lenders, granted)
    return pair(granted, lenders, parts, count, pairs)


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Milliseconds a round, by policy, against plain Python."""
    claims, borrowers, times = (300, 3_000, 2) if quick else (100_000, 1_000_000, 3)
    drawn = draw_round(claims, borrowers)
    for policy in (Policy.QUEUE, Policy.LEVERAGE):
        yield from _whole(drawn, policy, times)
    yield from _allot_only(drawn, Policy.PRO_RATA, times)


def draw_round(claims: int, borrowers: int, seed: int = 2) -> Round:
    """Log-normal loans, collateral of 1.15 of each and up, and claims of the same size."""
    rng = np.random.default_rng(seed)
    loan = np.exp(rng.normal(_LOAN, _LOAN_SPREAD, borrowers)) * VALUE_SCALE + 1
    assets = loan * (1.15 + rng.gamma(2.0, 1.0, borrowers))
    rows = np.empty((borrowers, engine_rows.Candidate.WIDTH), dtype=np.int64)
    rows[:, 0] = np.arange(borrowers)
    rows[:, 1] = rows[:, 2] = loan.astype(np.int64)
    rows[:, 3] = assets.astype(np.int64)
    rows[:, 4] = rows[:, 3] - rows[:, 1]
    wanted = np.exp(rng.normal(_CLAIM, _CLAIM_SPREAD, claims)) * VALUE_SCALE + 1
    most = int(rows[:, 2].sum()) // 2
    lots = wanted.astype(np.int64)
    return Round(rows, lots, min(most, int(lots.sum())))


def _whole(drawn: Round, policy: Policy, times: int) -> Iterator[Row]:
    lenders, count = len(drawn.claims), len(drawn.borrowers)
    parts = np.empty(count, dtype=np.int64)
    granted = np.empty(lenders, dtype=np.int64)
    pairs = np.empty((lenders + count, engine_rows.Pair.WIDTH), dtype=np.int64)
    columns = new_columns(market())
    root = root_of(columns)
    machine = compiled(whole_round, allot_round)
    given = (root, int(policy), drawn.borrowers, count, drawn.claims, lenders, drawn.total)
    work = partial(call, machine, "whole_round", *given, parts, granted, pairs)
    timing, found = repeat(work, times)
    took, expected = once(partial(_plain_round, drawn, policy))
    agree(f"pairs of a round by {policy.name}", pairs[:found].tolist(), expected)
    measured = (
        f"rank, allot, pair by {policy.name.lower()}: {lenders:,} claims, {count:,} borrowers"
    )
    figure, plain = each(timing, 1, "ms"), of("ms", [1e3 * took])
    limit = _TARGETS.get(policy)
    yield Row(NAME, measured, figure, target=None if limit is None else Target(AT_MOST, limit))
    yield Row(NAME, measured, figure, "plain Python", plain, Target(TIMES, 50))


def _allot_only(drawn: Round, policy: Policy, times: int) -> Iterator[Row]:
    count = len(drawn.borrowers)
    parts = np.empty(count, dtype=np.int64)
    columns = new_columns(market())
    root = root_of(columns)
    machine = compiled(whole_round, allot_round)
    given = (root, int(policy), drawn.borrowers, count, drawn.total, parts)
    timing, _ = repeat(partial(call, machine, "allot_round", *given), times)
    candidates = _candidates(drawn)
    demand = Demand(drawn.total, drawn.total)
    took, expected = once(partial(reference_allot, policy, candidates, demand))
    agree(f"allotted by {policy.name}", parts.tolist(), expected)
    measured = f"allot by {policy.name.lower()}: {count:,} borrowers"
    figure, plain = each(timing, 1, "ms"), of("ms", [1e3 * took])
    yield Row(NAME, measured, figure, target=Target(AT_MOST, _TARGETS[policy]))
    yield Row(NAME, measured, figure, "plain Python", plain, Target(TIMES, 50))


def _candidates(drawn: Round) -> list[Candidate]:
    return [Candidate(*row) for row in drawn.borrowers.tolist()]


def _plain_round(drawn: Round, policy: Policy) -> list[list[int]]:
    """The same by the reference: places of both sides and atoms."""
    parts = reference_allot(policy, _candidates(drawn), Demand(drawn.total, drawn.total))
    claims = drawn.claims.tolist()
    granted = reference_apportion(drawn.total, claims, claims)
    return [list(one) for one in reference_pair(granted, parts)]
