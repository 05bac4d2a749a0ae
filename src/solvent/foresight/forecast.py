"""Forecast: how rounds of ADL would treat an account, who could be paired with it, and how near.

A forecast is of one round: which asset, which case, what it is paid in, for whom, how many atoms.
What it says is what the engine would make of such a round in the book as it stands, asked of the
waterfall's own kernels over a copy. Quantities are atoms, values 10^-6 USDC, marks 10^-10 USDC,
moves 10^-9. What it means is said in docs/concepts/forecasts.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.parameters import USDC, EngineParameters, Policy
from solvent.domain.readings import LiquidationPrices, nearest
from solvent.domain.units import RATIO, value_up
from solvent.engine.engine import FastEngine
from solvent.engine.foresight.rounds import PartnerRow
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Price
from solvent.engine.waterfall.rows import Candidate, Means
from solvent.foresight.moves import by_asset

Words = npt.NDArray[np.int64]

_MOST_LEVERAGE = 1000 * RATIO
"""Leverage above a thousand counts as a thousand where positions are weighted by risk."""
_MEANS_EACH, _MEANS_MORE = 4, 2
"""Most means of a round: so many an asset, and so many more."""


class HasSnapshot(Protocol):
    """An engine, or what stands for one."""

    def snapshot(self) -> bytes:
        """The whole state as bytes."""
        ...


class PaidIn(NamedTuple):
    """What a round is paid in; `borrowed` where the payer borrows it."""

    tier: Tier
    asset: int
    borrowed: bool = False


class Kind(NamedTuple):
    """What sort of round it is: which asset, which case, paid in what."""

    asset: int
    case: AdlCase
    means: PaidIn


@dataclass(frozen=True, slots=True)
class Asked:
    """A round: its kind, the accounts that it is for, and how many atoms it is to settle."""

    kind: Kind
    sides: frozenset[int]
    quantity: int


@dataclass(frozen=True, slots=True)
class Place:
    """An account's place in a round. `rank` counts from 1 in the order of the policy in force."""

    asked: Asked
    policy: Policy
    rank: int
    candidates: int
    cap: int
    """The most that the account can be allotted."""
    allotted: int
    value: int
    reached: int | None
    """A size at which the account is allotted something, and one atom less allots it nothing.

    None where no size does.
    """


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody who could be paired with the account, and all that could be closed for it.

    `mark` is the nearest mark of `asset` at which it is liquidatable, all else equal, and `move`
    how far that is from the mark in force; 0 where it is liquidatable, None where no mark makes it.
    """

    account: int
    stake: int
    asset: int | None
    mark: int | None
    move: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that an account is on: its place in the largest round, and who could cause one."""

    place: Place
    partners: tuple[Partner, ...]
    """The nearest to being liquidatable first."""


class Forecaster:
    """Forecasts over a copy of a book, its marks moved by shares of them (10^-9).

    Raises InputError where a mark cannot move so, LookupError for an account that there is not.
    """

    def __init__(self, engine: HasSnapshot, moves: Mapping[int, int] | None = None) -> None:
        self.engine = FastEngine.restore(engine.snapshot())
        if moves:
            self._move(moves)
        self._distances: dict[tuple[int, int], Words] = {}

    def _move(self, moves: Mapping[int, int]) -> None:
        prices = self.engine.columns.table("prices", Price.WIDTH)
        moved = by_asset(self.parameters, prices[:, Price.mark].tolist(), moves)
        for asset in moves:
            prices[asset, Price.mark] = moved[asset]
            prices[asset, Price.stale] = 0
        # What the engine watches is made of marks.
        self.engine = FastEngine.restore(self.engine.snapshot())

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        return self.engine.parameters

    @property
    def time(self) -> int:
        """Time of the book, microseconds UTC."""
        return self.engine.now

    def value_of(self, asset: int, quantity: int) -> int:
        """Value of `quantity` atoms at the mark, rounded up."""
        decimals = self.parameters.assets[asset].decimals
        return value_up(quantity, self.engine.queries.price(asset).mark, decimals)

    def lists(self, account: int, *, tiers: bool = True) -> list[Listed]:
        """Every list that an account is on and on which somebody could be paired with it.

        They come by asset, then opposites, case L and case B, each by tier. Without `tiers` only
        the first tier of case L and of case B in which the account is asked at all.
        """
        self.engine.queries.role(account)
        found = []
        for asset in range(len(self.parameters.assets)):
            seen = set()
            for kind in self._kinds(account, asset):
                listed = None if kind.case in seen else self._listed(account, kind)
                if listed is not None:
                    found.append(listed)
                    if not tiers and kind.case is not AdlCase.OPPOSITES:
                        seen.add(kind.case)
        return found

    def _listed(self, account: int, kind: Kind) -> Listed | None:
        """The list of a kind of round; None where the account is not on it, or alone."""
        partners = self._partners_of(account, kind)
        sides = frozenset(partners[:, PartnerRow.account].tolist())
        quantity = sum(partners[:, PartnerRow.stake].tolist())
        place = self.place(account, Asked(kind, sides, quantity)) if sides else None
        return None if place is None else Listed(place, self._partners(kind, partners))

    def place(self, account: int, asked: Asked) -> Place | None:
        """An account's place in a round; None where it is no candidate."""
        candidates = self.candidates(asked)
        own = _own(candidates, account)
        if own is None:
            return None
        kind, caps = asked.kind, candidates[:, Candidate.cap].tolist()
        policy, reach = self._policy_of(kind), sum(caps)
        allotted = self._share(kind, candidates, own, min(asked.quantity, reach))
        return Place(
            asked=asked,
            policy=policy,
            rank=rank_of(policy, candidates.tolist(), own),
            candidates=len(candidates),
            cap=caps[own],
            allotted=allotted,
            value=self.value_of(kind.asset, allotted),
            reached=self._reached(kind, candidates, own, reach),
        )

    def share(self, account: int, asked: Asked) -> int:
        """Atoms that a round allots an account; 0 where it is no candidate."""
        candidates = self.candidates(asked)
        own = _own(candidates, account)
        if own is None:
            return 0
        reach = sum(candidates[:, Candidate.cap].tolist())
        return self._share(asked.kind, candidates, own, min(asked.quantity, reach))

    def candidates(self, asked: Asked) -> Words:
        """Who can be allotted to in a round, by account: rows of `Candidate`."""
        out = self._room(Candidate.WIDTH)
        sides = np.array(sorted(asked.sides), dtype=np.int64)
        kind, means = asked.kind, _means(asked.kind.means)
        count = self.engine.read(
            "list_candidates",
            kind.asset,
            kind.case,
            means.ctypes.data,
            asked.quantity,
            sides.ctypes.data,
            len(sides),
            out.ctypes.data,
        )
        return out[:count]

    def _share(self, kind: Kind, candidates: Words, own: int, quantity: int) -> int:
        """What the candidate at a place is allotted of a quantity that all together can bear."""
        parts = np.zeros(len(candidates), dtype=np.int64)
        count, rows = len(candidates), candidates.ctypes.data
        about = kind.asset, kind.case, rows, count, quantity, parts.ctypes.data
        self.engine.read("allot_round_of", *about)
        return int(parts[own])

    def _reached(self, kind: Kind, candidates: Words, own: int, reach: int) -> int:
        """The smallest size that a bisection finds to reach a place; `reach` where none does."""
        low, high = 0, reach
        while low < high:
            middle = (low + high) // 2
            if self._share(kind, candidates, own, middle):
                high = middle
            else:
                low = middle + 1
        return low

    def _policy_of(self, kind: Kind) -> Policy:
        """The policy in force for a kind of round."""
        rules = self.parameters.waterfall
        default = kind.case is AdlCase.BORROWER_DEFAULT
        return rules.default_policy if default else rules.lender_policy

    def _kinds(self, account: int, asset: int) -> Iterator[Kind]:
        """Rounds over an asset in which the account has a part to play, in the engine's order."""
        queries = self.engine.queries
        balance = queries.balances(account)[asset]
        every = range(len(self.parameters.assets))
        stale = [queries.price(each).stale for each in every]
        if stale[asset]:
            return
        if balance.debt:
            for paid_in in every:
                if paid_in != asset and not stale[paid_in]:
                    yield Kind(asset, AdlCase.OPPOSITES, PaidIn(Tier.OWED, paid_in))
            for means in self._tiers(first_owed=USDC):
                if means.tier is not Tier.LAST:
                    yield Kind(asset, AdlCase.STUCK_LENDER, means)
        if balance.lent:
            for means in self._tiers(first_owed=USDC + 1):
                if not means.borrowed and not stale[means.asset]:
                    yield Kind(asset, AdlCase.BORROWER_DEFAULT, means)

    def _tiers(self, first_owed: int) -> list[PaidIn]:
        """What rounds are paid in, in order; what the receiver owes from an asset."""
        most = _MEANS_EACH * len(self.parameters.assets) + _MEANS_MORE
        out = np.zeros((most, Means.WIDTH), dtype=np.int64)
        count = self.engine.read("put_tiers", first_owed, out.ctypes.data)
        rows = out[:count].tolist()
        return [PaidIn(Tier(tier), asset, bool(borrowed)) for tier, asset, borrowed in rows]

    def _partners_of(self, account: int, kind: Kind) -> Words:
        """All others for whom a round could settle something: rows of `PartnerRow`."""
        out, means = self._room(PartnerRow.WIDTH), _means(kind.means)
        count = self.engine.read(
            "list_partners", kind.asset, kind.case, means.ctypes.data, out.ctypes.data
        )
        found: Words = out[:count]
        return np.compress(found[:, PartnerRow.account] != account, found, axis=0)

    def _partners(self, kind: Kind, rows: Words) -> tuple[Partner, ...]:
        """The same with where each is liquidatable, the nearest first."""
        known = self._distances
        accounts = rows[:, PartnerRow.account].tolist()
        missing = np.array([(each, kind.asset) not in known for each in accounts], dtype=bool)
        asked = np.ascontiguousarray(rows[missing])
        prices = self.engine.columns["prices"].copy()
        about = kind.asset, asked.ctypes.data, len(asked)
        self.engine.read("find_distances", *about, prices=prices)
        for row in asked:
            known[int(row[PartnerRow.account]), kind.asset] = row
        partners = [
            self._partner(known[account, kind.asset], stake)
            for account, stake in zip(accounts, rows[:, PartnerRow.stake].tolist(), strict=True)
        ]
        return tuple(sorted(partners, key=_nearest_first))

    def _partner(self, row: Words, stake: int) -> Partner:
        account, _, asset, *marks = row.tolist()
        if asset == NONE:
            return Partner(account, stake, None, None, None)
        mark = self.engine.queries.price(asset).mark
        prices = LiquidationPrices(*(None if each == NONE else each for each in marks))
        found = nearest(prices, mark)
        move = None if found is None else (found - mark) * RATIO // mark
        return Partner(account, stake, asset, found, move)

    def _room(self, width: int) -> Words:
        """Room for a row of every account."""
        return np.zeros((self.engine.queries.accounts(), width), dtype=np.int64)


def rank_of(policy: Policy, candidates: list[list[int]], own: int) -> int:
    """Rank from 1 of a candidate in the order in which a policy serves them, or weighs them."""
    _, position, _, assets, total = candidates[own]
    if policy in (Policy.LEVERAGE, Policy.QUEUE):
        ahead = [row[3] * total - assets * row[4] for row in candidates]
    elif policy is Policy.RISK_WEIGHTED:
        weight = _risk_weight(position, assets, total)
        ahead = [_risk_weight(row[1], row[3], row[4]) - weight for row in candidates]
    else:
        ahead = [row[1] - position for row in candidates]
    return 1 + sum(
        by > 0 or (by == 0 and place < own) for place, by in enumerate(ahead) if place != own
    )


def _risk_weight(position: int, assets: int, total: int) -> int:
    return position * min(_MOST_LEVERAGE, assets * RATIO // total)


def _own(candidates: Words, account: int) -> int | None:
    """The place of an account among candidates."""
    found = np.flatnonzero(candidates[:, Candidate.account] == account)
    return int(found[0]) if len(found) else None


def _means(paid_in: PaidIn) -> Words:
    return np.array(paid_in, dtype=np.int64)


def _nearest_first(partner: Partner) -> tuple[bool, int, int]:
    move = partner.move
    return move is None, abs(move or 0), partner.account
