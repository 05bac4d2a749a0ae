"""Dispatch: what each command asks before it is carried out, and what it then does.

One handler a command, all of one shape: the refusals in the order of the rejection enum, and, when
nothing refuses, the deed. Prices, time and parameters then look for accounts that became
liquidatable.
"""

from collections.abc import Callable
from dataclasses import replace

from solvent.domain import commands as c
from solvent.domain.events import (
    AccountOpened,
    BackstopCommitted,
    FeesCollected,
    ParameterChanged,
    Refused,
    SettingsUpdated,
    Stepped,
)
from solvent.domain.labels import Source
from solvent.domain.parameters import (
    MAX_SUPPLY,
    MAX_VALUE,
    USDC,
    ParameterError,
    changed_parameters,
)
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import HOUR, INT64_MAX, RATIO, value_divisor
from solvent.reference import book, orders, pool, prices, wallet
from solvent.reference.ledger import POOL, available, borrowed_total, move
from solvent.reference.liquidation import step_waterfall, watch
from solvent.reference.state import TREASURY, Account, Quote, State, new_account
from solvent.reference.throttle import step_bounds

MAX_HOURS_PER_STEP = 366 * 24
"""A time step may pass at most a leap year, so that it ends."""


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


def _cancel_order(state: State, command: c.CancelOrder) -> Refusal | None:
    refusal = _unknown(state, command.account)
    if refusal is not None:
        return refusal
    order = state.orders.get(command.order)
    if order is None or order.account != command.account:
        return Refusal(RejectionCode.RESOURCE_NOT_FOUND)
    book.cancel(state, order)
    return None


def _cancel_all(state: State, command: c.CancelAllOrders) -> Refusal | None:
    asset = USDC if command.asset == c.ANY_ASSET else command.asset
    refusal = _unknown(state, command.account, asset) or _busy(state, command.account)
    if refusal is not None:
        return refusal
    for number in sorted(state.accounts[command.account].open_orders):
        order = state.orders[number]
        if command.asset in (c.ANY_ASSET, order.asset):
            book.cancel(state, order)
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
    room = MAX_SUPPLY - state.accounts[account].committed[asset]
    if quantity > room:
        return Refusal(RejectionCode.INVALID_QUANTITY, Limit.SUPPLY_CAP, room)
    refusal = _busy(state, account)
    if refusal is None:
        _commit(state, account, asset, quantity)
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
    committed = state.accounts[account].committed[asset]
    if quantity > committed:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.COMMITTED_CAPACITY, committed)
    _commit(state, account, asset, -quantity)
    return None


def _commit(state: State, account: int, asset: int, change: int) -> None:
    holder = state.accounts[account]
    holder.committed[asset] += change
    state.emit(BackstopCommitted(account, asset, holder.committed[asset]))


def _update_price(state: State, command: c.UpdatePrice) -> Refusal | None:
    asset = command.asset
    if not 0 < asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    if not 0 <= command.source < len(state.prices[asset].quotes):
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    quoted = (command.bid, command.ask, command.last)
    if min(quoted) < 1 or command.bid > command.ask:
        return Refusal(RejectionCode.INVALID_PRICE)
    highest = _highest_price(state, asset)
    if max(quoted) > highest:
        return Refusal(RejectionCode.INVALID_PRICE, Limit.SUPPLY_CAP, highest)
    prices.record_quote(state, asset, command.source, Quote(*quoted, state.now))
    watch(state, asset)
    return None


def _highest_price(state: State, asset: int) -> int:
    """The highest price at which the whole supply's value still fits, at most a 64-bit half."""
    supply = max(1, -state.outside[asset], borrowed_total(state.pools[asset]))
    divisor = value_divisor(state.asset(asset).decimals)
    return min(INT64_MAX // 4, MAX_VALUE * divisor // supply)


def _halt_price(state: State, command: c.HaltPrice) -> Refusal | None:
    if not 0 < command.asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    state.prices[command.asset].halted = command.halted
    prices.refresh_staleness(state, command.asset)
    watch(state, command.asset)
    return None


def _time_step(state: State, command: c.TimeStep) -> Refusal | None:
    hours = command.time // HOUR - state.hour()
    if command.time <= state.now or hours > MAX_HOURS_PER_STEP:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    elapsed = command.time - state.now
    first = state.hour() + 1
    state.now = command.time
    state.steps += 1
    for hour in range(first, first + hours):
        for asset in range(len(state.pools)):
            pool.charge_hour(state, asset, hour)
    prices.step_prices(state, elapsed)
    step_bounds(state)
    watch(state)
    step_waterfall(state)
    watch(state)
    state.emit(Stepped(state.now, len(state.liquidating)))
    return None


def _change_parameter(state: State, command: c.ChangeParameter) -> Refusal | None:
    try:
        state.parameters = changed_parameters(state.parameters, command)
    except ParameterError:
        return Refusal(RejectionCode.INVALID_CLIENT_REQUEST)
    state.emit(ParameterChanged(command.asset, command.field, command.index, command.value))
    for asset in range(1, len(state.pools)):
        prices.refresh_staleness(state, asset)
    watch(state)
    return None


def _collect_fees(state: State, command: c.CollectFees) -> Refusal | None:
    if not 0 <= command.asset < len(state.pools):
        return Refusal(RejectionCode.INVALID_ASSET)
    source = state.pools[command.asset]
    quantity = min(source.fees, source.cash)
    if quantity == 0:
        return Refusal(RejectionCode.INSUFFICIENT_FUNDS, Limit.POOL_CASH)
    source.fees -= quantity
    move(state, command.asset, quantity, POOL, available(TREASURY))
    state.emit(FeesCollected(command.asset, quantity))
    return None


HANDLERS: dict[type[c.Command], Callable[..., Refusal | None]] = {
    c.OpenAccount: _open_account,
    c.Deposit: _deposit,
    c.Withdraw: _withdraw,
    c.Lend: _lend,
    c.Redeem: _redeem,
    c.Borrow: _borrow,
    c.Repay: _repay,
    c.PlaceOrder: _place_order,
    c.CancelOrder: _cancel_order,
    c.CancelAllOrders: _cancel_all,
    c.UpdateSettings: _update_settings,
    c.ConvertDust: _convert_dust,
    c.PostBackstop: _post_backstop,
    c.WithdrawBackstop: _withdraw_backstop,
    c.UpdatePrice: _update_price,
    c.HaltPrice: _halt_price,
    c.TimeStep: _time_step,
    c.ChangeParameter: _change_parameter,
    c.CollectFees: _collect_fees,
}
