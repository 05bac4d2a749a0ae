"""Dispatch in kernels: which handler a command goes to, and what a refusal says.

As in `reference.dispatch`; the handlers of account commands are in `handlers`, the others' in
`oracle`, `clock` and `governance`. `ChangeParameter` is not for kernels: a batch stops before it.
"""

from solvent.domain import commands as c
from solvent.engine import clock, governance, handlers, oracle
from solvent.engine.ledger import account_row, position
from solvent.engine.margin import first_asset
from solvent.engine.memory.layout import (
    ACCOUNT_WIDTH,
    ACCOUNTS,
    ASSETS,
    BATCH_NEXT,
    COMMAND_KIND,
    COMMAND_WIDTH,
    EVENT_LIMIT,
    HELD,
    LARGEST,
    NONE,
    REFUSED,
    field_of,
    kind_of,
)
from solvent.engine.refusals import refusal_code, refusal_limit
from solvent.kernels.language import Memory, Store, bit, emit, event_words, fail, kernel, prefetch

_OPEN_ACCOUNT = kind_of(c.OpenAccount)
_DEPOSIT = kind_of(c.Deposit)
_WITHDRAW = kind_of(c.Withdraw)
_LEND = kind_of(c.Lend)
_REDEEM = kind_of(c.Redeem)
_BORROW = kind_of(c.Borrow)
_REPAY = kind_of(c.Repay)
_PLACE_ORDER = kind_of(c.PlaceOrder)
_CANCEL_ORDER = kind_of(c.CancelOrder)
_CANCEL_ALL = kind_of(c.CancelAllOrders)
_UPDATE_SETTINGS = kind_of(c.UpdateSettings)
_CONVERT_DUST = kind_of(c.ConvertDust)
_POST_BACKSTOP = kind_of(c.PostBackstop)
_UPDATE_PRICE = kind_of(c.UpdatePrice)
_HALT_PRICE = kind_of(c.HaltPrice)
_TIME_STEP = kind_of(c.TimeStep)
_CHANGE_PARAMETER = kind_of(c.ChangeParameter)
_COLLECT_FEES = kind_of(c.CollectFees)

# Every account command has these in the same place, if it has them at all; so have others.
_ACCOUNT = field_of(c.Deposit, "account")
_ASSET = field_of(c.Deposit, "asset")
_HOUSE_ASSET = field_of(c.UpdatePrice, "asset")

_ROWS_AHEAD = 8
_POSITIONS_AHEAD = 4
"""So many commands before its turn an account's row, and then its positions, are sent for."""


@kernel
def apply_batch(s: Store, count: int) -> int:
    """Apply commands BATCH_NEXT to `count`; return where it stopped.

    It stops before a `ChangeParameter` and after a command that took the events past EVENT_LIMIT;
    `ends` has for each command applied how many numbers the events then took.
    """
    for number in range(s.globals[BATCH_NEXT], min(count, s.globals[BATCH_NEXT] + _ROWS_AHEAD)):
        _bring_row(s, number)
    while s.globals[BATCH_NEXT] < count:
        number = s.globals[BATCH_NEXT]
        command = s.commands.at(number * COMMAND_WIDTH)
        if command[COMMAND_KIND] == _CHANGE_PARAMETER:
            break
        if number + _ROWS_AHEAD < count:
            _bring_row(s, number + _ROWS_AHEAD)
        if number + _POSITIONS_AHEAD < count:
            _bring_positions(s, number + _POSITIONS_AHEAD)
        apply_command(s, command)
        words = event_words(s)
        s.ends[number] = words
        s.globals[BATCH_NEXT] = number + 1
        if words > s.globals[EVENT_LIMIT]:
            break
    return s.globals[BATCH_NEXT]


@kernel
def _bring_row(s: Store, number: int) -> None:
    """Have the row of the account that a later command is about brought near."""
    account = _account_of(s, number)
    if account != NONE:
        row = account_row(s, account)
        prefetch(row)
        prefetch(row.at(ACCOUNT_WIDTH - 1))


@kernel
def _bring_positions(s: Store, number: int) -> None:
    """Have what that account has and owes brought near."""
    account = _account_of(s, number)
    if account != NONE:
        rest = account_row(s, account)[HELD]
        asset = s.commands[number * COMMAND_WIDTH + _ASSET]
        if 0 <= asset < s.globals[ASSETS]:
            rest = rest | bit(asset)
        while rest:
            held = first_asset(rest)
            rest = rest ^ bit(held)
            prefetch(position(s, account, held))


@kernel
def _account_of(s: Store, number: int) -> int:
    """The account that a command of the batch is about, if there is one; else NONE."""
    command = s.commands.at(number * COMMAND_WIDTH)
    account = command[_ACCOUNT]
    if command[COMMAND_KIND] < _UPDATE_PRICE and 0 <= account < s.globals[ACCOUNTS]:
        return account
    return NONE


@kernel
def apply_command(s: Store, command: Memory) -> None:
    """Carry out one command, a kind and its fields, or say why it is refused."""
    s.globals[LARGEST] = 0
    kind = command[COMMAND_KIND]
    refusal = 0
    if kind < _PLACE_ORDER:
        refusal = _move_funds(s, kind, command)
    elif kind < _UPDATE_PRICE:
        refusal = _manage_account(s, kind, command)
    else:
        refusal = _belongs_to_no_account(s, kind, command)
    if refusal:
        _refused(s, kind, command, refusal)


@kernel
def _move_funds(s: Store, kind: int, command: Memory) -> int:
    if kind == _OPEN_ACCOUNT:
        return handlers.open_account(s, command)
    if kind == _DEPOSIT:
        return handlers.deposit(s, command)
    if kind == _WITHDRAW:
        return handlers.withdraw(s, command)
    if kind == _LEND:
        return handlers.lend(s, command)
    if kind == _REDEEM:
        return handlers.redeem(s, command)
    if kind == _BORROW:
        return handlers.borrow(s, command)
    if kind != _REPAY:
        fail()
    return handlers.repay(s, command)


@kernel
def _manage_account(s: Store, kind: int, command: Memory) -> int:
    if kind == _PLACE_ORDER:
        return handlers.place_order(s, command)
    if kind == _CANCEL_ORDER:
        return handlers.cancel_order(s, command)
    if kind == _CANCEL_ALL:
        return handlers.cancel_all(s, command)
    if kind == _UPDATE_SETTINGS:
        return handlers.update_settings(s, command)
    if kind == _CONVERT_DUST:
        return handlers.convert_dust(s, command)
    if kind == _POST_BACKSTOP:
        return handlers.post_backstop(s, command)
    return handlers.withdraw_backstop(s, command)


@kernel
def _belongs_to_no_account(s: Store, kind: int, command: Memory) -> int:
    if kind == _UPDATE_PRICE:
        return oracle.update_price(s, command)
    if kind == _HALT_PRICE:
        return oracle.halt_price(s, command)
    if kind == _TIME_STEP:
        return clock.time_step(s, command)
    if kind != _COLLECT_FEES:
        fail()
    return governance.collect_fees(s, command)


@kernel
def _refused(s: Store, kind: int, command: Memory, refusal: int) -> None:
    """The one event of a refused command."""
    account = command[_ACCOUNT] if kind < _UPDATE_PRICE else NONE
    asset = NONE
    if kind >= _UPDATE_PRICE:
        asset = command[_HOUSE_ASSET] if kind != _TIME_STEP else NONE
    elif kind != _OPEN_ACCOUNT and kind != _CANCEL_ORDER and kind != _UPDATE_SETTINGS:
        asset = command[_ASSET]
    code = refusal_code(refusal)
    emit(s, REFUSED, kind, account, asset, code, refusal_limit(refusal), s.globals[LARGEST])
