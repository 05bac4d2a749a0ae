"""ADL: the last layer, which pairs a stuck lender with borrowers and settles at the mark.

One round per asset and step. All stuck claims of the step are allotted together, so the order in
which they came does not matter (I27); then claims and debts are matched by account id, two pointers
over two sorted lists.

Case L (A7): a lender is liquidatable, his pool has no cash, the engine's redemption failed and no
provider took the claim. No more of it is turned into value than restores his target health. The
policy picks borrowers of the asset who are not liquidating, are worth something and have assets to
hand over; each pays at most what he owes and at most what he has (A11).

Case B is in `default`; both share what a round's plan is and how it is carried out: `allot_round`
says, from sides and candidates alone, who is granted and allotted how much and who is paired with
whom. Only the matches look at the state again, for each finds what those before it left.

Specification: sections 8.1, 8.2.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from solvent.domain.labels import AdlCase, Reason, Stage
from solvent.domain.parameters import Policy
from solvent.domain.units import payable, value_up
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened, AdlStuck, HandedOver
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending.pool import redeemable
from solvent.reference.margin import (
    Doubt,
    health,
    health_of,
    liquidatable,
    portfolio_of,
    target_restored,
)
from solvent.reference.state import State
from solvent.reference.waterfall.policies import Candidate, Demand, allot, apportion
from solvent.reference.waterfall.record import Record, record_pools
from solvent.reference.waterfall.settlement import Match, settle
from solvent.reference.waterfall.sizing import (
    deliverable_value,
    needed_claim,
)

Reasons = dict[int, tuple[Reason, Reason]]
"""Per account in the round: why the book and the backstop left it."""

CarryOut = Callable[[State, Match], int]
"""Settles one match of a round and returns the atoms settled."""


class Part(NamedTuple):
    """An account's part of a round, in atoms."""

    account: int
    quantity: int


class Side(NamedTuple):
    """A liquidated account of a round, in atoms: what it pays for itself, and the fund for it.

    `fund_value` is what the fund could give when it was asked, in 10^-6 USDC; case L asks nothing.
    """

    account: int
    own: int
    fund: int = 0
    fund_value: int = 0

    @property
    def needed(self) -> int:
        """What is to be settled for the account."""
        return self.own + self.fund


class Round(NamedTuple):
    """The plan of a round: `total` of the `needed` atoms, granted to sides, allotted to candidates.

    `late` holds the accounts of the candidates who come last (case B).
    """

    asset: int
    case: AdlCase
    policy: Policy
    needed: int
    total: int
    sides: tuple[Side, ...]
    granted: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    late: frozenset[int]
    allotted: tuple[int, ...]

    @property
    def pairs(self) -> list[tuple[int, int, int]]:
        """Who settles with whom: (lender, borrower, atoms)."""
        sides = [Part(*part) for part in zip(accounts_of(self.sides), self.granted, strict=True)]
        others = [
            Part(*part) for part in zip(accounts_of(self.candidates), self.allotted, strict=True)
        ]
        return pair(sides, others) if self.case is AdlCase.STUCK_LENDER else pair(others, sides)


def accounts_of(rows: Sequence[Side | Candidate]) -> list[int]:
    """The accounts of sides or candidates, in their order."""
    return [row.account for row in rows]


def settle_stuck_lenders(state: State, stuck: Reasons) -> None:
    """Case L: one round per asset in which a liquidatable lender's claim cannot be redeemed."""
    for asset in range(len(state.pools)):
        sides = plan_stuck_sides(state, asset, sorted(stuck))
        if sides:
            plan = plan_lender_round(state, asset, sides)
            number = open_round(state, plan, stuck)
            settle_lenders(state, plan, number, settle)
            if plan.total < plan.needed:
                for side in plan.sides:
                    _hand_over(state, side.account, asset)


def plan_stuck_sides(state: State, asset: int, stuck: Sequence[int]) -> list[Side]:
    """Whose claims of one asset are stuck, and how much of them: by account id."""
    if state.prices[asset].stale:
        return []
    sides = [Side(account, stuck_claim(state, account, asset)) for account in stuck]
    return [side for side in sides if side.own]


def plan_lender_round(state: State, asset: int, sides: Sequence[Side]) -> Round:
    """The round of all stuck claims of one asset: borrowers picked and allotted."""
    candidates = borrowers(state, asset, set(accounts_of(sides)))
    policy = state.parameters.waterfall.lender_policy
    return allot_round(state, asset, AdlCase.STUCK_LENDER, policy, sides, candidates)


def stuck_claim(state: State, account: int, asset: int) -> int:
    """Atoms of a claim to be turned into value: what target health needs and cash cannot give."""
    claim = claim_of(state, account, asset)
    if not claim or not liquidatable(state, account):
        return 0
    unredeemable = max(0, claim - redeemable(state.pools[asset]))
    if not unredeemable:
        return 0
    return needed_claim(state, portfolio_of(state, account), asset, unredeemable)


def borrowers(state: State, asset: int, lenders: set[int]) -> list[Candidate]:
    """Who could be matched with these lenders: eligible borrowers of the asset, by account id."""
    return [
        candidate
        for account in range(len(state.accounts))
        if account not in lenders
        and account not in state.liquidating
        and (candidate := borrower_of(state, account, asset))
    ]


def borrower_of(state: State, account: int, asset: int) -> Candidate | None:
    """A borrower who can pay for a stuck claim, or None."""
    debt = debt_of(state, account, asset)
    if not debt:
        return None
    values = health(state, portfolio_of(state, account))
    if values.total_value <= 0:
        return None
    decimals = state.asset(asset).decimals
    cap = payable(debt, deliverable_value(state, account), state.mark(asset), decimals)
    if cap == 0:
        return None
    report = values.report()
    return Candidate(account, debt, cap, report.assets_value, max(1, report.total_value))


def allot_round(
    state: State,
    asset: int,
    case: AdlCase,
    policy: Policy,
    sides: Sequence[Side],
    candidates: Sequence[Candidate],
    late: frozenset[int] = frozenset(),
) -> Round:
    """The plan that follows from sides and candidates: what is needed, or as far as caps reach.

    Sides are granted parts in proportion to what they need. Candidates are allotted theirs by the
    policy; those who are late only what the others' caps leave.
    """
    needs = [side.needed for side in sides]
    total = min(sum(needs), sum(candidate.cap for candidate in candidates))
    granted = apportion(total, needs, needs)
    allotted: dict[int, int] = {}
    left = total
    for turn in (False, True):
        group = [candidate for candidate in candidates if (candidate.account in late) is turn]
        quantity = min(left, sum(candidate.cap for candidate in group))
        left -= quantity
        parts = allot(policy, group, Demand(quantity, value_of(state, asset, quantity)))
        allotted |= zip(accounts_of(group), parts, strict=True)
    assert sum(granted) == sum(allotted.values()) == total, "all of a round is handed out (I22)"
    assert all(allotted[candidate.account] <= candidate.cap for candidate in candidates)
    return Round(
        asset=asset,
        case=case,
        policy=policy,
        needed=sum(needs),
        total=total,
        sides=tuple(sides),
        granted=tuple(granted),
        candidates=tuple(candidates),
        late=late,
        allotted=tuple(allotted[candidate.account] for candidate in candidates),
    )


def settle_lenders(state: State, plan: Round, number: int, carry_out: CarryOut) -> None:
    """Settle the pairs of a round of case L: each borrower pays for its own debt."""
    for place, (lender, borrower, quantity) in enumerate(plan.pairs):
        match = Match(number, place, plan.asset, lender, borrower, borrower, quantity)
        carry_out(state, match._replace(borrow_allowed=True))


def pair(claims: list[Part], loans: list[Part]) -> list[tuple[int, int, int]]:
    """Match two lists of equal sums in order: (lender, borrower, atoms), two pointers."""
    pairs = []
    left = [[part.account, part.quantity] for part in claims if part.quantity]
    right = [[part.account, part.quantity] for part in loans if part.quantity]
    one = other = 0
    while one < len(left) and other < len(right):
        quantity = min(left[one][1], right[other][1])
        pairs.append((left[one][0], right[other][0], quantity))
        left[one][1] -= quantity
        right[other][1] -= quantity
        one += left[one][1] == 0
        other += right[other][1] == 0
    return pairs


def value_of(state: State, asset: int, quantity: int) -> int:
    """Value of `quantity` at the mark, rounded up."""
    return value_up(quantity, state.mark(asset), state.asset(asset).decimals)


def open_round(state: State, plan: Round, reasons: Reasons) -> int:
    """Begin a round: number it and write down its demand, every pool, its sides and candidates."""
    number = state.next_round
    state.next_round += 1
    asset = plan.asset
    state.emit(
        AdlOpened(
            round=number,
            asset=asset,
            case=plan.case,
            policy=plan.policy,
            mark=state.mark(asset),
            needed=plan.needed,
            allotted=plan.total,
        )
    )
    record_pools(state, Record(Stage.ADL, number))
    for side, granted in zip(plan.sides, plan.granted, strict=True):
        _record_side(state, number, side, granted, reasons[side.account])
    for candidate, allotted in zip(plan.candidates, plan.allotted, strict=True):
        last = int(candidate.account in plan.late)
        _record_candidate(state, number, candidate, allotted, last)
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
            own=side.own,
            fund=side.fund,
            fund_value=side.fund_value,
            total_value=values.total_value,
            net_equity=values.net_equity,
            maintenance=values.maintenance,
            book_reason=book,
            backstop_reason=backstop,
        )
    )


def _record_candidate(
    state: State, number: int, candidate: Candidate, allotted: int, last: int
) -> None:
    """Write down one counterparty: what the policy saw of it and allotted to it."""
    state.emit(
        AdlCandidate(
            round=number,
            account=candidate.account,
            position=candidate.position,
            assets_value=candidate.assets_value,
            total_value=candidate.total_value,
            cap=candidate.cap,
            last=last,
            allotted=allotted,
        )
    )


def _hand_over(state: State, account: int, asset: int) -> None:
    """Say that ADL found too few counterparties for an account that still needs them."""
    values = health_of(state, account, Doubt.FOR_ACCOUNT)
    if not target_restored(state, values):
        value = values.report().debts_value
        state.emit(HandedOver(account, Stage.ADL, Reason.NO_COUNTERPARTY, asset, value))
