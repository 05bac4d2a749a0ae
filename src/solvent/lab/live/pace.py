"""Pace: how fast a market's own time passes, which may change while it does.

A time is a straight line from where it was when its pace last changed, so that no change makes it
jump. Rates are thousandths: 1000 is as fast as a watch, and 0 stands still.
"""

from typing import NamedTuple

SPEED_UNIT = 1000


class _Line(NamedTuple):
    """From which time, since which moment of the watch, and how fast it goes on: microseconds."""

    at: int
    since: int
    rate: int


class Pace:
    """A time that passes at a rate. One thread changes it, and any may ask."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        """How fast it goes where it is not paused."""
        self.is_paused = False
        self._line: _Line | None = None

    @property
    def has_begun(self) -> bool:
        """Whether time passes or is paused, and has not only a place to begin."""
        return self._line is not None

    @property
    def at(self) -> int:
        """The time when its pace last changed."""
        assert self._line is not None
        return self._line.at

    @property
    def in_force(self) -> int:
        """The rate now: 0 while it is paused."""
        return 0 if self.is_paused else self.rate

    def begin(self, at: int, now: int) -> None:
        """Let time pass from `at`, for a watch that shows `now`."""
        self._line = _Line(at, now, self.in_force)

    def time(self, now: int) -> int:
        """The time when the watch shows `now`."""
        assert self._line is not None
        at, since, rate = self._line
        return at + (now - since) * rate // SPEED_UNIT

    def change(self, rate: int, *, is_paused: bool) -> None:
        """Go on at another rate, or stand still, from the next `begin` on."""
        self.rate, self.is_paused = rate, is_paused
