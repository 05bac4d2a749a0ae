"""What a sale on the book brings, and which collateral goes first, in kernels.

As in `reference.waterfall.sales`.
"""

from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.domain.parameters import USDC
from solvent.domain.units import FINE_PER_VALUE, RATIO
from solvent.engine.allot.sorting import sort_by
from solvent.engine.ledger import (
    asset_row,
    claim_of,
    claim_worth,
    debt_of,
    mark_of,
    pool_row,
    position,
)
from solvent.engine.lending import pool as pools
from solvent.engine.margin import Doubt, Health, health_of, total_value
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import best_price, crosses, opposite
from solvent.engine.orderbook.depth import impact_limit, walk
from solvent.engine.units import cover, divide_up, fine_down, mul_div_up, value_down
from solvent.engine.waterfall.rows import Part, Prospect
from solvent.engine.waterfall.sizing import deliverable
from solvent.engine.weights import margin_fraction_up, weight_of, weighted_down
from solvent.kernels.language import Wide, kernel, narrow, rows_in, wide
from solvent.kernels.rows import Memory, Rows


class Terms(NamedTuple):
    """An order's worst price and the one that can be borne without fee, 10^-10 USDC."""

    limit: int
    bearable: int


class Sale(NamedTuple):
    """How one asset raises USDC: of `asked` atoms of the claim `redeemed` can be, then the sale.

    `quantity` is 0 where there is too little for an order or nobody to meet.
    """

    asset: int
    asked: int
    redeemed: int
    quantity: int
    limit: int
    bearable: int


@kernel
def sale_order(
    s: Store, account: int, debt: int, budget: int, order: Memory, parts: Rows[Part]
) -> int:
    """What an account can raise up to `budget` USDC with, in the order in which it goes.

    Writes the assets, and what is drawn on for an attempt's size: what each brings now, then what
    is left of each. Returns how many assets there are.
    """
    top = s.globals.scratch_top
    assets = s.globals.assets
    prospects = rows_in(Prospect, take(s, Prospect.WIDTH * assets))
    count = 0
    for asset in range(assets):
        held = 0
        if asset != debt:
            held = deliverable(s, account, asset)
        if held:
            _put_prospect(s, prospects[asset], account, debt, asset, held, budget)
            order[count] = asset
            count += 1
    sort_by(s, order, count, _goes_first, prospects)
    for place in range(count):
        one = prospects[order[place]]
        parts[place].asset = one.asset
        parts[place].quantity = one.ready
        parts[count + place].asset = one.asset
        parts[count + place].quantity = one.held - one.ready
    s.globals.scratch_top = top
    return count


@kernel
def _goes_first(s: Store, prospects: Rows[Prospect], one: int, other: int) -> bool:  # noqa: ARG001
    """USDC, then what somebody buys, by gain, then by value, then by asset number."""
    if one == USDC or other == USDC:
        return one == USDC
    first, second = prospects[one], prospects[other]
    if (first.ready == 0) != (second.ready == 0):
        return first.ready != 0
    if first.gain != second.gain:
        return first.gain > second.gain
    if first.value != second.value:
        return first.value > second.value
    return one < other


@kernel
def _put_prospect(
    s: Store, row: Prospect, account: int, debt: int, asset: int, held: int, budget: int
) -> None:
    row.asset = asset
    row.held = held
    row.value = value_down(held, mark_of(s, asset), asset_row(s, asset))
    row.ready = 0
    row.gain = 0
    sale = plan_sale(s, account, debt, asset, budget)
    if asset == USDC:
        row.ready = position(s, account, USDC).available + sale.redeemed
        return
    if sale.quantity:
        found = walk(s, account, asset, Side.ASK, sale.limit, sale.quantity, True)
        row.ready = found.quantity
        row.gain = _gain(s, account, debt, asset, held, found.quantity, found.quote)


@kernel
def _gain(
    s: Store, account: int, debt: int, asset: int, held: int, quantity: int, quote: Wide
) -> int:
    """What selling atoms of an asset for `quote` USDC adds to NE - M, 10^-9 of their value."""
    mark = mark_of(s, asset)
    parameters = asset_row(s, asset)
    value = fine_down(quantity, mark, parameters)
    if value == 0:
        return 0
    weighed = weighted_down(parameters, held, mark)
    weighed -= weighted_down(parameters, held - quantity, mark)
    repaid = quote * FINE_PER_VALUE * (RATIO - s.rules.book_fee) // RATIO
    repaid += repaid * relief(s, account, debt) // RATIO
    return narrow((repaid - weighed) * RATIO // value)


@kernel
def plan_sale(s: Store, account: int, debt: int, asset: int, short: int) -> Sale:
    """How one asset brings `short` USDC at the mark after the fee, in whole lots.

    Lent tokens are redeemed past the throttle's bound but not past the pool's cash (A4).
    """
    held = position(s, account, asset)
    claim = claim_of(s, account, asset)
    cash = pools.redeemable(pool_row(s, asset))
    if asset == USDC:
        usdc = min(short, claim)
        return Sale(USDC, usdc, min(usdc, cash), 0, NONE, NONE)
    market = asset_row(s, asset)
    lot = market.lot
    gross = mul_div_up(short, RATIO, RATIO - s.rules.book_fee)
    most = held.available + claim
    covering, _ = cover(most, gross, mark_of(s, asset), market)
    lots = max(divide_up(covering, lot) * lot, market.min_quantity)
    wanted = narrow(min(lots, most // lot * lot))
    asked = max(0, wanted - held.available)
    redeemed = min(asked, cash)
    quantity = min(wanted, held.available + redeemed) // lot * lot
    if quantity < market.min_quantity:
        return Sale(asset, asked, redeemed, 0, NONE, NONE)
    terms = sale_terms(s, account, asset, debt, redeemed)
    if not meets(s, asset, Side.ASK, terms.limit):
        quantity = 0
    return Sale(asset, asked, redeemed, quantity, terms.limit, terms.bearable)


@kernel
def slippage(values: Health, most: int) -> int:
    """How far from the mark a price may be, in 10^-9: what the account is worth, at most `most`."""
    worth = max(wide(0), total_value(values)) * RATIO // max(wide(1), values.debts_value)
    return narrow(min(wide(most), worth))


@kernel
def sale_terms(s: Store, account: int, asset: int, debt: int, redeemed: int) -> Terms:
    """Lowest prices of a sale: near the mark, in the market's band, and no loss of health.

    A fill is judged with the maintenance that its repayment frees; where a purchase repays, that is
    the purchase's. What weighs is the holding once `redeemed` atoms of the claim became tokens.
    Without `mark_limits` the best bid and the impact band are the limit instead of the mark.
    """
    row = position(s, account, asset)
    lent = row.lent_shares - pools.claim_shares_up(s, account, asset, redeemed)
    quantity = row.available + row.locked + redeemed + claim_worth(pool_row(s, asset), lent)
    mark = wide(mark_of(s, asset))
    values = health_of(s, account, Doubt.NONE)
    freed = relief(s, account, debt) if debt == USDC else 0
    weight = weight_of(asset_row(s, asset), quantity, mark_of(s, asset))
    least = divide_up(mark * weight, RATIO + freed)
    solvent = divide_up(mark * (RATIO - slippage(values, RATIO)), RATIO)
    near = divide_up(mark * (RATIO - slippage(values, s.rules.max_discount)), RATIO)
    banded = divide_up(mark * asset_row(s, asset).min_multiplier, RATIO)
    limit = max(wide(1), least, near, banded)
    if s.rules.mark_limits == 0:
        # NONE is below any price.
        limit = max(wide(1), least, wide(impact_limit(s, asset, Side.ASK, account)))
    return Terms(narrow(limit), narrow(max(wide(1), least, solvent)))


@kernel
def meets(s: Store, asset: int, side: Side, limit: int) -> bool:
    """Whether an order of the engine meets anybody within its limit."""
    best = best_price(s, asset, opposite(side))
    return best != NONE and crosses(side, limit, best)


@kernel
def relief(s: Store, account: int, debt: int) -> int:
    """Maintenance freed per unit of the debt repaid, in 10^-9, rounded down to be safe."""
    parameters = asset_row(s, debt)
    owed = debt_of(s, account, debt)
    notional = value_down(owed, mark_of(s, debt), parameters)
    base, factor = parameters.maintenance_base, parameters.maintenance_factor
    return max(0, margin_fraction_up(base, factor, notional) - 2)
