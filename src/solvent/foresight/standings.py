"""Standings: who is nearest to liquidation, who owes and has lent most, what the largest lack.

Asked of an image of an engine, at its own marks or at others. Sums are the engine's own, exact to
10^-6 USDC; a float screens who comes near the front of a list, and integers put it in order. Values
are 10^-6 USDC, quantities atoms, ratios 10^-9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solvent.domain.units import RATIO
from solvent.engine.foresight.standings import StandingRow

Words = npt.NDArray[np.int64]
NEAR = 1e-9
"""By so much a float's order may be wrong, at most; ties within it are put in order exactly."""
TOPS = (1, 5, 10)
"""Of how many the part of all is told."""


class Standing(NamedTuple):
    """An account at some marks: `owes` is the asset of which it owes most by value."""

    account: int
    net_equity: int
    maintenance: int
    assets_value: int
    debts_value: int
    owes: int

    @property
    def lacking(self) -> int:
        """What it owes beyond all that it has."""
        return max(0, self.debts_value - self.assets_value)


@dataclass(frozen=True, slots=True)
class Cover:
    """What the accounts that lack most lack together, beside what all lack and what is there."""

    lacking: int
    lacking_in_all: int
    fund: int
    """What the backstop fund is worth at the same marks."""
    accounts: tuple[Standing, ...]

    @property
    def is_covered(self) -> bool:
        """Whether the fund pays for them."""
        return self.fund >= self.lacking


@dataclass(frozen=True, slots=True)
class Concentration:
    """Of one pool: how many have lent and owe, and which part is that of the largest of them.

    Parts are those of `TOPS`, rounded down.
    """

    lenders: int
    borrowers: int
    lent_by: tuple[int, ...]
    owed_by: tuple[int, ...]


def nearest(rows: Words, count: int) -> list[Standing]:
    """The debtors nearest to liquidation or beyond it: M / NE largest first, then by account."""
    debtors = rows[1:]
    if not count or not len(debtors):
        return []
    equity = debtors[:, StandingRow.net_equity].astype(np.float64)
    need = debtors[:, StandingRow.maintenance].astype(np.float64)
    # Who has no equity comes first, the deepest of them before the others.
    ratio = np.where(equity > 0, need / np.maximum(equity, 1), np.inf)
    if len(ratio) > count:
        least = np.partition(ratio, len(ratio) - count)[len(ratio) - count]
        debtors = (
            debtors[ratio >= least * (1 - NEAR)] if np.isfinite(least) else debtors[np.isinf(ratio)]
        )
    found = [Standing(*row) for row in debtors.tolist()]
    return sorted(found, key=cmp_to_key(_compared))[:count]


def _compared(one: Standing, other: Standing) -> int:
    """Below zero where `one` is nearer."""
    first, second = one.net_equity > 0, other.net_equity > 0
    if first != second:
        return 1 if first else -1
    if first:
        order = other.maintenance * one.net_equity - one.maintenance * other.net_equity
    else:
        order = one.net_equity - other.net_equity
    return order or one.account - other.account


def cover(rows: Words, count: int) -> Cover:
    """Whether the fund pays for the `count` accounts that lack most."""
    fund = Standing(*rows[0].tolist())
    lacks = rows[1:, StandingRow.debts_value] - rows[1:, StandingRow.assets_value]
    insolvent = [Standing(*row) for row in rows[1:][lacks > 0].tolist()]
    insolvent.sort(key=lambda each: (-each.lacking, each.account))
    most = tuple(insolvent[:count])
    return Cover(
        sum(each.lacking for each in most),
        sum(each.lacking for each in insolvent),
        max(0, fund.assets_value - fund.debts_value),
        most,
    )


def concentration(lent: Words, owed: Words) -> Concentration:
    """Of one pool's shares, by account."""
    return Concentration(
        int(np.count_nonzero(lent)), int(np.count_nonzero(owed)), _tops(lent), _tops(owed)
    )


def _tops(shares: Words) -> tuple[int, ...]:
    most = max(TOPS)
    largest: Sequence[int] = sorted(
        (
            np.partition(shares, len(shares) - most)[-most:] if len(shares) > most else shares
        ).tolist(),
        reverse=True,
    )
    whole = sum(shares[shares > 0].tolist())
    return tuple(sum(largest[:top]) * RATIO // whole if whole else 0 for top in TOPS)
