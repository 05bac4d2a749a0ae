"""Offers in kernels: what an account in the backstop stage offers, and what a provider can bear.

As in `reference.waterfall.backstop`. An offer is a row of named numbers and of room to ask
questions in.
"""

from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine.ledger import (
    account_row,
    asset_row,
    claim_of,
    mark_of,
    pledge,
    pool_row,
)
from solvent.engine.limits import largest_passing
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    health,
    portfolio_of,
    receive,
)
from solvent.engine.memory.layout import (
    ASSETS,
    COMMITTED,
    DEBT_INDEX,
    FUND_SHARE,
    IS_LIQUIDATING,
    LEND_INDEX,
)
from solvent.engine.units import divide_up, mul_div_down, value_down
from solvent.engine.waterfall.sizing import (
    DRAW_ASSET,
    DRAW_QUANTITY,
    DRAW_WIDTH,
    deliverable,
    draw_down,
)
from solvent.kernels.language import (
    Memory,
    Store,
    kernel,
    narrow,
    wide,
)

# offers: these numbers, then for n assets the order of collateral (n), what the account can hand
# over (n and a copy), a portfolio (3 n and a copy), and draws (3 n)
OFFER_ACCOUNT = 0
OFFER_DEBT = 1
OFFER_QUANTITY = 2
OFFER_DISCOUNT = 3
OFFER_COUNT = 4
"""Of the order."""
_CLAIM = 5
"""Claim in the debt's asset of the provider who is asked."""
OFFER_TAKEN = 6
OFFER_ORDER = 7
OFFER_PER_ASSET = 3 + 2 * 3 + DRAW_WIDTH


@kernel
def provides(s: Store, offer: Memory, provider: int) -> bool:
    """Whether a provider has commitment in the debt on offer and is free to take it."""
    if provider == offer[OFFER_ACCOUNT] or account_row(s, provider)[IS_LIQUIDATING]:
        return False
    return pledge(s, provider, offer[OFFER_DEBT])[COMMITTED] != 0


@kernel
def provider_premium(s: Store, offer: Memory) -> int:
    """The provider's part of the discount, rounded down for the fund."""
    return narrow(wide(offer[OFFER_DISCOUNT]) * (RATIO - s.rules[FUND_SHARE]) // RATIO)


@kernel
def capacity(s: Store, offer: Memory, provider: int) -> int:
    """Atoms of the debt a provider can take: committed, and borne by his initial margin.

    None where all that he bears is worth less than an atom of collateral.
    """
    put_deliverable(s, offer)
    portfolio_of(s, provider, portfolio_before(s, offer))
    offer[_CLAIM] = claim_of(s, provider, offer[OFFER_DEBT])
    most = min(offer[OFFER_QUANTITY], pledge(s, provider, offer[OFFER_DEBT])[COMMITTED])
    largest = largest_passing(_is_bearable, s, offer, most)
    return largest if _draw_collateral(s, offer, largest) else 0


@kernel
def put_deliverable(s: Store, offer: Memory) -> None:
    """Write what the account can hand over now into its offer."""
    quantities = quantities_of(s, offer)
    for asset in range(s.globals[ASSETS]):
        quantities[asset] = deliverable(s, offer[OFFER_ACCOUNT], asset)


@kernel
def quantities_of(s: Store, offer: Memory) -> Memory:
    return offer.at(OFFER_ORDER + s.globals[ASSETS])


@kernel
def portfolio_before(s: Store, offer: Memory) -> Memory:
    """The portfolio that an offer is asked about."""
    return offer.at(OFFER_ORDER + 3 * s.globals[ASSETS])


@kernel
def portfolio_after(s: Store, offer: Memory) -> Memory:
    """A fresh copy of that portfolio, to change."""
    after = offer.at(OFFER_ORDER + 6 * s.globals[ASSETS])
    copy_portfolio(s, portfolio_before(s, offer), after)
    return after


@kernel
def draws_of(s: Store, offer: Memory) -> Memory:
    return offer.at(OFFER_ORDER + 9 * s.globals[ASSETS])


@kernel
def _draw_collateral(s: Store, offer: Memory, quantity: int) -> int:
    """Write the draws of collateral that would go to a provider with `quantity` of the debt."""
    assets = s.globals[ASSETS]
    quantities = quantities_of(s, offer)
    left = quantities.at(assets)
    for asset in range(assets):
        left[asset] = quantities[asset]
    value = collateral_value(s, offer, quantity, provider_premium(s, offer))
    return draw_down(s, left, value, offer.at(OFFER_ORDER), offer[OFFER_COUNT], draws_of(s, offer))


@kernel
def _is_bearable(s: Store, offer: Memory, quantity: int) -> bool:
    """Whether the provider asked could take `quantity` of the debt and keep his initial margin."""
    assets = s.globals[ASSETS]
    after = portfolio_after(s, offer)
    draws = draws_of(s, offer)
    for place in range(_draw_collateral(s, offer, quantity)):
        taken = draws.at(place * DRAW_WIDTH)
        least = taken[DRAW_QUANTITY] - _slack(s, taken[DRAW_ASSET])
        receive(s, after, taken[DRAW_ASSET], max(0, least))
    debt = offer[OFFER_DEBT]
    owed = quantity + _slack(s, debt)
    netted = min(owed, offer[_CLAIM])
    after[debt] -= netted
    after[assets + debt] += owed - netted
    values = health(s, after, Doubt.AGAINST_ACCOUNT, wide(0))
    return values.net_equity >= values.initial


@kernel
def _slack(s: Store, asset: int) -> int:
    """Atoms that share rounding may cost who takes a claim or a debt: a share of either side."""
    pool = pool_row(s, asset)
    lend = divide_up(pool[LEND_INDEX], INDEX_SCALE)
    return narrow(lend + divide_up(pool[DEBT_INDEX], INDEX_SCALE))


@kernel
def collateral_value(s: Store, offer: Memory, quantity: int, premium: int) -> int:
    """Value of collateral that goes with `quantity` of the debt at a premium, rounded down."""
    debt = offer[OFFER_DEBT]
    notional = value_down(quantity, mark_of(s, debt), asset_row(s, debt))
    return mul_div_down(notional, RATIO + premium, RATIO)
