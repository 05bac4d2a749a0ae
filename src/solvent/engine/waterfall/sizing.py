"""Sizing in kernels: how much of a debt must be closed, and out of which collateral.

As in `reference.waterfall.sizing`: the answer comes from asking `what if` of a copy of the
portfolio, by bisection. Assets in an order are a row of their numbers and a count; a draw is a row
of the asset, the atoms taken and the value that they count for.
"""

from collections.abc import Callable

from solvent.domain.parameters import USDC
from solvent.domain.units import FINE_PER_VALUE, RATIO
from solvent.engine.allot.sorting import sort_by
from solvent.engine.ledger import asset_row, claim_of, debt_of, is_stale, mark_of, position
from solvent.engine.limits import smallest_passing
from solvent.engine.margin import (
    Doubt,
    copy_portfolio,
    health,
    health_of,
    target_restored,
    total_value,
)
from solvent.engine.memory.rows import Asset
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import (
    fine_down,
    fine_up,
    mul_div_down,
    mul_div_up,
    payable,
    quantity_down,
    quantity_up,
    value_down,
    value_up,
)
from solvent.engine.waterfall.rows import Draw
from solvent.engine.weights import margin_fraction_up, weight_of
from solvent.kernels.language import Wide, kernel, narrow, numbers_of, row_in, rows_in, wide
from solvent.kernels.rows import Memory, Row, Rows

Rounded = Callable[[int, int, Asset], int]
"""(value, price, asset row) -> atoms."""


_ROUNDING_OF_FRACTION = 2
"""By how much a margin fraction may be rounded up, 10^-9."""


class Sizing(Row):
    """A sizing question: about which asset. Behind it: an order, a portfolio, room to work in."""

    which: int
    count: int
    """Of the order."""
    premium: int
    """On top of a debt, or the fee out of what a swap brings, 10^-9."""


@kernel
def deliverable(s: Store, account: int, asset: int) -> int:
    """Atoms of an asset that an account can hand over: free, locked and lent, at a fresh price."""
    if is_stale(s, asset):
        return 0
    row = position(s, account, asset)
    return row.available + row.locked + claim_of(s, account, asset)


@kernel
def deliverable_value(s: Store, account: int) -> int:
    """Value at the mark of all that an account can hand over, rounded down per asset."""
    value = 0
    for asset in range(s.globals.assets):
        quantity = deliverable(s, account, asset)
        value += value_down(quantity, mark_of(s, asset), asset_row(s, asset))
    return value


@kernel
def largest_first(s: Store, account: int, order: Memory) -> int:
    """Write the assets an account can hand over by value, largest first; return how many."""
    top = s.globals.scratch_top
    values = take(s, s.globals.assets)
    count = 0
    for asset in range(s.globals.assets):
        quantity = deliverable(s, account, asset)
        if quantity:
            values[asset] = value_down(quantity, mark_of(s, asset), asset_row(s, asset))
            order[count] = asset
            count += 1
    sort_by(s, order, count, _is_larger, values)
    s.globals.scratch_top = top
    return count


@kernel
def debts_largest_first(s: Store, portfolio: Memory, order: Memory) -> int:
    """Write the debts at fresh prices by notional, largest first; return how many."""
    top = s.globals.scratch_top
    values = take(s, s.globals.assets)
    count = 0
    for asset in range(s.globals.assets):
        debt = portfolio[s.globals.assets + asset]
        if debt and not is_stale(s, asset):
            values[asset] = value_up(debt, mark_of(s, asset), asset_row(s, asset))
            order[count] = asset
            count += 1
    sort_by(s, order, count, _is_larger, values)
    s.globals.scratch_top = top
    return count


@kernel
def without(order: Memory, count: int, asset: int) -> int:
    """Take `asset` out of a list of `count` assets; how many are left."""
    left = 0
    for place in range(count):
        if order[place] != asset:
            order[left] = order[place]
            left += 1
    return left


@kernel
def _is_larger(s: Store, values: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """Ties go by asset number."""
    if values[one] == values[other]:
        return one < other
    return values[one] > values[other]


@kernel
def draw_up(
    s: Store, quantities: Memory, value: int, order: Memory, count: int, draws: Rows[Draw]
) -> int:
    """Take collateral worth `value` out of `quantities`, in the given order of assets.

    Quantities round up, so that the value is reached; an asset used up counts what it is worth.
    Writes the draws one after the other, at most one an asset, and returns how many they are.
    """
    return _draw(s, quantities, value, order, count, draws, quantity_up)


@kernel
def draw_down(
    s: Store, quantities: Memory, value: int, order: Memory, count: int, draws: Rows[Draw]
) -> int:
    """Take collateral worth at most `value`: as `draw_up`, rounded down."""
    return _draw(s, quantities, value, order, count, draws, quantity_down)


@kernel
def _draw(
    s: Store,
    quantities: Memory,
    value: int,
    order: Memory,
    count: int,
    draws: Rows[Draw],
    rounded: Rounded,
) -> int:
    drawn = 0
    left = value
    for place in range(count):
        if left <= 0:
            break
        asset = order[place]
        mark = mark_of(s, asset)
        worth = value_down(quantities[asset], mark, asset_row(s, asset))
        wanted = quantities[asset]
        if worth >= left:
            wanted = rounded(left, mark, asset_row(s, asset))
        counted = min(worth, left)
        left -= counted
        if wanted:
            quantities[asset] -= wanted
            one = draws[drawn]
            one.asset = asset
            one.quantity = wanted
            one.value = counted
            drawn += 1
    return drawn


@kernel
def _context(s: Store, portfolio: Memory) -> Sizing:
    """A context with a copy of `portfolio`, room for another, and for an order and draws."""
    assets = s.globals.assets
    room = take(s, Sizing.WIDTH + (1 + 3 + 3 + Draw.WIDTH) * assets)
    context = row_in(Sizing, room)
    copy_portfolio(s, portfolio, _order_in(context).at(assets))
    return context


@kernel
def _order_in(context: Sizing) -> Memory:
    """The order of assets of a sizing question."""
    return numbers_of(context).at(Sizing.WIDTH)


@kernel
def _imagined(s: Store, context: Sizing) -> Memory:
    """A fresh copy of the context's portfolio, to change."""
    assets = s.globals.assets
    after = _order_in(context).at(4 * assets)
    copy_portfolio(s, _order_in(context).at(assets), after)
    return after


@kernel
def needed_debt(
    s: Store, portfolio: Memory, debt: int, order: Memory, count: int, premium: int
) -> int:
    """Least atoms of `debt` whose closing restores target health; the whole debt if none does.

    Closing x takes collateral worth x * (1 + premium) at the mark, in the given order of assets.
    """
    top = s.globals.scratch_top
    context = _context(s, portfolio)
    context.which = debt
    context.count = count
    context.premium = premium
    ordered = _order_in(context)
    for place in range(count):
        ordered[place] = order[place]
    needed = smallest_passing(_restored, s, context, portfolio[s.globals.assets + debt])
    s.globals.scratch_top = top
    return needed


@kernel
def _restored(s: Store, context: Sizing, quantity: int) -> bool:
    """Whether closing `quantity` of the debt restores target health."""
    assets = s.globals.assets
    debt = context.which
    after = _imagined(s, context)
    after[assets + debt] -= quantity
    notional = value_up(quantity, mark_of(s, debt), asset_row(s, debt))
    value = mul_div_up(notional, RATIO + context.premium, RATIO)
    draws = rows_in(Draw, after.at(3 * assets))
    draw_up(s, after, value, _order_in(context), context.count, draws)
    return target_restored(s, health(s, after, Doubt.FOR_ACCOUNT, wide(0)))


@kernel
def needed_swap(
    s: Store, portfolio: Memory, asset: int, order: Memory, count: int, most: int, fee: int
) -> int:
    """Least atoms of `asset` which, turned into value that retires debts, restore target health.

    Value, less a fee of 10^-9 parts, goes to the debts in `order`; `most` where nothing less is
    enough.
    """
    top = s.globals.scratch_top
    context = _context(s, portfolio)
    ordered = _order_in(context)
    for place in range(count):
        ordered[place] = order[place]
    context.which = asset
    context.count = count
    context.premium = fee
    needed = smallest_passing(_swap_restored, s, context, most)
    s.globals.scratch_top = top
    return needed


@kernel
def _swap_restored(s: Store, context: Sizing, quantity: int) -> bool:
    """Whether turning `quantity` of the asset into value restores target health."""
    asset = context.which
    mark = mark_of(s, asset)
    after = _imagined(s, context)
    after[asset] -= quantity
    cost = mul_div_down(value_down(quantity, mark, asset_row(s, asset)), context.premium, RATIO)
    value = fine_down(quantity, mark, asset_row(s, asset)) - wide(cost) * FINE_PER_VALUE
    cash = retire(s, after, value, _order_in(context), context.count)
    return target_restored(s, health(s, after, Doubt.FOR_ACCOUNT, cash))


@kernel
def usdc_first(s: Store, portfolio: Memory, order: Memory) -> int:
    """Write in which order value retires debts: USDC, then the largest; return how many."""
    count = debts_largest_first(s, portfolio, order)
    for place in range(count - 1, 0, -1):
        if order[place] == USDC:
            order[place] = order[place - 1]
            order[place - 1] = USDC
    return count


@kernel
def fee_rate(s: Store, account: int, asset: int, debt: int, most: int) -> int:
    """The part of what is settled that an account pays as a fee, 10^-9: `most`, or what it bears.

    As in `reference.waterfall.sizing`.
    """
    values = health_of(s, account, Doubt.NONE)
    worth = total_value(values)
    if worth <= 0:
        return 0
    row = position(s, account, asset)
    held = row.available + row.locked + claim_of(s, account, asset)
    weight = weight_of(asset_row(s, asset), held, mark_of(s, asset))
    parameters = asset_row(s, debt)
    notional = value_down(debt_of(s, account, debt), mark_of(s, debt), parameters)
    fraction = margin_fraction_up(
        parameters.maintenance_base, parameters.maintenance_factor, notional
    )
    freed = max(0, fraction - _ROUNDING_OF_FRACTION)
    bearable = mul_div_down(max(0, RATIO - weight + freed), RATIO, RATIO + freed)
    least = min(wide(min(most, bearable)), worth * RATIO // values.debts_value)
    return narrow(least)


@kernel
def retire(s: Store, portfolio: Memory, value: Wide, order: Memory, count: int) -> Wide:
    """Spend `value` (10^-12 USDC) on debts at the mark in the given order; return what is left."""
    for place in range(count):
        debt = order[place]
        owed = s.globals.assets + debt
        row = asset_row(s, debt)
        mark = mark_of(s, debt)
        quantity = payable(portfolio[owed], narrow(value // FINE_PER_VALUE), mark, row)
        portfolio[owed] -= quantity
        value -= min(value, fine_up(quantity, mark, row))
    return value
