"""Audit: ask the engine again, and compare every word.

A run's folder is judged by what can be recomputed from it: the frames of both logs, the digest of
every file, every event byte for byte, the counts, the event hash and the state hash; and after the
commands asked for, every invariant (I1 to I34). The first difference found ends the audit and is
said in one line. `figures` in the manifest are covered by its digest only.

A check looks at whom the command and its events name. Everybody is looked at where time or a price
moves, and after every WHOLE checks: an account that changed without being named is found then.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from solvent.domain.codec.events import EVENT_KINDS, EventEncodingError, decode_event, encode_event
from solvent.domain.commands import (
    COMMAND_KINDS,
    ChangeParameter,
    Command,
    HaltPrice,
    TimeStep,
    UpdatePrice,
)
from solvent.domain.errors import InputError
from solvent.domain.events import Event
from solvent.journal.event_hash import EventHasher
from solvent.journal.manifest import file_record
from solvent.journal.run_log import COMMANDS, EVENTS, RunLogReader
from solvent.proof.invariants.invariants import Breach, check_view
from solvent.proof.invariants.state_view import StateView, view_of
from solvent.proof.invariants.transitions import check_transition
from solvent.proof.passes import parts_of
from solvent.reference.engine import ReferenceEngine

_NAMES = ("account", "lender", "payer", "giver", "receiver", "provider", "taker", "maker")
_PARTIES = {
    kind: tuple(name for name in _NAMES if name in vars(kind)["__slots__"])
    for kind in (*COMMAND_KINDS, *EVENT_KINDS)
}
"""The fields of each kind of command and event that name an account."""
WHOLE = 100
"""Every so many checks everybody is looked at, and not only who a command and its events name."""

Progress = Callable[[int, int], None]
"""Called with the number of commands replayed and the number there should be."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    `commands` and `events` were replayed, after `checked` of the commands all invariants were
    checked; the hashes are those of the replay. `problem` is the first thing wrong, in one line, or
    None.
    """

    commands: int
    events: int
    checked: int
    state_hash: str
    event_hash: str
    problem: str | None

    @property
    def good(self) -> bool:
        """Whether everything agrees."""
        return self.problem is None


class _DifferenceError(Exception):
    """The first thing wrong. `str(error)` is one line."""


def audit(
    directory: Path, *, check_every: int = 1, progress: Progress | None = None
) -> AuditReport:
    """Replay the run in `directory` and compare; invariants after each `check_every`-th command.

    `check_every` 0 checks none. Damage is reported, not raised; InputError is raised only when
    `directory` is no folder at all.
    """
    if check_every < 0:
        raise ValueError(f"check_every must be 0 or more, is {check_every}")
    reader = RunLogReader(directory)
    try:
        replay = _Replay(reader, check_every)
    except InputError as error:
        return AuditReport(0, 0, 0, "", "", str(error))
    problem = None
    try:
        replay.run(progress)
        replay.compare_manifest()
    except (InputError, _DifferenceError) as error:
        problem = str(error)
    return AuditReport(
        commands=replay.commands,
        events=replay.events,
        checked=replay.checked,
        state_hash=replay.engine.state_hash(),
        event_hash=replay.hasher.hexdigest(),
        problem=problem,
    )


class _Replay:
    """One replay and how far it got."""

    def __init__(self, reader: RunLogReader, check_every: int) -> None:
        self.reader = reader
        self.manifest = reader.manifest
        self.engine = ReferenceEngine(reader.parameters)
        self.hasher = EventHasher()
        self.check_every = check_every
        self.commands = self.events = self.checked = 0
        self._view: StateView | None = None

    def run(self, progress: Progress | None) -> None:
        """Replay every command and compare its events with those logged."""
        pairs = zip_longest(self.reader.commands(), self.reader.groups())
        for number, (command, logged) in enumerate(pairs):
            if command is None or logged is None:
                longer, shorter = (COMMANDS, EVENTS) if logged is None else (EVENTS, COMMANDS)
                raise _DifferenceError(
                    f"{self.reader.directory / shorter}: ends after {number} commands, "
                    f"but {longer} goes on"
                )
            self._replay_one(number, command, logged)
            if progress is not None:
                progress(self.commands, self.manifest.commands)
        if self._view is not None and view_of(self.engine.state) != self._view:
            raise _DifferenceError(f"{self.reader.directory}: changed what no command named")

    def _replay_one(self, number: int, command: Command, logged: bytes) -> None:
        check = self.check_every > 0 and number % self.check_every == self.check_every - 1
        carry_out = self._checked if check else self._unchecked
        try:
            events, breaches = carry_out(command)
        except (ArithmeticError, AssertionError, LookupError, ValueError) as error:
            reason = f"replaying it stops the engine: {error}"
            raise self._difference(number, command, reason) from error
        replayed = b"".join(map(encode_event, events))
        self.commands += 1
        self.events += len(events)
        self.hasher.update_encoded(replayed)
        if replayed != logged:
            raise self._difference(number, command, _first_difference(logged, events))
        if breaches:
            raise self._difference(number, command, f"breaks {breaches[0]}")
        self.checked += check

    def _unchecked(self, command: Command) -> tuple[tuple[Event, ...], list[Breach]]:
        self._view = None
        return self.engine.apply_one(command), []

    def _checked(self, command: Command) -> tuple[tuple[Event, ...], list[Breach]]:
        """Carry out a command part by part; its events, and what any of its parts broke."""
        told: list[Event] = []
        breaches: list[Breach] = []
        known = self._view
        before = known or view_of(self.engine.state)
        for each, events in parts_of(self.engine, command):
            whole = known is None or self.checked % WHOLE == 0
            named = None if whole else _named(each, events)
            self._view = view_of(self.engine.state, before, named)
            # A view that is kept was checked: what is the same in both need not be looked at again.
            breaches += check_view(self._view, known)
            breaches += check_transition(before, self._view, each, events)
            known = before = self._view
            told += events
        return tuple(told), breaches

    def _difference(self, number: int, command: Command, reason: str) -> _DifferenceError:
        line = f"{self.reader.directory}: command {number} ({type(command).__name__}): {reason}"
        return _DifferenceError(line)

    def compare_manifest(self) -> None:
        """Compare what the manifest claims with the replay, then every file with its digest."""
        manifest, directory = self.manifest, self.reader.directory
        claims = {
            "commands": (manifest.commands, self.commands),
            "events": (manifest.events, self.events),
            "event_hash": (manifest.event_hash, self.hasher.hexdigest()),
            "state_hash": (manifest.state_hash, self.engine.state_hash()),
        }
        for field, (claimed, found) in claims.items():
            if claimed != found:
                raise _DifferenceError(
                    f"{directory / 'run.json'}: {field}: says {claimed}, the replay gives {found}"
                )
        for name, record in sorted(manifest.files.items()):
            try:
                found_record = file_record(directory / name)
            except OSError as error:
                raise _DifferenceError(f"{directory / name}: file: {error.strerror}") from error
            if found_record != record:
                raise _DifferenceError(f"{directory / name}: file: is not as the run wrote it")


def _named(command: Command, events: tuple[Event, ...]) -> set[int] | None:
    """The accounts that a command and its events name; None where it can concern everybody.

    An account that changed though nobody named it is found when everybody is looked at again.
    """
    if isinstance(command, TimeStep | UpdatePrice | HaltPrice | ChangeParameter):
        return None
    return {getattr(each, name) for each in (command, *events) for name in _PARTIES[type(each)]}


def _first_difference(logged: bytes, events: tuple[Event, ...]) -> str:
    """Where one command's logged events first differ from those replayed."""
    answers = _until_undecodable(logged)
    for place, (said, found) in enumerate(zip_longest(answers, events)):
        if said != found:
            return f"event {place} is {said} in {EVENTS}, but the replay gives {found}"
    return f"its events in {EVENTS} are encoded otherwise than the replay's"


def _until_undecodable(group: bytes) -> Iterator[Event | str]:
    offset = 0
    try:
        while offset < len(group):
            event, offset = decode_event(group, offset)
            yield event
    except EventEncodingError as error:
        yield f"no event ({error})"
