"""Standings: each is the account's own health, and the nearest are so by exact comparison."""

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from solvent.domain.units import FINE_PER_VALUE, RATIO
from solvent.engine.foresight.standings import StandingRow
from solvent.foresight.moves import by_asset
from solvent.foresight.standings import TOPS, Standing, concentration, cover, nearest
from solvent.foresight.what_if import Outlook
from solvent.reference.engine import ReferenceEngine
from solvent.reference.margin import Doubt, health_of
from solvent.reference.state import FUND, State
from tests.engine.queries.moments import moments
from tests.proof import proves
from tests.sizes import sized

SEEDS = sized(2, 12, 40)


def expected(state: State) -> list[Standing]:
    """The fund and all debtors by the reference engine."""
    found = []
    for number, account in enumerate(state.accounts):
        if number != FUND and not any(account.debt_shares):
            continue
        values = health_of(state, number, Doubt.FOR_ACCOUNT)
        found.append(
            Standing(
                number,
                values.net_equity // FINE_PER_VALUE,
                -(-values.maintenance // FINE_PER_VALUE),
                values.assets_value // FINE_PER_VALUE,
                -(-values.debts_value // FINE_PER_VALUE),
                0,
            )
        )
    return found


@proves("A14", "I37")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_standings_are_the_accounts_own_health(seed: int) -> None:
    """At the marks in force, and at others, which stay where they were."""
    rng = Random(seed)
    outlook = None
    for seen in moments(seed):
        if outlook is None:
            outlook = Outlook(seen.fast)
        outlook.refresh()
        taken = seen.fast.snapshot()
        state = ReferenceEngine.restore(taken).state
        known = [asset for asset, mark in enumerate(outlook.marks) if asset and mark]
        for moves in ({}, {asset: rng.randint(-9, 20) * RATIO // 10 for asset in known}):
            marks = by_asset(outlook.parameters, outlook.marks, moves)
            for asset, mark in enumerate(marks):
                state.prices[asset].mark = mark
            rows = outlook.standings(marks)
            told = [Standing(*row)._replace(owes=0) for row in rows.tolist()]
            assert told == expected(state)
        assert [price.mark for price in ReferenceEngine.restore(taken).state.prices] == (
            outlook.marks
        )


def table(*rows: tuple[int, int, int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Rows of account, net equity, maintenance, lacking, after a fund worth 100."""
    found = [(FUND, 100, 0, 100, 0, 0)]
    found += [(number, equity, need, 0, lacks, 1) for number, equity, need, lacks in rows]
    return np.array(found, dtype=np.int64).reshape(-1, StandingRow.WIDTH)


def test_the_nearest_are_so_exactly() -> None:
    """Where floats of the ratios are equal, too; who has no equity comes first, deepest first."""
    far = 2**60
    rows = table(
        (4, far, far - 2, 0),
        (5, far, far - 1, 0),
        (6, far, far - 3, 0),
        (7, 10, 1, 0),
        (8, -5, 1, 0),
        (9, 0, 1, 0),
        (10, 20, 2, 0),
    )
    order = [8, 9, 5, 4, 6, 7, 10]
    for count in range(len(order) + 2):
        assert [each.account for each in nearest(rows, count)] == order[:count]
    ratios = [Fraction(far - each, far) for each in (1, 2, 3)]
    assert len({float(ratio) for ratio in ratios}) == 1


def test_the_fund_covers_those_who_lack_most_or_does_not() -> None:
    rows = table((4, -1, 1, 60), (5, -1, 1, 50), (6, -1, 1, 40), (7, 5, 1, 0))
    one, two = cover(rows, 1), cover(rows, 2)
    assert (one.lacking, one.is_covered, one.lacking_in_all, one.fund) == (60, True, 150, 100)
    assert (two.lacking, two.is_covered) == (110, False)
    assert [each.account for each in two.accounts] == [4, 5]
    assert cover(table(), 2).is_covered


def test_parts_of_the_largest_are_of_all() -> None:
    lent = np.array([0, *range(1, 21)], dtype=np.int64)
    owed = np.array([3, 0, 1], dtype=np.int64)
    found = concentration(lent, owed)
    assert (found.lenders, found.borrowers) == (20, 2)
    whole = sum(range(1, 21))
    assert found.lent_by == tuple(sum(range(21 - top, 21)) * RATIO // whole for top in TOPS)
    assert found.owed_by == (RATIO * 3 // 4, RATIO, RATIO)
    nobody = concentration(owed * 0, owed * 0)
    assert nobody.lent_by == nobody.owed_by == (0, 0, 0)


@proves("A14", "I37")
@pytest.mark.parametrize("seed", range(sized(1, 4, 10)))
def test_both_engines_say_the_same_of_their_sources(seed: int) -> None:
    for seen in moments(seed):
        other = ReferenceEngine.restore(seen.fast.snapshot())
        for asset in seen.assets:
            told = seen.fast.queries.oracle(asset)
            assert told == other.queries.oracle(asset)
            count = len(other.state.asset(asset).price.source_weights)
            assert len(told.sources) == (count if asset else 0)
