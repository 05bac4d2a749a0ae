"""Handlers in kernels of the commands that belong to an account.

As in `reference.dispatch`: one handler a command, the refusals in the order of the rejection enum
(`questions` has those that queries ask too) and, when nothing refuses, the deed. Each returns its
refusal, or 0.
"""

from solvent.domain import commands as c
from solvent.domain.events import AccountOpened, SettingsUpdated
from solvent.domain.labels import Source
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import RATIO
from solvent.engine import previews, questions
from solvent.engine.ledger import account_row, commitment
from solvent.engine.lending import pool, wallet
from solvent.engine.limits import is_gate_shut
from solvent.engine.memory.layout import FUND, NONE
from solvent.engine.memory.rows import COMMAND_WIDTH
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook import book, orders, triggers
from solvent.engine.orderbook.levels import order_row
from solvent.engine.refusals import refusal_limit, refuse
from solvent.engine.standby import posted
from solvent.engine.waterfall.gate import reckon_gate
from solvent.engine.waterfall.notices import give_notice, say_committed
from solvent.kernels.language import emit, fail, kernel, message, put_message


@kernel
def open_account(s: Store, command: c.OpenAccount) -> int:
    """Create the next account."""
    account = command.account
    role = command.role
    if account != s.globals.accounts:
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    if questions.is_custodial(role):
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    if account >= s.globals.account_capacity:
        fail()
    s.globals.accounts += 1
    holder = account_row(s, account)
    holder.role = role
    holder.leverage_limit = s.rules.max_leverage
    holder.first_order = NONE
    holder.last_order = NONE
    if role == c.Role.BACKSTOP_PROVIDER:
        s.providers[s.globals.provider_count] = account
        s.globals.provider_count += 1
    emit(s, AccountOpened(account=account, role=role))
    return 0


@kernel
def deposit(s: Store, command: c.Deposit) -> int:
    """Take tokens from outside."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = questions.unknown(s, account, asset, quantity, custodial=True)
    if not refusal:
        refusal = wallet.deposit_refusal(s, asset, quantity)
    if not refusal:
        wallet.deposit(s, account, asset, quantity)
        if account == FUND or account_row(s, account).is_liquidating or is_gate_shut(s):
            reckon_gate(s)
    return refusal


@kernel
def withdraw(s: Store, command: c.Withdraw) -> int:
    """Let tokens leave."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = questions.withdraw(s, command)
    if refusal_limit(refusal):
        redeem, borrow = command.auto_lend_redeem, questions.may_borrow(command)
        s.globals.largest = previews.largest_withdraw(s, account, asset, redeem, borrow)
    if not refusal:
        wallet.withdraw(s, account, asset, quantity)
    return refusal


@kernel
def lend(s: Store, command: c.Lend) -> int:
    """Put available tokens into the pool."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = questions.lend(s, command)
    if refusal_limit(refusal):
        s.globals.largest = previews.largest_lend(s, account, asset)
    if not refusal:
        pool.lend(s, account, asset, quantity, Source.MANUAL)
    return refusal


@kernel
def redeem(s: Store, command: c.Redeem) -> int:
    """Take lent tokens back."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = questions.redeem(s, command)
    if refusal_limit(refusal):
        s.globals.largest = previews.largest_redeem(s, account, asset)
    if not refusal:
        pool.redeem(s, account, asset, quantity, Source.MANUAL)
    return refusal


@kernel
def borrow(s: Store, command: c.Borrow) -> int:
    """Borrow from the pool."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = questions.borrow(s, command)
    if refusal_limit(refusal):
        s.globals.largest = previews.largest_borrow(s, account, asset)
    if not refusal:
        pool.borrow(s, account, asset, quantity, Source.MANUAL)
    return refusal


@kernel
def repay(s: Store, command: c.Repay) -> int:
    """Repay a debt; an account in the waterfall may."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = questions.repay(s, command)
    if refusal_limit(refusal):
        s.globals.largest = previews.largest_repay(s, account, asset)
    if not refusal:
        wallet.repay(s, account, asset, quantity)
    return refusal


@kernel
def place_order(s: Store, command: c.PlaceOrder) -> int:
    """Place an order."""
    refusal = questions.place_order(s, command)
    if not refusal:
        orders.place_order(s, command)
    elif _is_about_quantity(refusal_limit(refusal)):
        s.globals.largest = orders.largest_order(s, command)
    return refusal


@kernel
def place_trigger(s: Store, command: c.PlaceTrigger) -> int:
    """Let an order wait for a price."""
    account, asset = command.account, command.asset
    refusal = questions.unknown(s, account, asset, quantity=1, custodial=False)
    if not refusal and asset == USDC:
        refusal = refuse(RejectionCode.INVALID_MARKET, Limit.NONE)
    if not refusal:
        top = s.globals.scratch_top
        asked = take(s, COMMAND_WIDTH)
        put_message(command, asked)
        refusal = triggers.trigger_form(s, command, message(c.PlaceOrder, asked))
        s.globals.scratch_top = top
    if not refusal:
        refusal = questions.busy(s, account)
    if not refusal:
        refusal = triggers.trigger_refusal(s, command)
    if not refusal:
        triggers.place_trigger(s, command)
    return refusal


@kernel
def _is_about_quantity(limit: int) -> bool:
    """Whether an order of another quantity might have kept within a limit."""
    return limit != Limit.NONE and limit != Limit.PRICE_BAND and limit != Limit.ORDER_COUNT


@kernel
def cancel_order(s: Store, command: c.CancelOrder) -> int:
    """Cancel one order that rests or waits."""
    account = command.account
    refusal = questions.unknown(s, account, USDC, quantity=1, custodial=False)
    if refusal:
        return refusal
    slot = book.find(s, command.order)
    if slot == NONE or order_row(s, slot).account != account:
        return refuse(RejectionCode.RESOURCE_NOT_FOUND, Limit.NONE)
    book.cancel(s, slot)
    return 0


@kernel
def cancel_all(s: Store, command: c.CancelAllOrders) -> int:
    """Cancel an account's orders on one market or on all, oldest first."""
    account = command.account
    asset = command.asset
    anywhere = asset == c.ANY_ASSET
    named = USDC if anywhere else asset
    refusal = questions.unknown(s, account, named, quantity=1, custodial=False)
    if not refusal:
        refusal = questions.busy(s, account)
    if refusal:
        return refusal
    slot = account_row(s, account).first_order
    while slot != NONE:
        order = order_row(s, slot)
        younger = order.account_next
        if anywhere or order.asset == asset:
            book.cancel(s, slot)
        slot = younger
    return 0


@kernel
def update_settings(s: Store, command: c.UpdateSettings) -> int:
    """Change an account's settings."""
    account = command.account
    leverage = command.leverage_limit
    highest = s.rules.max_leverage
    if not (
        _is_switch(command.auto_lend)
        and _is_switch(command.auto_repay_borrows)
        and _is_switch(command.auto_borrow_settlements)
    ):
        return refuse(RejectionCode.INVALID_CLIENT_REQUEST, Limit.NONE)
    if leverage != c.UNCHANGED and not RATIO <= leverage <= highest:
        s.globals.largest = highest
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
def _write_settings(s: Store, account: int, command: c.UpdateSettings) -> None:
    holder = account_row(s, account)
    holder.auto_lend = _chosen(holder.auto_lend, command.auto_lend)
    holder.auto_repay_borrows = _chosen(holder.auto_repay_borrows, command.auto_repay_borrows)
    holder.auto_borrow_settlements = _chosen(
        holder.auto_borrow_settlements, command.auto_borrow_settlements
    )
    holder.leverage_limit = _chosen(holder.leverage_limit, command.leverage_limit)
    emit(
        s,
        SettingsUpdated(
            account=account,
            auto_lend=holder.auto_lend,
            auto_repay_borrows=holder.auto_repay_borrows,
            auto_borrow_settlements=holder.auto_borrow_settlements,
            leverage_limit=holder.leverage_limit,
        ),
    )
    if command.auto_lend == 1:
        for asset in range(s.globals.assets):
            wallet.after_receipt(s, account, asset, 0, repay_anyway=False)


@kernel
def _chosen(before: int, value: int) -> int:
    """A setting after a command that may leave it as it was."""
    return before if value == c.UNCHANGED else value


@kernel
def convert_dust(s: Store, command: c.ConvertDust) -> int:
    """Sell dust to the treasury."""
    account = command.account
    asset = command.asset
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
def _unknown_provider(s: Store, account: int, asset: int, quantity: int) -> int:
    """What every commitment asks first: commitments are for backstop providers."""
    if not 0 <= account < s.globals.accounts:
        return refuse(RejectionCode.RESOURCE_NOT_FOUND, Limit.NONE)
    if account_row(s, account).role != c.Role.BACKSTOP_PROVIDER:
        return refuse(RejectionCode.FORBIDDEN, Limit.NONE)
    return questions.unknown(s, account, asset, quantity, custodial=False)


@kernel
def post_backstop(s: Store, command: c.PostBackstop) -> int:
    """Commit to take over more of debts in an asset."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = _unknown_provider(s, account, asset, quantity)
    if refusal:
        return refusal
    room = MAX_SUPPLY - commitment(s, account, asset).committed
    if quantity > room:
        s.globals.largest = room
        return refuse(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP)
    refusal = questions.busy(s, account)
    if not refusal:
        commitment(s, account, asset).committed += quantity
        say_committed(s, account, asset)
    return refusal


@kernel
def withdraw_backstop(s: Store, command: c.WithdrawBackstop) -> int:
    """Take unused commitment back."""
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = _unknown_provider(s, account, asset, quantity)
    if not refusal:
        refusal = questions.busy(s, account)
    if refusal:
        return refusal
    row = commitment(s, account, asset)
    staying = row.committed - row.leaving
    if quantity > staying:
        s.globals.largest = staying
        return refuse(RejectionCode.INSUFFICIENT_FUNDS, Limit.COMMITTED_CAPACITY)
    give_notice(s, account, asset, quantity)
    return 0


@kernel
def post_standby(s: Store, command: c.PostStandby) -> int:
    """Stand by with more USDC."""
    account, quantity, premium = command.account, command.quantity, command.premium
    refusal = questions.unknown(s, account, USDC, quantity, custodial=False)
    if not refusal:
        refusal = posted.post_refusal(s, account, quantity, premium)
    if not refusal:
        refusal = questions.busy(s, account)
    if not refusal:
        posted.post(s, account, quantity, premium)
    return refusal


@kernel
def withdraw_standby(s: Store, command: c.WithdrawStandby) -> int:
    """Take back what is posted, after a notice."""
    account, quantity = command.account, command.quantity
    refusal = questions.unknown(s, account, USDC, quantity, custodial=False)
    if not refusal:
        refusal = questions.busy(s, account)
    if not refusal:
        refusal = posted.withdraw_refusal(s, account, quantity)
    if not refusal:
        posted.withdraw(s, account, quantity)
    return refusal
