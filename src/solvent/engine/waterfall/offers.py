"""Offers in kernels: what an account in the backstop stage offers, and what a provider can bear.

As in `reference.waterfall.backstop`. An offer is a row of named numbers and of room to ask
questions in.
"""

from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.engine.ledger import account_row, asset_row, claim_of, commitment, mark_of, pool_row
from solvent.engine.limits import largest_passing
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    health,
    leverage_exceeded,
    portfolio_of,
    receive,
)
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up, mul_div_down, value_down
from solvent.engine.waterfall.rows import Offer, Part
from solvent.engine.waterfall.sizing import deliverable, slice_down
from solvent.kernels.language import kernel, narrow, numbers_of, row_in, rows_in, wide
from solvent.kernels.rows import Memory, Rows

_PER_ASSET = 3 + 2 * 3 + Part.WIDTH
"""Numbers for each asset behind an offer, see `Offer`."""


@kernel
def new_offer(s: Store, account: int) -> Offer:
    """An offer of `account`, in scratch, with the room that it needs behind it."""
    offer = row_in(Offer, take(s, Offer.WIDTH + _PER_ASSET * s.globals.assets))
    offer.account = account
    return offer


@kernel
def assets_of(offer: Offer) -> Memory:
    """The assets of which a slice is handed over."""
    return numbers_of(offer).at(Offer.WIDTH)


@kernel
def provides(s: Store, offer: Offer, provider: int) -> bool:
    """Whether a provider has commitment in the debt on offer and is free to take it."""
    if provider == offer.account or account_row(s, provider).is_liquidating:
        return False
    return commitment(s, provider, offer.debt).committed != 0


@kernel
def provider_premium(s: Store, offer: Offer) -> int:
    """The provider's part of the discount, rounded down for the fund."""
    return narrow(wide(offer.discount) * (RATIO - s.rules.fund_share) // RATIO)


@kernel
def capacity(s: Store, offer: Offer, provider: int) -> int:
    """Atoms of the debt a provider can take: committed, and borne by his margin and leverage limit.

    None where all that he bears is worth less than an atom of collateral.
    """
    put_deliverable(s, offer)
    portfolio_of(s, provider, portfolio_before(s, offer))
    offer.provider = provider
    offer.claim = claim_of(s, provider, offer.debt)
    most = min(offer.quantity, commitment(s, provider, offer.debt).committed)
    largest = largest_passing(_is_bearable, s, offer, most)
    return largest if _slice_collateral(s, offer, largest) else 0


@kernel
def put_deliverable(s: Store, offer: Offer) -> None:
    """Write what the account can hand over now into its offer."""
    quantities = quantities_of(s, offer)
    for asset in range(s.globals.assets):
        quantities[asset] = deliverable(s, offer.account, asset)


@kernel
def quantities_of(s: Store, offer: Offer) -> Memory:
    return assets_of(offer).at(s.globals.assets)


@kernel
def portfolio_before(s: Store, offer: Offer) -> Memory:
    """The portfolio that an offer is asked about."""
    return assets_of(offer).at(3 * s.globals.assets)


@kernel
def portfolio_after(s: Store, offer: Offer) -> Memory:
    """A fresh copy of that portfolio, to change."""
    after = assets_of(offer).at(6 * s.globals.assets)
    copy_portfolio(s, portfolio_before(s, offer), after)
    return after


@kernel
def parts_of(s: Store, offer: Offer) -> Rows[Part]:
    return rows_in(Part, assets_of(offer).at(9 * s.globals.assets))


@kernel
def _slice_collateral(s: Store, offer: Offer, quantity: int) -> int:
    """Write the slice of collateral that would go to a provider with `quantity` of the debt."""
    assets = s.globals.assets
    quantities = quantities_of(s, offer)
    left = quantities.at(assets)
    for asset in range(assets):
        left[asset] = quantities[asset]
    value = collateral_value(s, offer, quantity, provider_premium(s, offer))
    return slice_down(s, left, value, assets_of(offer), offer.count, parts_of(s, offer))


@kernel
def _is_bearable(s: Store, offer: Offer, quantity: int) -> bool:
    """Whether the provider asked could take `quantity` within his margin and leverage limit."""
    assets = s.globals.assets
    after = portfolio_after(s, offer)
    parts = parts_of(s, offer)
    for place in range(_slice_collateral(s, offer, quantity)):
        taken = parts[place]
        least = taken.quantity - _slack(s, taken.asset)
        receive(s, after, taken.asset, max(0, least))
    debt = offer.debt
    owed = quantity + _slack(s, debt)
    netted = min(owed, offer.claim)
    after[debt] -= netted
    after[assets + debt] += owed - netted
    values = health(s, after, Doubt.AGAINST_ACCOUNT, wide(0))
    limit = account_row(s, offer.provider).leverage_limit
    return values.net_equity >= values.initial and not leverage_exceeded(values, limit)


@kernel
def _slack(s: Store, asset: int) -> int:
    """Atoms that share rounding may cost who takes a claim or a debt: a share of either side."""
    pool = pool_row(s, asset)
    lend = divide_up(pool.lend_index, INDEX_SCALE)
    return narrow(lend + divide_up(pool.debt_index, INDEX_SCALE))


@kernel
def collateral_value(s: Store, offer: Offer, quantity: int, premium: int) -> int:
    """Value of collateral that goes with `quantity` of the debt at a premium, rounded down."""
    debt = offer.debt
    notional = value_down(quantity, mark_of(s, debt), asset_row(s, debt))
    return mul_div_down(notional, RATIO + premium, RATIO)
