"""A run on disk: a folder that says what the engine was told, what it answered and what came out.

    commands.log   parameters, then every command in order
    events.log     the events of every command, one group a command
    run.json       the manifest: hashes, counts, figures, and a digest of every file in the folder
    ...            whatever else the run produced (receipts.jsonl, report.html)

`RunLogWriter` works in a hidden folder beside the target and renames it at the end: a run is there
whole or not at all. `RunLogReader` reads it back. Both raise InputError, which names the file, the
byte where there is one, and what to do. Both logs are framed (`frames`).
"""

import shutil
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

from solvent.domain.codec.canonical import Json
from solvent.domain.codec.events import EventEncodingError, encode_event
from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command, CommandEncodingError, decode_command, encode_command
from solvent.domain.errors import InputError
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters
from solvent.journal.event_hash import EventHasher
from solvent.journal.frames import Frame, FrameWriter, damage, read_frames
from solvent.journal.manifest import (
    MANIFEST,
    Manifest,
    file_record,
    read_manifest,
    write_manifest,
)

COMMANDS = "commands.log"
EVENTS = "events.log"
COMMANDS_MAGIC = b"SOLVCMDS"
EVENTS_MAGIC = b"SOLVEVTS"
FRAME_BYTES = 64 * 1024
"""A frame is written when it has this many bytes; it may be longer by one command's events."""

_WORD = 8
_GROUP = struct.Struct("<I")


class RunLogWriter:
    """Writes one run into `directory`, which must be missing or empty.

        with RunLogWriter(directory, parameters) as log:
            log.append(command, engine.apply_one(command))
            log.path("report.html").write_text(...)
            log.finish(figures, engine.state_hash())

    The folder appears when the block ends. After an exception nothing is left behind, not even the
    folders above it that had to be made.
    """

    def __init__(self, directory: Path, parameters: EngineParameters) -> None:
        self._target = directory
        self._hasher = EventHasher()
        self._counts = [0, 0]
        self._pending: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._pending_count = 0
        self._finished = False
        _refuse_occupied(directory)
        self._made = _missing_parents(directory)
        self._work = directory.parent / f".{directory.name}.{token_hex(4)}.partial"
        try:
            self._work.mkdir(parents=True)
            self._logs = (
                FrameWriter(self._work / COMMANDS, COMMANDS_MAGIC),
                FrameWriter(self._work / EVENTS, EVENTS_MAGIC),
            )
            row = encode_parameters(parameters)
            self._logs[0].write(struct.pack(f"<{len(row)}q", *row), 1)
        except OSError as error:
            self._discard()
            reason = f"cannot be written: {error.strerror}; name another folder"
            raise InputError(str(directory), "directory", reason) from error

    def append(self, command: Command, events: Iterable[Event]) -> None:
        """Write a command and what the engine answered to it."""
        encoded = [encode_event(event) for event in events]
        self.append_encoded(command, b"".join(encoded), len(encoded))

    def append_encoded(self, command: Command, group: bytes | memoryview, count: int) -> None:
        """Write a command and its `count` events, encoded."""
        self._hasher.update_encoded(group)
        self._counts[0] += 1
        self._counts[1] += count
        commands, answers = self._pending
        commands += encode_command(command)
        answers += _GROUP.pack(len(group))
        answers += group
        self._pending_count += 1
        if max(len(commands), len(answers)) >= FRAME_BYTES:
            self._flush()

    def path(self, name: str) -> Path:
        """Where to write another file of this run; `name` is a plain file name."""
        taken = {COMMANDS, EVENTS, MANIFEST, "", ".."}
        if name in taken or Path(name).name != name:
            raise ValueError(f"{name!r} is no name for another file of a run")
        return self._work / name

    def event_hash(self) -> str:
        """The event hash of everything appended so far."""
        return self._hasher.hexdigest()

    def finish(self, figures: Mapping[str, Json], state_hash: str) -> None:
        """Close the logs and write the manifest; nothing may be written after."""
        self._flush()
        for log in self._logs:
            log.close()
        manifest = Manifest(
            commands=self._counts[0],
            events=self._counts[1],
            state_hash=state_hash,
            event_hash=self.event_hash(),
            files={path.name: file_record(path) for path in sorted(self._work.iterdir())},
            figures=figures,
        )
        write_manifest(self._work, manifest)
        self._finished = True

    def _flush(self) -> None:
        if self._pending_count:
            for log, pending in zip(self._logs, self._pending, strict=True):
                log.write(bytes(pending), self._pending_count)
                pending.clear()
            self._pending_count = 0

    def _discard(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._finished:
            try:
                self._work.rename(self._target)
            except OSError as failure:
                self._discard()
                reason = f"cannot be put in place: {failure.strerror}; name another folder"
                raise InputError(str(self._target), "directory", reason) from failure
            return
        for log in self._logs:
            log.abandon()
        self._discard()
        if kind is None:
            raise RuntimeError("a run log was left without finish()")


def _refuse_occupied(directory: Path) -> None:
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise InputError(str(directory), "directory", "is not a folder; name a new folder")
    if directory.is_dir() and any(directory.iterdir()):
        raise InputError(str(directory), "directory", "is not empty; name a new or an empty folder")


def _missing_parents(directory: Path) -> list[Path]:
    """Folders above `directory` that are not there yet, innermost first."""
    return [folder for folder in directory.parents if not folder.exists()]


class RunLogReader:
    """Reads a run's folder. Raises InputError where the folder or a file is not as written."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            reason = "is not a folder; point at the folder of a finished run"
            raise InputError(str(directory), "directory", reason)
        self.directory = directory

    @cached_property
    def manifest(self) -> Manifest:
        """What the run says it came to."""
        return read_manifest(self.directory)

    @cached_property
    def parameters(self) -> EngineParameters:
        """The parameters that the engine began with."""
        path = self.directory / COMMANDS
        frame = next(iter(read_frames(path, COMMANDS_MAGIC)), None)
        if frame is None or len(frame.payload) % _WORD:
            raise damage(path, 0, "the log does not begin with parameters")
        row = struct.unpack(f"<{len(frame.payload) // _WORD}q", frame.payload)
        try:
            return decode_parameters(list(row))
        except (ArithmeticError, StopIteration, TypeError, ValueError) as error:
            raise damage(path, frame.offset, f"the parameters are not valid: {error}") from error

    def commands(self) -> Iterator[Command]:
        """Every command in order."""
        path = self.directory / COMMANDS
        frames = read_frames(path, COMMANDS_MAGIC)
        next(frames, None)
        for frame in frames:
            yield from _commands(path, frame)

    def groups(self) -> Iterator[bytes]:
        """The events of every command in order, encoded, as they are in the file."""
        path = self.directory / EVENTS
        for frame in read_frames(path, EVENTS_MAGIC):
            yield from _groups(path, frame)

    def transcripts(self) -> Iterator[Transcript]:
        """Every command with its events, in order."""
        for number, (command, group) in enumerate(zip_longest(self.commands(), self.groups())):
            if command is None or group is None:
                name = str(self.directory / (EVENTS if group is None else COMMANDS))
                reason = f"ends after {number} commands, and the other log goes on"
                raise InputError(name, "file", f"{reason}; restore the file or run again")
            with self.naming(number):
                transcript = Transcript.read(number, encode_command(command), group)
            yield transcript

    @contextmanager
    def naming(self, number: int) -> Iterator[None]:
        """Where the events of command `number` do not decode, an InputError that names it."""
        try:
            yield
        except EventEncodingError as error:
            path = str(self.directory / EVENTS)
            reason = f"{error}; restore the file or run again"
            raise InputError(path, f"command {number}", reason) from error


def _commands(path: Path, frame: Frame) -> Iterator[Command]:
    offset = count = 0
    while offset < len(frame.payload):
        try:
            command, end = decode_command(frame.payload, offset)
        except CommandEncodingError as error:
            raise damage(path, frame.offset + offset, str(error)) from error
        yield command
        offset = end
        count += 1
    if count != frame.records:
        raise damage(path, frame.offset, f"the frame says {frame.records} commands and has {count}")


def _groups(path: Path, frame: Frame) -> Iterator[bytes]:
    offset = count = 0
    while offset < len(frame.payload):
        start = offset + _GROUP.size
        if len(frame.payload) < start:
            raise damage(path, frame.offset + offset, "a group of events is cut short")
        (length,) = _GROUP.unpack_from(frame.payload, offset)
        offset = start + length
        if len(frame.payload) < offset:
            raise damage(path, frame.offset + start, "a group of events is cut short")
        yield frame.payload[start:offset]
        count += 1
    if count != frame.records:
        raise damage(path, frame.offset, f"the frame says {frame.records} groups and has {count}")
