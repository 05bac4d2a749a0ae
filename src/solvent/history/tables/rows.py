"""Rows: what questions about the past are answered with, in the integers of the domain.

Quantities are atoms, prices 10^-10 USDC, values 10^-6 USDC, ratios and rates 10^-9, times
microseconds UTC. `sequence` is the number of the command in which it happened. Texts are the
service's affair.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

from solvent.domain.commands import OrderType, SelfTradePrevention, Side, TimeInForce, TriggerBy
from solvent.domain.labels import ExpiryReason, Source, SystemOrder
from solvent.domain.rejections import Limit, RejectionCode

Item = TypeVar("Item")


class Paging(NamedTuple):
    """Which part of a history is asked for, and from which end."""

    limit: int = 100
    offset: int = 0
    ascending: bool = False


NEWEST = Paging()
"""The first page, newest first."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a history, and how many rows there are in all."""

    rows: list[Item]
    total: int


class BorrowLendSide(IntEnum):
    """A debt or a claim."""

    BORROW = 0
    LEND = 1


class MovementType(IntEnum):
    """What a movement did to a claim or a debt (BorrowLendEventType of the public API)."""

    BORROW = 0
    BORROW_REPAY = 1
    LEND = 2
    LEND_REDEEM = 3


class PaymentType(IntEnum):
    """What an interest payment is for."""

    BORROW = 0
    LEND = 1
    ENTRY_FEE = 2
    """Published; charged to nobody here."""


class SettlementSource(IntEnum):
    """What a settlement is for (SettlementSource of the public API)."""

    TRADING_FEES = 0
    TRADING_FEES_SYSTEM = 1
    BACKSTOP_PROVIDER_LIQUIDATION = 2
    BACKSTOP_ADL_LIQUIDATION = 3
    BACKSTOP_LIQUIDITY_FUND_PROCEEDS = 4
    SYSTEM_LIABILITY_TRANSFER = 5


class OrderStatus(IntEnum):
    """Where an order stands."""

    NEW = 0
    PARTIALLY_FILLED = 1
    FILLED = 2
    CANCELLED = 3
    EXPIRED = 4
    TRIGGER_PENDING = 5
    TRIGGER_FAILED = 6


class FillKind(IntEnum):
    """Whose order a fill belongs to: a person's, or which stage of the waterfall."""

    USER = 0
    BOOK = 1
    BACKSTOP = 2
    ADL = 3


class PriceKind(IntEnum):
    """Whose price a candle is made of."""

    LAST = 0
    INDEX = 1
    MARK = 2


@dataclass(frozen=True, slots=True)
class Movement:
    """A claim or a debt moved by `quantity`; `position_quantity` is what it came to.

    `order` is the order that a spot margin movement belongs to, or 0.
    """

    sequence: int
    time: int
    account: int
    asset: int
    kind: MovementType
    source: Source
    quantity: int
    position: int
    position_quantity: int
    order: int


@dataclass(frozen=True, slots=True)
class Position:
    """One claim or debt from its beginning to its end; `closed_at` is None while it is open.

    `interest` is what it earned or cost, deficits of lenders taken off: what it is worth, and what
    was taken out, less what was put in. `added` and `removed` are the sums of its movements, `rate`
    the mean of the hours' rates.
    """

    position: int
    account: int
    asset: int
    side: BorrowLendSide
    source: Source
    opened_at: int
    closed_at: int | None
    quantity: int
    added: int
    removed: int
    interest: int
    rate: int


@dataclass(frozen=True, slots=True)
class InterestPayment:
    """Interest of one hour.

    A position that ends is paid for its running hour at once, at no rate. The roundings of what
    moved within the hour are in `quantity`, which can so be an atom or two below zero.
    """

    sequence: int
    time: int
    account: int
    asset: int
    payment: PaymentType
    position: int
    quantity: int
    rate: int


@dataclass(frozen=True, slots=True)
class DepositRow:
    """Tokens came in."""

    sequence: int
    time: int
    account: int
    asset: int
    quantity: int


@dataclass(frozen=True, slots=True)
class StandbyRow:
    """What an account stood by with from then on, as `StandbyPosted` says it."""

    sequence: int
    time: int
    account: int
    posted: int
    premium: int
    leaving: int
    leaves_at: int


@dataclass(frozen=True, slots=True)
class WithdrawalRow:
    """Tokens left."""

    sequence: int
    time: int
    account: int
    asset: int
    quantity: int
    client_id: str
    address: str
    blockchain: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an account gained (above zero) or gave (below): atoms of `asset` and their value.

    `number` is the trade, the backstop fill or the ADL round, 0 for a deficit.
    """

    sequence: int
    time: int
    account: int
    source: SettlementSource
    asset: int
    quantity: int
    value: int
    number: int


@dataclass(frozen=True, slots=True)
class DustRow:
    """A dust balance was sold for `received` USDC."""

    sequence: int
    time: int
    account: int
    asset: int
    quantity: int
    received: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order and what became of it; `reason` is None unless it expired.

    `trigger_price` is 0 unless it waited for a price. `refused` is None, and `limit` none, unless
    it was refused when that price was reached.
    """

    order: int
    sequence: int
    time: int
    account: int
    asset: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    quote_quantity: int
    post_only: bool
    reduce_only: bool
    self_trade_prevention: SelfTradePrevention
    client_id: int
    system: SystemOrder
    executed: int
    executed_quote: int
    status: OrderStatus
    trigger_price: int
    trigger_by: TriggerBy
    refused: RejectionCode | None
    limit: Limit
    reason: ExpiryReason | None


@dataclass(frozen=True, slots=True)
class Fill:
    """One account's side of a trade, or of what a backstop fill or an ADL match exchanged.

    Off the book `order` and `trade` are 0, the price is the mark, `number` is the backstop fill or
    the ADL round and `part` the match of the round; `is_maker` is True for those who were not
    liquidated.
    """

    sequence: int
    time: int
    account: int
    asset: int
    order: int
    trade: int
    side: Side
    price: int
    quantity: int
    quote: int
    fee: int
    is_maker: bool
    kind: FillKind
    number: int
    part: int
    client_id: int


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade of the book."""

    trade: int
    time: int
    asset: int
    price: int
    quantity: int
    quote: int
    buyer_is_maker: bool
    system: SystemOrder


@dataclass(frozen=True, slots=True)
class CandleRow:
    """Prices of one interval, from `start` until before `end`; volumes are 0 but for trades."""

    start: int
    end: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades: int


@dataclass(frozen=True, slots=True)
class TickerRow:
    """What was traded in a span of time that ends now."""

    asset: int
    first: int
    last: int
    high: int
    low: int
    volume: int
    quote_volume: int
    trades: int


@dataclass(frozen=True, slots=True)
class PoolPoint:
    """One pool at the end of an interval that begins at `start`."""

    asset: int
    start: int
    lent: int
    borrowed: int
    utilization: int
    borrow_rate: int
    lend_rate: int
