"""Sizing in kernels: how much of a debt must be closed, and out of which collateral.

As in `reference.waterfall.sizing`: the answer comes from asking `what if` of a copy of the
portfolio, by bisection. Assets in an order are a row of their numbers and a count.
"""

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
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import (
    divide_up,
    fine_down,
    fine_up,
    mul_div_down,
    mul_div_up,
    payable,
    quantity_up,
    value_down,
    value_up,
)
from solvent.engine.waterfall.rows import Part
from solvent.engine.weights import margin_fraction_up, weight_of
from solvent.kernels.language import (
    Wide,
    copy_row,
    kernel,
    narrow,
    numbers_of,
    row_in,
    rows_in,
    wide,
)
from solvent.kernels.rows import Memory, Row, Rows

_ROUNDING_OF_FRACTION = 2
"""By how much a margin fraction may be rounded up, 10^-9."""


class Sizing(Row):
    """A sizing question: about which asset. Behind it: an order, a portfolio, room to work in."""

    which: int
    count: int
    """Of the order, or of the parts."""
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
def _is_larger(s: Store, values: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    """Ties go by asset number."""
    if values[one] == values[other]:
        return one < other
    return values[one] > values[other]


@kernel
def draw_in_order(s: Store, quantities: Memory, value: int, parts: Rows[Part], count: int) -> None:
    """Take collateral worth `value` out of `quantities`, one part after the other.

    Quantities round up, so that the value is reached; a part used up counts what it is worth.
    """
    left = value
    for place in range(count):
        if left <= 0:
            return
        asset = parts[place].asset
        most = parts[place].quantity
        mark = mark_of(s, asset)
        worth = value_down(most, mark, asset_row(s, asset))
        taken = most
        if worth >= left:
            taken = quantity_up(left, mark, asset_row(s, asset))
        quantities[asset] -= taken
        left -= min(worth, left)


@kernel
def slice_up(s: Store, quantities: Memory, value: int, assets: Memory, count: int) -> None:
    """Take the same part of each of `count` assets, worth `value` together or all there is.

    Quantities round up, so that the value is reached.
    """
    fine = wide(0)
    for place in range(count):
        asset = assets[place]
        fine += fine_down(quantities[asset], mark_of(s, asset), asset_row(s, asset))
    total = narrow(fine // FINE_PER_VALUE)
    for place in range(count):
        asset = assets[place]
        taken = quantities[asset]
        if value < total:
            taken = mul_div_up(taken, value, total)
        quantities[asset] -= taken


@kernel
def slice_down(
    s: Store, quantities: Memory, value: int, assets: Memory, count: int, parts: Rows[Part]
) -> int:
    """As `slice_up`, rounded down: worth at most `value`.

    Writes what was taken, at most one part an asset, and returns how many parts there are.
    """
    fine = wide(0)
    for place in range(count):
        asset = assets[place]
        fine += fine_up(quantities[asset], mark_of(s, asset), asset_row(s, asset))
    total = narrow(divide_up(fine, FINE_PER_VALUE))
    found = 0
    for place in range(count):
        asset = assets[place]
        taken = quantities[asset]
        if value < total:
            taken = mul_div_down(taken, value, total)
        if taken:
            quantities[asset] -= taken
            part = parts[found]
            part.asset = asset
            part.quantity = taken
            found += 1
    return found


@kernel
def _context(s: Store, portfolio: Memory) -> Sizing:
    """A context with a copy of `portfolio`, room for another, for an order and for parts."""
    assets = s.globals.assets
    room = take(s, Sizing.WIDTH + (1 + 3 + 3 + 2 * Part.WIDTH) * assets)
    context = row_in(Sizing, room)
    copy_portfolio(s, portfolio, _order_in(context).at(assets))
    return context


@kernel
def _order_in(context: Sizing) -> Memory:
    """The order of assets of a sizing question."""
    return numbers_of(context).at(Sizing.WIDTH)


@kernel
def _parts_in(s: Store, context: Sizing) -> Rows[Part]:
    """The parts of a sizing question, two an asset at most."""
    return rows_in(Part, _order_in(context).at(7 * s.globals.assets))


@kernel
def _imagined(s: Store, context: Sizing) -> Memory:
    """A fresh copy of the context's portfolio, to change."""
    assets = s.globals.assets
    after = _order_in(context).at(4 * assets)
    copy_portfolio(s, _order_in(context).at(assets), after)
    return after


@kernel
def needed_debt_in_order(
    s: Store, portfolio: Memory, debt: int, premium: int, parts: Rows[Part], count: int
) -> int:
    """Least atoms of `debt` whose closing restores target health; the whole debt if none does.

    Closing x takes collateral worth x * (1 + premium) at the mark, one part after the other.
    """
    top = s.globals.scratch_top
    context = _context(s, portfolio)
    context.which = debt
    context.count = count
    context.premium = premium
    drawn = _parts_in(s, context)
    for place in range(count):
        copy_row(parts[place], drawn[place])
    needed = smallest_passing(_ordered_restores, s, context, portfolio[s.globals.assets + debt])
    s.globals.scratch_top = top
    return needed


@kernel
def needed_debt_by_slice(
    s: Store, portfolio: Memory, debt: int, premium: int, assets: Memory, count: int
) -> int:
    """As `needed_debt_in_order`, but that the same part of each asset is taken."""
    top = s.globals.scratch_top
    context = _context(s, portfolio)
    context.which = debt
    context.count = count
    context.premium = premium
    sliced = _order_in(context)
    for place in range(count):
        sliced[place] = assets[place]
    needed = smallest_passing(_slice_restores, s, context, portfolio[s.globals.assets + debt])
    s.globals.scratch_top = top
    return needed


@kernel
def _ordered_restores(s: Store, context: Sizing, quantity: int) -> bool:
    """Whether closing `quantity` of the debt out of parts in order restores target health."""
    after = _imagined(s, context)
    value = _closing_cost(s, context, after, quantity)
    draw_in_order(s, after, value, _parts_in(s, context), context.count)
    return target_restored(s, health(s, after, Doubt.FOR_ACCOUNT, wide(0)))


@kernel
def _slice_restores(s: Store, context: Sizing, quantity: int) -> bool:
    """Whether closing `quantity` of the debt out of a slice of assets restores target health."""
    after = _imagined(s, context)
    value = _closing_cost(s, context, after, quantity)
    slice_up(s, after, value, _order_in(context), context.count)
    return target_restored(s, health(s, after, Doubt.FOR_ACCOUNT, wide(0)))


@kernel
def _closing_cost(s: Store, context: Sizing, after: Memory, quantity: int) -> int:
    """Take `quantity` off the debt; the value of the collateral that goes for it."""
    debt = context.which
    after[s.globals.assets + debt] -= quantity
    notional = value_up(quantity, mark_of(s, debt), asset_row(s, debt))
    return mul_div_up(notional, RATIO + context.premium, RATIO)


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
    freed = freed_by(s, account, debt)
    least = min(wide(min(most, bearable_rate(weight, freed))), worth * RATIO // values.debts_value)
    return narrow(least)


@kernel
def freed_by(s: Store, account: int, debt: int) -> int:
    """What maintenance a part of a debt frees at least where it ends, 10^-9 of the part."""
    parameters = asset_row(s, debt)
    notional = value_down(debt_of(s, account, debt), mark_of(s, debt), parameters)
    fraction = margin_fraction_up(
        parameters.maintenance_base, parameters.maintenance_factor, notional
    )
    return max(0, fraction - _ROUNDING_OF_FRACTION)


@kernel
def bearable_rate(weight: int, freed: int) -> int:
    """The largest fee, 10^-9 of the collateral given up, at which NE - M does not fall."""
    return mul_div_down(max(0, RATIO - weight + freed), RATIO, RATIO + freed)


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


@kernel
def heaviest_first(s: Store, order: Memory) -> int:
    """Write the assets but USDC at fresh prices, highest weight first, ties by number."""
    count = _fresh_tokens(s, order)
    sort_by(s, order, count, _is_heavier, order)
    return count


@kernel
def lightest_first(s: Store, order: Memory) -> int:
    """Write the assets at fresh prices, least weight first, USDC last, ties by number."""
    count = _fresh_tokens(s, order)
    sort_by(s, order, count, _is_lighter, order)
    order[count] = USDC
    return count + 1


@kernel
def _fresh_tokens(s: Store, order: Memory) -> int:
    count = 0
    for asset in range(1, s.globals.assets):
        if not is_stale(s, asset):
            order[count] = asset
            count += 1
    return count


@kernel
def _is_heavier(s: Store, context: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    first, second = asset_row(s, one).weight, asset_row(s, other).weight
    return one < other if first == second else first > second


@kernel
def _is_lighter(s: Store, context: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    first, second = asset_row(s, one).weight, asset_row(s, other).weight
    return one < other if first == second else first < second
