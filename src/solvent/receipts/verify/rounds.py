"""An ADL round, recomputed from its receipt alone.

What the round asked and what each counterparty offered is computed again from the opening balances
of every matched account; the allotment from the candidates' inputs by the policy; the matches
from the allotment; and every match is settled again, in order, by the specification's own
settlement on the state the receipt describes. Every difference is named.
"""

from collections.abc import Iterator
from dataclasses import replace

from solvent.domain.labels import AdlCase
from solvent.domain.parameters import USDC
from solvent.domain.units import cover, mul_div_down, payable, value_down, value_up
from solvent.receipts.form import (
    AdlReceipt,
    CandidateLine,
    Party,
    Side,
)
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import Scene
from solvent.receipts.verify.settle_again import match_problems
from solvent.receipts.verify.stages import no_orders, reasons_in_order, trigger_fits
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.lending.pool import redeemable
from solvent.reference.margin import Doubt, health, health_of, liquidatable, portfolio_of
from solvent.reference.state import FUND
from solvent.reference.waterfall.default import fund_share
from solvent.reference.waterfall.policies import Candidate, Demand, allot, apportion
from solvent.reference.waterfall.sizing import (
    debts_largest_first,
    deliverable,
    deliverable_value,
    largest_first,
    needed_claim,
    needed_debt,
)


def round_problems(receipt: AdlReceipt) -> Iterator[str]:
    """Everything in an ADL receipt that recomputing does not confirm."""
    parties = _first_seen(receipt)
    opening = Scene(receipt, receipt.borrowing, parties)
    yield from _round_fits(receipt, opening)
    for place, side in enumerate(receipt.sides):
        yield from _side_fits(receipt, side, f"sides[{place}]")
    sides = {side.account for side in receipt.sides}
    for party in parties:
        if party.account in sides:
            yield from no_orders(party, f"account {party.account}")
    yield from _sides_recomputed(receipt, opening)
    yield from _candidates_recomputed(receipt, opening)
    yield from _allotment(receipt, opening)
    yield from match_problems(receipt, Scene(receipt, receipt.borrowing, parties))


def _first_seen(receipt: AdlReceipt) -> list[Party]:
    """Each matched account as it was before its first match: as the round found it."""
    seen: dict[int, Party] = {}
    for match in receipt.matches:
        for party in match.before:
            seen.setdefault(party.account, party)
    return list(seen.values())


def _round_fits(receipt: AdlReceipt, opening: Scene) -> Iterator[str]:
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


def _sides_recomputed(receipt: AdlReceipt, opening: Scene) -> Iterator[str]:
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


def _side_found(receipt: AdlReceipt, side: Side, opening: Scene) -> Side:
    state, account = opening.state, opening.account(side.account)
    asset = opening.asset(receipt.asset)
    if not liquidatable(state, account):
        return replace(side, needed=0, own=0, fund=0)
    values = health_of(state, account)
    if receipt.case is AdlCase.STUCK_LENDER:
        claim = claim_of(state, account, asset)
        stuck = max(0, claim - redeemable(state.pools[asset]))
        own, fund = needed_claim(state, portfolio_of(state, account), asset, stuck), 0
    elif values.total_value > 0:
        own, fund = _needed_of_default(opening, account, asset), 0
    else:
        own, fund = _shared_default(opening, account, asset, side.fund_value)
    report = values.report()
    return replace(
        side,
        needed=own + fund,
        own=own,
        fund=fund,
        total_value=report.total_value,
        net_equity=report.net_equity,
        maintenance=report.maintenance,
    )


def _needed_of_default(opening: Scene, account: int, asset: int) -> int:
    """What target health needs of the largest debt of an account worth something."""
    state = opening.state
    portfolio = portfolio_of(state, account)
    if debts_largest_first(state, portfolio)[:1] != [asset]:
        return 0
    order = [other for other in largest_first(state, account) if other != asset]
    needed = needed_debt(state, portfolio, asset, order, 0)
    decimals = state.asset(asset).decimals
    return payable(needed, deliverable_value(state, account), state.mark(asset), decimals)


def _shared_default(opening: Scene, account: int, asset: int, fund_value: int) -> tuple[int, int]:
    """What an account worth nothing pays of a debt, and the fund after it.

    Its assets are divided by value among its debts in this asset and those numbered after it.
    """
    state = opening.state
    mark, decimals = state.mark(asset), state.asset(asset).decimals
    owed = {
        other: value_up(
            debt_of(state, account, other), state.mark(other), state.asset(other).decimals
        )
        for other in range(asset, len(state.pools))
        if not state.prices[other].stale
    }
    debt, total = debt_of(state, account, asset), sum(owed.values())
    assets = deliverable_value(state, account)
    share = mul_div_down(assets, owed[asset], total) if total else 0
    own = payable(debt, share, mark, decimals)
    share = fund_share(state, account, asset, fund_value)
    return own, payable(debt - own, share, mark, decimals)


def _candidates_recomputed(receipt: AdlReceipt, opening: Scene) -> Iterator[str]:
    """The inputs of each matched candidate, from its opening balances."""
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


def _candidate_found(receipt: AdlReceipt, line: CandidateLine, opening: Scene) -> CandidateLine:
    state, account = opening.state, opening.account(line.account)
    asset = opening.asset(receipt.asset)
    report = health(state, portfolio_of(state, account)).report()
    if receipt.case is AdlCase.STUCK_LENDER:
        position = debt_of(state, account, asset)
        decimals = state.asset(asset).decimals
        worth = deliverable_value(state, account)
        cap = payable(position, worth, state.mark(asset), decimals)
    else:
        position = cap = claim_of(state, account, asset)
    return replace(
        line,
        position=position,
        cap=cap,
        assets_value=report.assets_value,
        total_value=max(1, report.total_value),
        last=False,
    )


def _late_lenders(receipt: AdlReceipt, opening: Scene) -> dict[int, bool]:
    """Per matched lender of case B: would the swap for any one payment put it below maintenance?

    Nothing is said where a side of the round is unknown, for what it can pay with is then, too.
    """
    state, asset = opening.state, opening.asset(receipt.asset)
    if not {side.account for side in receipt.sides} <= opening.known:
        return {}
    sides = [opening.account(side.account) for side in receipt.sides]
    stock = {
        other: sum(deliverable(state, side, other) for side in sides)
        for other in range(len(state.pools))
    }
    return {
        line.account: _sinks(
            opening, opening.account(line.account), asset, min(line.cap, receipt.needed), stock
        )
        for line in receipt.candidates
        if line.account in opening.known
    }


def _sinks(opening: Scene, account: int, asset: int, quantity: int, stock: dict[int, int]) -> bool:
    """Whether swapping `quantity` of a claim for any one asset in stock ends at MMR 100 %.

    What there is not enough of is made up in USDC.
    """
    state = opening.state
    before = portfolio_of(state, account)
    if not any(before.debts):
        return False
    value = value_down(quantity, state.mark(asset), state.asset(asset).decimals)
    for kind, held in stock.items():
        if not held:
            continue
        after = before.copy()
        after.quantities[asset] -= quantity
        received, worth = cover(held, value, state.mark(kind), state.asset(kind).decimals)
        after.receive(kind, received)
        after.receive(USDC, value - worth)
        if health(state, after, Doubt.FOR_ACCOUNT).liquidatable:
            return True
    return False


def _allotment(receipt: AdlReceipt, opening: Scene) -> Iterator[str]:
    """Totals, what each side is granted, and the policy's answer to the candidates' inputs."""
    needed = sum(side.needed for side in receipt.sides)
    if receipt.needed != needed:
        yield f"needed: is {receipt.needed}, the sides ask {needed}"
    allotted = min(needed, sum(line.cap for line in receipt.candidates))
    if receipt.allotted != allotted:
        yield f"allotted: is {receipt.allotted}, recomputed {allotted}"
    asked = [side.needed for side in receipt.sides]
    for place, part in enumerate(apportion(allotted, asked, asked)):
        if receipt.sides[place].allotted != part:
            given = receipt.sides[place].allotted
            yield f"sides[{place}].allotted: is {given}, recomputed {part}"
    terms = receipt.assets[opening.asset(receipt.asset)]
    left = allotted
    for last in (False, True):
        lines = [line for line in receipt.candidates if line.last is last]
        quantity = min(left, sum(line.cap for line in lines))
        left -= quantity
        demand = Demand(quantity, value_up(quantity, terms.mark, terms.decimals))
        parts = allot(receipt.policy, [_inputs(line) for line in lines], demand)
        for line, part in zip(lines, parts, strict=True):
            if line.allotted != part:
                yield (
                    f"candidates: account {line.account} was allotted {line.allotted}, "
                    f"{receipt.policy.name} allots {part}"
                )


def _inputs(line: CandidateLine) -> Candidate:
    return Candidate(line.account, line.position, line.cap, line.assets_value, line.total_value)
