"""Messages in kernels: a table of the kernels that handle them, found by the number of a kind.

A message is a frozen dataclass of integers, truth values and members of enums, as its reader gets
it; in memory it is its fields, a number each, in order. `message` of `language` reads one.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from solvent.kernels.language import Root, message
from solvent.kernels.rows import EngineFault, Memory

S = TypeVar("S", bound=Root)
M = TypeVar("M")


class Handler(NamedTuple):
    """A kind of message and the kernel that handles it."""

    kind: type
    kernel: Callable[[Any, Any], int]


class Handlers(Generic[S]):
    """Kernels by kind of message. `kinds` are all kinds: a kind's number is its place there.

    What has no handler stops the engine.
    """

    def __init__(self, kinds: Sequence[type]) -> None:
        self.kinds = tuple(kinds)
        self.by_number: dict[int, Handler] = {}

    def on(self, kind: type[M], handler: Callable[[S, M], int]) -> "Handlers[S]":
        """Let a kernel handle messages of a kind; returns the table."""
        number = self.kinds.index(kind)
        if number in self.by_number:
            raise ValueError(f"{kind.__name__} has a handler")
        self.by_number[number] = Handler(kind, handler)
        return self

    def call(self, number: int, s: S, memory: Memory) -> int:
        """What the handler of the kind with this number says of the message in `memory`."""
        handler = self.by_number.get(number)
        if handler is None:
            raise EngineFault(f"no handler of message {number}")
        return handler.kernel(s, message(handler.kind, memory))
