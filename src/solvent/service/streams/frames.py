"""Frames: what a client may say, and what it is told when it says anything else.

    {"method": "SUBSCRIBE" | "UNSUBSCRIBE", "params": [stream, ...], "signature": [key, signature,
     timestamp, window]}
    {"method": "CONNECTION"}

The signature is for an account's own streams and may be left out otherwise; an `id` is allowed and
passed over. A frame is carried out whole or not at all, and only an error is answered. Of the codes
below 4006 is the published one.
"""

from enum import IntEnum
from typing import NamedTuple

from solvent.service.api.objects.streams import FrameProblem, Method, StreamError, StreamFrame
from solvent.service.limits import FRAME_PARTS
from solvent.service.strict_json import JsonError, JsonValue, decode_object, encode

_FIELDS = frozenset(StreamFrame.__struct_encode_fields__)
_SIGNATURE_PARTS = 4


class FrameCode(IntEnum):
    """What is wrong with a frame."""

    INVALID_FRAME = 4001
    INVALID_SIGNATURE = 4002
    TOO_MANY_STREAMS = 4003
    INVALID_STREAM = 4006


class FrameError(Exception):
    """A frame cannot be carried out."""

    def __init__(self, code: FrameCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def text(self) -> str:
        """The frame that says so."""
        problem = FrameProblem(code=self.code, message=self.message)
        return encode(StreamError(id=None, error=problem)).decode()


class Frame(NamedTuple):
    """What a client asks for. `signature` is empty when there was none."""

    method: Method
    streams: list[str]
    signature: list[str]


def read_frame(data: bytes, streams: frozenset[str], most: int) -> Frame:
    """The frame of these bytes; its streams are among `streams`, `most` at a time.

    Raises FrameError.
    """
    try:
        fields = decode_object(data, FRAME_PARTS)
    except JsonError as error:
        raise _invalid(str(error)) from error
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        raise _invalid(f"unknown field {unknown[0]!r}")
    method = fields.get("method")
    if method not in tuple(Method):
        raise _invalid(f"method must be {', '.join(Method)}")
    if method == Method.CONNECTION:
        return Frame(Method.CONNECTION, [], [])
    named = _texts(fields.get("params"), "params")
    if not named:
        raise _invalid("params must name a stream")
    if len(named) > most:
        raise FrameError(FrameCode.TOO_MANY_STREAMS, f"a connection has at most {most} streams")
    if not streams.issuperset(named):
        raise FrameError(FrameCode.INVALID_STREAM, "Invalid stream")
    signature: list[str] = []
    if fields.get("signature") is not None:
        signature = _texts(fields["signature"], "signature")
        if len(signature) != _SIGNATURE_PARTS:
            raise _invalid("signature must be key, signature, timestamp and window")
    return Frame(Method(method), named, signature)


def _texts(value: JsonValue, name: str) -> list[str]:
    if not isinstance(value, list):
        raise _invalid(f"{name} must be a list of texts")
    found = [each for each in value if isinstance(each, str)]
    if len(found) != len(value):
        raise _invalid(f"{name} must be a list of texts")
    return found


def _invalid(reason: str) -> FrameError:
    return FrameError(FrameCode.INVALID_FRAME, f"Invalid frame: {reason}")
