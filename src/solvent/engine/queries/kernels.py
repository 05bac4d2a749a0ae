"""Queries in kernels: what `queries` reads, written into a row that the caller brings.

As in `reference.queries`. A kernel here changes nothing but scratch and the row it fills; only
`liquidation_prices` and the like write into the prices, of which a caller hands them a copy. Sums
that need more than 64 bits are written as two numbers, see `join` in `queries`.
"""

from solvent.domain.commands import Side
from solvent.domain.parameters import MAX_VALUE
from solvent.domain.readings import HIGHEST_MULTIPLE
from solvent.domain.units import FINE_PER_VALUE, INDEX_SCALE, INT64_MAX, RATIO
from solvent.engine.ledger import (
    account_row,
    asset_row,
    borrowed_total,
    claim_of,
    debt_of,
    lent_total,
    mark_of,
    pool_row,
    position,
    unfunded_of,
)
from solvent.engine.lending.pool import redeemable
from solvent.engine.lending.rates import borrow_apr, utilization
from solvent.engine.lending.throttle import bound_in_force, within
from solvent.engine.limits import gated, largest_passing, pool_state, smallest_passing
from solvent.engine.margin import (
    Doubt,
    Health,
    health,
    health_of,
    is_liquidatable,
    portfolio_of,
    report,
)
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Asset, CommandRow, Level
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import waits
from solvent.engine.orderbook.levels import book_row, level_rows, order_row
from solvent.engine.queries.refusals import portfolio_after
from solvent.engine.queries.rows import (
    BalanceRow,
    Halves,
    HealthRow,
    LevelRow,
    MarginRow,
    MarksRow,
    PoolRow,
)
from solvent.engine.units import divide_up, fine_down, fine_up, mul_div_down, mul_div_up
from solvent.engine.weights import margin_fraction_up, weighted_down
from solvent.kernels.language import Wide, kernel, narrow, numbers_of, row_in, wide
from solvent.kernels.rows import Memory, Row, Rows

HALF = 2**62
"""A wide number is its first half times this, plus its second."""


class Redemption(Row):
    """What a question about a redemption asks of: a pool and its bound."""

    asset: int
    bound: int


class Imagined(Row):
    """What a question about a mark asks of: which asset has which mark. Behind it: a portfolio."""

    asset: int
    mark: int


@kernel
def read_balances(s: Store, account: int, out: Rows[BalanceRow]) -> None:
    """Write a row for every asset."""
    for asset in range(s.globals.assets):
        row = position(s, account, asset)
        found = out[asset]
        found.available = row.available
        found.locked = row.locked
        found.lent = claim_of(s, account, asset)
        found.owed = debt_of(s, account, asset)
        found.unfunded = unfunded_of(s, account, asset)


@kernel
def read_health(s: Store, account: int, out: HealthRow) -> None:
    """Write the health of an account."""
    _put_health(out, health_of(s, account, Doubt.NONE))


@kernel
def _put_health(out: HealthRow, values: Health) -> None:
    summary = report(values)
    out.net_equity = summary.net_equity
    out.initial = summary.initial
    out.maintenance = summary.maintenance
    out.exposure = summary.exposure
    out.assets_value = summary.assets_value
    out.debts_value = summary.debts_value
    out.total_value = summary.total_value
    _put_wide(out.sums[0], values.net_equity)
    _put_wide(out.sums[1], values.initial)
    _put_wide(out.sums[2], values.maintenance)
    _put_wide(out.sums[3], values.exposure)


@kernel
def _put_wide(halves: Halves, number: Wide) -> None:
    halves.upper = narrow(number // HALF)
    halves.lower = narrow(number % HALF)


@kernel
def read_margins(s: Store, account: int, out: Rows[MarginRow]) -> None:
    """Write a row for every asset."""
    for asset in range(s.globals.assets):
        row = position(s, account, asset)
        parameters = asset_row(s, asset)
        mark = mark_of(s, asset)
        quantity = row.available + row.locked + claim_of(s, account, asset)
        notional = narrow(
            divide_up(fine_up(debt_of(s, account, asset), mark, parameters), FINE_PER_VALUE)
        )
        found = out[asset]
        found.value = narrow(fine_down(quantity, mark, parameters) // FINE_PER_VALUE)
        found.counted = narrow(weighted_down(parameters, quantity, mark) // FINE_PER_VALUE)
        found.notional = notional
        found.initial_fraction = margin_fraction_up(
            parameters.initial_base, parameters.initial_factor, notional
        )
        found.maintenance_fraction = margin_fraction_up(
            parameters.maintenance_base, parameters.maintenance_factor, notional
        )


@kernel
def read_pool(s: Store, asset: int, out: PoolRow) -> None:
    """Write what there is to know about one pool."""
    pool = pool_row(s, asset)
    parameters = asset_row(s, asset)
    level = utilization(pool)
    bound = bound_in_force(parameters, pool)
    out.lent = lent_total(pool)
    out.borrowed = borrowed_total(pool)
    out.cash = pool.cash
    out.utilization = level
    out.borrow_apr = borrow_apr(parameters, level)
    out.lend_apr = _lend_apr(parameters, level)
    out.bound = bound
    out.threshold = parameters.throttle_threshold
    out.max_utilization = parameters.max_utilization
    out.state = pool_state(s, asset)
    out.redeemable = redeemable(pool)
    out.withdrawable = _withdrawable(s, asset, bound)
    out.gated = gated(s, asset)
    out.fees = pool.fees
    out.residue = pool.residue
    out.deficit = pool.deficit


@kernel
def _lend_apr(asset: Asset, utilization_ratio: int) -> int:
    """Borrow APR * utilization * (1 - fee), rounded down."""
    capped = min(utilization_ratio, RATIO)
    gross = wide(borrow_apr(asset, capped)) * capped
    return narrow(gross * (RATIO - asset.pool_fee) // (RATIO * RATIO))


@kernel
def _withdrawable(s: Store, asset: int, bound: int) -> int:
    pool = pool_row(s, asset)
    if pool.lend_index == 0:
        return 0
    top = s.globals.scratch_top
    context = row_in(Redemption, take(s, Redemption.WIDTH))
    context.asset = asset
    context.bound = bound
    largest = largest_passing(_leaves_within, s, context, redeemable(pool))
    s.globals.scratch_top = top
    return largest


@kernel
def _leaves_within(s: Store, context: Redemption, quantity: int) -> bool:
    pool = pool_row(s, context.asset)
    shares = mul_div_up(quantity, INDEX_SCALE, pool.lend_index)
    left = max(0, pool.lend_shares - shares)
    lent = mul_div_down(left, pool.lend_index, INDEX_SCALE)
    return within(borrowed_total(pool), lent, context.bound)


@kernel
def list_orders(s: Store, account: int, out: Memory) -> int:
    """Write the slots of an account's resting orders, oldest first; return how many."""
    count = 0
    slot = account_row(s, account).first_order
    while slot != NONE:
        order = order_row(s, slot)
        if not waits(order):
            out[count] = slot
            count += 1
        slot = order.account_next
    return count


@kernel
def read_depth(s: Store, asset: int, side: Side, most: int, out: Rows[LevelRow]) -> int:
    """Write up to `most` levels, best first; return how many."""
    levels = level_rows(s, asset, side)
    held = book_row(s, asset, side).level_count
    count = min(most, held)
    for number in range(count):
        level = levels[held - 1 - number]
        found = out[number]
        _put_wide(found.quantity, _resting(s, level))
        found.price = level.price
    return count


@kernel
def read_level(s: Store, asset: int, side: Side, price: int, out: Halves) -> None:
    """Write all that rests at one price; it is looked for from the best one on."""
    _put_wide(out, wide(0))
    levels = level_rows(s, asset, side)
    for number in range(book_row(s, asset, side).level_count - 1, -1, -1):
        level = levels[number]
        if level.price == price:
            _put_wide(out, _resting(s, level))
            return


@kernel
def _resting(s: Store, level: Level) -> Wide:
    total = wide(0)
    slot = level.first
    while slot != NONE:
        order = order_row(s, slot)
        total += order.quantity
        slot = order.next
    return total


@kernel
def liquidation_prices(s: Store, account: int, asset: int, out: MarksRow) -> None:
    """Write the marks below and above at which the account is liquidatable, or NONE.

    Marks are tried out in the prices, which must be a copy.
    """
    top = s.globals.scratch_top
    context = row_in(Imagined, take(s, Imagined.WIDTH + 3 * s.globals.assets))
    portfolio_of(s, account, _portfolio_in(context))
    _search(s, context, asset, out)
    s.globals.scratch_top = top


@kernel
def liquidation_prices_after(s: Store, command: CommandRow, asset: int, out: MarksRow) -> None:
    """The same once a command that nothing refuses was carried out."""
    top = s.globals.scratch_top
    context = row_in(Imagined, take(s, Imagined.WIDTH + 3 * s.globals.assets))
    portfolio_after(s, command, _portfolio_in(context))
    _search(s, context, asset, out)
    s.globals.scratch_top = top


@kernel
def read_after_trade(
    s: Store,
    account: int,
    gives: int,
    paid: int,
    gets: int,
    got: int,
    asset: int,
    sums: HealthRow,
    out: MarksRow,
) -> int:
    """Write how an account stands after a trade; return what of its payment it would owe."""
    top = s.globals.scratch_top
    context = row_in(Imagined, take(s, Imagined.WIDTH + 3 * s.globals.assets))
    portfolio = _portfolio_in(context)
    portfolio_of(s, account, portfolio)
    taken = min(paid, portfolio[gives])
    portfolio[gives] -= taken
    portfolio[s.globals.assets + gives] += paid - taken
    portfolio[gets] += got
    _put_health(sums, health(s, portfolio, Doubt.NONE, 0))
    _search(s, context, asset, out)
    s.globals.scratch_top = top
    return paid - taken


@kernel
def _portfolio_in(context: Imagined) -> Memory:
    return numbers_of(context).at(Imagined.WIDTH)


@kernel
def _search(s: Store, context: Imagined, asset: int, out: MarksRow) -> None:
    """Write the highest mark below and the lowest above that liquidate the context's portfolio."""
    mark = mark_of(s, asset)
    context.asset = asset
    context.mark = mark
    if _liquidatable_at(s, context, mark):
        out.below = mark
        out.above = mark
        return
    below = largest_passing(_liquidatable_below, s, context, mark)
    out.below = below if below and _liquidatable_at(s, context, below) else NONE
    most = max(mark, _highest_imagined(s, context, mark))
    above = mark + smallest_passing(_liquidatable_above, s, context, most - mark)
    out.above = above if _liquidatable_at(s, context, above) else NONE


@kernel
def _highest_imagined(s: Store, context: Imagined, mark: int) -> int:
    asset, count = context.asset, s.globals.assets
    portfolio = _portfolio_in(context)
    atoms = portfolio[asset] + portfolio[count + asset] + portfolio[2 * count + asset]
    worth = wide(MAX_VALUE) * asset_row(s, asset).value_divisor // max(1, atoms)
    return narrow(min(wide(mark) * HIGHEST_MULTIPLE, worth, INT64_MAX // 4))


@kernel
def _liquidatable_at(s: Store, context: Imagined, price: int) -> bool:
    s.prices[context.asset].mark = price
    return is_liquidatable(health(s, _portfolio_in(context), Doubt.FOR_ACCOUNT, 0))


@kernel
def _liquidatable_below(s: Store, context: Imagined, price: int) -> bool:
    return price == 0 or _liquidatable_at(s, context, price)


@kernel
def _liquidatable_above(s: Store, context: Imagined, rise: int) -> bool:
    return _liquidatable_at(s, context, context.mark + rise)
