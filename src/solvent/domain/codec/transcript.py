"""A transcript: commands that were carried out one after another, and the events each led to.

An engine writes events as numbers. Here they are told apart once for all listeners: the kind of
each, and where its numbers are. Most listeners want a few kinds, or a few of the numbers, so an
event becomes an object when a listener asks for it, and only once.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.events import (
    EVENT_KINDS,
    EVENT_WORDS,
    EventEncodingError,
    encode_event,
    event_numbers,
    make_event,
)
from solvent.domain.commands import Command
from solvent.domain.events import Event

KEPT = 1 << 16
"""A transcript of at most so many events keeps the objects that it made."""

_WORD = 8
_WORDS = dict(enumerate(EVENT_WORDS))


class Entry(NamedTuple):
    """A command, its number among all commands, and what happened."""

    number: int
    command: Command
    events: tuple[Event, ...]


class Transcript(Sequence[Entry]):
    """Commands from number `first` on, and `words`, their events as an engine encoded them.

    `kinds` and `places` are of each event its kind and where in `words` it begins; `ends` says for
    each command where among these its events end. `present` are the kinds that occur.
    """

    __slots__ = ("_made", "commands", "ends", "first", "kinds", "places", "present", "words")

    def __init__(
        self, first: int, commands: EncodedCommands, words: memoryview, ends: Iterable[int]
    ) -> None:
        """`ends` are the places in `words` where the events of each command end.

        Raises EventEncodingError where these are no whole events.
        """
        self.first = first
        self.commands = commands
        self.words = words
        self.kinds = bytearray()
        self.places = array("q")
        self.ends: list[int] = []
        kinds, places = self.kinds, self.places
        place = 0
        for end in ends:
            while place < end:
                kind = words[place]
                if kind not in _WORDS:
                    raise EventEncodingError(
                        f"event at byte {_WORD * place} has unknown kind {kind}"
                    )
                kinds.append(kind)
                places.append(place)
                place += _WORDS[kind]
            if place > end:
                name, byte = EVENT_KINDS[kinds[-1]].__name__, _WORD * places[-1]
                raise EventEncodingError(f"{name} at byte {byte} is cut short")
            self.ends.append(len(kinds))
        self.present = frozenset(kinds)
        self._made: list[Event | None] = [None] * min(len(kinds), KEPT)

    @classmethod
    def of(cls, first: int, done: Iterable[tuple[Command, Iterable[Event]]]) -> "Transcript":
        """Commands and events that are there as objects."""
        commands, made, data, ends = [], list[Event](), bytearray(), []
        for command, events in done:
            commands.append(command)
            kept = tuple(events)
            made += kept
            data += b"".join(map(encode_event, kept))
            ends.append(len(data) // _WORD)
        found = cls(first, EncodedCommands.of(commands), memoryview(data).cast("q"), ends)
        found._made[:] = made[:KEPT]
        return found

    @classmethod
    def read(cls, number: int, command: bytes, events: bytes) -> "Transcript":
        """One command and its events, both encoded, as a log has them.

        Raises CommandEncodingError, EventEncodingError.
        """
        if len(events) % _WORD:
            raise EventEncodingError(f"{len(events)} bytes are no whole events")
        words = memoryview(events).cast("q")
        return cls(number, EncodedCommands(command), words, [len(words)])

    @property
    def end(self) -> int:
        """The number of the command after these."""
        return self.first + len(self.ends)

    def since(self, number: int) -> "Transcript":
        """The same without the commands before `number`."""
        if number <= self.first:
            return self
        left = [(entry.command, entry.events) for entry in self if entry.number >= number]
        return Transcript.of(max(self.first, min(number, self.end)), left)

    def event(self, each: int) -> Event:
        """An event, by its number among all that are here."""
        found = self._made[each] if each < KEPT else None
        if found is None:
            kind = self.kinds[each]
            found = make_event(kind, [*event_numbers(self.words, kind, self.places[each])])
            if each < KEPT:
                self._made[each] = found
        return found

    def encoded(self, index: int) -> memoryview:
        """The bytes of the events of a command, by its index here."""
        span = self.span(index)
        ends = len(self.words) if span.stop == len(self.places) else self.places[span.stop]
        start = self.places[span.start] if span else ends
        return self.words[start:ends].cast("B")

    def span(self, index: int) -> range:
        """Which events are those of a command, by its index here."""
        return range(self.ends[index - 1] if index else 0, self.ends[index])

    def events(self, index: int, kinds: Collection[int]) -> list[Event]:
        """Those events of a command, by its index here, that are of some kinds."""
        return [self.event(each) for each in self.span(index) if self.kinds[each] in kinds]

    def by_command(self, kinds: Collection[int]) -> Iterator[tuple[int, list[Event]]]:
        """Commands with events of some kinds, by their indexes here, and those events."""
        start = 0
        for index, end in enumerate(self.ends):
            found = [self.event(each) for each in range(start, end) if self.kinds[each] in kinds]
            if found:
                yield index, found
            start = end

    def of_kinds(self, kinds: Collection[int]) -> list[Event]:
        """All events of some kinds, in order."""
        return [self.event(each) for each, kind in enumerate(self.kinds) if kind in kinds]

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, index: int | slice) -> Entry | tuple[Entry, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = range(len(self.ends))[index]
        events = [self.event(each) for each in self.span(place)]
        return Entry(self.first + place, self.commands[place], tuple(events))
