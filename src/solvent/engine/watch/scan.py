"""Scan in kernels: every liquidatable account of all, exactly, most of them at one glance.

Margin is exact and long. Nearly every account is far from the edge, where much less will do: a
lower bound of NE - M from one product for each number of a position, in 10^-6 USDC. An account
whose bound is above zero is healthy whatever the rounding; the others are asked exactly. So the
screen decides nothing that `margin.liquidatable` would decide otherwise, however it rounds.

The bound. Let k be the weighted value of an atom and U = 10^6, so that 10^-12 USDC are k / U of our
unit. While the whole weight counts, collateral of q atoms and l shares at index I / S is worth

    W = floor(floor(Q * mark * F / D) * w / R) >= k * (q + l * I / S) - k - 2
    where Q = q + floor(l * I / S)

(the claim's floor costs less than an atom, the other two less than 2). With c = floor(k * 2^s / U),
floor(q * c / 2^s) * U <= k * q, and as much for shares. So W / U is at least the two shifted
products less ceil((k + 2) / U). Debts are the mirror image: each of at most three roundings up adds
less than one, margin at most tenfold, and the factor is rounded up:

    (N + M) / U <= floor(d * f / 2^s) + 1 + ceil((K + 32) / U),    f = ceil(K * J / S * 2^s / U)

with K what an atom owed costs with its maintenance. Stale prices are read in the account's favour,
which only raises what is exact. Beyond the sizes at which a weight falls or a margin fraction
rises, and where a product would leave 64 bits, an account is asked exactly.
"""

from solvent.domain.parameters import HaircutKind, SizeBy
from solvent.domain.units import (
    FINE_PER_VALUE,
    INDEX_SCALE,
    INT64_MAX,
    RATIO,
    SQUARE_ROOT_SCALE,
    VALUE_SCALE,
)
from solvent.engine.ledger import account_row, asset_row, mark_of, pool_row, positions_of
from solvent.engine.margin import first_asset, liquidatable
from solvent.engine.memory.rows import Asset, Position
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up
from solvent.engine.watch.rows import Bound, Screen
from solvent.kernels.language import (
    Wide,
    bit,
    clear,
    kernel,
    leading_zeros,
    narrow,
    prefetch,
    rows_in,
    shift_right,
    wide,
    wrapping_mul,
    wrapping_sub,
)
from solvent.kernels.rows import Memory, Rows

_MOST_VALUE = 2**55
"""10^-6 USDC; sums of this for balance, claim and debt of 64 assets stay within 64 bits."""
_MOST_MARK = 2**54
_LONGEST_ROOT = 10**9
_PRODUCT_BITS = 62
_WIDE_BITS = 125
_FINE = RATIO * FINE_PER_VALUE
_UPPER = 2**_PRODUCT_BITS
_SLACK_OF_BALANCE = 2
"""What ceil((k + 2) / U) is more than floor(k / U), at most."""
_SLACK_OF_DEBT = 3
"""What 1 + ceil((K + 32) / U) is more than floor(K / U), at most."""
_LAST_BIT = 63
AT_ONCE = 256
"""Of so many accounts those who owe are listed, and then looked at."""
_AHEAD = 8
"""While one of them is looked at, the positions of the one so many places on are on their way."""
_ROWS_EACH = 2
"""And so many rows of the accounts that are listed next: every other account owes, about."""


@kernel
def liquidatable_accounts(s: Store, found: Memory) -> int:
    """Write every account at or above MMR 100 % into `found`, in order; return how many."""
    top = s.globals.scratch_top
    screen = rows_in(Screen, take(s, s.globals.assets * Screen.WIDTH))
    prepare_screen(s, screen)
    owing = take(s, AT_ONCE)
    count = 0
    for start in range(0, s.globals.accounts, AT_ONCE):
        listed = list_owing(s, start, owing)
        for place in range(min(listed, _AHEAD)):
            bring_positions(s, owing[place])
        for place in range(listed):
            if place + _AHEAD < listed:
                bring_positions(s, owing[place + _AHEAD])
            bring_rows(s, start + AT_ONCE + place * _ROWS_EACH)
            account = owing[place]
            if _is_liquidatable(s, screen, account):
                found[count] = account
                count += 1
    s.globals.scratch_top = top
    return count


@kernel
def list_owing(s: Store, start: int, owing: Memory) -> int:
    """Write who owes something of the AT_ONCE accounts from `start` on; return how many."""
    count = 0
    for account in range(start, min(s.globals.accounts, start + AT_ONCE)):
        # No branch, for nobody can foresee who owes.
        owing[count] = account
        count += account_row(s, account).debts != 0
    return count


@kernel
def bring_positions(s: Store, account: int) -> None:
    """Have what an account has and owes brought near."""
    positions = positions_of(s, account)
    rest = account_row(s, account).held
    while rest:
        asset = first_asset(rest)
        rest = rest & wrapping_sub(rest, 1)
        prefetch(positions[asset])


@kernel
def bring_rows(s: Store, account: int) -> None:
    """Have the rows of some accounts from `account` on brought near, if there are so many."""
    if account + _ROWS_EACH <= s.globals.accounts:
        for following in range(account, account + _ROWS_EACH):
            prefetch(account_row(s, following))


@kernel
def _is_liquidatable(s: Store, screen: Rows[Screen], account: int) -> bool:
    """As `margin.liquidatable` of an account that owes something, at one glance if that will do."""
    held = account_row(s, account).held
    if surely_healthy(screen, held, positions_of(s, account)):
        return False
    return liquidatable(s, account)


@kernel
def surely_healthy(screen: Rows[Screen], held: int, positions: Rows[Position]) -> bool:
    """Whether the bound alone shows that who holds `positions`, with bits `held`, is healthy."""
    surplus = 0
    rest = held
    while rest:
        asset = first_asset(rest)
        rest = rest & wrapping_sub(rest, 1)
        row = positions[asset]
        by = screen[asset]
        balance = row.available + row.locked
        claim = row.lent_shares
        debt = row.debt_shares
        fits = wrapping_sub(by.balance.largest, balance)
        fits = fits | wrapping_sub(by.claim.largest, claim)
        fits = fits | wrapping_sub(by.debt.largest, debt)
        if fits < 0:
            return False
        surplus += bounded(by.balance, balance)
        surplus += bounded(by.claim, claim)
        surplus -= bounded(by.debt, debt)
        surplus -= by.slack
    return surplus > 0


@kernel
def bounded(by: Bound, number: int) -> int:
    """The bound on what a balance, claim or debt counts for, by its part of a screen's row."""
    return shift_right(wrapping_mul(number, by.factor), by.shift)


@kernel
def prepare_screen(s: Store, screen: Rows[Screen]) -> None:
    """Write the screen's rows, one an asset, for the marks, indices and parameters in force."""
    for asset in range(s.globals.assets):
        prepare_asset(s, screen[asset], asset)


@kernel
def prepare_asset(s: Store, by: Screen, asset: int) -> None:
    """One row; with a mark out of all proportion it stays zero, and holders are asked exactly."""
    clear(by)
    mark = mark_of(s, asset)
    if mark >= _MOST_MARK:
        return
    row = asset_row(s, asset)
    pool = pool_row(s, asset)
    fine = wide(mark) * row.fine_factor
    divisor = wide(_FINE) * row.fine_divisor
    worth = fine * row.weight
    factor, shift = _ratio(worth, divisor)
    half = _flat_balance(row, fine) // 2
    index = pool.lend_index
    _fit(by.balance, factor, shift, half)
    _fit(by.claim, wide(factor) * index // INDEX_SCALE, shift, _shares(half, index))
    cost = fine * (RATIO + row.maintenance_base)
    factor, shift = _ratio(cost, divisor)
    index = pool.debt_index
    most = _shares(max(0, _flat_debt(row, fine) - 1), index)
    _fit(by.debt, divide_up((wide(factor) + 1) * index, INDEX_SCALE), shift, most)
    by.debt.factor += 1
    by.slack = narrow(worth // divisor + cost // divisor) + _SLACK_OF_BALANCE + _SLACK_OF_DEBT


@kernel
def _shares(atoms: int, index: int) -> int:
    """The most shares, of those that there can be, that are worth at most `atoms` at `index`."""
    if index == 0:
        return INT64_MAX
    return narrow(min(wide(INT64_MAX), wide(atoms) * INDEX_SCALE // index))


@kernel
def _flat_balance(row: Asset, fine: Wide) -> int:
    """A balance up to which the whole weight counts; `fine` / FINE_DIVISOR is an atom's value."""
    if row.haircut_kind == HaircutKind.IDENTITY:
        return INT64_MAX
    weight = row.weight
    penalty = row.haircut_penalty
    spare = row.haircut_base - weight
    if spare < 0:
        return 0
    if weight == 0 or penalty == 0:
        return INT64_MAX
    root = min(_LONGEST_ROOT, spare * RATIO // weight // penalty) * SQUARE_ROOT_SCALE
    size = wide(root) * root
    if row.size_by == SizeBy.NOTIONAL:
        return _worth_less(row, fine, size)
    return narrow(min(wide(INT64_MAX), size * row.unit // VALUE_SCALE))


@kernel
def _flat_debt(row: Asset, fine: Wide) -> int:
    """A debt up to which the base fraction is the maintenance."""
    factor = row.maintenance_factor
    if factor == 0:
        return INT64_MAX
    root = row.maintenance_base * SQUARE_ROOT_SCALE // factor
    return _worth_less(row, fine, wide(root) * root)


@kernel
def _worth_less(row: Asset, fine: Wide, value: Wide) -> int:
    """The most atoms that are worth at most `value` (10^-6 USDC) less 2 * 10^-12 USDC."""
    if fine == 0:
        return INT64_MAX
    limit = min(wide(_MOST_VALUE), value) * FINE_PER_VALUE - 2
    return narrow(min(wide(INT64_MAX), max(wide(0), limit) * row.fine_divisor // fine))


@kernel
def _ratio(numerator: Wide, divisor: Wide) -> tuple[int, int]:
    """(f, s) with f = floor(numerator * 2^s / divisor) of as many bits as there is room for."""
    shift = min(_PRODUCT_BITS, _WIDE_BITS - _bits(numerator))
    factor = numerator * bit(shift) // divisor
    excess = max(0, _bits(factor) - _PRODUCT_BITS)
    return narrow(factor // bit(excess)), shift - excess


@kernel
def _fit(by: Bound, factor: Wide, shift: int, largest: int) -> None:
    """Write the largest number, the factor and the shift, with fewer bits where it must be.

    Products stay below 2^62 and values below `_MOST_VALUE`.
    """
    excess = max(0, _bits(factor) - _PRODUCT_BITS)
    short = narrow(factor // bit(excess))
    left = shift - excess
    if left < 0:
        return
    most = min(wide(largest), wide(_MOST_VALUE) * bit(left) // max(1, short))
    excess = max(0, _bits(wide(short)) + _bits(most) - _PRODUCT_BITS)
    by.largest = narrow(most)
    by.factor = short // bit(excess)
    by.shift = left - excess


@kernel
def _bits(value: Wide) -> int:
    """How many bits a number that is not negative takes."""
    upper = narrow(value // _UPPER)
    if upper:
        return _PRODUCT_BITS + _LAST_BIT + 1 - leading_zeros(upper)
    return _LAST_BIT + 1 - leading_zeros(narrow(value))
