"""What-if: who is liquidatable at other marks, what could take it, and what lenders would lose.

Sums come from the engine's own kernels over an image of its columns, exact to the atom; which
stage could take what is shared out here, pair by pair of asset had and asset owed, largest first.
What the question means, and what it does not, is said in docs/concepts/what-if.md. Values are
10^-6 USDC, quantities atoms, marks 10^-10 USDC.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from solvent.domain.errors import InputError
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import value_divisor
from solvent.engine.foresight.image import HasColumns, Hold, Image
from solvent.engine.foresight.rows import AssetSums, CapacityRow, PointRow, point_words
from solvent.engine.foresight.standings import StandingRow
from solvent.engine.memory.rows import Globals, Position, Price
from solvent.foresight.moves import CURVE, by_asset, by_beta
from solvent.foresight.standings import Concentration, concentration
from solvent.kernels.rows import EngineFault

Words = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stages:
    """What is at stake, by the first stage that could take it: values."""

    own: int
    """What accounts have of the very asset that they owe."""
    book: int
    providers: int
    opposites: int
    adl: int
    """The rest: stuck lenders' and defaults'."""

    @property
    def total(self) -> int:
        """All that is at stake."""
        return self.own + self.book + self.providers + self.opposites + self.adl


@dataclass(frozen=True, slots=True)
class PoolAhead:
    """A pool at a point: what accounts at MMR 100 % owe it and claim of it, atoms."""

    owed: int
    lent: int
    redeemable: int
    """What lenders could take out now."""

    @property
    def fills(self) -> bool:
        """Whether their redemptions alone would fill the pool: take all that lenders could."""
        return self.lent > 0 and self.lent >= self.redeemable


@dataclass(frozen=True, slots=True)
class Capacity:
    """What could take some of an asset: values of resting bids and asks, and of commitments."""

    bids: int
    asks: int
    committed: int


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a curve, or what a single move leads to."""

    marks: tuple[int, ...]
    accounts: int
    """How many are at or above MMR 100 %."""
    insolvent: int
    lacking: int
    """By how much debts of the insolvent exceed what they have."""
    stages: Stages
    pools: tuple[PoolAhead, ...]
    capacities: tuple[Capacity, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A single move: the point, who is at or above MMR 100 %, and what pools would lose.

    `impaired` is by pool the fraction of claims (10^-18) that certain losses would take; None where
    it was not asked for. `time` is that of the book.
    """

    time: int
    point: Point
    accounts: tuple[int, ...]
    impaired: tuple[int, ...] | None


class Outlook:
    """What would hold at other marks, asked of an image of one engine; one question at a time.

    `hold` holds the engine still; without it nobody may change the engine meanwhile.
    """

    def __init__(self, engine: HasColumns, hold: Hold = nullcontext) -> None:
        self._image = Image(engine)
        self._hold = hold
        self._turn = threading.Lock()
        self.refresh()

    def refresh(self) -> None:
        """Bring the image up to date."""
        with self._turn:
            self._image.refresh(self._hold)

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force in the image."""
        return self._image.parameters

    @property
    def time(self) -> int:
        """Time of the image's last step, microseconds UTC."""
        return int(self._image["globals"][Globals.now])

    @property
    def marks(self) -> list[int]:
        """The marks in force in the image."""
        found: list[int] = _prices(self._image)[:, Price.mark].tolist()
        return found

    @property
    def _stale(self) -> set[int]:
        """Assets at stale prices."""
        return set(np.flatnonzero(_prices(self._image)[:, Price.stale]).tolist())

    def what_if(self, moves: Mapping[int, int], *, losses: bool = True) -> WhatIf:
        """What some moves by asset (10^-9) lead to. InputError for those that cannot be asked.

        What pools would lose takes longer than all the rest where many are insolvent.
        """
        marks = by_asset(self.parameters, self.marks, moves)
        return self.at(marks, self._stale - set(moves), losses=losses)

    def at(self, marks: Sequence[int], stale: Collection[int], *, losses: bool = True) -> WhatIf:
        """What these marks lead to where the prices of these assets are stale, and no others."""
        with self._turn:
            return self._asked(_Question(self._image, [tuple(marks)], stale), losses=losses)

    def standings(self, marks: Sequence[int] | None = None) -> Words:
        """The fund and all debtors at these marks, or at those in force: rows of `StandingRow`."""
        with self._turn:
            prices, out = _prices(self._image), _room(self._image)
            before = prices.copy()
            row = np.array(self.marks if marks is None else marks, dtype=np.int64)
            try:
                count = self._image.call("list_standings", row, out)
            except EngineFault:
                raise _too_large() from None
            finally:
                prices[:] = before
            return out.reshape(-1, StandingRow.WIDTH)[:count]

    def concentrations(self) -> list[Concentration]:
        """How much of each pool is that of its largest lenders and borrowers."""
        with self._turn:
            assets, accounts = len(self.parameters.assets), self._image.accounts
            rows = self._image["positions"].reshape(-1, assets, Position.WIDTH)[:accounts]
            return [
                concentration(
                    rows[:, asset, Position.lent_shares], rows[:, asset, Position.debt_shares]
                )
                for asset in range(assets)
            ]

    def curve(
        self, moves: Sequence[int] = CURVE, betas: Mapping[int, int] | None = None
    ) -> list[Point]:
        """Points of a curve along which every asset moves by its beta (10^-9; 1 by default)."""
        parameters, marks = self.parameters, self.marks
        each = [by_beta(parameters, marks, betas or {}, move) for move in moves]
        rows = [tuple(by_asset(parameters, marks, one)) for one in each]
        stale = self._stale.difference(*each)
        with self._turn:
            question = _Question(self._image, rows, stale)
            try:
                question.ask()
                return [question.point(number) for number in range(len(rows))]
            except EngineFault:
                raise _too_large() from None
            finally:
                question.end()

    def _asked(self, question: "_Question", *, losses: bool) -> WhatIf:
        try:
            found = question.ask()
            return WhatIf(
                self.time,
                question.point(0),
                tuple(found.tolist()),
                question.impaired(found) if losses else None,
            )
        except EngineFault:
            raise _too_large() from None
        finally:
            question.end()


class _Question:
    """One question to an image: marks of some points, and the room for what is said of them."""

    def __init__(
        self, image: Image, points: Sequence[tuple[int, ...]], stale: Collection[int]
    ) -> None:
        self._image = image
        self._points = points
        self._assets = len(image.parameters.assets)
        self._marks = np.array(points, dtype=np.int64).reshape(len(points), self._assets)
        self._words = np.zeros((len(points), point_words(self._assets)), dtype=np.int64)
        self._before = _prices(image).copy()
        _prices(image)[:, Price.stale] = 0
        _prices(image)[list(stale), Price.stale] = 1

    def ask(self) -> Words:
        """Let the kernels write every point; who is at MMR 100 % at the first one."""
        found = np.zeros(self._image.accounts, dtype=np.int64)
        count = self._image.call("look_ahead", len(self._points), self._marks, self._words, found)
        return found[:count]

    def impaired(self, found: Words) -> tuple[int, ...]:
        """The fractions by which pools would be impaired at the first point."""
        out = np.zeros(self._assets, dtype=np.int64)
        self._image.call("read_impairment", self._marks, found, len(found), out)
        return tuple(out.tolist())

    def point(self, number: int) -> Point:
        """What is said of a point."""
        words, marks = self._words[number], self._marks[number]
        out = np.zeros((self._assets, CapacityRow.WIDTH), dtype=np.int64)
        self._image.call("read_capacities", marks, out)
        count = self._assets
        start = PointRow.WIDTH + count * AssetSums.WIDTH
        sums = words[PointRow.WIDTH : start].reshape(count, AssetSums.WIDTH)
        squares = words[start:].reshape(2, count, count)
        pools = tuple(
            PoolAhead(owed, lent, redeemable)
            for (owed, lent), redeemable in zip(
                sums[:, [AssetSums.owed, AssetSums.lent]].tolist(),
                out[:, CapacityRow.redeemable].tolist(),
                strict=True,
            )
        )
        capacities = tuple(Capacity(*row[:3]) for row in out.tolist())
        sellable = self._sellable(sums, pools, number)
        head = words[: PointRow.WIDTH].tolist()
        return Point(
            marks=self._points[number],
            accounts=head[PointRow.accounts],
            insolvent=head[PointRow.insolvent],
            lacking=head[PointRow.lacking],
            stages=_share_out(squares.tolist(), capacities, sellable),
            pools=pools,
            capacities=capacities,
        )

    def _sellable(self, sums: Words, pools: Sequence[PoolAhead], number: int) -> list[int]:
        """Value of what accounts at MMR 100 % have free or could redeem, by asset."""
        free = sums[:, AssetSums.free].tolist()
        return [
            (own + min(pool.lent, pool.redeemable)) * mark // value_divisor(about.decimals)
            for own, pool, mark, about in zip(
                free, pools, self._points[number], self._image.parameters.assets, strict=True
            )
        ]

    def end(self) -> None:
        """Let the prices be those of the image again."""
        _prices(self._image)[:] = self._before


def _share_out(
    squares: Sequence[Sequence[Sequence[int]]],
    capacities: Sequence[Capacity],
    sellable: Sequence[int],
) -> Stages:
    """Let each pair take of what is left of what could take it, the largest pair first."""
    stake, opposites = squares
    bids, asks = [each.bids for each in capacities], [each.asks for each in capacities]
    committed, left = [each.committed for each in capacities], list(sellable)
    pairs = [pair for pair in product(range(len(sellable)), repeat=2) if stake[pair[0]][pair[1]]]
    pairs.sort(key=lambda pair: (-stake[pair[0]][pair[1]], pair))
    own = book = providers = opposite = adl = 0
    for has, owes in pairs:
        rest = stake[has][owes]
        if has == owes:
            own += rest
            continue
        ways = [left[has]]
        ways += [bids[has]] if has != USDC else []
        ways += [asks[owes]] if owes != USDC else []
        sold = min(rest, *ways)
        left[has] -= sold
        bids[has] -= sold if has != USDC else 0
        asks[owes] -= sold if owes != USDC else 0
        taken = min(rest - sold, committed[owes])
        committed[owes] -= taken
        closed = min(rest - sold - taken, opposites[has][owes])
        book, providers, opposite = book + sold, providers + taken, opposite + closed
        adl += rest - sold - taken - closed
    return Stages(own, book, providers, opposite, adl)


def _prices(image: Image) -> Words:
    return image["prices"].reshape(-1, Price.WIDTH)


def _room(image: Image) -> Words:
    """Room for a standing of every account."""
    return np.zeros(image.accounts * StandingRow.WIDTH, dtype=np.int64)


def _too_large() -> InputError:
    return InputError("what-if", "move", "leads to a sum that is too large for an engine to count")
