"""Frames between a gateway and the process of the writer: MessagePack arrays with a tag.

A gateway hands records in by `Hand` and is told what became of them by `Said` or `Refused`. What it
does not serve itself goes over a channel, as messages of ASGI. A frame of the line is its length,
four bytes, and these bytes.
"""

from typing import Any, TypeAlias

import msgspec

from solvent.service.api.intake import Payment
from solvent.service.core.clock import Ticking
from solvent.service.core.keys import Principal, Row
from solvent.service.core.records import Record


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Any of them."""


class Time(Frame, frozen=True, tag=0):
    """How the writer's clock goes on; `told` is the market's time where that is one of its own.

    `sequence` is what was carried out and published.
    """

    ticking: Ticking
    told: int | None
    sequence: int


class Settings(Frame, frozen=True, tag=1):
    """What a gateway begins with; `keys` and `parameters` as they are encoded elsewhere."""

    host: str
    port: int
    front: tuple[list[str], list[str] | None, list[str], bool]
    rates: dict[str, tuple[int, int]]
    identity: str
    keys: bytes
    parameters: list[int]
    time: Time
    logs_access: bool


class Changed(Frame, frozen=True, tag=2):
    """Keys, and the parameters if they changed; a gateway says `Knows` with the same version."""

    version: int
    keys: list[Row]
    parameters: list[int] | None


class Said(Frame, frozen=True, tag=3):
    """The answer to a request that was handed in, and what was known then."""

    number: int
    status: int
    body: bytes
    sequence: int
    told: int | None


class Refused(Frame, frozen=True, tag=4):
    """An error in place of an answer."""

    number: int
    status: int
    code: str
    message: str
    retry_after: int
    sequence: int


class Spent(Frame, frozen=True, tag=5):
    """What requests paid elsewhere: of a gateway to the writer, and by that to the others."""

    paid: list[Payment]


class Message(Frame, frozen=True, tag=6):
    """A message of ASGI, either way, on a channel."""

    channel: int
    message: dict[str, Any]


class Over(Frame, frozen=True, tag=7):
    """A channel has ended; `is_fault`: because of what nobody foresaw."""

    channel: int
    is_fault: bool = False


class End(Frame, frozen=True, tag=8):
    """A gateway is to let nobody in any more, answer who waits, and end."""


class Ready(Frame, frozen=True, tag=9):
    """A gateway listens."""


class Hand(Frame, frozen=True, tag=10):
    """A record of a request that was verified: by which key, for whom, what was paid."""

    number: int
    key: bytes
    principal: Principal
    paid: list[Payment]
    record: Record


class Knows(Frame, frozen=True, tag=11):
    """A gateway has what changed, up to a version."""

    version: int


class Counted(Frame, frozen=True, tag=12):
    """Requests that a gateway answered: tag, status and seconds of each."""

    answers: list[tuple[str, int, float]]


class Open(Frame, frozen=True, tag=13):
    """A channel for a request or a stream: its scope."""

    channel: int
    scope: dict[str, Any]


class Took(Frame, frozen=True, tag=14):
    """The gateway's server has taken one more message of a stream."""

    channel: int


FromWriter: TypeAlias = Time | Settings | Changed | Said | Refused | Spent | Message | Over | End
FromGateway: TypeAlias = Ready | Hand | Knows | Counted | Open | Took | Spent | Message | Over
AnyFrame: TypeAlias = FromWriter | FromGateway

_ENCODER = msgspec.msgpack.Encoder()
from_writer: msgspec.msgpack.Decoder[FromWriter] = msgspec.msgpack.Decoder(FromWriter)
from_gateway: msgspec.msgpack.Decoder[FromGateway] = msgspec.msgpack.Decoder(FromGateway)


def encode_frame(frame: AnyFrame) -> bytes:
    """The bytes of a frame."""
    return _ENCODER.encode(frame)
