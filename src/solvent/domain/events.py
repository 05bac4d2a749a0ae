"""Events: everything that happened, as flat records of integers.

An engine answers each command with a tuple of events, in the order in which things happened. A
refused command answers with one `Refused` and changes nothing. Events encode like commands: a kind
and a row of 64-bit numbers, so that two engines can be compared byte by byte. Receipts, streams,
views and reports are all made of these records and of nothing else.
"""

import struct
from dataclasses import dataclass, fields
from enum import IntEnum

from solvent.domain.commands import Role, Side
from solvent.domain.rejections import Limit, RejectionCode


class Source(IntEnum):
    """Why a claim or a debt moved (BorrowLendSource of the public API)."""

    MANUAL = 0
    AUTO_LEND = 1
    AUTO_BORROW_REPAY = 2
    SPOT_MARGIN = 3
    WITHDRAWAL = 4
    DUST_CONVERSION = 5
    LIQUIDATION = 6
    LIQUIDATION_BACKSTOP = 7
    BACKSTOP_PROVIDER = 8
    LIQUIDATION_ADL = 9
    ADL_PROVIDER = 10
    RECONCILIATION = 11


class SystemOrder(IntEnum):
    """Which engine sent an order (SystemOrderType of the public API); USER for people's."""

    USER = 0
    BOOK_LIQUIDATION = 1


class Stage(IntEnum):
    """Stages of the waterfall."""

    BOOK = 1
    BACKSTOP = 2
    ADL = 3
    DEFICIT = 4


class Reason(IntEnum):
    """Why a stage handed over what it could not clear."""

    NO_LIQUIDITY_IN_BAND = 1
    NO_REDEEMABLE_CASH = 2
    NO_BACKSTOP_CAPACITY = 3
    PRICE_GAP = 4
    OVER_BOOK_LIMIT = 5
    STALE_PRICE = 6
    NO_COUNTERPARTY = 7
    BELOW_LOT = 8


class ExpiryReason(IntEnum):
    """Why an order ended without its owner asking (OrderExpiryReason of the public API)."""

    IMMEDIATE_OR_CANCEL = 1
    FILL_OR_KILL = 2
    PRICE_IMPACT = 3
    SELF_TRADE_PREVENTION = 4
    INSUFFICIENT_LIQUIDITY = 5
    INSUFFICIENT_FUNDS = 6
    INSUFFICIENT_MARGIN = 7
    INSUFFICIENT_BORROWABLE_QUANTITY = 8
    LIQUIDATION = 9
    REDUCE_ONLY_NOT_REDUCED = 10
    ADL_SETTLEMENT = 11


class AdlCase(IntEnum):
    """L: a lender is stuck. B: a borrower is in default."""

    STUCK_LENDER = 0
    BORROWER_DEFAULT = 1


class LegForm(IntEnum):
    """In what form value changed hands."""

    AVAILABLE = 0
    REDEEMED = 1
    CLAIM = 2
    BORROWED = 3


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A command was refused; state is as before. `largest` would have passed."""

    command: int
    account: int
    asset: int
    code: RejectionCode
    limit: Limit
    largest: int


@dataclass(frozen=True, slots=True)
class AccountOpened(Event):
    """An account exists."""

    account: int
    role: Role


@dataclass(frozen=True, slots=True)
class Deposited(Event):
    """Tokens came in."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """Tokens left."""

    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Lent(Event):
    """A claim rose by `shares` for `quantity` tokens put into the pool."""

    account: int
    asset: int
    quantity: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class Redeemed(Event):
    """A claim fell by `shares` for `quantity` tokens taken out of the pool."""

    account: int
    asset: int
    quantity: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class Borrowed(Event):
    """A debt rose by `shares` for `quantity` tokens and `entry_fee` tokens of interest."""

    account: int
    asset: int
    quantity: int
    entry_fee: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class Repaid(Event):
    """A debt fell by `shares` for `quantity` tokens paid into the pool."""

    account: int
    asset: int
    quantity: int
    shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class Netted(Event):
    """A claim and a debt of one account cancelled inside the pool; no cash moved."""

    account: int
    asset: int
    quantity: int
    claim_shares: int
    debt_shares: int
    source: Source


@dataclass(frozen=True, slots=True)
class OrderAccepted(Event):
    """An order entered; `locked` atoms of what it pays with are held."""

    order: int
    account: int
    asset: int
    side: Side
    price: int
    quantity: int
    quote_quantity: int
    locked: int
    client_id: int
    system_order: SystemOrder


@dataclass(frozen=True, slots=True)
class OrderRested(Event):
    """What is left of an order rests in the book."""

    order: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderCancelled(Event):
    """Its owner cancelled an order; its funds are free."""

    order: int
    account: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderExpired(Event):
    """An order ended with `quantity` unfilled (of `quote_quantity` for orders by quote)."""

    order: int
    account: int
    quantity: int
    reason: ExpiryReason


@dataclass(frozen=True, slots=True)
class Filled(Event):
    """One trade. Fees are USDC; `side` is the taker's."""

    trade: int
    asset: int
    taker_order: int
    maker_order: int
    taker: int
    maker: int
    side: Side
    price: int
    quantity: int
    quote: int
    taker_fee: int
    maker_fee: int
    system_order: SystemOrder


@dataclass(frozen=True, slots=True)
class SettingsUpdated(Event):
    """An account's settings are now these."""

    account: int
    auto_lend: int
    auto_repay_borrows: int
    auto_borrow_settlements: int
    leverage_limit: int


@dataclass(frozen=True, slots=True)
class DustConverted(Event):
    """A dust balance went to the treasury for USDC at the mark."""

    account: int
    asset: int
    quantity: int
    received: int


@dataclass(frozen=True, slots=True)
class BackstopCommitted(Event):
    """A provider's unused commitment is now `committed`."""

    account: int
    asset: int
    committed: int


@dataclass(frozen=True, slots=True)
class IndexUpdated(Event):
    """An asset has a new index and mark price."""

    asset: int
    index: int
    mark: int


@dataclass(frozen=True, slots=True)
class MarkUpdated(Event):
    """The premium of the book moved the mark."""

    asset: int
    index: int
    mark: int


@dataclass(frozen=True, slots=True)
class PriceStaleness(Event):
    """An asset's price became stale (1) or usable again (0)."""

    asset: int
    stale: int


@dataclass(frozen=True, slots=True)
class InterestCharged(Event):
    """Interest for the hour that begins at `hour` (hours since the epoch)."""

    asset: int
    hour: int
    apr: int
    utilization: int
    interest: int
    fee: int
    lend_index: int
    debt_index: int


@dataclass(frozen=True, slots=True)
class ThrottleMoved(Event):
    """The highest utilization a borrow or redemption may leave."""

    asset: int
    bound: int


@dataclass(frozen=True, slots=True)
class ParameterChanged(Event):
    """One parameter has a new value."""

    asset: int
    field: int
    index: int
    value: int


@dataclass(frozen=True, slots=True)
class FeesCollected(Event):
    """Pool fees went to the treasury."""

    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Stepped(Event):
    """Time moved on; `liquidating` accounts are in the waterfall after the step."""

    time: int
    liquidating: int


@dataclass(frozen=True, slots=True)
class LiquidationStarted(Event):
    """MMR reached 100 %: net equity is at or below the maintenance requirement."""

    account: int
    net_equity: int
    maintenance: int
    exposure: int
    total_value: int


@dataclass(frozen=True, slots=True)
class LiquidationEnded(Event):
    """Target health is restored, or nothing is owed any more."""

    account: int
    net_equity: int
    maintenance: int
    exposure: int
    total_value: int


@dataclass(frozen=True, slots=True)
class HandedOver(Event):
    """`stage` could not clear `value` (10^-6 USDC of debt) of `account`; `asset` says in what."""

    account: int
    stage: Stage
    reason: Reason
    asset: int
    value: int


@dataclass(frozen=True, slots=True)
class BackstopFilled(Event):
    """A provider took over `debt_quantity` of `debt_asset`, worth `debt_value` at the mark."""

    fill: int
    account: int
    provider: int
    debt_asset: int
    debt_quantity: int
    debt_value: int
    discount: int
    fund_value: int


@dataclass(frozen=True, slots=True)
class BackstopLeg(Event):
    """Collateral that went with a backstop fill, to the provider or to the fund."""

    fill: int
    receiver: int
    asset: int
    form: LegForm
    quantity: int
    value: int


@dataclass(frozen=True, slots=True)
class AdlOpened(Event):
    """A round: `needed` atoms of `asset` are to be settled, `allotted` could be."""

    round: int
    asset: int
    case: AdlCase
    policy: int
    mark: int
    needed: int
    allotted: int


@dataclass(frozen=True, slots=True)
class AdlStuck(Event):
    """A liquidated side of the round: `needed` atoms asked, `allotted` atoms granted."""

    round: int
    account: int
    needed: int
    allotted: int
    book_reason: Reason
    backstop_reason: Reason


@dataclass(frozen=True, slots=True)
class AdlCandidate(Event):
    """A counterparty of the round: its inputs and its allotment in atoms."""

    round: int
    account: int
    position: int
    assets_value: int
    total_value: int
    cap: int
    last: int
    allotted: int


@dataclass(frozen=True, slots=True)
class AdlMatched(Event):
    """`lender` gives up `quantity` of his claim, `payer` is rid of as much debt, for `value`."""

    round: int
    match: int
    lender: int
    payer: int
    quantity: int
    value: int
    claim_shares: int
    debt_shares: int


@dataclass(frozen=True, slots=True)
class AdlLeg(Event):
    """One leg of a match: from the payer (or the fund) to the lender. `lighter` flags its weight."""

    round: int
    match: int
    giver: int
    receiver: int
    asset: int
    form: LegForm
    quantity: int
    value: int
    lighter: int


@dataclass(frozen=True, slots=True)
class AdlBalance(Event):
    """Holdings of one party in one asset before (0) or after (1) a match, in atoms."""

    round: int
    match: int
    after: int
    account: int
    asset: int
    available: int
    locked: int
    lent: int
    debt: int


@dataclass(frozen=True, slots=True)
class AdlHealth(Event):
    """Value and health of one party before (0) or after (1) a match."""

    round: int
    match: int
    after: int
    account: int
    total_value: int
    net_equity: int
    maintenance: int


@dataclass(frozen=True, slots=True)
class DeficitBooked(Event):
    """A debt nobody could pay: `quantity` atoms, of which `lenders` fell on lenders."""

    account: int
    asset: int
    quantity: int
    lenders: int
    value: int
    lend_index: int


EVENT_KINDS: tuple[type[Event], ...] = (
    Refused,
    AccountOpened,
    Deposited,
    Withdrawn,
    Lent,
    Redeemed,
    Borrowed,
    Repaid,
    Netted,
    OrderAccepted,
    OrderRested,
    OrderCancelled,
    OrderExpired,
    Filled,
    SettingsUpdated,
    DustConverted,
    BackstopCommitted,
    IndexUpdated,
    MarkUpdated,
    PriceStaleness,
    InterestCharged,
    ThrottleMoved,
    ParameterChanged,
    FeesCollected,
    Stepped,
    LiquidationStarted,
    LiquidationEnded,
    HandedOver,
    BackstopFilled,
    BackstopLeg,
    AdlOpened,
    AdlStuck,
    AdlCandidate,
    AdlMatched,
    AdlLeg,
    AdlBalance,
    AdlHealth,
    DeficitBooked,
)
"""All events; an event's kind is its place here, and places never change."""

_KIND_OF = {kind: number for number, kind in enumerate(EVENT_KINDS)}
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in EVENT_KINDS}
_PACKERS = {kind: struct.Struct(f"<{len(_FIELDS[kind]) + 1}q") for kind in EVENT_KINDS}
_ENUMS = {
    "code": RejectionCode,
    "limit": Limit,
    "source": Source,
    "side": Side,
    "system_order": SystemOrder,
    "stage": Stage,
    "form": LegForm,
    "case": AdlCase,
    "book_reason": Reason,
    "backstop_reason": Reason,
}


class EventEncodingError(ValueError):
    """Bytes do not stand for an event. `str(error)` says why."""


def event_fields(kind: type[Event]) -> tuple[str, ...]:
    """Names of an event's fields, in encoding order."""
    return _FIELDS[kind]


def encode_event(event: Event) -> bytes:
    """Kind and fields as little-endian signed 64-bit numbers."""
    kind = type(event)
    return _PACKERS[kind].pack(
        _KIND_OF[kind], *[getattr(event, name) for name in _FIELDS[kind]]
    )


def decode_event(data: bytes, offset: int = 0) -> tuple[Event, int]:
    """The event encoded at `offset` and the offset behind it. Raises EventEncodingError."""
    if len(data) < offset + 8:
        raise EventEncodingError(f"event at byte {offset} is cut short")
    (number,) = struct.unpack_from("<q", data, offset)
    if not 0 <= number < len(EVENT_KINDS):
        raise EventEncodingError(f"event at byte {offset} has unknown kind {number}")
    kind = EVENT_KINDS[number]
    packer = _PACKERS[kind]
    if len(data) < offset + packer.size:
        raise EventEncodingError(f"{kind.__name__} at byte {offset} is cut short")
    _, *row = packer.unpack_from(data, offset)
    values = {}
    for name, value in zip(_FIELDS[kind], row, strict=True):
        convert = _reason_enum(kind) if name == "reason" else _ENUMS.get(name)
        try:
            values[name] = convert(value) if convert else value
        except ValueError as error:
            raise EventEncodingError(f"{kind.__name__}.{name}: {error}") from error
    return kind(**values), offset + packer.size


def _reason_enum(kind: type[Event]) -> type[IntEnum]:
    return ExpiryReason if kind is OrderExpired else Reason
