"""Dispatch in kernels: which handler a command goes to, and what a refusal says.

As in `reference.dispatch`; the handlers of account commands are in `handlers`, the others' in
`oracle`, `clock` and `governance`. `ChangeParameter` is not for kernels: a batch stops before it.
"""

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.rejections import Limit, RejectionCode
from solvent.engine import clock, governance, handlers, oracle
from solvent.engine.ledger import account_row, position
from solvent.engine.margin import first_asset
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Account, CommandRow
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.triggers import look
from solvent.engine.refusals import refusal_code, refusal_limit
from solvent.kernels.language import bit, emit, event_words, kernel, message, numbers_of, prefetch
from solvent.kernels.messages import Handlers

_OF_ACCOUNT = sum(
    1 << number
    for number, kind in enumerate(c.COMMAND_KINDS)
    if c.command_fields(kind)[0] == "account"
)
"""Commands that belong to an account, as bits: they name it first, and then an asset, if any."""
_CHANGE_PARAMETER = c.COMMAND_KINDS.index(c.ChangeParameter)
_TIME_STEP = c.COMMAND_KINDS.index(c.TimeStep)
_WITH_ASSET = sum(
    1 << number for number, kind in enumerate(c.COMMAND_KINDS) if "asset" in c.command_fields(kind)
)
"""Commands that name an asset, as bits."""

HANDLERS = (
    Handlers[Store](c.COMMAND_KINDS)
    .on(c.OpenAccount, handlers.open_account)
    .on(c.Deposit, handlers.deposit)
    .on(c.Withdraw, handlers.withdraw)
    .on(c.Lend, handlers.lend)
    .on(c.Redeem, handlers.redeem)
    .on(c.Borrow, handlers.borrow)
    .on(c.Repay, handlers.repay)
    .on(c.PlaceOrder, handlers.place_order)
    .on(c.PlaceTrigger, handlers.place_trigger)
    .on(c.CancelOrder, handlers.cancel_order)
    .on(c.CancelAllOrders, handlers.cancel_all)
    .on(c.UpdateSettings, handlers.update_settings)
    .on(c.ConvertDust, handlers.convert_dust)
    .on(c.PostBackstop, handlers.post_backstop)
    .on(c.WithdrawBackstop, handlers.withdraw_backstop)
    .on(c.PostStandby, handlers.post_standby)
    .on(c.WithdrawStandby, handlers.withdraw_standby)
    .on(c.UpdatePrice, oracle.update_price)
    .on(c.HaltPrice, oracle.halt_price)
    .on(c.TimeStep, clock.time_step)
    .on(c.CollectFees, governance.collect_fees)
)
"""The handler of each command; each returns its refusal, or 0."""

_ROWS_AHEAD = 8
_POSITIONS_AHEAD = 4
"""So many commands before its turn an account's row, and then its positions, are sent for."""


@kernel
def apply_batch(s: Store, count: int) -> int:
    """Apply commands BATCH_NEXT to `count`; return where it stopped.

    It stops before a `ChangeParameter` and after a command that took the events past EVENT_LIMIT;
    `ends` has for each command applied how many numbers the events then took.
    """
    for number in range(s.globals.batch_next, min(count, s.globals.batch_next + _ROWS_AHEAD)):
        _bring_row(s, number)
    while s.globals.batch_next < count:
        number = s.globals.batch_next
        command = s.commands[number]
        if command.kind == _CHANGE_PARAMETER:
            break
        if number + _ROWS_AHEAD < count:
            _bring_row(s, number + _ROWS_AHEAD)
        if number + _POSITIONS_AHEAD < count:
            _bring_positions(s, number + _POSITIONS_AHEAD)
        apply_command(s, command)
        words = event_words(s)
        s.ends[number] = words
        s.globals.batch_next = number + 1
        if words > s.globals.event_limit:
            break
    return s.globals.batch_next


@kernel
def _bring_row(s: Store, number: int) -> None:
    """Have the row of the account that a later command is about brought near."""
    account = _account_of(s, number)
    if account != NONE:
        row = account_row(s, account)
        prefetch(row)
        prefetch(numbers_of(row).at(Account.WIDTH - 1))


@kernel
def _bring_positions(s: Store, number: int) -> None:
    """Have what that account has and owes brought near."""
    account = _account_of(s, number)
    if account != NONE:
        rest = account_row(s, account).held
        asset = message(c.Deposit, s.commands[number].fields).asset
        if 0 <= asset < s.globals.assets:
            rest = rest | bit(asset)
        while rest:
            held = first_asset(rest)
            rest = rest ^ bit(held)
            prefetch(position(s, account, held))


@kernel
def _account_of(s: Store, number: int) -> int:
    """The account that a command of the batch is about, if there is one; else NONE."""
    command = s.commands[number]
    account = message(c.Deposit, command.fields).account
    if bit(command.kind) & _OF_ACCOUNT and 0 <= account < s.globals.accounts:
        return account
    return NONE


@kernel
def apply_command(s: Store, command: CommandRow) -> None:
    """Carry out one command, or say why it is refused."""
    s.globals.largest = 0
    refusal = HANDLERS.call(command.kind, s, command.fields)
    if refusal:
        _refused(s, command, refusal)
    elif command.kind != _TIME_STEP:
        # Time passes in `clock`, which looks itself whether anything happened.
        clock.hear(s)
    if s.globals.printed:
        look(s)


@kernel
def _refused(s: Store, command: CommandRow, refusal: int) -> None:
    """The one event of a refused command."""
    account, asset = NONE, NONE
    if bit(command.kind) & _OF_ACCOUNT:
        account = message(c.Deposit, command.fields).account
        asset = message(c.Deposit, command.fields).asset
    else:
        asset = message(c.UpdatePrice, command.fields).asset
    if not bit(command.kind) & _WITH_ASSET:
        asset = NONE
    emit(
        s,
        Refused(
            command=command.kind,
            account=account,
            asset=asset,
            code=RejectionCode(refusal_code(refusal)),
            limit=Limit(refusal_limit(refusal)),
            largest=s.globals.largest,
        ),
    )
