"""Handlers in kernels of the commands that belong to an account.

As in `reference.dispatch`: one handler a command, the refusals in the order of the rejection enum
(`questions` has those that queries ask too) and, when nothing refuses, the deed. Each returns its
refusal, or 0.
"""

from solvent.domain import commands as c
from solvent.domain.labels import Source
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import RATIO
from solvent.engine import previews, questions
from solvent.engine.ledger import account_row, pledge
from solvent.engine.lending import pool, wallet
from solvent.engine.memory.layout import (
    ACCOUNT_CAPACITY,
    ACCOUNT_NEXT,
    ACCOUNT_OPENED,
    ACCOUNTS,
    ASSETS,
    AUTO_BORROW_SETTLEMENTS,
    AUTO_LEND,
    AUTO_REPAY_BORROWS,
    BACKSTOP_COMMITTED,
    COMMITTED,
    FIRST_ORDER,
    LARGEST,
    LAST_ORDER,
    LEVERAGE_LIMIT,
    MAX_LEVERAGE,
    NONE,
    ORDER_ACCOUNT,
    ORDER_ASSET,
    PROVIDER_COUNT,
    ROLE,
    SETTINGS_UPDATED,
    field_of,
)
from solvent.engine.orderbook import book, orders
from solvent.engine.orderbook.levels import order_row
from solvent.engine.refusals import refusal_limit, refuse
from solvent.kernels.language import Memory, Store, emit, fail, kernel

# Fields that have the same place in every command here that has them.
_ACCOUNT = field_of(c.Deposit, "account")
_ASSET = field_of(c.Deposit, "asset")

_ROLE = field_of(c.OpenAccount, "role")
_ORDER = field_of(c.CancelOrder, "order")
_AUTO_LEND = field_of(c.UpdateSettings, "auto_lend")
_AUTO_REPAY_BORROWS = field_of(c.UpdateSettings, "auto_repay_borrows")
_AUTO_BORROW_SETTLEMENTS = field_of(c.UpdateSettings, "auto_borrow_settlements")
_LEVERAGE_LIMIT = field_of(c.UpdateSettings, "leverage_limit")


@kernel
def open_account(s: Store, command: Memory) -> int:
    """Create the next account."""
    account = command[_ACCOUNT]
    role = command[_ROLE]
    if account != s.globals[ACCOUNTS]:
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    if questions.is_custodial(role):
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    if account >= s.globals[ACCOUNT_CAPACITY]:
        fail()
    s.globals[ACCOUNTS] += 1
    holder = account_row(s, account)
    holder[ROLE] = role
    holder[LEVERAGE_LIMIT] = s.rules[MAX_LEVERAGE]
    holder[FIRST_ORDER] = NONE
    holder[LAST_ORDER] = NONE
    if role == c.Role.BACKSTOP_PROVIDER:
        s.providers[s.globals[PROVIDER_COUNT]] = account
        s.globals[PROVIDER_COUNT] += 1
    emit(s, ACCOUNT_OPENED, account, role)
    return 0


@kernel
def deposit(s: Store, command: Memory) -> int:
    """Take tokens from outside."""
    account, asset, quantity = questions.amount(command)
    refusal = questions.unknown(s, account, asset, quantity, custodial=True)
    if not refusal:
        refusal = wallet.deposit_refusal(s, asset, quantity)
    if not refusal:
        wallet.deposit(s, account, asset, quantity)
    return refusal


@kernel
def withdraw(s: Store, command: Memory) -> int:
    """Let tokens leave."""
    account, asset, quantity = questions.amount(command)
    refusal = questions.withdraw(s, command)
    if refusal_limit(refusal):
        redeem, borrow = questions.may_redeem(command), questions.may_borrow(command)
        s.globals[LARGEST] = previews.largest_withdraw(s, account, asset, redeem, borrow)
    if not refusal:
        wallet.withdraw(s, account, asset, quantity)
    return refusal


@kernel
def lend(s: Store, command: Memory) -> int:
    """Put available tokens into the pool."""
    account, asset, quantity = questions.amount(command)
    refusal = questions.lend(s, command)
    if refusal_limit(refusal):
        s.globals[LARGEST] = previews.largest_lend(s, account, asset)
    if not refusal:
        pool.lend(s, account, asset, quantity, Source.MANUAL)
    return refusal


@kernel
def redeem(s: Store, command: Memory) -> int:
    """Take lent tokens back."""
    account, asset, quantity = questions.amount(command)
    refusal = questions.redeem(s, command)
    if refusal_limit(refusal):
        s.globals[LARGEST] = previews.largest_redeem(s, account, asset)
    if not refusal:
        pool.redeem(s, account, asset, quantity, Source.MANUAL)
    return refusal


@kernel
def borrow(s: Store, command: Memory) -> int:
    """Borrow from the pool."""
    account, asset, quantity = questions.amount(command)
    refusal = questions.borrow(s, command)
    if refusal_limit(refusal):
        s.globals[LARGEST] = previews.largest_borrow(s, account, asset)
    if not refusal:
        pool.borrow(s, account, asset, quantity, Source.MANUAL, fee=True)
    return refusal


@kernel
def repay(s: Store, command: Memory) -> int:
    """Repay a debt; an account in the waterfall may."""
    account, asset, quantity = questions.amount(command)
    refusal = questions.repay(s, command)
    if refusal_limit(refusal):
        s.globals[LARGEST] = previews.largest_repay(s, account, asset)
    if not refusal:
        wallet.repay(s, account, asset, quantity)
    return refusal


@kernel
def place_order(s: Store, command: Memory) -> int:
    """Place an order."""
    refusal = questions.place_order(s, command)
    if not refusal:
        orders.place_order(s, command)
    elif _is_about_quantity(refusal_limit(refusal)):
        s.globals[LARGEST] = orders.largest_order(s, command)
    return refusal


@kernel
def _is_about_quantity(limit: int) -> bool:
    """Whether an order of another quantity might have kept within a limit."""
    return limit != Limit.NONE and limit != Limit.PRICE_BAND and limit != Limit.ORDER_COUNT


@kernel
def cancel_order(s: Store, command: Memory) -> int:
    """Cancel one resting order."""
    account = command[_ACCOUNT]
    refusal = questions.unknown(s, account, USDC, quantity=1, custodial=False)
    if refusal:
        return refusal
    slot = book.find(s, command[_ORDER])
    if slot == NONE or order_row(s, slot)[ORDER_ACCOUNT] != account:
        return refuse(RejectionCode.RESOURCE_NOT_FOUND, Limit.NONE)
    book.cancel(s, slot)
    return 0


@kernel
def cancel_all(s: Store, command: Memory) -> int:
    """Cancel an account's orders on one market or on all, oldest first."""
    account = command[_ACCOUNT]
    asset = command[_ASSET]
    anywhere = asset == c.ANY_ASSET
    named = USDC if anywhere else asset
    refusal = questions.unknown(s, account, named, quantity=1, custodial=False)
    if not refusal:
        refusal = questions.busy(s, account)
    if refusal:
        return refusal
    slot = account_row(s, account)[FIRST_ORDER]
    while slot != NONE:
        order = order_row(s, slot)
        younger = order[ACCOUNT_NEXT]
        if anywhere or order[ORDER_ASSET] == asset:
            book.cancel(s, slot)
        slot = younger
    return 0


@kernel
def update_settings(s: Store, command: Memory) -> int:
    """Change an account's settings."""
    account = command[_ACCOUNT]
    leverage = command[_LEVERAGE_LIMIT]
    highest = s.rules[MAX_LEVERAGE]
    if not (
        _is_switch(command[_AUTO_LEND])
        and _is_switch(command[_AUTO_REPAY_BORROWS])
        and _is_switch(command[_AUTO_BORROW_SETTLEMENTS])
    ):
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    if leverage != c.UNCHANGED and not RATIO <= leverage <= highest:
        s.globals[LARGEST] = highest
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.LEVERAGE)
    refusal = questions.unknown(s, account, USDC, quantity=1, custodial=False)
    if not refusal:
        refusal = questions.busy(s, account)
    if not refusal:
        _write_settings(s, account, command)
    return refusal


@kernel
def _is_switch(flag: int) -> bool:
    return flag == c.UNCHANGED or flag == 0 or flag == 1


@kernel
def _write_settings(s: Store, account: int, command: Memory) -> None:
    holder = account_row(s, account)
    _set(holder, AUTO_LEND, command[_AUTO_LEND])
    _set(holder, AUTO_REPAY_BORROWS, command[_AUTO_REPAY_BORROWS])
    _set(holder, AUTO_BORROW_SETTLEMENTS, command[_AUTO_BORROW_SETTLEMENTS])
    _set(holder, LEVERAGE_LIMIT, command[_LEVERAGE_LIMIT])
    emit(
        s,
        SETTINGS_UPDATED,
        account,
        holder[AUTO_LEND],
        holder[AUTO_REPAY_BORROWS],
        holder[AUTO_BORROW_SETTLEMENTS],
        holder[LEVERAGE_LIMIT],
    )
    if command[_AUTO_LEND] == 1:
        for asset in range(s.globals[ASSETS]):
            wallet.after_receipt(s, account, asset, 0, repay_anyway=False)


@kernel
def _set(holder: Memory, setting: int, value: int) -> None:
    if value != c.UNCHANGED:
        holder[setting] = value


@kernel
def convert_dust(s: Store, command: Memory) -> int:
    """Sell dust to the treasury."""
    account = command[_ACCOUNT]
    asset = command[_ASSET]
    refusal = questions.unknown(s, account, asset, quantity=1, custodial=False)
    if not refusal:
        refusal = wallet.dust_form(s, account, asset)
    if not refusal:
        refusal = questions.busy(s, account)
    if not refusal:
        refusal = wallet.dust_refusal(s, account, asset)
    if not refusal:
        wallet.convert_dust(s, account, asset)
    return refusal


@kernel
def _unknown_provider(s: Store, command: Memory) -> int:
    """What every commitment asks first: commitments are for backstop providers."""
    account, asset, quantity = questions.amount(command)
    if not 0 <= account < s.globals[ACCOUNTS]:
        return refuse(RejectionCode.RESOURCE_NOT_FOUND, Limit.NONE)
    if account_row(s, account)[ROLE] != c.Role.BACKSTOP_PROVIDER:
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    return questions.unknown(s, account, asset, quantity, custodial=False)


@kernel
def post_backstop(s: Store, command: Memory) -> int:
    """Commit to take over more of debts in an asset."""
    account, asset, quantity = questions.amount(command)
    refusal = _unknown_provider(s, command)
    if refusal:
        return refusal
    room = MAX_SUPPLY - pledge(s, account, asset)[COMMITTED]
    if quantity > room:
        s.globals[LARGEST] = room
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP)
    refusal = questions.busy(s, account)
    if not refusal:
        _commit(s, account, asset, quantity)
    return refusal


@kernel
def withdraw_backstop(s: Store, command: Memory) -> int:
    """Take unused commitment back."""
    account, asset, quantity = questions.amount(command)
    refusal = _unknown_provider(s, command)
    if not refusal:
        refusal = questions.busy(s, account)
    if refusal:
        return refusal
    committed = pledge(s, account, asset)[COMMITTED]
    if quantity > committed:
        s.globals[LARGEST] = committed
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.COMMITTED_CAPACITY)
    _commit(s, account, asset, -quantity)
    return 0


@kernel
def _commit(s: Store, account: int, asset: int, change: int) -> None:
    row = pledge(s, account, asset)
    row[COMMITTED] += change
    emit(s, BACKSTOP_COMMITTED, account, asset, row[COMMITTED])
