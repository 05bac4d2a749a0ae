"""Questions in kernels: what a command about an amount is asked before anything is done.

Each asks in the order of the rejection enum and gives the first refusal, or 0, and changes nothing.
The handlers ask them before the deed, and queries ask them instead of it, so that what is said to
be refused is what would be refused.
"""

from solvent.domain import commands as c
from solvent.domain.commands import Role
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.engine.ledger import account_row
from solvent.engine.lending import wallet
from solvent.engine.memory.layout import ACCOUNTS, ASSETS, IS_LIQUIDATING, ROLE, TREASURY, field_of
from solvent.engine.orderbook import orders
from solvent.engine.refusals import refuse
from solvent.kernels.language import Memory, Store, kernel

# Fields that have the same place in every command that has them.
_ACCOUNT = field_of(c.Withdraw, "account")
_ASSET = field_of(c.Withdraw, "asset")
_QUANTITY = field_of(c.Withdraw, "quantity")
_AUTO_LEND_REDEEM = field_of(c.Withdraw, "auto_lend_redeem")
_AUTO_BORROW = field_of(c.Withdraw, "auto_borrow")


@kernel
def amount(command: Memory) -> tuple[int, int, int]:
    """Account, asset and quantity of a command that has all three."""
    return command[_ACCOUNT], command[_ASSET], command[_QUANTITY]


@kernel
def may_redeem(withdrawal: Memory) -> bool:
    """Whether claims may be redeemed for a withdrawal."""
    return withdrawal[_AUTO_LEND_REDEEM] != 0


@kernel
def may_borrow(withdrawal: Memory) -> bool:
    """Whether tokens may be borrowed for a withdrawal; never for the treasury's."""
    return withdrawal[_AUTO_BORROW] != 0 and withdrawal[_ACCOUNT] != TREASURY


@kernel
def unknown(s: Store, account: int, asset: int, quantity: int, custodial: bool) -> int:
    """What every account command asks first: that account, asset and quantity make sense."""
    if not 0 <= account < s.globals[ACCOUNTS]:
        return refuse(RejectionCode.RESOURCE_NOT_FOUND, Limit.NONE)
    if is_custodial(account_row(s, account)[ROLE]) and not custodial:
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    if not 0 <= asset < s.globals[ASSETS]:
        return refuse(RejectionCode.INVALID_ASSET, Limit.NONE)
    if not 1 <= quantity <= MAX_SUPPLY:
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.NONE)
    return 0


@kernel
def is_custodial(role: int) -> bool:
    """Whether it is the role of the fund or of the treasury."""
    return role == Role.BACKSTOP_FUND or role == Role.TREASURY


@kernel
def busy(s: Store, account: int) -> int:
    """An account in the waterfall may only deposit and repay (I8)."""
    if account_row(s, account)[IS_LIQUIDATING]:
        return refuse(RejectionCode.ACCOUNT_LIQUIDATING, Limit.NONE)
    return 0


@kernel
def withdraw(s: Store, command: Memory) -> int:
    """Whether tokens may leave."""
    account, asset, quantity = amount(command)
    refusal = unknown(s, account, asset, quantity, custodial=account == TREASURY)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        redeems, borrows = may_redeem(command), may_borrow(command)
        refusal = wallet.withdraw_refusal(s, account, asset, quantity, redeems, borrows)
    return refusal


@kernel
def lend(s: Store, command: Memory) -> int:
    """Whether available tokens may go into the pool."""
    account, asset, quantity = amount(command)
    refusal = unknown(s, account, asset, quantity, custodial=False)
    if not refusal:
        refusal = wallet.lend_form(s, asset, quantity)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        refusal = wallet.lend_refusal(s, account, asset, quantity)
    return refusal


@kernel
def redeem(s: Store, command: Memory) -> int:
    """Whether lent tokens may come back."""
    account, asset, quantity = amount(command)
    refusal = unknown(s, account, asset, quantity, custodial=account == TREASURY)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        refusal = wallet.user_redeem_refusal(s, account, asset, quantity)
    return refusal


@kernel
def borrow(s: Store, command: Memory) -> int:
    """Whether tokens may be borrowed."""
    account, asset, quantity = amount(command)
    refusal = unknown(s, account, asset, quantity, custodial=False)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        refusal = wallet.user_borrow_refusal(s, account, asset, quantity)
    return refusal


@kernel
def repay(s: Store, command: Memory) -> int:
    """Whether a debt may be repaid, also by an account in the waterfall."""
    account, asset, quantity = amount(command)
    refusal = unknown(s, account, asset, quantity, custodial=False)
    if not refusal:
        refusal = wallet.repay_form(s, account, asset, quantity)
    if not refusal:
        refusal = wallet.repay_refusal(s, account, asset, quantity)
    return refusal


@kernel
def place_order(s: Store, command: Memory) -> int:
    """Whether an order may be placed."""
    account, asset = command[_ACCOUNT], command[_ASSET]
    refusal = unknown(s, account, asset, quantity=1, custodial=False)
    if not refusal and asset == USDC:
        refusal = refuse(RejectionCode.INVALID_MARKET, Limit.NONE)
    if not refusal:
        refusal = orders.order_form(s, command)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        refusal = orders.order_refusal(s, command)
    return refusal
