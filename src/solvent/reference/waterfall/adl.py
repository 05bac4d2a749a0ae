"""ADL: the last layer, which pairs a stuck lender with borrowers and settles at the mark.

One round per asset and step. All stuck claims of the step are allotted together, so the order in
which they came does not matter (I27); then claims and debts are matched by account id, two pointers
over two sorted lists.

Case L (A7): a lender is liquidatable, his pool has no cash, the engine's redemption failed and no
provider took the claim. No more of it is turned into value than restores his target health. The
policy picks borrowers of the asset who are not liquidating, are worth something and have assets to
hand over; each pays at most what he owes and at most what he has (A11).

Case B is in `default`; both share how a round is opened, recorded and paired.

Specification: sections 8.1, 8.2.
"""

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


class Part(NamedTuple):
    """An account's side of a round, in atoms."""

    account: int
    quantity: int


class Default(NamedTuple):
    """A borrower in default: what he owes of the asset and who pays for how much of it."""

    account: int
    own: int
    fund: int
    fund_value: int


def settle_stuck_lenders(state: State, stuck: Reasons) -> None:
    """Case L: one round per asset in which a liquidatable lender's claim cannot be redeemed."""
    for asset in range(len(state.pools)):
        if state.prices[asset].stale:
            continue
        needs = [
            Part(account, quantity)
            for account in sorted(stuck)
            if (quantity := _stuck_claim(state, account, asset))
        ]
        if needs:
            _lender_round(state, asset, needs, stuck)


def _stuck_claim(state: State, account: int, asset: int) -> int:
    """Atoms of a claim to be turned into value: what target health needs and cash cannot give."""
    claim = claim_of(state, account, asset)
    if not claim or not liquidatable(state, account):
        return 0
    unredeemable = max(0, claim - redeemable(state.pools[asset]))
    if not unredeemable:
        return 0
    return needed_claim(state, portfolio_of(state, account), asset, unredeemable)


def _lender_round(state: State, asset: int, needs: list[Part], reasons: Reasons) -> None:
    """Pick borrowers for all stuck claims of one asset, allot, match and settle."""
    candidates = borrowers(state, asset, {part.account for part in needs})
    policy = state.parameters.waterfall.lender_policy
    needed = sum(part.quantity for part in needs)
    total = min(needed, sum(candidate.cap for candidate in candidates))
    allotted = allot(policy, candidates, Demand(total, value_of(state, asset, total)))
    granted = apportion(total, [part.quantity for part in needs], [part.quantity for part in needs])
    number = open_round(state, asset, AdlCase.STUCK_LENDER, policy, needed, total)
    stuck = [Default(part.account, part.quantity, 0, 0) for part in needs]
    record_sides(state, number, stuck, granted, reasons)
    for candidate, quantity in zip(candidates, allotted, strict=True):
        record_candidate(state, number, candidate, quantity, last=0)
    claims = [Part(part.account, part_of) for part, part_of in zip(needs, granted, strict=True)]
    loans = [
        Part(candidate.account, quantity)
        for candidate, quantity in zip(candidates, allotted, strict=True)
    ]
    for place, (lender, borrower, quantity) in enumerate(pair(claims, loans)):
        match = Match(number, place, asset, lender, borrower, borrower, quantity)
        match.borrow_allowed = True
        settle(state, match)
    if total < needed:
        for part in needs:
            _hand_over(state, part.account, asset)


def borrowers(state: State, asset: int, lenders: set[int]) -> list[Candidate]:
    """Who could be matched with these lenders: eligible borrowers of the asset, by account id."""
    return [
        candidate
        for account in range(len(state.accounts))
        if account not in lenders
        and account not in state.liquidating
        and (candidate := _borrower(state, account, asset))
    ]


def _borrower(state: State, account: int, asset: int) -> Candidate | None:
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


def open_round(
    state: State, asset: int, case: AdlCase, policy: Policy, needed: int, allotted: int
) -> int:
    """Begin a round: number it, write down its demand and every pool."""
    number = state.next_round
    state.next_round += 1
    state.emit(AdlOpened(number, asset, case, policy, state.mark(asset), needed, allotted))
    record_pools(state, Record(Stage.ADL, number))
    return number


def record_sides(
    state: State, number: int, sides: list[Default], granted: list[int], reasons: Reasons
) -> None:
    """Write down the liquidated sides and why earlier stages left them."""
    for side, part in zip(sides, granted, strict=True):
        book, backstop = reasons[side.account]
        values = health_of(state, side.account).report()
        state.emit(
            AdlStuck(
                round=number,
                account=side.account,
                needed=side.own + side.fund,
                allotted=part,
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


def record_candidate(
    state: State, number: int, candidate: Candidate, allotted: int, last: int
) -> None:
    """Write down one counterparty: what the policy saw of him and gave him."""
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
