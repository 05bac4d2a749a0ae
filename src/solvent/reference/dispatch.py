"""Dispatch: what each command asks before it is carried out, and what it then does.

One handler a command, all of one shape: the refusals in the order of the rejection enum, and, when
nothing refuses, the deed. Prices are in `oracle`, time is in `clock`, parameters and fees are in
`governance`.

Specification: sections 6.1, 6.2.
"""

from collections.abc import Callable
from dataclasses import replace

from solvent.domain import commands as c
from solvent.domain.events import (
    AccountOpened,
    Refused,
    SettingsUpdated,
)
from solvent.domain.labels import Source
from solvent.domain.parameters import (
    MAX_SUPPLY,
    USDC,
)
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import RATIO
from solvent.reference.clock import time_step
from solvent.reference.governance import change_parameter, collect_fees
from solvent.reference.lending import pool, wallet
from solvent.reference.limits import is_gate_shut
from solvent.reference.oracle import halt_price, update_price
from solvent.reference.orderbook import book, orders, triggers
from solvent.reference.standby import posted
from solvent.reference.state import FUND, TREASURY, Account, Order, State, Trigger, new_account
from solvent.reference.waterfall import notices
from solvent.reference.waterfall.gate import reckon_gate


def refused(command: c.Command, refusal: Refusal) -> Refused:
    """The one event of a refused command."""
    account = getattr(command, "account", -1)
    asset = getattr(command, "asset", -1)
    kind = c.COMMAND_KINDS.index(type(command))
    return Refused(kind, account, asset, refusal.code, refusal.limit, refusal.largest)


_CUSTODIAL = (c.Role.BACKSTOP_FUND, c.Role.TREASURY)


def _unknown(
    state: State, account: int, asset: int = USDC, quantity: int = 1, *, custodial: bool = False
) -> Refusal | None:
    """What every account command asks first: that account, asset and quantity make sense."""
    if not 0 <= account < len(state.accounts):
        return Refusal(RejectionCode.RESOURCE_NOT_FOUND)
    if state.accounts[account].role in _CUSTODIAL and not custodial:
        return Refusal(RejectionCode.FORBIDDEN)
    if not 0 <= asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    if not 1 <= quantity <= MAX_SUPPLY:
        return Refusal(RejectionCode.INVALID_QUANTITY)
    return None


def _busy(state: State, account: int) -> Refusal | None:
    """An account in the waterfall may only deposit and repay (I8)."""
    if account in state.liquidating:
        return Refusal(RejectionCode.ACCOUNT_LIQUIDATING)
    return None


def _with_largest(refusal: Refusal | None, largest: Callable[[], int]) -> Refusal | None:
    """Add the largest amount that would have passed, where a limit refused."""
    if refusal is None or refusal.limit is Limit.NONE:
        return refusal
    return replace(refusal, largest=largest())


def _open_account(state: State, command: c.OpenAccount) -> Refusal | None:
    if command.account != len(state.accounts):
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    if command.role in _CUSTODIAL:
        return Refusal(RejectionCode.FORBIDDEN)
    state.accounts.append(new_account(state.parameters, command.role))
    state.emit(AccountOpened(command.account, command.role))
    return None


def _deposit(state: State, command: c.Deposit) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = _unknown(state, account, asset, quantity, custodial=True) or wallet.deposit_refusal(
        state, asset, quantity
    )
    if refusal is None:
        wallet.deposit(state, account, asset, quantity)
        # Who lacks only what others will lose is not liquidating, and lacks less by it.
        if account == FUND or account in state.liquidating or is_gate_shut(state):
            reckon_gate(state)
    return refusal


def _withdraw(state: State, command: c.Withdraw) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    treasury = account == TREASURY
    redeem, borrow = command.auto_lend_redeem, command.auto_borrow and not treasury
    refusal = _unknown(state, account, asset, quantity, custodial=treasury)
    refusal = refusal or _busy(state, account)
    if refusal is None:
        refusal = _with_largest(
            wallet.withdraw_refusal(state, account, asset, quantity, redeem=redeem, borrow=borrow),
            lambda: wallet.largest_withdraw(state, account, asset, redeem=redeem, borrow=borrow),
        )
    if refusal is None:
        wallet.withdraw(state, account, asset, quantity)
    return refusal


def _lend(state: State, command: c.Lend) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = (
        _unknown(state, account, asset, quantity)
        or wallet.lend_form(state, asset, quantity)
        or _busy(state, account)
        or _with_largest(
            wallet.lend_refusal(state, account, asset, quantity),
            lambda: wallet.largest_lend(state, account, asset),
        )
    )
    if refusal is None:
        pool.lend(state, account, asset, quantity, Source.MANUAL)
    return refusal


def _redeem(state: State, command: c.Redeem) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = _unknown(state, account, asset, quantity, custodial=account == TREASURY)
    refusal = refusal or _busy(state, account)
    if refusal is None:
        refusal = _with_largest(
            wallet.user_redeem_refusal(state, account, asset, quantity),
            lambda: wallet.largest_redeem(state, account, asset),
        )
    if refusal is None:
        pool.redeem(state, account, asset, quantity, Source.MANUAL)
    return refusal


def _borrow(state: State, command: c.Borrow) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = (
        _unknown(state, account, asset, quantity)
        or _busy(state, account)
        or _with_largest(
            wallet.user_borrow_refusal(state, account, asset, quantity),
            lambda: wallet.largest_borrow(state, account, asset),
        )
    )
    if refusal is None:
        pool.borrow(state, account, asset, quantity, Source.MANUAL)
    return refusal


def _repay(state: State, command: c.Repay) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = (
        _unknown(state, account, asset, quantity)
        or wallet.repay_form(state, account, asset, quantity)
        or wallet.booking_refusal(state, account)
        or _with_largest(
            wallet.repay_refusal(state, account, asset, quantity),
            lambda: wallet.largest_repay(state, account, asset),
        )
    )
    if refusal is None:
        wallet.repay(state, account, asset, quantity)
    return refusal


_NOT_QUANTITIES = (Limit.NONE, Limit.PRICE_BAND, Limit.ORDER_COUNT)


def _place_order(state: State, command: c.PlaceOrder) -> Refusal | None:
    refusal = _unknown(state, command.account, command.asset)
    if refusal is not None:
        return refusal
    if command.asset == USDC:
        return Refusal(RejectionCode.INVALID_MARKET)
    refusal = (
        orders.order_form(state, command)
        or _busy(state, command.account)
        or orders.order_refusal(state, command)
    )
    if refusal is None:
        orders.place_order(state, command)
    elif refusal.limit not in _NOT_QUANTITIES:
        refusal = replace(refusal, largest=orders.largest_order(state, command))
    return refusal


def _place_trigger(state: State, command: c.PlaceTrigger) -> Refusal | None:
    refusal = _unknown(state, command.account, command.asset)
    if refusal is not None:
        return refusal
    if command.asset == USDC:
        return Refusal(RejectionCode.INVALID_MARKET)
    refusal = (
        triggers.trigger_form(state, command)
        or _busy(state, command.account)
        or triggers.trigger_refusal(state, command)
    )
    if refusal is None:
        triggers.place_trigger(state, command)
    return refusal


def _cancel_order(state: State, command: c.CancelOrder) -> Refusal | None:
    refusal = _unknown(state, command.account)
    if refusal is not None:
        return refusal
    for order in book.open_orders(state, command.account):
        if order.order == command.order:
            _end(state, order)
            return None
    return Refusal(RejectionCode.RESOURCE_NOT_FOUND)


def _end(state: State, order: Order | Trigger) -> None:
    """Cancel an order that rests or waits."""
    if isinstance(order, Order):
        book.cancel(state, order)
    else:
        book.cancel_waiting(state, order)


def _cancel_all(state: State, command: c.CancelAllOrders) -> Refusal | None:
    asset = USDC if command.asset == c.ANY_ASSET else command.asset
    refusal = _unknown(state, command.account, asset) or _busy(state, command.account)
    if refusal is not None:
        return refusal
    for order in book.open_orders(state, command.account):
        market = order.asset if isinstance(order, Order) else order.becomes.asset
        if command.asset in (c.ANY_ASSET, market):
            _end(state, order)
    return None


def _update_settings(state: State, command: c.UpdateSettings) -> Refusal | None:
    flags = (command.auto_lend, command.auto_repay_borrows, command.auto_borrow_settlements)
    leverage = command.leverage_limit
    highest = state.parameters.max_leverage
    if any(flag not in (c.UNCHANGED, 0, 1) for flag in flags):
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    if leverage != c.UNCHANGED and not RATIO <= leverage <= highest:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST, Limit.LEVERAGE, highest)
    refusal = _unknown(state, command.account) or _busy(state, command.account)
    if refusal is None:
        _write_settings(state, state.accounts[command.account], command)
    return refusal


def _write_settings(state: State, holder: Account, command: c.UpdateSettings) -> None:
    if command.auto_lend != c.UNCHANGED:
        holder.auto_lend = bool(command.auto_lend)
    if command.auto_repay_borrows != c.UNCHANGED:
        holder.auto_repay_borrows = bool(command.auto_repay_borrows)
    if command.auto_borrow_settlements != c.UNCHANGED:
        holder.auto_borrow_settlements = bool(command.auto_borrow_settlements)
    if command.leverage_limit != c.UNCHANGED:
        holder.leverage_limit = command.leverage_limit
    state.emit(
        SettingsUpdated(
            command.account,
            int(holder.auto_lend),
            int(holder.auto_repay_borrows),
            int(holder.auto_borrow_settlements),
            holder.leverage_limit,
        )
    )
    if command.auto_lend == 1:
        for asset in range(len(state.pools)):
            wallet.after_receipt(state, command.account, asset, 0)


def _convert_dust(state: State, command: c.ConvertDust) -> Refusal | None:
    account, asset = command.account, command.asset
    refusal = (
        _unknown(state, account, asset)
        or wallet.dust_form(state, account, asset)
        or _busy(state, account)
        or wallet.dust_refusal(state, account, asset)
    )
    if refusal is None:
        wallet.convert_dust(state, account, asset)
    return refusal


def _no_provider(state: State, account: int) -> Refusal | None:
    """Commitments are for backstop providers."""
    if not 0 <= account < len(state.accounts):
        return Refusal(RejectionCode.RESOURCE_NOT_FOUND)
    if state.accounts[account].role is not c.Role.BACKSTOP_PROVIDER:
        return Refusal(RejectionCode.FORBIDDEN)
    return None


def _post_backstop(state: State, command: c.PostBackstop) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = _no_provider(state, account) or _unknown(state, account, asset, quantity)
    if refusal is not None:
        return refusal
    holder = state.accounts[account]
    room = MAX_SUPPLY - holder.committed[asset]
    if quantity > room:
        return Refusal(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP, room)
    refusal = _busy(state, account)
    if refusal is None:
        holder.committed[asset] += quantity
        notices.say_committed(state, account, asset)
    return refusal


def _withdraw_backstop(state: State, command: c.WithdrawBackstop) -> Refusal | None:
    account, asset, quantity = command.account, command.asset, command.quantity
    refusal = (
        _no_provider(state, account)
        or _unknown(state, account, asset, quantity)
        or _busy(state, account)
    )
    if refusal is not None:
        return refusal
    holder = state.accounts[account]
    staying = holder.committed[asset] - holder.leaving[asset]
    if quantity > staying:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.COMMITTED_CAPACITY, staying)
    notices.give_notice(state, account, asset, quantity)
    return None


def _post_standby(state: State, command: c.PostStandby) -> Refusal | None:
    account, quantity, premium = command.account, command.quantity, command.premium
    refusal = (
        _unknown(state, account, USDC, quantity)
        or posted.post_refusal(state, account, quantity, premium)
        or _busy(state, account)
    )
    if refusal is None:
        posted.post(state, account, quantity, premium)
    return refusal


def _withdraw_standby(state: State, command: c.WithdrawStandby) -> Refusal | None:
    account, quantity = command.account, command.quantity
    refusal = (
        _unknown(state, account, USDC, quantity)
        or _busy(state, account)
        or posted.withdraw_refusal(state, account, quantity)
    )
    if refusal is None:
        posted.withdraw(state, account, quantity)
    return refusal


HANDLERS: dict[type[c.Command], Callable[..., Refusal | None]] = {
    c.OpenAccount: _open_account,
    c.Deposit: _deposit,
    c.Withdraw: _withdraw,
    c.Lend: _lend,
    c.Redeem: _redeem,
    c.Borrow: _borrow,
    c.Repay: _repay,
    c.PlaceOrder: _place_order,
    c.PlaceTrigger: _place_trigger,
    c.CancelOrder: _cancel_order,
    c.CancelAllOrders: _cancel_all,
    c.UpdateSettings: _update_settings,
    c.ConvertDust: _convert_dust,
    c.PostBackstop: _post_backstop,
    c.WithdrawBackstop: _withdraw_backstop,
    c.PostStandby: _post_standby,
    c.WithdrawStandby: _withdraw_standby,
    c.UpdatePrice: update_price,
    c.HaltPrice: halt_price,
    c.TimeStep: time_step,
    c.ChangeParameter: change_parameter,
    c.CollectFees: collect_fees,
}
