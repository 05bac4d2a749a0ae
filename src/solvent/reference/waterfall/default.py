"""ADL case B: a borrower in default, whose assets go to the lenders of what he owes (A12).

Its debt cannot be bought back and no provider took it. Lenders of the asset are picked by policy
and paid at the mark; those whom the swap would put below maintenance come last. An account worth
less than it owes divides its assets among its debts by value; then the backstop fund pays; what is
left is a deficit (`deficit`).

Specification: section 8.4.
"""

from collections.abc import Sequence

from solvent.domain.labels import AdlCase
from solvent.domain.parameters import USDC
from solvent.domain.units import FINE_PER_VALUE, cover, divide_up, mul_div_down, payable, value_down
from solvent.reference.ledger import claim_of, debt_of, lent_total
from solvent.reference.lending.pool import claim_fees
from solvent.reference.margin import (
    Doubt,
    health,
    health_of,
    liquidatable,
    portfolio_of,
)
from solvent.reference.state import FUND, State
from solvent.reference.waterfall.adl import (
    CarryOut,
    Reasons,
    Round,
    Side,
    accounts_of,
    allot_round,
    open_round,
    value_of,
)
from solvent.reference.waterfall.deficit import book_deficits
from solvent.reference.waterfall.policies import Candidate
from solvent.reference.waterfall.settlement import Match, settle
from solvent.reference.waterfall.sizing import (
    debts_largest_first,
    deliverable,
    deliverable_value,
    largest_first,
    needed_debt,
)

ROUNDING_ATOMS = 2
"""Atoms that the share rounding of one match may leave of a debt."""


def settle_defaults(state: State, defaulted: Reasons) -> None:
    """Case B: one round per asset owed by a borrower in default, then what is left is booked."""
    for asset in range(len(state.pools)):
        sides = plan_default_sides(state, asset, sorted(defaulted))
        if sides:
            _claim_for(state, asset, sum(side.needed for side in sides))
            plan = plan_default_round(state, asset, sides)
            number = open_round(state, plan, defaulted)
            settle_debtors(state, plan, number, settle)
    book_deficits(state, sorted(defaulted))


def _claim_for(state: State, asset: int, quantity: int) -> None:
    """Let the pool's fees become a claim where its claims do not reach a debt of `quantity`."""
    claim_fees(state, asset, max(0, quantity - lent_total(state.pools[asset])))


def plan_default_sides(state: State, asset: int, defaulted: Sequence[int]) -> list[Side]:
    """What is to be settled of one asset: by account id, each finding what is left of the fund."""
    if state.prices[asset].stale:
        return []
    fund_left = deliverable_value(state, FUND)
    sides = []
    for account in defaulted:
        side = default_of(state, account, asset, fund_left)
        if side is not None:
            sides.append(side)
            fund_left -= value_of(state, asset, side.fund)
    assert fund_left >= 0, "the fund pays no more than it has"
    return sides


def default_of(state: State, account: int, asset: int, fund_left: int) -> Side | None:
    """How much of one debt is to be settled, out of the debtor's assets and the fund's."""
    debt = debt_of(state, account, asset)
    values = health_of(state, account)
    if not debt or not liquidatable(state, account):
        return None
    decimals, mark = state.asset(asset).decimals, state.mark(asset)
    if values.total_value > 0:
        portfolio = portfolio_of(state, account)
        if debts_largest_first(state, portfolio)[0] != asset:
            return None
        order = [other for other in largest_first(state, account) if other != asset]
        needed = needed_debt(state, portfolio, asset, order, 0)
        own = payable(needed, deliverable_value(state, account), mark, decimals)
        return Side(account, own, 0, fund_left) if own else None
    own = payable(debt, _share_of_assets(state, account, asset), mark, decimals)
    fund = payable(debt - own, _fund_share(state, account, asset, fund_left), mark, decimals)
    return Side(account, own, fund, fund_left) if own + fund else None


def _fund_share(state: State, account: int, asset: int, fund_left: int) -> int:
    """Value that the fund pays for one debt of a worthless account: its shortfall, to an atom.

    Assets at a stale price still cover a part of the debts; that part waits for a fresh price.
    """
    shortfall = divide_up(-health_of(state, account).total_value, FINE_PER_VALUE)
    return max(0, min(fund_left, shortfall + value_of(state, asset, 1)))


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


def plan_default_round(state: State, asset: int, sides: Sequence[Side]) -> Round:
    """The round of all defaulted debts of one asset: lenders picked, the endangered ones last."""
    owing = set(accounts_of(sides))
    candidates = [
        candidate
        for account in range(len(state.accounts))
        if account not in owing and (candidate := lender_of(state, account, asset))
    ]
    stock = stock_of(state, owing)
    needed = sum(side.needed for side in sides)
    late = frozenset(
        candidate.account
        for candidate in candidates
        if falls_below(state, candidate.account, asset, min(candidate.cap, needed), stock)
    )
    policy = state.parameters.waterfall.default_policy
    return allot_round(state, asset, AdlCase.BORROWER_DEFAULT, policy, sides, candidates, late)


def settle_debtors(state: State, plan: Round, number: int, carry_out: CarryOut) -> None:
    """Settle the pairs of a round of case B, then the atoms that rounding left.

    The debtor pays for its part first; the fund for the rest, once the debtor is worth nothing.
    """
    own_left = {side.account: side.own for side in plan.sides}
    place = 0
    for lender, debtor, quantity in plan.pairs:
        own = min(quantity, own_left[debtor])
        own_left[debtor] -= own
        match = Match(number, place, plan.asset, lender, debtor, debtor, own)
        paid = carry_out(state, match) if own else 0
        rest = quantity - paid if health_of(state, debtor).total_value <= 0 else 0
        match = match._replace(number=place + 1, giver=FUND, quantity=rest)
        if rest:
            carry_out(state, match)
        place += 2
    for side in plan.sides:
        place = _settle_rest(state, plan.asset, side.account, number, place, carry_out)


def _settle_rest(
    state: State, asset: int, debtor: int, number: int, place: int, carry_out: CarryOut
) -> int:
    """Offer the atoms that rounding left of a debt to all lenders in turn; the next match's place.

    The debtor pays for them, or the fund.
    """
    rest = debt_of(state, debtor, asset)
    if not 0 < rest <= ROUNDING_ATOMS * (place + 1) or health_of(state, debtor).total_value > 0:
        return place
    _claim_for(state, asset, rest)
    for lender in range(len(state.accounts)):
        for giver in (debtor, FUND):
            rest = min(debt_of(state, debtor, asset), claim_of(state, lender, asset))
            if rest:
                match = Match(number, place, asset, lender, debtor, giver, rest)
                place += carry_out(state, match) > 0
    return place


def lender_of(state: State, account: int, asset: int) -> Candidate | None:
    """A lender of the asset, or None; position and cap are the claim."""
    claim = claim_of(state, account, asset)
    if not claim:
        return None
    values = health(state, portfolio_of(state, account)).report()
    return Candidate(account, claim, claim, values.assets_value, max(1, values.total_value))


def stock_of(state: State, owing: set[int]) -> dict[int, int]:
    """Atoms of each asset that the defaulted accounts can hand over together."""
    stock: dict[int, int] = {}
    for account in owing:
        for asset in largest_first(state, account):
            stock[asset] = stock.get(asset, 0) + deliverable(state, account, asset)
    return stock


def falls_below(
    state: State, account: int, asset: int, quantity: int, stock: dict[int, int]
) -> bool:
    """Whether giving up `quantity` for any one of these assets would make the lender liquidatable.

    Asked of the most he could be allotted, each asset at the size and weight he would have it in;
    what there is not enough of is made up in USDC.
    """
    before = portfolio_of(state, account)
    if not health(state, before).debts_value:
        return False
    value = value_down(quantity, state.mark(asset), state.asset(asset).decimals)
    for kind, held in stock.items():
        after = before.copy()
        after.quantities[asset] -= quantity
        received, worth = cover(held, value, state.mark(kind), state.asset(kind).decimals)
        after.receive(kind, received)
        after.receive(USDC, value - worth)
        if health(state, after, Doubt.FOR_ACCOUNT).liquidatable:
            return True
    return False
