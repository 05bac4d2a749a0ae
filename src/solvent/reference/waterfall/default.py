"""ADL case B: a borrower in default, whose assets go to the lenders of what he owes (A12).

Its debt cannot be bought back and no provider took it. Lenders of the asset are picked by policy
and paid at the mark, in tiers (`rounds.tiers`): tokens that the lender owes, then USDC, then tokens
by which his health does not fall, then, flagged, the rest. An account with value closes no more
than its target needs, and pays the liquidation fee for it: to the lender where he is paid in kind,
else to the fund. An account worth less than it owes divides its assets among its debts by value;
then the backstop fund pays; what is left is a deficit (`deficit`).

Specification: section 8.4.
"""

from collections.abc import Sequence

from solvent.domain.labels import AdlCase, Tier
from solvent.domain.units import (
    RATIO,
    mul_div_down,
    payable,
    quantity_down,
    quantity_up,
    value_down,
)
from solvent.reference.ledger import claim_of, debt_of, lent_total
from solvent.reference.lending.pool import claim_fees
from solvent.reference.margin import liquidatable, portfolio_of
from solvent.reference.standby.relief import held_before, relieve
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.insolvency import is_worthless
from solvent.reference.waterfall.policies import Candidate
from solvent.reference.waterfall.rounds import (
    ATTEMPTS,
    CarryOut,
    Kind,
    Reasons,
    Round,
    Side,
    allot_round,
    candidate_of,
    matches_of,
    open_round,
    tiers,
    value_of,
)
from solvent.reference.waterfall.settlement import Match, means_worth, settle, stays_healthy, unhurt
from solvent.reference.waterfall.sizing import (
    Part,
    debts_largest_first,
    deliverable_value,
    draw_in_order,
    fee_rate,
    needed_debt,
)

ROUNDING_ATOMS = 2
"""Atoms that the share rounding of one match may leave of a debt."""

LEFT_ATOMS = 16
"""The most atoms of a debt that are taken to be what rounding left of it."""

Budget = dict[int, int]
"""Atoms of a debt, per account in default, that are still to be settled for it."""


def settle_defaults(state: State, defaulted: Reasons) -> None:
    """Case B: rounds for each asset owed by a borrower in default, then what is left is booked."""
    for asset in range(len(state.pools)):
        # Nobody in default needs no claim of the treasury's either.
        if not defaulted or state.prices[asset].stale:
            continue
        owing = {account: default_of(state, account, asset) for account in sorted(defaulted)}
        _claim_for(state, asset, sum(owing.values()) + ROUNDING_ATOMS)
        _settle_asset(state, asset, owing, defaulted, fund=False)
        for account in owing:
            owing[account] = fund_part(state, account, asset)
        _settle_asset(state, asset, owing, defaulted, fund=True)


def _settle_asset(
    state: State, asset: int, budget: Budget, reasons: Reasons, *, fund: bool
) -> None:
    """The rounds of one asset, by tier, until the budget is spent."""
    if not any(budget.values()):
        return
    for means in tiers(state, owed=range(1, len(state.pools))):
        if means.borrowed or state.prices[means.asset].stale:
            continue
        kind = Kind(asset, AdlCase.BORROWER_DEFAULT, means, fund)
        for _ in range(ATTEMPTS):
            sides = plan_default_sides(state, kind, budget)
            candidates = plan_lenders(state, kind, sides)
            if not candidates:
                break
            policy = state.parameters.waterfall.default_policy
            plan = allot_round(state, kind, policy, sides, candidates)
            number = open_round(state, plan, reasons)
            before = {side.account: debt_of(state, side.account, asset) for side in sides}
            held = held_before(state, kind, [each.account for each in candidates])
            settle_debtors(state, plan, number, settle)
            relieve(state, kind, number, held)
            for account, owed in before.items():
                budget[account] -= min(budget[account], owed - debt_of(state, account, asset))


def _claim_for(state: State, asset: int, quantity: int) -> None:
    """Let the pool's fees become a claim where its claims do not reach a debt of `quantity`."""
    claim_fees(state, asset, max(0, quantity - lent_total(state.pools[asset])))


def default_of(state: State, account: int, asset: int) -> int:
    """Atoms of one debt that an account in default is to settle out of its own assets."""
    debt = debt_of(state, account, asset)
    if not debt or not liquidatable(state, account):
        return 0
    if not is_worthless(state, account):
        largest = debts_largest_first(state, portfolio_of(state, account))[0]
        return debt if largest == asset else 0
    decimals, mark = state.asset(asset).decimals, state.mark(asset)
    return payable(debt, _share_of_assets(state, account, asset), mark, decimals)


def fund_part(state: State, account: int, asset: int) -> int:
    """Atoms of one debt of a worthless account that the fund pays for: those that rounding left.

    What the account lacks is booked before.
    """
    debt = debt_of(state, account, asset)
    if not 0 < debt <= LEFT_ATOMS or not is_worthless(state, account):
        return 0
    worth = deliverable_value(state, FUND)
    return payable(debt, worth, state.mark(asset), state.asset(asset).decimals)


def _share_of_assets(state: State, account: int, asset: int) -> int:
    """This debt's part of the assets left, by value among the debts still open from here on."""
    assets = deliverable_value(state, account)
    notionals = {
        other: value_of(state, other, debt_of(state, account, other))
        for other in range(asset, len(state.pools))
        if not state.prices[other].stale
    }
    total = sum(notionals.values())
    return mul_div_down(assets, notionals[asset], total) if total else 0


def plan_default_sides(state: State, kind: Kind, budget: Budget) -> list[Side]:
    """What is to be settled in these means, by account id."""
    sides = [side_of(state, kind, account, most) for account, most in sorted(budget.items())]
    if kind.fund:
        sides = _reach_of_fund(state, kind, sides)
    return [side for side in sides if side.needed]


def _reach_of_fund(state: State, kind: Kind, sides: Sequence[Side]) -> list[Side]:
    """What the fund can still give in these means for each, in order of account."""
    worth = means_worth(state, FUND, kind.asset, kind.means)
    mark, decimals = state.mark(kind.asset), state.asset(kind.asset).decimals
    found = []
    for side in sides:
        needed = payable(side.needed, worth, mark, decimals)
        worth -= value_of(state, kind.asset, needed)
        found.append(side._replace(needed=needed))
    return found


def side_of(state: State, kind: Kind, account: int, most: int) -> Side:
    """How much of `most` atoms of a debt is settled in these means, and for which fee.

    The least that restores target health of an account with value.
    """
    asset, means = kind.asset, kind.means
    debt = min(most, debt_of(state, account, asset))
    if not debt or not liquidatable(state, account):
        return Side(account, 0)
    if kind.fund:
        return Side(account, debt)
    waterfall = state.parameters.waterfall
    worthless = is_worthless(state, account)
    # What rounding left a worthless account is no worth to charge.
    fee = 0
    if not worthless:
        fee = fee_rate(state, account, means.asset, asset, waterfall.book_fee)
    worth = mul_div_down(means_worth(state, account, asset, means), RATIO, RATIO + fee)
    reach = payable(debt, worth, state.mark(asset), state.asset(asset).decimals)
    if reach and not worthless:
        portfolio = portfolio_of(state, account)
        part = Part(means.asset, portfolio.quantities[means.asset])

        def take(quantities: list[int], value: int) -> None:
            draw_in_order(state, quantities, value, [part])

        reach = min(reach, needed_debt(state, portfolio, asset, fee, take))
    return Side(account, reach, fee)


def plan_lenders(state: State, kind: Kind, sides: Sequence[Side]) -> list[Candidate]:
    """Lenders of the asset whom these means may pay, by account id; none where nobody needs any."""
    owing = {side.account for side in sides}
    needed = sum(side.needed for side in sides)
    if not needed:
        return []
    return [
        candidate
        for account in range(len(state.accounts))
        if account not in owing and (candidate := lender_of(state, kind, account, needed))
    ]


def lender_of(state: State, kind: Kind, account: int, needed: int) -> Candidate | None:
    """A lender whom these means may pay, or None; his position is the claim.

    Tokens that he owes pay up to his debt; other tokens only where his health does not fall by it,
    then where it leaves him above maintenance, asked of the most that he could be allotted.
    """
    asset, means = kind.asset, kind.means
    claim = claim_of(state, account, asset)
    if not claim:
        return None
    cap = claim
    mark, decimals = state.mark(means.asset), state.asset(means.asset).decimals
    if means.tier is Tier.OWED:
        worth = value_down(debt_of(state, account, means.asset), mark, decimals)
        # The fee comes on top of what is settled.
        worth = mul_div_down(worth, RATIO, RATIO + state.parameters.waterfall.book_fee)
        cap = payable(claim, worth, state.mark(asset), state.asset(asset).decimals)
    elif means.tier in (Tier.IN_KIND, Tier.FLAGGED):
        most = min(claim, needed)
        pay = quantity_up(value_of(state, asset, most), mark, decimals)
        swap = account, asset, most, means.asset, pay
        bears = unhurt if means.tier is Tier.IN_KIND else stays_healthy
        if not bears(state, *swap):
            return None
    return candidate_of(state, account, claim, cap) if cap else None


def settle_debtors(state: State, plan: Round, number: int, carry_out: CarryOut) -> None:
    """Settle the pairs of a round of case B, then the atoms that rounding left of a debt."""
    place = 0
    for match in matches_of(state, plan, number):
        carry_out(state, match)
        place = match.number + 1
    for side in plan.sides:
        place = _settle_rest(state, plan, side, number, place, carry_out)


def _settle_rest(
    state: State, plan: Round, side: Side, number: int, place: int, carry_out: CarryOut
) -> int:
    """Offer the atoms that rounding left of a worthless debt to all lenders in turn.

    They are paid for where an atom of what is paid in is worth no more. Returns the next place.
    """
    kind, debtor = plan.kind, side.account
    asset, means = kind.asset, kind.means
    rest = debt_of(state, debtor, asset)
    few = 0 < rest <= ROUNDING_ATOMS * (place + 1)
    giver = FUND if kind.fund else debtor
    # All lenders would be asked in vain, one after another, where there is nothing to give.
    has_any = state.accounts[giver].available[means.asset] or claim_of(state, giver, means.asset)
    if not few or not has_any or not is_worthless(state, debtor):
        return place
    for lender in range(len(state.accounts)):
        debt = debt_of(state, debtor, asset)
        if not debt:
            break
        rest = min(debt, claim_of(state, lender, asset))
        if rest:
            value = value_of(state, asset, rest)
            pay = quantity_down(value, state.mark(means.asset), state.asset(means.asset).decimals)
            match = Match(
                round=number,
                number=place,
                case=kind.case,
                asset=asset,
                lender=lender,
                debtor=debtor,
                giver=giver,
                means=means,
                quantity=rest,
                value=value,
                pay=pay,
            )
            place += carry_out(state, match) > 0
    return place
