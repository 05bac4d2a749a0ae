"""Queries in kernels: what `queries` reads, written into a row that the caller brings.

As in `reference.queries`. A kernel here changes nothing but scratch and the row it fills; only
`liquidation_prices` and the like write into the prices, of which a caller hands them a copy. Sums
that need more than 64 bits are written as two numbers, see `join` in `queries`.
"""

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
    health,
    health_of,
    is_liquidatable,
    portfolio_of,
    report,
)
from solvent.engine.memory.layout import (
    ACCOUNT_NEXT,
    ASSETS,
    AVAILABLE,
    CASH,
    DEFICIT,
    FEES,
    FIRST_ORDER,
    INITIAL_BASE,
    INITIAL_FACTOR,
    LEND_INDEX,
    LEND_SHARES,
    LEVEL_COUNT,
    LEVEL_FIRST,
    LEVEL_PRICE,
    LEVEL_WIDTH,
    LOCKED,
    MAINTENANCE_BASE,
    MAINTENANCE_FACTOR,
    MARK,
    MAX_UTILIZATION,
    NONE,
    ORDER_NEXT,
    ORDER_QUANTITY,
    POOL_FEE,
    PRICE_WIDTH,
    RESIDUE,
    SCRATCH_TOP,
    THROTTLE_THRESHOLD,
    VALUE_DIVISOR,
)
from solvent.engine.memory.scratch import take
from solvent.engine.orderbook.levels import book_row, level_rows, order_row
from solvent.engine.queries.refusals import portfolio_after
from solvent.engine.units import divide_up, fine_down, fine_up, mul_div_down, mul_div_up
from solvent.engine.weights import margin_fraction_up, weighted_down
from solvent.kernels.language import Memory, Store, Wide, kernel, narrow, wide

BALANCE_WIDTH = 5
HEALTH_WIDTH = 7
SUMS_WIDTH = 4
"""NE, I, M and E in 10^-12 USDC follow a health, two numbers each."""
HALF = 2**62
"""A wide number is its first half times this, plus its second."""
MARGIN_WIDTH = 5
POOL_WIDTH = 16
LEVEL_READING_WIDTH = 3

# Contexts of the questions here.
_ASSET = 0
_BOUND = 1
_MARK = 1
_CONTEXT_WIDTH = 2
_PORTFOLIO = _CONTEXT_WIDTH
"""Where a context that is followed by a portfolio has it."""


@kernel
def read_balances(s: Store, account: int, out: Memory) -> None:
    """Write a row for every asset: available, locked, lent, owed, unfunded."""
    for asset in range(s.globals[ASSETS]):
        row = position(s, account, asset)
        found = out.at(asset * BALANCE_WIDTH)
        found[0] = row[AVAILABLE]
        found[1] = row[LOCKED]
        found[2] = claim_of(s, account, asset)
        found[3] = debt_of(s, account, asset)
        found[4] = unfunded_of(s, account, asset)


@kernel
def read_health(s: Store, account: int, out: Memory) -> None:
    """Write the health of an account as records carry it, then four of its sums unrounded."""
    values = health_of(s, account, Doubt.NONE)
    summary = report(values)
    out[0] = summary.net_equity
    out[1] = summary.initial
    out[2] = summary.maintenance
    out[3] = summary.exposure
    out[4] = summary.assets_value
    out[5] = summary.debts_value
    out[6] = summary.total_value
    sums = out.at(HEALTH_WIDTH)
    _put_wide(sums, 0, values.net_equity)
    _put_wide(sums, 1, values.initial)
    _put_wide(sums, 2, values.maintenance)
    _put_wide(sums, 3, values.exposure)


@kernel
def _put_wide(row: Memory, place: int, number: Wide) -> None:
    row[2 * place] = narrow(number // HALF)
    row[2 * place + 1] = narrow(number % HALF)


@kernel
def read_margins(s: Store, account: int, out: Memory) -> None:
    """Write a row for every asset: what is held and what it counts for, what is owed and needs."""
    for asset in range(s.globals[ASSETS]):
        row = position(s, account, asset)
        parameters = asset_row(s, asset)
        mark = mark_of(s, asset)
        quantity = row[AVAILABLE] + row[LOCKED] + claim_of(s, account, asset)
        notional = narrow(
            divide_up(fine_up(debt_of(s, account, asset), mark, parameters), FINE_PER_VALUE)
        )
        found = out.at(asset * MARGIN_WIDTH)
        found[0] = narrow(fine_down(quantity, mark, parameters) // FINE_PER_VALUE)
        found[1] = narrow(weighted_down(parameters, quantity, mark) // FINE_PER_VALUE)
        found[2] = notional
        found[3] = margin_fraction_up(
            parameters[INITIAL_BASE], parameters[INITIAL_FACTOR], notional
        )
        found[4] = margin_fraction_up(
            parameters[MAINTENANCE_BASE], parameters[MAINTENANCE_FACTOR], notional
        )


@kernel
def read_pool(s: Store, asset: int, out: Memory) -> None:
    """Write what there is to know about one pool, in the order of `PoolReport`."""
    pool = pool_row(s, asset)
    parameters = asset_row(s, asset)
    level = utilization(pool)
    bound = bound_in_force(parameters, pool)
    out[0] = lent_total(pool)
    out[1] = borrowed_total(pool)
    out[2] = pool[CASH]
    out[3] = level
    out[4] = borrow_apr(parameters, level)
    out[5] = _lend_apr(parameters, level)
    out[6] = bound
    out[7] = parameters[THROTTLE_THRESHOLD]
    out[8] = parameters[MAX_UTILIZATION]
    out[9] = pool_state(s, asset)
    out[10] = redeemable(pool)
    out[11] = _withdrawable(s, asset, bound)
    out[12] = 1 if gated(s, asset) else 0
    out[13] = pool[FEES]
    out[14] = pool[RESIDUE]
    out[15] = pool[DEFICIT]


@kernel
def _lend_apr(asset: Memory, utilization_ratio: int) -> int:
    """Borrow APR * utilization * (1 - fee), rounded down."""
    capped = min(utilization_ratio, RATIO)
    gross = wide(borrow_apr(asset, capped)) * capped
    return narrow(gross * (RATIO - asset[POOL_FEE]) // (RATIO * RATIO))


@kernel
def _withdrawable(s: Store, asset: int, bound: int) -> int:
    pool = pool_row(s, asset)
    if pool[LEND_INDEX] == 0:
        return 0
    top = s.globals[SCRATCH_TOP]
    context = take(s, _CONTEXT_WIDTH)
    context[_ASSET] = asset
    context[_BOUND] = bound
    largest = largest_passing(_leaves_within, s, context, redeemable(pool))
    s.globals[SCRATCH_TOP] = top
    return largest


@kernel
def _leaves_within(s: Store, context: Memory, quantity: int) -> bool:
    pool = pool_row(s, context[_ASSET])
    shares = mul_div_up(quantity, INDEX_SCALE, pool[LEND_INDEX])
    left = max(0, pool[LEND_SHARES] - shares)
    lent = mul_div_down(left, pool[LEND_INDEX], INDEX_SCALE)
    return within(borrowed_total(pool), lent, context[_BOUND])


@kernel
def list_orders(s: Store, account: int, out: Memory) -> int:
    """Write the slots of an account's resting orders, oldest first; return how many."""
    count = 0
    slot = account_row(s, account)[FIRST_ORDER]
    while slot != NONE:
        out[count] = slot
        count += 1
        slot = order_row(s, slot)[ACCOUNT_NEXT]
    return count


@kernel
def read_depth(s: Store, asset: int, side: int, most: int, out: Memory) -> int:
    """Write up to `most` levels, best first: quantity in two numbers, price; return how many."""
    levels = level_rows(s, asset, side)
    held = book_row(s, asset, side)[LEVEL_COUNT]
    count = min(most, held)
    for number in range(count):
        level = levels.at((held - 1 - number) * LEVEL_WIDTH)
        found = out.at(number * LEVEL_READING_WIDTH)
        _put_wide(found, 0, _resting(s, level))
        found[2] = level[LEVEL_PRICE]
    return count


@kernel
def read_level(s: Store, asset: int, side: int, price: int, out: Memory) -> None:
    """Write all that rests at one price, in two numbers; it is looked for from the best one on."""
    _put_wide(out, 0, wide(0))
    levels = level_rows(s, asset, side)
    for number in range(book_row(s, asset, side)[LEVEL_COUNT] - 1, -1, -1):
        level = levels.at(number * LEVEL_WIDTH)
        if level[LEVEL_PRICE] == price:
            _put_wide(out, 0, _resting(s, level))
            return


@kernel
def _resting(s: Store, level: Memory) -> Wide:
    total = wide(0)
    slot = level[LEVEL_FIRST]
    while slot != NONE:
        order = order_row(s, slot)
        total += order[ORDER_QUANTITY]
        slot = order[ORDER_NEXT]
    return total


@kernel
def liquidation_prices(s: Store, account: int, asset: int, out: Memory) -> None:
    """Write the marks below and above at which the account is liquidatable, or NONE.

    Marks are tried out in the prices, which must be a copy.
    """
    top = s.globals[SCRATCH_TOP]
    context = take(s, _CONTEXT_WIDTH + 3 * s.globals[ASSETS])
    portfolio_of(s, account, context.at(_PORTFOLIO))
    _search(s, context, asset, out)
    s.globals[SCRATCH_TOP] = top


@kernel
def liquidation_prices_after(s: Store, command: Memory, asset: int, out: Memory) -> None:
    """The same once a command that nothing refuses was carried out."""
    top = s.globals[SCRATCH_TOP]
    context = take(s, _CONTEXT_WIDTH + 3 * s.globals[ASSETS])
    portfolio_after(s, command, context.at(_PORTFOLIO))
    _search(s, context, asset, out)
    s.globals[SCRATCH_TOP] = top


@kernel
def _search(s: Store, context: Memory, asset: int, out: Memory) -> None:
    """Write the highest mark below and the lowest above that liquidate the context's portfolio."""
    mark = mark_of(s, asset)
    context[_ASSET] = asset
    context[_MARK] = mark
    if _liquidatable_at(s, context, mark):
        out[0] = mark
        out[1] = mark
        return
    below = largest_passing(_liquidatable_below, s, context, mark)
    out[0] = below if below and _liquidatable_at(s, context, below) else NONE
    most = max(mark, _highest_imagined(s, context, mark))
    above = mark + smallest_passing(_liquidatable_above, s, context, most - mark)
    out[1] = above if _liquidatable_at(s, context, above) else NONE


@kernel
def _highest_imagined(s: Store, context: Memory, mark: int) -> int:
    asset, count = context[_ASSET], s.globals[ASSETS]
    portfolio = context.at(_PORTFOLIO)
    atoms = portfolio[asset] + portfolio[count + asset] + portfolio[2 * count + asset]
    worth = wide(MAX_VALUE) * asset_row(s, asset)[VALUE_DIVISOR] // max(1, atoms)
    return narrow(min(wide(mark) * HIGHEST_MULTIPLE, worth, INT64_MAX // 4))


@kernel
def _liquidatable_at(s: Store, context: Memory, price: int) -> bool:
    s.prices[context[_ASSET] * PRICE_WIDTH + MARK] = price
    return is_liquidatable(health(s, context.at(_PORTFOLIO), Doubt.FOR_ACCOUNT, 0))


@kernel
def _liquidatable_below(s: Store, context: Memory, price: int) -> bool:
    return price == 0 or _liquidatable_at(s, context, price)


@kernel
def _liquidatable_above(s: Store, context: Memory, rise: int) -> bool:
    return _liquidatable_at(s, context, context[_MARK] + rise)
