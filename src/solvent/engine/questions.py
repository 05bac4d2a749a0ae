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
from solvent.engine.memory.layout import TREASURY
from solvent.engine.memory.store import Store
from solvent.engine.orderbook import orders
from solvent.engine.refusals import refuse
from solvent.kernels.language import kernel


@kernel
def may_borrow(command: c.Withdraw) -> bool:
    """Whether tokens may be borrowed for a withdrawal; never for the treasury's."""
    return command.auto_borrow and command.account != TREASURY


@kernel
def unknown(s: Store, account: int, asset: int, quantity: int, custodial: bool) -> int:
    """What every account command asks first: that account, asset and quantity make sense."""
    if not 0 <= account < s.globals.accounts:
        return refuse(RejectionCode.RESOURCE_NOT_FOUND, Limit.NONE)
    if is_custodial(account_row(s, account).role) and not custodial:
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    if not 0 <= asset < s.globals.assets:
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
    if account_row(s, account).is_liquidating:
        return refuse(RejectionCode.ACCOUNT_LIQUIDATING, Limit.NONE)
    return 0


@kernel
def withdraw(s: Store, command: c.Withdraw) -> int:
    """Whether tokens may leave."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = unknown(s, account, asset, quantity, custodial=account == TREASURY)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        redeems, borrows = command.auto_lend_redeem, may_borrow(command)
        refusal = wallet.withdraw_refusal(s, account, asset, quantity, redeems, borrows)
    return refusal


@kernel
def lend(s: Store, command: c.Lend) -> int:
    """Whether available tokens may go into the pool."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = unknown(s, account, asset, quantity, custodial=False)
    if not refusal:
        refusal = wallet.lend_form(s, asset, quantity)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        refusal = wallet.lend_refusal(s, account, asset, quantity)
    return refusal


@kernel
def redeem(s: Store, command: c.Redeem) -> int:
    """Whether lent tokens may come back."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = unknown(s, account, asset, quantity, custodial=account == TREASURY)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        refusal = wallet.user_redeem_refusal(s, account, asset, quantity)
    return refusal


@kernel
def borrow(s: Store, command: c.Borrow) -> int:
    """Whether tokens may be borrowed."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = unknown(s, account, asset, quantity, custodial=False)
    if not refusal:
        refusal = busy(s, account)
    if not refusal:
        refusal = wallet.user_borrow_refusal(s, account, asset, quantity)
    return refusal


@kernel
def repay(s: Store, command: c.Repay) -> int:
    """Whether a debt may be repaid, also by an account in the waterfall."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = unknown(s, account, asset, quantity, custodial=False)
    if not refusal:
        refusal = wallet.repay_form(s, account, asset, quantity)
    if not refusal:
        refusal = wallet.booking_refusal(s, account)
    if not refusal:
        refusal = wallet.repay_refusal(s, account, asset, quantity)
    return refusal


@kernel
def place_order(s: Store, command: c.PlaceOrder) -> int:
    """Whether an order may be placed."""
    account, asset = command.account, command.asset
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
