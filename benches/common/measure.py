"""Measuring: repeat, keep every time, say the median, the least and how far they spread."""

import gc
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")


class Timing(NamedTuple):
    """Seconds of each repeat."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.seconds)


class WrongAnswerError(AssertionError):
    """The engine and its peer disagree. `str(error)` says on what."""


def repeat(
    work: Callable[[], Result], times: int, before: Callable[[], object] | None = None
) -> tuple[Timing, Result]:
    """Do `work` so often, each time after `before`, which is not timed; and its last result.

    It is done once more at first and not timed, so that no repeat pays for touching fresh memory.
    """
    if before is not None:
        before()
    _, result = once(work)
    seconds = []
    for _ in range(times):
        if before is not None:
            before()
        took, result = once(work)
        seconds.append(took)
    return Timing(tuple(seconds)), result


def once(work: Callable[[], Result]) -> tuple[float, Result]:
    """How many seconds `work` takes, with no garbage collected meanwhile; and its result."""
    collects = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        result = work()
        return time.perf_counter() - start, result
    finally:
        if collects:
            gc.enable()


def agree(what: str, ours: object, theirs: object) -> None:
    """Raise WrongAnswerError unless both are equal."""
    if ours != theirs:
        raise WrongAnswerError(f"{what}: {_short(ours)}, and the peer has {_short(theirs)}")


def _short(thing: object) -> str:
    text = repr(thing)
    most = 60
    return text if len(text) <= most else f"{text[:most]}..."
