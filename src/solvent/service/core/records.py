"""Records: what the journal holds of everything that was asked for, in the order it was taken in.

One record is one request. It names the moment, who asked, the digest by which a repetition is
known, and what is wanted: commands for the engine, an intent that the market turns into commands,
an act of staff, or a state hash to be checked when the journal is read again. A record is made
durable before anything is done about it, and all state of the market follows from the records.

The journal of a node of a cluster holds frames of its log, each in one record, with requests in it.
"""

from collections.abc import Iterable
from enum import IntEnum

import msgspec

from solvent.cluster.frames import requests_of
from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.commands import Command, CommandEncodingError, encode_command

NOBODY = -1
"""The account, or the key's number, of a record that is nobody's."""


class RecordKind(IntEnum):
    """What a record is."""

    COMMANDS = 0
    CHECK = 4
    INTENT = 5
    ACT = 6
    FRAME = 7
    """A frame of a cluster's log, in `body`."""
    OVER = 8
    """A frame of an epoch that was over, whose requests never happened."""


class RecordError(ValueError):
    """Bytes are no record. `str(error)` says why."""


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One request.

    `time` is microseconds UTC when it was taken in; `digest` 16 bytes, empty for requests that
    nobody signed, kept until `expires` (milliseconds UTC); `memo` a withdrawal's client id, address
    and blockchain; `body` an intent, an act or a state hash; `actor` the number of the key that
    signed, NOBODY for the service itself and 0 for who has its folder.
    """

    kind: int
    time: int
    account: int = NOBODY
    commands: bytes = b""
    is_batch: bool = False
    digest: bytes = b""
    expires: int = 0
    memo: tuple[str, str, str] | None = None
    body: bytes = b""
    actor: int = NOBODY

    @property
    def decoded(self) -> EncodedCommands:
        """The commands. Raises RecordError."""
        try:
            return EncodedCommands(self.commands)
        except CommandEncodingError as error:
            raise RecordError(str(error)) from error


def commands_record(
    time: int,
    commands: Iterable[Command] | bytes,
    *,
    account: int = NOBODY,
    is_batch: bool = False,
    digest: bytes = b"",
    expires: int = 0,
    memo: tuple[str, str, str] | None = None,
    actor: int = NOBODY,
) -> Record:
    """The record of a request for the engine; commands may come encoded."""
    data = commands if isinstance(commands, bytes) else b"".join(map(encode_command, commands))
    return Record(
        RecordKind.COMMANDS,
        time,
        account,
        data,
        is_batch,
        digest,
        expires,
        memo,
        actor=actor,
    )


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """A record as bytes."""
    return _ENCODER.encode(record)


def decode_record(data: bytes) -> Record:
    """The record that `encode_record` wrote. Raises RecordError."""
    try:
        record = _DECODER.decode(data)
        RecordKind(record.kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise RecordError(f"no record: {error}") from error
    return record


def records_in(data: bytes) -> list[Record]:
    """The requests of one record of a journal: itself, or those of the frame that it holds.

    Raises RecordError.
    """
    record = decode_record(data)
    if record.kind == RecordKind.FRAME:
        return [decode_record(each) for each in requests_of(record.body)]
    return [] if record.kind == RecordKind.OVER else [record]


def frame_record(frame: bytes, *, is_over: bool) -> bytes:
    """The record that holds a frame, as bytes."""
    kind = RecordKind.OVER if is_over else RecordKind.FRAME
    return encode_record(Record(kind, 0, body=frame))
