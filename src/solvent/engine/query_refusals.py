"""What would be refused, and what an account would hold, in kernels that only ask.

A command about an amount is refused here as `handlers` refuse it, by the same questions in the same
order, and where nothing refuses nothing is done. `portfolio_after` is what the account has and owes
once a command that nothing refuses was carried out: it changes the account as `pool` would.

Deliberately absent: commands that are about no amount; what withdrawals and orders leave.
"""

from solvent.domain import commands as c
from solvent.domain.commands import Role
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import INDEX_SCALE
from solvent.engine import orders, pool, wallet
from solvent.engine.language import Memory, Store, fail, kernel
from solvent.engine.layout import (
    ASSETS,
    COMMAND_KIND,
    DEBT,
    DEBT_INDEX,
    IS_LIQUIDATING,
    LEND_INDEX,
    LENT,
    ROLE,
    TREASURY,
    field_of,
    kind_of,
)
from solvent.engine.ledger import account_row, claim_of, pool_row, position
from solvent.engine.margin import portfolio_of
from solvent.engine.refusals import refuse
from solvent.engine.units import mul_div_down, mul_div_up

_WITHDRAW = kind_of(c.Withdraw)
_LEND = kind_of(c.Lend)
_REDEEM = kind_of(c.Redeem)
_BORROW = kind_of(c.Borrow)
_REPAY = kind_of(c.Repay)
_PLACE_ORDER = kind_of(c.PlaceOrder)

# Every command here has these in the same place, if it has them at all.
_ACCOUNT = field_of(c.Withdraw, "account")
_ASSET = field_of(c.Withdraw, "asset")
_QUANTITY = field_of(c.Withdraw, "quantity")
_AUTO_LEND_REDEEM = field_of(c.Withdraw, "auto_lend_redeem")
_AUTO_BORROW = field_of(c.Withdraw, "auto_borrow")


@kernel
def refusal_now(s: Store, command: Memory) -> int:
    """Why a command about an amount would be refused now; 0 where it would not be."""
    kind = command[COMMAND_KIND]
    if kind == _PLACE_ORDER:
        return _order_refusal(s, command)
    account, quantity = command[_ACCOUNT], command[_QUANTITY]
    if _is_custodial(s, account) and not (account == TREASURY and _takes_out(kind)):
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    if not 1 <= quantity <= MAX_SUPPLY:
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    refusal = _form_refusal(s, command)
    if not refusal and kind != _REPAY:
        refusal = _busy(s, account)
    if not refusal:
        refusal = _means_refusal(s, command)
    return refusal


@kernel
def _is_custodial(s: Store, account: int) -> bool:
    role = account_row(s, account)[ROLE]
    return role == Role.BACKSTOP_FUND or role == Role.TREASURY


@kernel
def _takes_out(kind: int) -> bool:
    """Whether it lets tokens go, as the treasury may."""
    if kind == _WITHDRAW:
        return True
    return kind == _REDEEM


@kernel
def _busy(s: Store, account: int) -> int:
    if account_row(s, account)[IS_LIQUIDATING]:
        return refuse(RejectionCode.ACCOUNT_LIQUIDATING, Limit.NONE)
    return 0


@kernel
def _form_refusal(s: Store, command: Memory) -> int:
    """Whether the quantity is at least a share's worth."""
    kind = command[COMMAND_KIND]
    account, asset, quantity = command[_ACCOUNT], command[_ASSET], command[_QUANTITY]
    if kind == _LEND:
        return wallet.lend_form(s, asset, quantity)
    if kind == _REPAY:
        return wallet.repay_form(s, account, asset, quantity)
    return 0


@kernel
def _means_refusal(s: Store, command: Memory) -> int:
    """Whether balances, pool and margin allow it."""
    kind = command[COMMAND_KIND]
    account, asset, quantity = command[_ACCOUNT], command[_ASSET], command[_QUANTITY]
    if kind == _LEND:
        return wallet.lend_refusal(s, account, asset, quantity)
    if kind == _REDEEM:
        return wallet.user_redeem_refusal(s, account, asset, quantity)
    if kind == _BORROW:
        return wallet.user_borrow_refusal(s, account, asset, quantity)
    if kind == _REPAY:
        return wallet.repay_refusal(s, account, asset, quantity)
    if kind != _WITHDRAW:
        fail()
    redeem = command[_AUTO_LEND_REDEEM] != 0
    borrow = command[_AUTO_BORROW] != 0 and account != TREASURY
    return wallet.withdraw_refusal(s, account, asset, quantity, redeem, borrow)


@kernel
def _order_refusal(s: Store, command: Memory) -> int:
    account = command[_ACCOUNT]
    if _is_custodial(s, account):
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    if command[_ASSET] == USDC:
        return refuse(RejectionCode.INVALID_MARKET, Limit.NONE)
    refusal = orders.order_form(s, command)
    if not refusal:
        refusal = _busy(s, account)
    if not refusal:
        refusal = orders.order_refusal(s, command)
    return refusal


@kernel
def portfolio_after(s: Store, command: Memory, after: Memory) -> None:
    """Write what the account has and owes after a lend, redemption, borrow or repayment."""
    kind = command[COMMAND_KIND]
    account, asset, quantity = command[_ACCOUNT], command[_ASSET], command[_QUANTITY]
    portfolio_of(s, account, after)
    owed = s.globals[ASSETS] + asset
    if kind == _LEND:
        after[asset] += _lent_after(s, account, asset, quantity)
        after[asset] -= claim_of(s, account, asset) + quantity
    elif kind == _REDEEM:
        after[asset] -= wallet.redeem_rounding(s, account, asset, quantity)
    elif kind == _BORROW:
        after[asset] += quantity
        after[owed] = pool.debt_after_borrow(s, account, asset, quantity)
    else:
        if kind != _REPAY:
            fail()
        after[asset] -= _repaid(s, account, asset, quantity)
        after[owed] = _debt_after_repay(s, account, asset, quantity)


@kernel
def _lent_after(s: Store, account: int, asset: int, quantity: int) -> int:
    shares = position(s, account, asset)[LENT] + pool.lend_shares_down(s, asset, quantity)
    return mul_div_down(shares, pool_row(s, asset)[LEND_INDEX], INDEX_SCALE)


@kernel
def _repaid(s: Store, account: int, asset: int, quantity: int) -> int:
    _, cost = pool.repay_shares_down(s, account, asset, quantity)
    return cost


@kernel
def _debt_after_repay(s: Store, account: int, asset: int, quantity: int) -> int:
    shares, _ = pool.repay_shares_down(s, account, asset, quantity)
    left = position(s, account, asset)[DEBT] - shares
    return mul_div_up(left, pool_row(s, asset)[DEBT_INDEX], INDEX_SCALE)
