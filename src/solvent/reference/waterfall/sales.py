"""What a sale on the book brings, and which collateral goes first.

A sale is planned as it would be sent: near the mark, in the market's band, and at no price that by
itself lowers health (I16). Collateral goes in the order that needs the least value sold for the
target: by what a sale of it adds to NE - M for each unit of value sold, at the price that can be
had. So where bids are alike what weighs least goes first. USDC comes before all, for it need not be
sold; last comes what nobody buys.

What can be had is what bids that must be able to pay would take of the most that one attempt may
sell. So a bid for a lot changes the order by a lot at most (I39), and sizes count each asset only
for what it brings now.

Specification: section 7.3.
"""

from typing import NamedTuple

from solvent.domain.commands import Side
from solvent.domain.parameters import USDC
from solvent.domain.units import (
    FINE_PER_VALUE,
    RATIO,
    cover,
    divide_up,
    fine_down,
    mul_div_up,
    value_down,
)
from solvent.reference.ledger import claim_of, claim_worth, debt_of
from solvent.reference.lending import pool as pools
from solvent.reference.margin import (
    Health,
    health_of,
    margin_fraction_up,
    weight_of,
    weighted_down,
)
from solvent.reference.orderbook.book import best_price, crosses, market_of, opposite
from solvent.reference.orderbook.depth import impact_limit, walk
from solvent.reference.state import State
from solvent.reference.waterfall.sizing import Part, deliverable


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
    quantity: int = 0
    terms: Terms | None = None


class Prospect(NamedTuple):
    """What one asset brings now: of `held` atoms `ready` ones find USDC, or are some.

    `gain` is what a sale of those adds to NE - M, 10^-9 of the value sold; `value` is of all that
    is held, 10^-6 USDC.
    """

    asset: int
    held: int
    ready: int
    gain: int
    value: int


def sale_order(state: State, account: int, debt: int, budget: int) -> list[Prospect]:
    """What an account can raise up to `budget` USDC with, in the order in which it goes."""
    prospects = [
        _prospect(state, account, debt, asset, budget)
        for asset in range(len(state.pools))
        if asset != debt and deliverable(state, account, asset)
    ]
    return sorted(
        prospects,
        key=lambda each: (each.asset != USDC, not each.ready, -each.gain, -each.value, each.asset),
    )


def _prospect(state: State, account: int, debt: int, asset: int, budget: int) -> Prospect:
    held = deliverable(state, account, asset)
    value = value_down(held, state.mark(asset), state.asset(asset).decimals)
    sale = plan_sale(state, account, debt, asset, budget)
    if asset == USDC:
        ready = state.accounts[account].available[USDC] + sale.redeemed
        return Prospect(USDC, held, ready, 0, value)
    if sale.terms is None:
        return Prospect(asset, held, 0, 0, value)
    found = walk(state, account, asset, Side.ASK, sale.terms.limit, sale.quantity, sure=True)
    gain = _gain(state, account, debt, asset, found.quantity, found.quote)
    return Prospect(asset, held, found.quantity, gain, value)


def _gain(state: State, account: int, debt: int, asset: int, quantity: int, quote: int) -> int:
    """What selling atoms of an asset for `quote` USDC adds to NE - M, 10^-9 of their value."""
    mark, parameters = state.mark(asset), state.asset(asset)
    value = fine_down(quantity, mark, parameters.decimals)
    if value == 0:
        return 0
    held = deliverable(state, account, asset)
    weighed = weighted_down(parameters, held, mark)
    weighed -= weighted_down(parameters, held - quantity, mark)
    fee = state.parameters.waterfall.book_fee
    repaid = quote * FINE_PER_VALUE * (RATIO - fee) // RATIO
    repaid += repaid * relief(state, account, debt) // RATIO
    return (repaid - weighed) * RATIO // value


def parts_in_order(prospects: list[Prospect]) -> list[Part]:
    """What is drawn on for an attempt's size: what all assets bring now, then what is left."""
    ready = [Part(each.asset, each.ready) for each in prospects]
    return ready + [Part(each.asset, each.held - each.ready) for each in prospects]


def plan_sale(state: State, account: int, debt: int, asset: int, short: int) -> Sale:
    """How one asset brings `short` USDC at the mark after the fee, in whole lots.

    Lent tokens are redeemed past the throttle's bound but not past the pool's cash (A4).
    """
    assert not state.prices[asset].stale, "nothing is sold at a stale price (I14)"
    holder, claim = state.accounts[account], claim_of(state, account, asset)
    cash = pools.redeemable(state.pools[asset])
    if asset == USDC:
        asked = min(short, claim)
        return Sale(USDC, asked, min(asked, cash))
    market = market_of(state, asset)
    gross = mul_div_up(short, RATIO, RATIO - state.parameters.waterfall.book_fee)
    held = holder.available[asset] + claim
    wanted, _ = cover(held, gross, state.mark(asset), state.asset(asset).decimals)
    wanted = max(divide_up(wanted, market.lot) * market.lot, market.min_quantity)
    wanted = min(wanted, held // market.lot * market.lot)
    asked = max(0, wanted - holder.available[asset])
    redeemed = min(asked, cash)
    quantity = min(wanted, holder.available[asset] + redeemed) // market.lot * market.lot
    if quantity < market.min_quantity:
        return Sale(asset, asked, redeemed)
    terms = sale_terms(state, account, asset, debt, redeemed)
    if not meets(state, asset, Side.ASK, terms.limit):
        return Sale(asset, asked, redeemed)
    return Sale(asset, asked, redeemed, quantity, terms)


def meets(state: State, asset: int, side: Side, limit: int) -> bool:
    """Whether an order of the engine meets anybody within its limit."""
    best = best_price(state, asset, opposite(side))
    return best is not None and crosses(side, limit, best)


def slippage(values: Health, most: int) -> int:
    """How far from the mark a price may be, in 10^-9: what the account is worth, at most `most`."""
    return min(most, max(0, values.total_value) * RATIO // max(1, values.debts_value))


def sale_terms(state: State, account: int, asset: int, debt: int, redeemed: int) -> Terms:
    """Lowest prices of a sale: near the mark, in the market's band, and no loss of health.

    A fill is judged with the maintenance that its repayment frees; where a purchase repays, that is
    the purchase's. What weighs is the holding once `redeemed` atoms of the claim became tokens.
    Without `mark_limits` the best bid and the impact band are the limit instead of the mark.
    """
    mark, values = state.mark(asset), health_of(state, account)
    holder, pool = state.accounts[account], state.pools[asset]
    lent = holder.lent_shares[asset] - pools.claim_shares_up(state, account, asset, redeemed)
    held = holder.available[asset] + holder.locked[asset] + redeemed + claim_worth(pool, lent)
    freed = relief(state, account, debt) if debt == USDC else 0
    least = divide_up(mark * weight_of(state.asset(asset), held, mark), RATIO + freed)
    solvent = divide_up(mark * (RATIO - slippage(values, RATIO)), RATIO)
    bearable = max(1, least, solvent)
    if not state.parameters.waterfall.mark_limits:
        return Terms(max(1, least, impact_limit(state, asset, Side.ASK, account) or 1), bearable)
    near = slippage(values, state.parameters.waterfall.max_discount)
    near = divide_up(mark * (RATIO - near), RATIO)
    banded = divide_up(mark * market_of(state, asset).min_multiplier, RATIO)
    return Terms(max(1, least, near, banded), bearable)


def relief(state: State, account: int, debt: int) -> int:
    """Maintenance freed per unit of the debt repaid, in 10^-9, rounded down to be safe."""
    parameters = state.asset(debt)
    owed = debt_of(state, account, debt)
    notional = value_down(owed, state.mark(debt), parameters.decimals)
    return max(0, margin_fraction_up(parameters.maintenance, notional) - 2)
