"""ADL case B: a borrower in default, whose assets go to the lenders of what he owes (A12).

His debt cannot be bought back and no provider took it. Lenders of the asset are picked by policy
and paid at the mark; those whom the swap would put below maintenance come last. An account worth
less than it owes divides its assets among its debts by value; then the backstop fund pays; what is
left is a deficit (`deficit`).

Specification: section 8.4.
"""

from solvent.domain.labels import AdlCase
from solvent.domain.parameters import USDC, Policy
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
    Default,
    Part,
    Reasons,
    open_round,
    pair,
    record_candidate,
    record_sides,
    value_of,
)
from solvent.reference.waterfall.deficit import book_deficits
from solvent.reference.waterfall.policies import Candidate, Demand, allot, apportion
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
        if state.prices[asset].stale:
            continue
        fund_left = deliverable_value(state, FUND)
        defaults = []
        for account in sorted(defaulted):
            default = _default(state, account, asset, fund_left)
            if default is not None:
                defaults.append(default)
                fund_left -= value_of(state, asset, default.fund)
        if defaults:
            _default_round(state, asset, defaults, defaulted)
    book_deficits(state, sorted(defaulted))


def _default(state: State, account: int, asset: int, fund_left: int) -> Default | None:
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
        return Default(account, own, 0, fund_left) if own else None
    own = payable(debt, _share_of_assets(state, account, asset), mark, decimals)
    fund = payable(debt - own, fund_share(state, account, asset, fund_left), mark, decimals)
    return Default(account, own, fund, fund_left) if own + fund else None


def fund_share(state: State, account: int, asset: int, fund_left: int) -> int:
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


def _default_round(state: State, asset: int, defaults: list[Default], reasons: Reasons) -> None:
    """Pick lenders for all defaulted debts of one asset, allot, match and settle."""
    owing = {default.account for default in defaults}
    policy = state.parameters.waterfall.default_policy
    needed = sum(default.own + default.fund for default in defaults)
    claimed = lent_total(state.pools[asset])
    if claimed < needed:
        claim_fees(state, asset, needed - claimed)
    candidates = [
        candidate
        for account in range(len(state.accounts))
        if account not in owing and (candidate := _lender(state, account, asset))
    ]
    stock = _stock(state, owing)
    first: list[Candidate] = []
    last: list[Candidate] = []
    for candidate in candidates:
        late = _falls_below(state, candidate.account, asset, min(candidate.cap, needed), stock)
        (last if late else first).append(candidate)
    total = min(needed, sum(candidate.cap for candidate in candidates))
    upper = min(total, sum(candidate.cap for candidate in first))
    allotted = _allot(state, policy, first, upper, asset)
    allotted |= _allot(state, policy, last, total - upper, asset)
    number = open_round(state, asset, AdlCase.BORROWER_DEFAULT, policy, needed, total)
    sides = [Part(default.account, default.own + default.fund) for default in defaults]
    granted = apportion(total, [side.quantity for side in sides], [side.quantity for side in sides])
    record_sides(state, number, defaults, granted, reasons)
    late_accounts = {candidate.account for candidate in last}
    for candidate in candidates:
        account = candidate.account
        record_candidate(
            state, number, candidate, allotted[account], last=int(account in late_accounts)
        )
    claims = [Part(candidate.account, allotted[candidate.account]) for candidate in candidates]
    debts = [Part(side.account, part) for side, part in zip(sides, granted, strict=True)]
    _settle_default_matches(state, number, asset, claims, debts, defaults)


def _settle_default_matches(
    state: State,
    number: int,
    asset: int,
    claims: list[Part],
    debts: list[Part],
    defaults: list[Default],
) -> None:
    """Settle the pairs: the debtor pays for his part first, the fund for the rest."""
    own_left = {default.account: default.own for default in defaults}
    place = 0
    for lender, debtor, quantity in pair(claims, debts):
        own = min(quantity, own_left[debtor])
        own_left[debtor] -= own
        paid = _settle_part(state, Match(number, place, asset, lender, debtor, debtor, own))
        rest = quantity - paid if health_of(state, debtor).total_value <= 0 else 0
        _settle_part(state, Match(number, place + 1, asset, lender, debtor, FUND, rest))
        place += 2
    _settle_rests(state, number, asset, defaults, place)


def _settle_part(state: State, match: Match) -> int:
    return settle(state, match) if match.quantity else 0


def _settle_rests(
    state: State, number: int, asset: int, defaults: list[Default], place: int
) -> None:
    """Offer the atoms that rounding left of a debt to the first lender, paid by debtor or fund."""
    for default in defaults:
        rest = debt_of(state, default.account, asset)
        if not 0 < rest <= ROUNDING_ATOMS * (place + 1):
            continue
        if health_of(state, default.account).total_value > 0:
            continue
        claim_fees(state, asset, max(0, rest - lent_total(state.pools[asset])))
        for lender in range(len(state.accounts)):
            for giver in (default.account, FUND):
                rest = min(debt_of(state, default.account, asset), claim_of(state, lender, asset))
                match = Match(number, place, asset, lender, default.account, giver, rest)
                place += _settle_part(state, match) > 0


def _lender(state: State, account: int, asset: int) -> Candidate | None:
    """A lender of the asset, or None; his position and cap are his claim."""
    claim = claim_of(state, account, asset)
    if not claim:
        return None
    values = health(state, portfolio_of(state, account)).report()
    return Candidate(account, claim, claim, values.assets_value, max(1, values.total_value))


def _stock(state: State, owing: set[int]) -> dict[int, int]:
    """Atoms of each asset that the defaulted accounts can hand over together."""
    stock: dict[int, int] = {}
    for account in owing:
        for asset in largest_first(state, account):
            stock[asset] = stock.get(asset, 0) + deliverable(state, account, asset)
    return stock


def _falls_below(
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


def _allot(
    state: State, policy: Policy, candidates: list[Candidate], quantity: int, asset: int
) -> dict[int, int]:
    parts = allot(policy, candidates, Demand(quantity, value_of(state, asset, quantity)))
    return {candidate.account: part for candidate, part in zip(candidates, parts, strict=True)}
