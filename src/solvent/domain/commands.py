"""Commands: everything that can be asked of an engine, as fixed-size records of integers.

Each command is a frozen dataclass whose fields are integers (enums and booleans count as such), so
that it encodes to a kind and a row of 64-bit numbers. Accounts, assets and orders are named by
number; asset 0 is USDC. Quantities are atoms, prices 10^-10 USDC per whole token, ratios 10^-9.

Only `TimeStep` carries a time: it is how the engine learns what time it is, and every other command
happens at the time of the last step. Prices, too, are commands.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from operator import attrgetter

from solvent.domain.units import unfit

ANY_ASSET = UNCHANGED = NO_CLIENT_ID = -1


class Role(IntEnum):
    """What an account may be."""

    USER = 0
    BACKSTOP_PROVIDER = 1
    BACKSTOP_FUND = 2
    TREASURY = 3


class Side(IntEnum):
    """Bid buys the base asset with USDC, Ask sells it."""

    BID = 0
    ASK = 1


class OrderType(IntEnum):
    """A market order is bounded by the impact band only."""

    LIMIT = 0
    MARKET = 1


class TimeInForce(IntEnum):
    """Good till cancelled, immediate or cancel, fill or kill."""

    GTC = 0
    IOC = 1
    FOK = 2


class SelfTradePrevention(IntEnum):
    """Which side of a trade with oneself is expired."""

    REJECT_TAKER = 0
    REJECT_MAKER = 1
    REJECT_BOTH = 2


class TriggerBy(IntEnum):
    """Which price an order waits for: the mark, the index, or its market's last trade."""

    MARK = 0
    INDEX = 1
    LAST = 2


class ParameterField(IntEnum):
    """Parameters that `ChangeParameter` can change while the engine runs."""

    POOL_STATE = 0
    OPEN_BORROW_LEND_LIMIT = 1
    MAX_UTILIZATION = 2
    THROTTLE_THRESHOLD = 3
    THROTTLE_UPDATE_FRACTION = 4
    POOL_FEE = 5
    CURVE_UTILIZATION = 6
    CURVE_RATE = 7
    COLLATERAL_WEIGHT = 8
    COLLATERAL_BASE = 9
    COLLATERAL_PENALTY = 10
    INITIAL_BASE = 11
    INITIAL_FACTOR = 12
    MAINTENANCE_BASE = 13
    MAINTENANCE_FACTOR = 14
    PRICE_MAX_AGE = 15
    BOOK_FRACTION = 16
    BOOK_PROBABILITY = 17
    BOOK_LIMIT = 18
    TARGET_BUFFER = 19
    MAX_DISCOUNT = 20
    LENDER_POLICY = 21
    DEFAULT_POLICY = 22
    PATIENCE = 23
    COMMITMENT_NOTICE = 24


@dataclass(frozen=True, slots=True)
class Command:
    """Base of all commands."""


@dataclass(frozen=True, slots=True)
class OpenAccount(Command):
    """Create `account`, which must be the next free number."""

    account: int
    role: Role = Role.USER


@dataclass(frozen=True, slots=True)
class Deposit(Command):
    """Tokens arrive from an external place and become available."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Withdraw(Command):
    """Tokens leave; a shortfall may be redeemed from a lend, then borrowed, where allowed."""

    account: int
    asset: int
    quantity: int
    auto_lend_redeem: bool = False
    auto_borrow: bool = False


@dataclass(frozen=True, slots=True)
class Lend(Command):
    """Move available tokens into the pool."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Redeem(Command):
    """Take lent tokens back from the pool."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Borrow(Command):
    """Borrow from the pool; the entry fee is added to the debt."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Repay(Command):
    """Repay up to `quantity` of the debt from the available balance."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class PlaceOrder(Command):
    """Place an order on `asset`'s market against USDC.

    Exactly one of `quantity` (base atoms) and `quote_quantity` (USDC atoms, market orders only) is
    above zero; `price` is zero for market orders. A bid by quote spends at most `quote_quantity`,
    fee included; an ask by quote sells for at most as much and pays the fee out of what it gets.
    `client_id` is any number by which the client knows the order.
    """

    account: int
    asset: int
    side: Side
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    price: int = 0
    quantity: int = 0
    quote_quantity: int = 0
    post_only: bool = False
    reduce_only: bool = False
    auto_borrow: bool = False
    auto_borrow_repay: bool = False
    auto_lend_redeem: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.REJECT_TAKER
    client_id: int = NO_CLIENT_ID


@dataclass(frozen=True, slots=True)
class PlaceTrigger(Command):
    """Place an order that waits until a price reaches `trigger_price`, and holds nothing till then.

    It fires when the price `trigger_by` comes to it from the side where it is now, and is then the
    PlaceOrder of its other fields.
    """

    account: int
    asset: int
    side: Side
    order_type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    price: int = 0
    quantity: int = 0
    quote_quantity: int = 0
    post_only: bool = False
    reduce_only: bool = False
    auto_borrow: bool = False
    auto_borrow_repay: bool = False
    auto_lend_redeem: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.REJECT_TAKER
    client_id: int = NO_CLIENT_ID
    trigger_price: int = 0
    trigger_by: TriggerBy = TriggerBy.MARK


@dataclass(frozen=True, slots=True)
class CancelOrder(Command):
    """Cancel one order of the account that rests or waits."""

    account: int
    order: int


@dataclass(frozen=True, slots=True)
class CancelAllOrders(Command):
    """Cancel what of the account rests or waits on one market, or on all with ANY_ASSET."""

    account: int
    asset: int = ANY_ASSET


@dataclass(frozen=True, slots=True)
class UpdateSettings(Command):
    """Change account settings; UNCHANGED leaves one as it is. `leverage_limit` is a ratio."""

    account: int
    auto_lend: int = UNCHANGED
    auto_repay_borrows: int = UNCHANGED
    auto_borrow_settlements: int = UNCHANGED
    leverage_limit: int = UNCHANGED


@dataclass(frozen=True, slots=True)
class ConvertDust(Command):
    """Sell a balance below the market's minimum quantity to the treasury at the mark."""

    account: int
    asset: int


@dataclass(frozen=True, slots=True)
class PostBackstop(Command):
    """A backstop provider commits to take over up to `quantity` more of debts in `asset`."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class WithdrawBackstop(Command):
    """A backstop provider takes unused commitment back."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class PostStandby(Command):
    """Stand by with `quantity` more atoms of USDC for what ADL pays others in kind.

    `premium` (10^-9 of the value taken over) is asked for all that is posted. It may fall at any
    time, and rise only while nothing is posted.
    """

    account: int
    quantity: int
    premium: int


@dataclass(frozen=True, slots=True)
class WithdrawStandby(Command):
    """Take back what is posted, after the notice of commitments."""

    account: int
    quantity: int


@dataclass(frozen=True, slots=True)
class UpdatePrice(Command):
    """One source's quote for `asset`: best bid, best ask and last trade.

    With `more` it belongs to one moment with the price commands after it: they take effect together
    when one comes without, or with the next time step.
    """

    asset: int
    source: int
    bid: int
    ask: int
    last: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class HaltPrice(Command):
    """Declare an asset's price unusable, or usable again; `more` is as in `UpdatePrice`."""

    asset: int
    halted: bool
    more: bool = False


@dataclass(frozen=True, slots=True)
class TimeStep(Command):
    """The time is now `time` (microseconds UTC): interest, marks, throttle and waterfall move."""

    time: int


@dataclass(frozen=True, slots=True)
class ChangeParameter(Command):
    """Set one parameter; `index` picks the curve point, `asset` is ignored for waterfall fields."""

    asset: int
    field: ParameterField
    value: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class CollectFees(Command):
    """Move a pool's collected fees to the treasury, as far as the pool has cash."""

    asset: int


COMMAND_KINDS: tuple[type[Command], ...] = (
    OpenAccount,
    Deposit,
    Withdraw,
    Lend,
    Redeem,
    Borrow,
    Repay,
    PlaceOrder,
    CancelOrder,
    CancelAllOrders,
    UpdateSettings,
    ConvertDust,
    PostBackstop,
    WithdrawBackstop,
    UpdatePrice,
    HaltPrice,
    TimeStep,
    ChangeParameter,
    CollectFees,
    PlaceTrigger,
    PostStandby,
    WithdrawStandby,
)
"""All commands; a command's kind is its place here, and places never change."""

_KIND_OF = {kind: number for number, kind in enumerate(COMMAND_KINDS)}
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in COMMAND_KINDS}
COMMAND_WORDS = tuple(1 + len(_FIELDS[kind]) for kind in COMMAND_KINDS)
"""How many 64-bit numbers each kind of command takes, its kind included."""

_PACKERS = {kind: struct.Struct(f"<{len(names) + 1}q") for kind, names in _FIELDS.items()}
_ENUMS: dict[str, type[bool] | type[IntEnum]] = {
    "role": Role,
    "side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "self_trade_prevention": SelfTradePrevention,
    "trigger_by": TriggerBy,
    "field": ParameterField,
    "auto_lend_redeem": bool,
    "auto_borrow": bool,
    "auto_borrow_repay": bool,
    "post_only": bool,
    "reduce_only": bool,
    "halted": bool,
    "more": bool,
}


def _row_of(names: tuple[str, ...]) -> Callable[[Command], tuple[int, ...]]:
    """What reads these fields of a command; asked for one alone, `attrgetter` makes no tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda command: (getattr(command, names[0]),)


_ROWS = {kind: _row_of(names) for kind, names in _FIELDS.items()}


def _members(kind: type[Command]) -> list[tuple[int, dict[int, int]]]:
    """The fields that hold words of a closed list: their places, and the words by number."""
    return [
        (place, {0: False, 1: True} if convert is bool else {int(each): each for each in convert})
        for place, name in enumerate(_FIELDS[kind])
        if (convert := _ENUMS.get(name)) is not None
    ]


_MEMBERS = {kind: _members(kind) for kind in COMMAND_KINDS}
WORDED_KINDS = frozenset(_KIND_OF[kind] for kind, members in _MEMBERS.items() if members)
"""Kinds of commands, by number, some fields of which hold words of a closed list."""


def fired_order(trigger: PlaceTrigger) -> PlaceOrder:
    """The order that a waiting one becomes when it fires."""
    return PlaceOrder(*_ROWS[PlaceOrder](trigger))  # type: ignore[arg-type]


def waiting_order(order: PlaceOrder, trigger_price: int, trigger_by: TriggerBy) -> PlaceTrigger:
    """An order that waits until `trigger_by` reaches `trigger_price`, and is then `order`."""
    row = (*_ROWS[PlaceOrder](order), trigger_price, trigger_by)
    return PlaceTrigger(*row)  # type: ignore[arg-type]


PriceCommand = UpdatePrice | HaltPrice


def one_moment(changes: Iterable[PriceCommand]) -> list[PriceCommand]:
    """Quotes and halts that take effect together: each but the last says that more follow."""
    given = list(changes)
    last = len(given) - 1
    return [replace(change, more=place < last) for place, change in enumerate(given)]


class CommandEncodingError(ValueError):
    """Bytes or numbers do not stand for a command. `str(error)` says why."""


def command_fields(kind: type[Command]) -> tuple[str, ...]:
    """Names of a command's fields, in encoding order."""
    return _FIELDS[kind]


def encode_command(command: Command) -> bytes:
    """Kind and fields as little-endian signed 64-bit numbers."""
    kind = type(command)
    try:
        return _PACKERS[kind].pack(_KIND_OF[kind], *_ROWS[kind](command))
    except struct.error as error:
        every = (unfit(f"{kind.__name__}.{name}", getattr(command, name)) for name in _FIELDS[kind])
        raise CommandEncodingError(next(filter(None, every))) from error


def decode_command(data: bytes, offset: int = 0) -> tuple[Command, int]:
    """The command encoded at `offset` and the offset behind it. Raises CommandEncodingError."""
    if len(data) < offset + 8:
        raise CommandEncodingError(f"command at byte {offset} is cut short")
    number = int.from_bytes(data[offset : offset + 8], "little", signed=True)
    if not 0 <= number < len(COMMAND_KINDS):
        raise CommandEncodingError(f"command at byte {offset} has unknown kind {number}")
    kind = COMMAND_KINDS[number]
    packer = _PACKERS[kind]
    end = offset + packer.size
    if len(data) < end:
        raise CommandEncodingError(f"{kind.__name__} at byte {offset} is cut short")
    _, *row = packer.unpack_from(data, offset)
    for place, members in _MEMBERS[kind]:
        value = members.get(row[place])
        if value is None:
            # This says which value is none of the field's.
            return make_command(kind, dict(zip(_FIELDS[kind], row, strict=True))), end
        row[place] = value
    return kind(*row), end


def make_command(kind: type[Command], row: dict[str, int]) -> Command:
    """A command from plain numbers. Raises CommandEncodingError on a value out of its enum."""
    values: dict[str, int] = {}
    for name, number in row.items():
        convert = _ENUMS.get(name)
        if convert is bool and number not in (0, 1):
            raise CommandEncodingError(f"{kind.__name__}.{name}: {number} is neither 0 nor 1")
        try:
            values[name] = convert(number) if convert else number
        except ValueError as error:
            raise CommandEncodingError(f"{kind.__name__}.{name}: {error}") from error
    return kind(**values)
