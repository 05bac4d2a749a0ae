"""Commands as they are recorded: rows of 64-bit numbers, made objects on demand.

A batch has many commands of which most listeners want no more than the kind, so a command becomes
an object when a listener asks for it, and only once. Bad bytes are refused when they are read.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import overload

from solvent.domain.commands import (
    COMMAND_KINDS,
    COMMAND_WORDS,
    WORDED_KINDS,
    Command,
    CommandEncodingError,
    decode_command,
    encode_command,
)

_WORD = 8
_KIND_OF = {kind: number for number, kind in enumerate(COMMAND_KINDS)}


class EncodedCommands(Sequence[Command]):
    """Commands in order; `data` are their bytes. Raises CommandEncodingError where they are none.

    `kinds` are their kinds, by number.
    """

    __slots__ = ("_made", "_places", "data", "kinds")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.kinds: list[int] = []
        self._places: list[int] = []
        self._made: list[Command | None] = []
        words = memoryview(data)[: len(data) // _WORD * _WORD].cast("q")
        place, end = 0, len(words)
        while place < end:
            kind = words[place]
            if not 0 <= kind < len(COMMAND_WORDS):
                raise CommandEncodingError(
                    f"command at byte {_WORD * place} has unknown kind {kind}"
                )
            made = None
            if kind in WORDED_KINDS or place + COMMAND_WORDS[kind] > end:
                # This says which number is none of a field's, or that the command is cut short.
                made, _ = decode_command(data, _WORD * place)
            self._made.append(made)
            self.kinds.append(kind)
            self._places.append(place)
            place += COMMAND_WORDS[kind]
        if len(data) % _WORD:
            raise CommandEncodingError(f"command at byte {_WORD * place} is cut short")

    @classmethod
    def of(cls, commands: Iterable[Command]) -> "EncodedCommands":
        """Commands, encoded."""
        found = cls.__new__(cls)
        given = list(commands)
        found.data = b"".join(map(encode_command, given))
        found.kinds = [_KIND_OF[type(command)] for command in given]
        found._made = [*given]
        ends = accumulate((COMMAND_WORDS[kind] for kind in found.kinds), initial=0)
        found._places = list(ends)[:-1]
        return found

    def __len__(self) -> int:
        return len(self.kinds)

    @overload
    def __getitem__(self, index: int) -> Command: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Command, ...]: ...
    def __getitem__(self, index: int | slice) -> Command | tuple[Command, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        found = self._made[index]
        if found is None:
            found, _ = decode_command(self.data, _WORD * self._places[index])
            self._made[index] = found
        return found
