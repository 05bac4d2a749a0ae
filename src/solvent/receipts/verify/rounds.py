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
from solvent.reference.margin import health_of
from solvent.reference.state import FUND
from solvent.reference.waterfall import adl
from solvent.reference.waterfall.default import default_of, falls_below, lender_of, stock_of
from solvent.reference.waterfall.policies import Candidate
from solvent.reference.waterfall.sizing import deliverable_value


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
    return ReconstructedState(receipt, receipt.borrowing, parties, sides + candidates)


def _plan(receipt: AdlReceipt, opening: ReconstructedState) -> adl.Round:
    """The plan that follows from the sides and candidates as the receipt gives them."""
    return adl.allot_round(
        opening.state,
        opening.asset(receipt.asset),
        receipt.case,
        receipt.policy,
        [
            adl.Side(opening.account(side.account), side.own, side.fund, side.fund_value)
            for side in receipt.sides
        ],
        [_inputs(line, opening) for line in receipt.candidates],
        frozenset(opening.account(line.account) for line in receipt.candidates if line.last),
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
    if receipt.borrowing is None and any(match.borrows for match in receipt.matches):
        yield "borrowing: must be given where a giver may borrow"
    if receipt.borrowing is not None and not any(match.borrows for match in receipt.matches):
        yield "borrowing: must be null where no giver may borrow"
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
    if side.own + side.fund != side.needed or min(side.own, side.fund) < 0 or side.needed < 1:
        yield f"{place}: own and fund must make up needed"
    if side.fund and (receipt.case is AdlCase.STUCK_LENDER or side.total_value > 0):
        yield f"{place}.fund: the fund pays for nobody who is worth something"
    if receipt.case is AdlCase.STUCK_LENDER and side.fund_value:
        yield f"{place}.fund_value: must be 0 in case L"
    if side.net_equity > side.maintenance and not any(each.stale for each in receipt.assets):
        yield f"{place}: net equity is above maintenance"


def _sides_recomputed(receipt: AdlReceipt, opening: ReconstructedState) -> Iterator[str]:
    """What each known side asks, from its opening balances."""
    asset = opening.asset(receipt.asset)
    terms = receipt.assets[asset]
    fund_value = deliverable_value(opening.state, FUND) if FUND in opening.known else None
    for place, side in enumerate(receipt.sides):
        if fund_value is None and receipt.case is AdlCase.BORROWER_DEFAULT:
            fund_value = side.fund_value
        found = replace(side, fund_value=fund_value or 0)
        if side.account in opening.known:
            found = _side_found(receipt, found, opening)
        if receipt.case is AdlCase.STUCK_LENDER:
            found = replace(found, fund_value=0)
        elif fund_value is not None:
            fund_value -= value_up(side.fund, terms.mark, terms.decimals)
        yield from differences(side, found, f"sides[{place}]")


def _side_found(receipt: AdlReceipt, side: Side, opening: ReconstructedState) -> Side:
    state, account = opening.state, opening.account(side.account)
    asset = opening.asset(receipt.asset)
    if receipt.case is AdlCase.STUCK_LENDER:
        found = adl.Side(account, adl.stuck_claim(state, account, asset))
    else:
        found = default_of(state, account, asset, side.fund_value) or adl.Side(account, 0)
    report = health_of(state, account).report()
    return replace(
        side,
        needed=found.needed,
        own=found.own,
        fund=found.fund,
        total_value=report.total_value,
        net_equity=report.net_equity,
        maintenance=report.maintenance,
    )


def _candidates_recomputed(receipt: AdlReceipt, opening: ReconstructedState) -> Iterator[str]:
    """The inputs of each candidate who was matched, from his opening balances."""
    late = _late_lenders(receipt, opening) if receipt.case is AdlCase.BORROWER_DEFAULT else {}
    for place, line in enumerate(receipt.candidates):
        name = f"candidates[{place}]"
        if not 0 <= line.allotted <= line.cap <= line.position or line.cap < 1:
            yield f"{name}: must have 0 <= allotted <= cap <= position"
        if line.total_value < 1:
            yield f"{name}.total_value: must be positive"
        if line.account in opening.known:
            found = _candidate_found(receipt, line, opening)
            found = replace(found, last=late.get(line.account, line.last))
            yield from differences(line, found, name)
        elif line.last and receipt.case is AdlCase.STUCK_LENDER:
            yield f"{name}.last: must be false in case L"


def _candidate_found(
    receipt: AdlReceipt, line: CandidateLine, opening: ReconstructedState
) -> CandidateLine:
    pick = adl.borrower_of if receipt.case is AdlCase.STUCK_LENDER else lender_of
    account = opening.account(line.account)
    found = pick(opening.state, account, opening.asset(receipt.asset))
    if found is None:
        return replace(line, position=0, cap=0, last=False)
    return replace(
        line,
        position=found.position,
        cap=found.cap,
        assets_value=found.assets_value,
        total_value=found.total_value,
        last=False,
    )


def _late_lenders(receipt: AdlReceipt, opening: ReconstructedState) -> dict[int, bool]:
    """Per matched lender of case B: would the swap for some one of the payments endanger it?

    Nothing is said where a side of the round is unknown, for what it can pay with is then, too.
    """
    state, asset = opening.state, opening.asset(receipt.asset)
    if not {side.account for side in receipt.sides} <= opening.known:
        return {}
    stock = stock_of(state, {opening.account(side.account) for side in receipt.sides})
    return {
        line.account: falls_below(
            state, opening.account(line.account), asset, min(line.cap, receipt.needed), stock
        )
        for line in receipt.candidates
        if line.account in opening.known
    }


def _allotment_fits(receipt: AdlReceipt, plan: adl.Round) -> Iterator[str]:
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
