"""Events as bytes: a kind and a row of 64-bit numbers, so that engines compare byte by byte."""

import struct
from dataclasses import fields
from enum import IntEnum

from solvent.domain.commands import Side
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
    InterestCharged,
    Lent,
    MarkUpdated,
    Netted,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRested,
    ParameterChanged,
    PriceStaleness,
    Redeemed,
    Refused,
    Repaid,
    SettingsUpdated,
    Stepped,
    ThrottleMoved,
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
    DeficitBooked,
    HandedOver,
    LiquidationEnded,
    LiquidationStarted,
    PartyBalance,
    PartyHealth,
    PoolRecorded,
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
    return _PACKERS[kind].pack(_KIND_OF[kind], *[getattr(event, name) for name in _FIELDS[kind]])


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
