"""Previews in kernels: the largest amounts that wallet commands would accept now.

As in `reference.lending.wallet`: each asks the command's own refusal again and again, so that
previews and execution cannot differ. A question's context row holds the account, the asset and the
two flags.

`largest_...` are for accounts that may act, `max_...` for any, as in `reference.queries`.
"""

from solvent.domain.commands import PlaceOrder, Role
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.units import INT64_MAX
from solvent.engine.ledger import account_row, claim_of, debt_of, pool_row, position
from solvent.engine.lending.pool import redeemable
from solvent.engine.lending.wallet import (
    lend_form,
    lend_refusal,
    repay_form,
    user_borrow_refusal,
    user_redeem_refusal,
    withdraw_refusal,
)
from solvent.engine.limits import Question, largest_passing
from solvent.engine.memory.layout import TREASURY
from solvent.engine.memory.rows import CommandRow
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.orders import largest_order
from solvent.engine.waterfall.insolvency import waits_for_booking
from solvent.kernels.language import kernel, message, narrow, row_in, wide
from solvent.kernels.rows import Row


class Asked(Row):
    """What a question about an amount asks of: whom, in which asset, with which flags."""

    account: int
    asset: int
    redeem: bool
    borrow: bool


@kernel
def largest_lend(s: Store, account: int, asset: int) -> int:
    """The most that `Lend` would accept now, in atoms."""
    high = position(s, account, asset).available
    largest = _largest(_lends, s, account, asset, high)
    return largest if lend_form(s, asset, largest) == 0 else 0


@kernel
def _lends(s: Store, context: Asked, quantity: int) -> bool:
    return lend_refusal(s, context.account, context.asset, quantity) == 0


@kernel
def largest_redeem(s: Store, account: int, asset: int) -> int:
    """The most that `Redeem` would accept now, in atoms (max-redeem)."""
    return _largest(_redeems, s, account, asset, claim_of(s, account, asset))


@kernel
def _redeems(s: Store, context: Asked, quantity: int) -> bool:
    return user_redeem_refusal(s, context.account, context.asset, quantity) == 0


@kernel
def largest_borrow(s: Store, account: int, asset: int) -> int:
    """The most that `Borrow` would accept now, in atoms (max-borrow)."""
    return _largest(_borrows, s, account, asset, redeemable(pool_row(s, asset)))


@kernel
def _borrows(s: Store, context: Asked, quantity: int) -> bool:
    return user_borrow_refusal(s, context.account, context.asset, quantity) == 0


@kernel
def _largest(passes: Question[Asked], s: Store, account: int, asset: int, high: int) -> int:
    """The most up to `high` that passes a question without flags."""
    top = s.globals.scratch_top
    context = row_in(Asked, take(s, Asked.WIDTH))
    context.account = account
    context.asset = asset
    largest = largest_passing(passes, s, context, high)
    s.globals.scratch_top = top
    return largest


@kernel
def largest_repay(s: Store, account: int, asset: int) -> int:
    """The most that `Repay` would accept now: the debt, or the balance where that is less."""
    if waits_for_booking(s, account):
        return 0
    largest = min(debt_of(s, account, asset), position(s, account, asset).available)
    return largest if repay_form(s, account, asset, largest) == 0 else 0


@kernel
def largest_withdraw(s: Store, account: int, asset: int, redeem: bool, borrow: bool) -> int:
    """The most that `Withdraw` would accept now with these flags, in atoms (max-withdraw)."""
    high = wide(position(s, account, asset).available)
    if redeem:
        high += claim_of(s, account, asset)
    if borrow:
        high += redeemable(pool_row(s, asset))
    top = s.globals.scratch_top
    context = row_in(Asked, take(s, Asked.WIDTH))
    context.account = account
    context.asset = asset
    context.redeem = redeem
    context.borrow = borrow
    largest = largest_passing(_withdraws, s, context, narrow(min(high, INT64_MAX)))
    s.globals.scratch_top = top
    return largest


@kernel
def _withdraws(s: Store, context: Asked, quantity: int) -> bool:
    refusal = withdraw_refusal(
        s,
        context.account,
        context.asset,
        quantity,
        redeem=context.redeem,
        borrow=context.borrow,
    )
    return refusal == 0


@kernel
def _may_act(s: Store, account: int, custodial: bool) -> bool:
    """Whether commands of the account are carried out at all."""
    if account_row(s, account).is_liquidating:
        return False
    return custodial or _has_owner(s, account)


@kernel
def _has_owner(s: Store, account: int) -> bool:
    role = account_row(s, account).role
    return role != Role.BACKSTOP_FUND and role != Role.TREASURY


@kernel
def max_lend(s: Store, account: int, asset: int) -> int:
    """The most that a `Lend` may ask for now; 0 when none passes."""
    if not _may_act(s, account, custodial=False):
        return 0
    return min(largest_lend(s, account, asset), MAX_SUPPLY)


@kernel
def max_redeem(s: Store, account: int, asset: int) -> int:
    """The most that a `Redeem` may ask for now; 0 when none passes."""
    if not _may_act(s, account, custodial=account == TREASURY):
        return 0
    return min(largest_redeem(s, account, asset), MAX_SUPPLY)


@kernel
def max_borrow(s: Store, account: int, asset: int) -> int:
    """The most that a `Borrow` may ask for now; 0 when none passes."""
    if not _may_act(s, account, custodial=False):
        return 0
    return min(largest_borrow(s, account, asset), MAX_SUPPLY)


@kernel
def max_withdraw(s: Store, account: int, asset: int, redeem: int, borrow: int) -> int:
    """The most that a `Withdraw` with these flags may ask for now; 0 when none passes."""
    if not _may_act(s, account, custodial=account == TREASURY):
        return 0
    borrows = borrow != 0 and account != TREASURY
    return min(largest_withdraw(s, account, asset, redeem != 0, borrows), MAX_SUPPLY)


@kernel
def max_repay(s: Store, account: int, asset: int) -> int:
    """The most that a `Repay` takes now, as far as it buys back a share; in the waterfall too."""
    if not _has_owner(s, account):
        return 0
    return min(largest_repay(s, account, asset), MAX_SUPPLY)


@kernel
def max_order(s: Store, row: CommandRow) -> int:
    """The largest quantity with which the order may be placed now; 0 when none passes."""
    command = message(PlaceOrder, row.fields)
    if command.asset == USDC or not _may_act(s, command.account, custodial=False):
        return 0
    return largest_order(s, command)
