"""Forecast: how rounds of ADL would treat an account, who could be paired with it, and how near.

A forecast is of one round: which asset, which case, what it is paid in, for whom, how many atoms.
What it says is what the engine would make of such a round in the book as it stands, asked of the
waterfall's own functions over a copy in the reference engine. Quantities are atoms, values 10^-6
USDC, marks 10^-10 USDC, moves 10^-9. What it means is said in docs/concepts/forecasts.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.parameters import USDC, Policy
from solvent.domain.readings import nearest
from solvent.domain.units import RATIO, fine_down, payable, value_down
from solvent.foresight.moves import by_asset
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.limits import smallest_passing
from solvent.reference.queries import ReferenceQueries
from solvent.reference.snapshot import read_snapshot, write_snapshot
from solvent.reference.state import State
from solvent.reference.waterfall.adl import payer_of
from solvent.reference.waterfall.default import lender_of
from solvent.reference.waterfall.policies import (
    MAX_LEVERAGE_WEIGHT,
    Candidate,
    Demand,
    allot,
    most_levered_first,
)
from solvent.reference.waterfall.rounds import Kind, tiers, value_of
from solvent.reference.waterfall.settlement import Means, means_worth

Distance = tuple[int | None, int | None, int | None]
"""Which asset's mark, where and how far off, makes an account liquidatable; see `Partner`."""


class HasSnapshot(Protocol):
    """An engine, or what stands for one."""

    def snapshot(self) -> bytes:
        """The whole state as bytes."""
        ...


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
        self.state = read_snapshot(engine.snapshot())
        marks = [price.mark for price in self.state.prices]
        moved = by_asset(self.state.parameters, marks, moves or {})
        for asset in moves or {}:
            self.state.prices[asset].mark = moved[asset]
            self.state.prices[asset].stale = False
        self._queries = ReferenceQueries(self.state)
        self._distances: dict[tuple[int, int], Distance] = {}

    def copy(self) -> bytes:
        """The book at the moved marks, as a snapshot."""
        return write_snapshot(self.state)

    def lists(self, account: int) -> list[Listed]:
        """Every list that an account is on and on which somebody could be paired with it.

        They come by asset, then opposites, case L and case B, each by tier.
        """
        self._queries.role(account)
        found = []
        for asset in range(len(self.state.pools)):
            for kind in self._kinds(account, asset):
                stakes = self._stakes(account, kind)
                if stakes:
                    asked = Asked(kind, frozenset(stakes), sum(stakes.values()))
                    place = place_in(self.state, account, asked)
                    if place is not None:
                        found.append(Listed(place, self._partners(kind, stakes)))
        return found

    def _kinds(self, account: int, asset: int) -> Iterator[Kind]:
        """Rounds over an asset in which the account has a part to play, in the engine's order."""
        state = self.state
        every = range(len(state.pools))
        if state.prices[asset].stale:
            return
        if debt_of(state, account, asset):
            for paid_in in every:
                if paid_in != asset and not state.prices[paid_in].stale:
                    yield Kind(asset, AdlCase.OPPOSITES, Means(Tier.OWED, paid_in))
            for means in tiers(state, owed=every):
                if means.tier is not Tier.LAST:
                    yield Kind(asset, AdlCase.STUCK_LENDER, means)
        if claim_of(state, account, asset):
            for means in tiers(state, owed=every[1:]):
                if not means.borrowed and not state.prices[means.asset].stale:
                    yield Kind(asset, AdlCase.BORROWER_DEFAULT, means)

    def _stakes(self, account: int, kind: Kind) -> dict[int, int]:
        """All that could be closed so for each other account, above 0."""
        others = (other for other in range(len(self.state.accounts)) if other != account)
        stakes = {other: stake_of(self.state, kind, other) for other in others}
        return {other: stake for other, stake in stakes.items() if stake}

    def _partners(self, kind: Kind, stakes: Mapping[int, int]) -> tuple[Partner, ...]:
        partners = [
            Partner(other, stake, *self._distance_of(other, kind.asset))
            for other, stake in stakes.items()
        ]
        return tuple(sorted(partners, key=_nearest_first))

    def _distance_of(self, account: int, asset: int) -> Distance:
        """The distance of an account, which is searched for once: every tier of a case asks it."""
        known = self._distances.get((account, asset))
        if known is None:
            known = self._distances[account, asset] = self._distance(account, asset)
        return known

    def _distance(self, account: int, asset: int) -> Distance:
        moving = asset if asset != USDC else self._largest_token(account)
        if moving is None:
            return None, None, None
        mark = self.state.mark(moving)
        prices = self._queries.liquidation_prices(account, moving)
        found = nearest(prices, mark)
        if found is None:
            return moving, None, None
        return moving, found, (found - mark) * RATIO // mark

    def _largest_token(self, account: int) -> int | None:
        """The token of which an account has or owes most by value; None where it has none."""
        worth = []
        for asset, balance in enumerate(self._queries.balances(account)):
            atoms = balance.available + balance.locked + balance.lent + balance.debt
            decimals = self.state.asset(asset).decimals
            worth.append((fine_down(atoms, self.state.mark(asset), decimals), -asset))
        most, number = max(worth[1:], default=(0, 0))
        return -number if most else None


def first_tiers(lists: Iterable[Listed]) -> Iterator[Listed]:
    """Opposites all, and of the other cases the first tier of each asset."""
    seen = set()
    for listed in lists:
        kind = listed.place.asked.kind
        case = kind.asset, kind.case
        if kind.case is AdlCase.OPPOSITES or case not in seen:
            yield listed
        seen.add(case)


def stake_of(state: State, kind: Kind, account: int) -> int:
    """The most atoms that a round of this kind could settle for an account, were it liquidated."""
    asset, means = kind.asset, kind.means
    mark, decimals = state.mark(asset), state.asset(asset).decimals
    if kind.case is AdlCase.BORROWER_DEFAULT:
        debt = debt_of(state, account, asset)
        return payable(debt, means_worth(state, account, asset, means), mark, decimals)
    if kind.case is AdlCase.OPPOSITES:
        given_up = state.accounts[account].available[asset]
    else:
        given_up = claim_of(state, account, asset)
    if means.tier is not Tier.OWED:
        owes = any(state.accounts[account].debt_shares)
        return given_up if owes else 0
    owed = debt_of(state, account, means.asset)
    worth = value_down(owed, state.mark(means.asset), state.asset(means.asset).decimals)
    return payable(given_up, worth, mark, decimals)


def candidates_of(state: State, asked: Asked) -> list[Candidate]:
    """Who can be allotted to in a round, by account."""
    kind = asked.kind
    found = []
    for account in range(len(state.accounts)):
        if account in asked.sides:
            continue
        if kind.case is AdlCase.BORROWER_DEFAULT:
            candidate = lender_of(state, kind, account, asked.quantity)
        else:
            candidate = payer_of(state, account, kind.asset, kind.means)
        if candidate is not None:
            found.append(candidate)
    return found


def share_in(state: State, account: int, asked: Asked) -> int:
    """Atoms that a round allots an account; 0 where it is no candidate."""
    candidates = candidates_of(state, asked)
    own = [place for place, each in enumerate(candidates) if each.account == account]
    if not own:
        return 0
    quantity = min(asked.quantity, sum(each.cap for each in candidates))
    demand = Demand(quantity, value_of(state, asked.kind.asset, quantity))
    return allot(policy_of(state, asked.kind), candidates, demand)[own[0]]


def policy_of(state: State, kind: Kind) -> Policy:
    """The policy in force for a kind of round."""
    rules = state.parameters.waterfall
    default = kind.case is AdlCase.BORROWER_DEFAULT
    return rules.default_policy if default else rules.lender_policy


def place_in(state: State, account: int, asked: Asked) -> Place | None:
    """An account's place in a round; None where it is no candidate."""
    candidates = candidates_of(state, asked)
    places = [place for place, each in enumerate(candidates) if each.account == account]
    if not places:
        return None
    own = places[0]
    policy = policy_of(state, asked.kind)
    asset = asked.kind.asset

    def share(quantity: int) -> int:
        demand = Demand(quantity, value_of(state, asset, quantity))
        return allot(policy, candidates, demand)[own]

    reach = sum(each.cap for each in candidates)
    allotted = share(min(asked.quantity, reach))
    return Place(
        asked=asked,
        policy=policy,
        rank=in_order(policy, candidates).index(own) + 1,
        candidates=len(candidates),
        cap=candidates[own].cap,
        allotted=allotted,
        value=value_of(state, asset, allotted),
        reached=smallest_passing(lambda quantity: share(quantity) > 0, reach),
    )


def in_order(policy: Policy, candidates: Sequence[Candidate]) -> list[int]:
    """Places of candidates in the order in which a policy serves them, or weighs them."""
    if policy in (Policy.LEVERAGE, Policy.QUEUE):
        return most_levered_first(candidates)
    weights = [each.position for each in candidates]
    if policy is Policy.RISK_WEIGHTED:
        weights = [
            each.position * min(MAX_LEVERAGE_WEIGHT, each.assets_value * RATIO // each.total_value)
            for each in candidates
        ]
    return sorted(range(len(candidates)), key=lambda place: (-weights[place], place))


def _nearest_first(partner: Partner) -> tuple[bool, int, int]:
    move = partner.move
    return move is None, abs(move or 0), partner.account
