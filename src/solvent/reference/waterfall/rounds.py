"""Rounds: what opposites, stuck lenders and defaults have in common.

A round settles one asset for all liquidated accounts of a step that need it, and all of it is paid
in one asset (`Means`). Liquidated accounts are its sides, those whom the policy picks among its
candidates: `allot_round` says, from both alone, who is granted and allotted how much and who is
paired with whom, so the order in which they came does not matter (I27). Pairs are matched by
account id, two pointers over two sorted lists.

A round rounds once per payer: what he owes for all of his matches is rounded up together and split
by largest remainder (`matches_of`). Only carrying the matches out looks at the state again, for
each finds what those before it left.

Specification: section 8.1.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from solvent.domain.labels import AdlCase, Reason, Stage, Tier
from solvent.domain.parameters import MAX_SUPPLY, USDC, Policy
from solvent.domain.units import (
    INT64_MAX,
    RATIO,
    mul_div_down,
    quantity_up,
    value_divisor,
    value_down,
    value_up,
)
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened, AdlStuck
from solvent.reference.margin import health_of
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.policies import Candidate, Demand, allot, apportion
from solvent.reference.waterfall.record import Record, record_pools
from solvent.reference.waterfall.settlement import Match, Means

Reasons = dict[int, tuple[Reason, Reason]]
"""Per account in the round: why the book and the backstop left it."""

CarryOut = Callable[[State, Match], int]
"""Settles one match of a round and returns the atoms settled."""

ATTEMPTS = 2
"""Caps count all of a pool's cash each, so it can run out: what is left is then allotted anew."""


class Part(NamedTuple):
    """An account's part of a round, in atoms."""

    account: int
    quantity: int


class Side(NamedTuple):
    """A liquidated account of a round: the atoms that are to be settled for it.

    `fee` (10^-9 of what is settled) is what it pays for that, `received` the value (10^-6 USDC)
    that rounds of this step brought it and that repaid nothing yet.
    """

    account: int
    needed: int
    fee: int = 0
    received: int = 0


class Kind(NamedTuple):
    """What sort of round it is: which asset, which case, paid in what, and by the fund or not."""

    asset: int
    case: AdlCase
    means: Means
    fund: bool = False


class Round(NamedTuple):
    """The plan of a round: `total` of the `needed` atoms, granted to sides, allotted to others."""

    kind: Kind
    policy: Policy
    needed: int
    total: int
    sides: tuple[Side, ...]
    granted: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    allotted: tuple[int, ...]

    @property
    def pairs(self) -> list[tuple[int, int, int]]:
        """Who settles with whom: (place of the side, place of the candidate, atoms)."""
        return pair(self.granted, self.allotted)


def allot_round(
    state: State,
    kind: Kind,
    policy: Policy,
    sides: Sequence[Side],
    candidates: Sequence[Candidate],
) -> Round:
    """The plan that follows from sides and candidates: what is needed, or as far as caps reach.

    Sides are granted parts in proportion to what they need, candidates are allotted by the policy.
    """
    needs = [side.needed for side in sides]
    total = min(sum(needs), sum(candidate.cap for candidate in candidates))
    granted = apportion(total, needs, needs)
    allotted = allot(policy, candidates, Demand(total, value_of(state, kind.asset, total)))
    assert sum(granted) == sum(allotted) == total, "all of a round is handed out (I22)"
    caps = [candidate.cap for candidate in candidates]
    assert all(part <= cap for part, cap in zip(allotted, caps, strict=True))
    return Round(
        kind=kind,
        policy=policy,
        needed=sum(needs),
        total=total,
        sides=tuple(sides),
        granted=tuple(granted),
        candidates=tuple(candidates),
        allotted=tuple(allotted),
    )


def pair(left: Sequence[int], right: Sequence[int]) -> list[tuple[int, int, int]]:
    """Match two lists of equal sums in order: (place, place, atoms), two pointers."""
    pairs = []
    rest, other_rest = list(left), list(right)
    one = other = 0
    while one < len(rest) and other < len(other_rest):
        quantity = min(rest[one], other_rest[other])
        if quantity:
            pairs.append((one, other, quantity))
        rest[one] -= quantity
        other_rest[other] -= quantity
        one += rest[one] == 0
        other += other_rest[other] == 0
    return pairs


def value_of(state: State, asset: int, quantity: int) -> int:
    """Value of `quantity` at the mark, rounded up."""
    return value_up(quantity, state.mark(asset), state.asset(asset).decimals)


def supply_worth(state: State, asset: int) -> int:
    """What all that there can be of an asset is worth, as far as a column holds it."""
    worth = MAX_SUPPLY * state.mark(asset) // value_divisor(state.asset(asset).decimals)
    return min(INT64_MAX, worth)


def matches_of(state: State, plan: Round, number: int) -> Iterator[Match]:
    """The matches of a round, numbered from 0, what each payer owes rounded once."""
    matches = [_match(state, plan, number, *one) for one in enumerate(plan.pairs)]
    for _, group in groupby(matches, key=lambda match: match.giver):
        yield from _priced(state, plan, list(group))


def _match(
    state: State, plan: Round, number: int, place: int, paired: tuple[int, int, int]
) -> Match:
    """A match whose price is still to be found."""
    one, other, quantity = paired
    kind, side = plan.kind, plan.sides[one]
    candidate = plan.candidates[other].account
    default = kind.case is AdlCase.BORROWER_DEFAULT
    lender, debtor = (candidate, side.account) if default else (side.account, candidate)
    return Match(
        round=number,
        number=place,
        case=kind.case,
        asset=kind.asset,
        lender=lender,
        debtor=debtor,
        giver=FUND if kind.fund else debtor,
        means=kind.means,
        quantity=quantity,
        fee=_fee_of(state, kind, side, quantity),
    )


def _fee_of(state: State, kind: Kind, side: Side, quantity: int) -> int:
    worth = value_down(quantity, state.mark(kind.asset), state.asset(kind.asset).decimals)
    return mul_div_down(worth, side.fee, RATIO)


def _priced(state: State, plan: Round, matches: list[Match]) -> list[Match]:
    """Matches of one payer, each with its part of what he owes for them together.

    A match of less than an atom of what is paid in can come away with none: it is left out, and the
    rest is priced without it. Where a debtor pays his lenders they take its part as well, so that
    all of the debt that was to be settled is; no stuck lender is given more than he needs.
    """
    kind = plan.kind
    paid_in = kind.means.asset
    while True:
        weights = [_weight(state, match) for match in matches]
        whole = value_of(state, kind.asset, sum(match.quantity for match in matches))
        whole += sum(map(fee_in_value, matches))
        values = apportion(whole, weights, [whole] * len(matches))
        tokens = quantity_up(whole, state.mark(paid_in), state.asset(paid_in).decimals)
        pays = apportion(tokens, weights, [tokens] * len(matches))
        priced = [
            match._replace(value=value, pay=pay)
            for match, value, pay in zip(matches, values, pays, strict=True)
        ]
        if all(pays):
            return priced
        matches = [match for match in priced if match.pay]
        if kind.case is AdlCase.BORROWER_DEFAULT and not kind.fund:
            matches = _widened(state, plan, matches, sum(match.quantity for match in priced))


def _widened(state: State, plan: Round, matches: list[Match], total: int) -> list[Match]:
    """Matches of one debtor, so that they settle `total` atoms in the same proportions.

    Each as far as its lender's cap reaches.
    """
    weights = [match.quantity for match in matches]
    most = {candidate.account: candidate.cap for candidate in plan.candidates}
    parts = apportion(total, weights, [most[match.lender] for match in matches])
    side = next(side for side in plan.sides if side.account == matches[0].debtor)
    return [
        match._replace(quantity=part, fee=_fee_of(state, plan.kind, side, part))
        for match, part in zip(matches, parts, strict=True)
    ]


def _weight(state: State, match: Match) -> int:
    """What a match is worth with its fee, unrounded: 10^-6 USDC times the value's divisor.

    Rounded weights would give many small matches more than they are worth, at the largest's cost.
    """
    divisor = value_divisor(state.asset(match.asset).decimals)
    return match.quantity * state.mark(match.asset) + fee_in_value(match) * divisor


def fee_in_value(match: Match) -> int:
    """By how much the fee changes what the giver hands to the lender, 10^-6 USDC."""
    if match.case is AdlCase.OPPOSITES:
        return -match.fee
    return match.fee if match.means.asset != USDC else 0


def open_round(state: State, plan: Round, reasons: Reasons) -> int:
    """Begin a round: number it and write down its demand, every pool, its sides and candidates."""
    number = state.next_round
    state.next_round += 1
    kind = plan.kind
    state.emit(
        AdlOpened(
            round=number,
            asset=kind.asset,
            case=kind.case,
            policy=plan.policy,
            tier=kind.means.tier,
            paid_in=kind.means.asset,
            borrowed=int(kind.means.borrowed),
            fund=int(kind.fund),
            mark=state.mark(kind.asset),
            needed=plan.needed,
            allotted=plan.total,
        )
    )
    record_pools(state, Record(Stage.ADL, number))
    for side, granted in zip(plan.sides, plan.granted, strict=True):
        _record_side(state, number, side, granted, reasons[side.account])
    for candidate, allotted in zip(plan.candidates, plan.allotted, strict=True):
        _record_candidate(state, number, candidate, allotted)
    return number


def _record_side(
    state: State, number: int, side: Side, granted: int, reasons: tuple[Reason, Reason]
) -> None:
    """Write down one liquidated side and why earlier stages left it."""
    book, backstop = reasons
    values = health_of(state, side.account).report()
    state.emit(
        AdlStuck(
            round=number,
            account=side.account,
            needed=side.needed,
            allotted=granted,
            fee=side.fee,
            received=side.received,
            total_value=values.total_value,
            net_equity=values.net_equity,
            maintenance=values.maintenance,
            book_reason=book,
            backstop_reason=backstop,
        )
    )


def _record_candidate(state: State, number: int, candidate: Candidate, allotted: int) -> None:
    """Write down one counterparty: what the policy saw of it and allotted to it."""
    state.emit(
        AdlCandidate(
            round=number,
            account=candidate.account,
            position=candidate.position,
            assets_value=candidate.assets_value,
            total_value=candidate.total_value,
            cap=candidate.cap,
            allotted=allotted,
        )
    )


def candidate_of(state: State, account: int, position: int, cap: int) -> Candidate:
    """A counterparty as the policies see it."""
    values = health_of(state, account).report()
    return Candidate(account, position, cap, values.assets_value, max(1, values.total_value))


def tiers(state: State, *, owed: Sequence[int]) -> Iterator[Means]:
    """What rounds over an asset are paid in, in order; what the receiver owes among `owed`.

    Without tiers nothing is asked of what the receiver owes, nor of whom a payment hurts.
    """
    heaviest = list(heaviest_first(state))
    if state.parameters.waterfall.tiers:
        for asset in owed:
            yield Means(Tier.OWED, asset)
        yield Means(Tier.CASH, USDC)
        yield Means(Tier.CASH, USDC, borrowed=True)
        for asset in heaviest:
            yield Means(Tier.IN_KIND, asset)
    for tier in (Tier.FLAGGED, Tier.LAST):
        for asset in (USDC, *heaviest):
            yield Means(tier, asset)


def heaviest_first(state: State) -> Iterator[int]:
    """Assets but USDC at fresh prices, highest weight first, ties by number."""
    order = sorted(
        range(1, len(state.pools)), key=lambda asset: (-state.asset(asset).haircut.weight, asset)
    )
    return (asset for asset in order if not state.prices[asset].stale)
