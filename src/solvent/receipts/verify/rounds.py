"""An ADL round, recomputed from its receipt alone.

The plan of the round is made again by the specification's own functions: what each side asked and
what each counterparty offered, from the opening balances of all accounts that were matched; the
allotment and the pairs, from the lines of sides and candidates by the policy. Then every match is
planned and carried out again, in order, on the state that the receipt describes. Whatever comes
out otherwise is named.
"""

from collections.abc import Iterator
from dataclasses import replace

from solvent.domain.labels import AdlCase
from solvent.domain.parameters import USDC
from solvent.domain.units import value_up
from solvent.receipts.form import (
    AdlReceipt,
    CandidateLine,
    Party,
    Side,
)
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import ReconstructedState
from solvent.receipts.verify.settle_again import match_problems
from solvent.receipts.verify.stages import no_orders, reasons_in_order, trigger_fits
from solvent.reference.ledger import debt_of
from solvent.reference.margin import health_of
from solvent.reference.waterfall import rounds
from solvent.reference.waterfall.adl import needed_of, payer_of
from solvent.reference.waterfall.default import fund_part, lender_of, side_of
from solvent.reference.waterfall.insolvency import DUST, is_worthless
from solvent.reference.waterfall.opposites import opposite_of
from solvent.reference.waterfall.policies import Candidate
from solvent.reference.waterfall.settlement import Means


def round_problems(receipt: AdlReceipt) -> Iterator[str]:
    """Everything in an ADL receipt that recomputing does not confirm."""
    parties = _first_seen(receipt)
    opening = _scene(receipt, parties)
    yield from _round_fits(receipt, opening)
    for place, side in enumerate(receipt.sides):
        yield from _side_fits(receipt, side, f"sides[{place}]")
    sides = {side.account for side in receipt.sides}
    for party in parties:
        if party.account in sides:
            yield from no_orders(party, f"account {party.account}")
    yield from _sides_recomputed(receipt, opening)
    yield from _candidates_recomputed(receipt, opening)
    plan = _plan(receipt, opening)
    yield from _allotment_fits(receipt, plan)
    yield from match_problems(receipt, plan, _scene(receipt, parties))


def _scene(receipt: AdlReceipt, parties: list[Party]) -> ReconstructedState:
    """The state that the round found, as far as the receipt tells it."""
    sides = [side.account for side in receipt.sides]
    candidates = [line.account for line in receipt.candidates]
    scene = ReconstructedState(receipt, receipt.borrowing, parties, sides + candidates)
    for holder in scene.state.accounts:
        holder.auto_borrow_settlements = receipt.borrowed
    return scene


def _kind(receipt: AdlReceipt, opening: ReconstructedState) -> rounds.Kind:
    """What sort of round it is."""
    means = Means(receipt.tier, opening.asset(receipt.paid_in), receipt.borrowed)
    return rounds.Kind(opening.asset(receipt.asset), receipt.case, means, receipt.fund)


def _plan(receipt: AdlReceipt, opening: ReconstructedState) -> rounds.Round:
    """The plan that follows from the sides and candidates as the receipt gives them."""
    return rounds.allot_round(
        opening.state,
        _kind(receipt, opening),
        receipt.policy,
        [
            rounds.Side(opening.account(side.account), side.needed, side.fee, side.received)
            for side in receipt.sides
        ],
        [_inputs(line, opening) for line in receipt.candidates],
    )


def _inputs(line: CandidateLine, opening: ReconstructedState) -> Candidate:
    account = opening.account(line.account)
    return Candidate(account, line.position, line.cap, line.assets_value, line.total_value)


def _first_seen(receipt: AdlReceipt) -> list[Party]:
    """Each matched account as it was before its first match: as the round found it."""
    seen: dict[int, Party] = {}
    for match in receipt.matches:
        for party in match.before:
            seen.setdefault(party.account, party)
    return list(seen.values())


def _round_fits(receipt: AdlReceipt, opening: ReconstructedState) -> Iterator[str]:
    """The receipt's own sums, orders and cross-references."""
    terms = receipt.assets[opening.asset(receipt.asset)]
    if receipt.mark != terms.mark or terms.stale:
        yield f"mark: must be the usable mark of {receipt.asset}"
    means = receipt.assets[opening.asset(receipt.paid_in)]
    if means.stale or not means.mark:
        yield f"paid_in: must have a usable mark, {receipt.paid_in} has none"
    if (receipt.borrowing is None) is receipt.borrowed:
        yield "borrowing: must be given where payers borrow, and null elsewhere"
    default = receipt.case is AdlCase.BORROWER_DEFAULT
    if receipt.borrowed and (default or receipt.paid_in != receipt.assets[USDC].symbol):
        yield "borrowed: only USDC is borrowed, and not for a default"
    if receipt.fund and not default:
        yield "fund: the fund pays for defaults only"
    for name, accounts in (
        ("sides", [side.account for side in receipt.sides]),
        ("candidates", [line.account for line in receipt.candidates]),
    ):
        if accounts != sorted(set(accounts)):
            yield f"{name}: must be in order of account, each once"
    if receipt.round < 1:
        yield "round: must be at least 1"
    both = {side.account for side in receipt.sides} & {line.account for line in receipt.candidates}
    if both:
        yield f"candidates: account {min(both)} is a side of the round"


def _side_fits(receipt: AdlReceipt, side: Side, place: str) -> Iterator[str]:
    """Why the account is here at all, and why the stages before could not help it."""
    yield from trigger_fits(receipt, side.started, place)
    yield from reasons_in_order(receipt, side, place)
    if side.needed < 1:
        yield f"{place}.needed: must be positive"
    # An account is worth nothing up to dust and a share, at most an atom, of what it owes.
    dust = DUST + sum(value_up(1, each.mark, each.decimals) for each in receipt.assets)
    if receipt.fund and side.total_value > dust:
        yield f"{place}: the fund pays for nobody who is worth something"
    if side.received < 0 or (side.received and receipt.case is not AdlCase.STUCK_LENDER):
        yield f"{place}.received: must be 0 but in case L"
    if side.net_equity > side.maintenance and not any(each.stale for each in receipt.assets):
        yield f"{place}: net equity is above maintenance"


def _sides_recomputed(receipt: AdlReceipt, opening: ReconstructedState) -> Iterator[str]:
    """What each known side asks and pays for it, from its opening balances."""
    for place, side in enumerate(receipt.sides):
        if side.account not in opening.known:
            continue
        found = _side_found(receipt, side, opening)
        worthless = is_worthless(opening.state, opening.account(side.account))
        if _may_ask_less(receipt, worthless=worthless) and 0 < side.needed < found.needed:
            found = replace(found, needed=side.needed)
        yield from differences(side, found, f"sides[{place}]")


def _may_ask_less(receipt: AdlReceipt, *, worthless: bool) -> bool:
    """Whether earlier rounds, or other sides, may have left less than the balances say.

    So it is for a worthless account, whose assets are divided among its debts beforehand.
    """
    return receipt.case is AdlCase.BORROWER_DEFAULT and (receipt.fund or worthless)


def _side_found(receipt: AdlReceipt, side: Side, opening: ReconstructedState) -> Side:
    state, account = opening.state, opening.account(side.account)
    kind = _kind(receipt, opening)
    asset, means = kind.asset, kind.means
    if kind.case is AdlCase.STUCK_LENDER:
        needed = needed_of(state, account, asset, means, side.received)
        found = rounds.Side(account, needed, 0, side.received)
    elif kind.case is AdlCase.OPPOSITES:
        found = opposite_of(state, account, asset, means.asset) or rounds.Side(account, 0)
    elif kind.fund:
        found = rounds.Side(account, fund_part(state, account, asset))
    else:
        found = side_of(state, kind, account, debt_of(state, account, asset))
    report = health_of(state, account).report()
    return replace(
        side,
        needed=found.needed,
        fee=found.fee,
        total_value=report.total_value,
        net_equity=report.net_equity,
        maintenance=report.maintenance,
    )


def _candidates_recomputed(receipt: AdlReceipt, opening: ReconstructedState) -> Iterator[str]:
    """The inputs of each candidate who was matched, from his opening balances."""
    for place, line in enumerate(receipt.candidates):
        name = f"candidates[{place}]"
        if not 0 <= line.allotted <= line.cap <= line.position or line.cap < 1:
            yield f"{name}: must have 0 <= allotted <= cap <= position"
        if line.total_value < 1:
            yield f"{name}.total_value: must be positive"
        if line.account in opening.known:
            yield from differences(line, _candidate_found(receipt, line, opening), name)


def _candidate_found(
    receipt: AdlReceipt, line: CandidateLine, opening: ReconstructedState
) -> CandidateLine:
    state, account = opening.state, opening.account(line.account)
    kind = _kind(receipt, opening)
    if kind.case is AdlCase.BORROWER_DEFAULT:
        found = lender_of(state, kind, account, receipt.needed)
    else:
        found = payer_of(state, account, kind.asset, kind.means)
    if found is None:
        return replace(line, position=0, cap=0)
    return replace(
        line,
        position=found.position,
        cap=found.cap,
        assets_value=found.assets_value,
        total_value=found.total_value,
    )


def _allotment_fits(receipt: AdlReceipt, plan: rounds.Round) -> Iterator[str]:
    """Totals, what each side is granted, and the policy's answer to the candidates' inputs."""
    if receipt.needed != plan.needed:
        yield f"needed: is {receipt.needed}, the sides ask {plan.needed}"
    if receipt.allotted != plan.total:
        yield f"allotted: is {receipt.allotted}, recomputed {plan.total}"
    for place, (side, part) in enumerate(zip(receipt.sides, plan.granted, strict=True)):
        if side.allotted != part:
            yield f"sides[{place}].allotted: is {side.allotted}, recomputed {part}"
    for line, part in zip(receipt.candidates, plan.allotted, strict=True):
        if line.allotted != part:
            yield (
                f"candidates: account {line.account} was allotted {line.allotted}, "
                f"{receipt.policy.name} allots {part}"
            )
