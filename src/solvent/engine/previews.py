"""Previews in kernels: the largest amounts that wallet commands would accept now.

As in `reference.wallet`: each asks the command's own refusal again and again, so that previews and
execution cannot differ. A question's context row holds the account, the asset and the two flags.
"""

from solvent.domain.units import INT64_MAX
from solvent.engine.language import Memory, Store, kernel, narrow, wide
from solvent.engine.layout import AVAILABLE, SCRATCH_TOP
from solvent.engine.ledger import claim_of, debt_of, pool_row, position
from solvent.engine.limits import Question, largest_passing
from solvent.engine.pool import redeemable
from solvent.engine.scratch import take
from solvent.engine.wallet import (
    lend_form,
    lend_refusal,
    user_borrow_refusal,
    user_redeem_refusal,
    withdraw_refusal,
)

_ACCOUNT = 0
_ASSET = 1
_REDEEM = 2
_BORROW = 3
_CONTEXT_WIDTH = 4


@kernel
def largest_lend(s: Store, account: int, asset: int) -> int:
    """The most that `Lend` would accept now, in atoms."""
    high = position(s, account, asset)[AVAILABLE]
    largest = _largest(_lends, s, account, asset, high)
    return largest if lend_form(s, asset, largest) == 0 else 0


@kernel
def _lends(s: Store, context: Memory, quantity: int) -> bool:
    return lend_refusal(s, context[_ACCOUNT], context[_ASSET], quantity) == 0


@kernel
def largest_redeem(s: Store, account: int, asset: int) -> int:
    """The most that `Redeem` would accept now, in atoms (max-redeem)."""
    return _largest(_redeems, s, account, asset, claim_of(s, account, asset))


@kernel
def _redeems(s: Store, context: Memory, quantity: int) -> bool:
    return user_redeem_refusal(s, context[_ACCOUNT], context[_ASSET], quantity) == 0


@kernel
def largest_borrow(s: Store, account: int, asset: int) -> int:
    """The most that `Borrow` would accept now, in atoms (max-borrow)."""
    return _largest(_borrows, s, account, asset, redeemable(pool_row(s, asset)))


@kernel
def _borrows(s: Store, context: Memory, quantity: int) -> bool:
    return user_borrow_refusal(s, context[_ACCOUNT], context[_ASSET], quantity) == 0


@kernel
def _largest(passes: Question, s: Store, account: int, asset: int, high: int) -> int:
    """The most up to `high` that passes a question without flags."""
    top = s.globals[SCRATCH_TOP]
    context = take(s, _CONTEXT_WIDTH)
    context[_ACCOUNT] = account
    context[_ASSET] = asset
    largest = largest_passing(passes, s, context, high)
    s.globals[SCRATCH_TOP] = top
    return largest


@kernel
def largest_repay(s: Store, account: int, asset: int) -> int:
    """The most that `Repay` can take: the debt, or the balance where that is less."""
    return min(debt_of(s, account, asset), position(s, account, asset)[AVAILABLE])


@kernel
def largest_withdraw(s: Store, account: int, asset: int, redeem: bool, borrow: bool) -> int:
    """The most that `Withdraw` would accept now with these flags, in atoms (max-withdraw)."""
    high = wide(position(s, account, asset)[AVAILABLE])
    if redeem:
        high += claim_of(s, account, asset)
    if borrow:
        high += redeemable(pool_row(s, asset))
    top = s.globals[SCRATCH_TOP]
    context = take(s, _CONTEXT_WIDTH)
    context[_ACCOUNT] = account
    context[_ASSET] = asset
    context[_REDEEM] = redeem
    context[_BORROW] = borrow
    largest = largest_passing(_withdraws, s, context, narrow(min(high, INT64_MAX)))
    s.globals[SCRATCH_TOP] = top
    return largest


@kernel
def _withdraws(s: Store, context: Memory, quantity: int) -> bool:
    refusal = withdraw_refusal(
        s,
        context[_ACCOUNT],
        context[_ASSET],
        quantity,
        redeem=context[_REDEEM] != 0,
        borrow=context[_BORROW] != 0,
    )
    return refusal == 0
