"""The events of one command as an engine encoded them, read one by one or a kind at a time.

A large step has millions of events. Most listeners want a few kinds of them, some only a few of
their numbers, so nothing is decoded before somebody asks for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from solvent.domain.codec.events import (
    EVENT_WORDS,
    EventEncodingError,
    decode_event,
    encode_event,
)
from solvent.domain.events import Event

_WORD = 8


class EncodedEvents(Sequence[Event]):
    """Events in order; `data` are their bytes. Raises EventEncodingError where they are none."""

    __slots__ = ("data", "words")

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data).cast("B")
        if len(self.data) % _WORD:
            raise EventEncodingError(f"{len(self.data)} bytes are no whole events")
        self.words = self.data.cast("q")
        """The same as 64-bit numbers: a kind and its fields, again and again."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> "EncodedEvents":
        """Events, encoded."""
        return cls(b"".join(map(encode_event, events)))

    def places(self) -> Iterator[tuple[int, int]]:
        """The kind and the place in `words` of every event. Raises EventEncodingError."""
        place, words = 0, self.words
        end = len(words)
        while place < end:
            kind = words[place]
            if not 0 <= kind < len(EVENT_WORDS):
                raise EventEncodingError(f"event at byte {_WORD * place} has unknown kind {kind}")
            following = place + EVENT_WORDS[kind]
            if following > end:
                raise EventEncodingError(f"event at byte {_WORD * place} is cut short")
            yield kind, place
            place = following

    def at(self, place: int) -> Event:
        """The event that begins at a place in `words`."""
        return decode_event(self.data, place * _WORD)[0]

    def __iter__(self) -> Iterator[Event]:
        return (self.at(place) for _, place in self.places())

    def __len__(self) -> int:
        return sum(1 for _ in self.places())

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Event, ...]: ...
    def __getitem__(self, index: int | slice) -> Event | tuple[Event, ...]:
        if index == 0 and self.words:
            return self.at(0)
        return tuple(self)[index]
