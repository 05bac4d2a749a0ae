"""Events as bytes: a kind and a row of 64-bit numbers, so that engines compare byte by byte."""

import struct
from collections.abc import MutableSequence
from dataclasses import fields
from enum import IntEnum

from solvent.domain.commands import (
    OrderType,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
)
from solvent.domain.events import (
    AccountOpened,
    BackstopCommitted,
    Borrowed,
    ClaimVoided,
    Deposited,
    DustConverted,
    Event,
    FeesCollected,
    Filled,
    IndexUpdated,
    InterestAccrued,
    InterestCharged,
    Lent,
    MarkUpdated,
    Netted,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRested,
    ParameterChanged,
    PoolDoubted,
    PoolFrozen,
    PriceStaleness,
    Redeemed,
    Refused,
    Repaid,
    SettingsUpdated,
    SharesRescaled,
    StandbyPosted,
    Stepped,
    ThrottleMoved,
    Triggered,
    TriggerFailed,
    TriggerPlaced,
    Withdrawn,
)
from solvent.domain.labels import (
    AdlCase,
    ExpiryReason,
    LegForm,
    Reason,
    Source,
    Stage,
    SystemOrder,
    Tier,
)
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.waterfall_events import (
    AdlCandidate,
    AdlLeg,
    AdlMatched,
    AdlOpened,
    AdlStuck,
    BackstopCandidate,
    BackstopFilled,
    BackstopLeg,
    BackstopOffered,
    BookedAccount,
    BookingOpened,
    DebtWrittenOff,
    FundPaid,
    HandedOver,
    LiquidationEnded,
    LiquidationStarted,
    PartyBalance,
    PartyHealth,
    PoolRecorded,
    PoolWrittenDown,
    ReservesRecorded,
    StandbySwapped,
)

EVENT_KINDS: tuple[type[Event], ...] = (
    Refused,
    AccountOpened,
    Deposited,
    Withdrawn,
    Lent,
    Redeemed,
    ClaimVoided,
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
    PoolRecorded,
    PartyBalance,
    PartyHealth,
    BackstopOffered,
    BackstopCandidate,
    BackstopFilled,
    BackstopLeg,
    AdlOpened,
    AdlStuck,
    AdlCandidate,
    AdlMatched,
    AdlLeg,
    DebtWrittenOff,
    InterestAccrued,
    SharesRescaled,
    PoolFrozen,
    BookingOpened,
    BookedAccount,
    FundPaid,
    ReservesRecorded,
    PoolWrittenDown,
    TriggerPlaced,
    Triggered,
    TriggerFailed,
    StandbyPosted,
    StandbySwapped,
    PoolDoubted,
)
"""All events; an event's kind is its place here, and places never change."""

_KIND_OF = {kind: number for number, kind in enumerate(EVENT_KINDS)}
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in EVENT_KINDS}
EVENT_WORDS = tuple(1 + len(_FIELDS[kind]) for kind in EVENT_KINDS)
"""How many 64-bit numbers each kind of event takes, its kind included."""

_PACKERS = tuple(struct.Struct(f"<{words}q") for words in EVENT_WORDS)
_FIELD_PACKERS = tuple(struct.Struct(f"<{words - 1}q") for words in EVENT_WORDS)
_WORD = 8
_ENUMS = {
    "code": RejectionCode,
    "limit": Limit,
    "source": Source,
    "side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "self_trade_prevention": SelfTradePrevention,
    "trigger_by": TriggerBy,
    "system_order": SystemOrder,
    "stage": Stage,
    "form": LegForm,
    "case": AdlCase,
    "tier": Tier,
    "book_reason": Reason,
    "backstop_reason": Reason,
}


FORMAT_VERSION = 4
"""Of all that keeps commands and events on a disk; raised when the fields of one change.

1 until 2026-11-30, 2 since legs, fills, orders and deficits say all that moved, 3 since write-offs
say how much of the debt was borrowed.
"""


class EventEncodingError(ValueError):
    """Bytes do not stand for an event. `str(error)` says why."""


def event_fields(kind: type[Event]) -> tuple[str, ...]:
    """Names of an event's fields, in encoding order."""
    return _FIELDS[kind]


def kind_number(kind: type[Event]) -> int:
    """The number that stands for a kind of event."""
    return _KIND_OF[kind]


def encode_event(event: Event) -> bytes:
    """Kind and fields as little-endian signed 64-bit numbers."""
    kind = type(event)
    number = _KIND_OF[kind]
    return _PACKERS[number].pack(number, *[getattr(event, name) for name in _FIELDS[kind]])


def decode_event(data: bytes | memoryview, offset: int = 0) -> tuple[Event, int]:
    """The event encoded at `offset` and the offset behind it. Raises EventEncodingError."""
    if len(data) < offset + 8:
        raise EventEncodingError(f"event at byte {offset} is cut short")
    number = int.from_bytes(data[offset : offset + 8], "little", signed=True)
    if not 0 <= number < len(EVENT_KINDS):
        raise EventEncodingError(f"event at byte {offset} has unknown kind {number}")
    kind, packer = EVENT_KINDS[number], _PACKERS[number]
    if len(data) < offset + packer.size:
        raise EventEncodingError(f"{kind.__name__} at byte {offset} is cut short")
    _, *row = packer.unpack_from(data, offset)
    return make_event(number, row), offset + packer.size


def make_event(number: int, row: MutableSequence[int]) -> Event:
    """The event of a kind, by number, from the numbers of its fields. Raises EventEncodingError."""
    kind = EVENT_KINDS[number]
    for place, enum, members in _MEMBERS[number]:
        try:
            row[place] = members[row[place]]
        except KeyError:
            name, value = _FIELDS[kind][place], row[place]
            reason = f"{kind.__name__}.{name}: {value} is not a valid {enum.__name__}"
            raise EventEncodingError(reason) from None
    return kind(*row)


def event_numbers(words: memoryview, kind: int, place: int) -> tuple[int, ...]:
    """The fields of the event of this kind that begins at a place in `words`, as plain numbers."""
    numbers: tuple[int, ...] = _FIELD_PACKERS[kind].unpack_from(words, _WORD * (place + 1))
    return numbers


def _enum_of(kind: type[Event], name: str) -> type[IntEnum] | None:
    if name == "reason":
        return ExpiryReason if kind is OrderExpired else Reason
    return _ENUMS.get(name)


def _members(kind: type[Event]) -> tuple[tuple[int, type[IntEnum], dict[int, IntEnum]], ...]:
    """The fields that hold a word of a closed list: place, list, and the words by number."""
    return tuple(
        (place, enum, {member.value: member for member in enum})
        for place, name in enumerate(_FIELDS[kind])
        if (enum := _enum_of(kind, name)) is not None
    )


_MEMBERS = tuple(map(_members, EVENT_KINDS))
