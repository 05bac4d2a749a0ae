"""The market's clock: one that goes on evenly, whatever the wall clock does.

It is the wall clock as of its making, carried on by one that cannot be set. Where the two drift
apart it goes a little faster or slower until they agree (`SLEW`); a wall clock that leaps is not
followed, which is an alarm (`offset`). So no leap becomes durable, and signatures are judged by a
time that did not leap.

A market may have got ahead of the wall clock, by an earlier life whose clock was wrong. Then its
time goes on from where it is, and the lead melts as slowly. Signatures are judged without the lead.

Whoever starts a market says how far its last record may be from the wall clock (`begin`).
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from solvent.domain.errors import InputError
from solvent.domain.units import SECOND
from solvent.service.limits import BEHIND_SECONDS, LEAP_SECONDS, PAUSE_SECONDS

LOG = logging.getLogger("solvent.clock")
SLEW = 100
"""The clock gains or loses at most one part in so many."""

Clock = Callable[[], int]


def wall_clock() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1000


def elapsed_clock() -> int:
    """Microseconds since some moment, those that the machine slept among them where it can tell."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


class Ticking(NamedTuple):
    """All by which a clock goes on; good in every process of the machine."""

    at: int
    since: int
    offset: int
    rate: int
    lead: int
    lead_since: int


class MarketClock:
    """The time of a market and of the signatures that are sent to it, in microseconds UTC.

    `look` has to be called now and then. `offset` is how far the wall clock is ahead of this one,
    and `leaps` counts how often it went further than `LEAP_SECONDS`.
    """

    def __init__(self, wall: Clock = wall_clock, elapsed: Clock = elapsed_clock) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._at, self._since = wall(), elapsed()
        self._rate = 0
        self._lead, self._lead_since = 0, self._since
        self._tells: Clock | None = None
        self.offset = 0
        self.leaps = 0

    def signing(self) -> int:
        """The time that signatures are judged by; never goes backwards."""
        return self._steady(self._elapsed())

    def __call__(self) -> int:
        """The market's time; never goes backwards."""
        if self._tells is not None:
            return min(self._tells(), self.signing())
        now = self._elapsed()
        return self._steady(now) + self._lead_at(now)

    @property
    def lead(self) -> int:
        """How far the market is ahead of the time that signatures are judged by."""
        return 0 if self._tells is not None else self._lead_at(self._elapsed())

    @property
    def is_trusted(self) -> bool:
        """Whether the wall clock agrees, up to what is made good."""
        return abs(self.offset) <= LEAP_SECONDS * SECOND

    def begin(self, last: int, *, is_accepted: bool = False) -> None:
        """Go on from `last`, the market's time when it was last served.

        Raises InputError where the wall clock is so far from it that one of them is wrong, unless
        that `is_accepted`.
        """
        gap = self.signing() - last
        if not is_accepted and not -BEHIND_SECONDS * SECOND <= gap <= PAUSE_SECONDS * SECOND:
            apart = timedelta(seconds=abs(gap) // SECOND)
            way = "behind" if gap < 0 else "after"
            reason = f"is {apart} {way} the market's last record; set it, or give --accept-clock"
            raise InputError("market", "the machine's clock", reason)
        self._lead, self._lead_since = max(0, -gap), self._elapsed()

    def follow(self, clock: Clock) -> None:
        """Let the market have another time, which is this one's where it would be ahead."""
        self._tells = clock

    @property
    def ticking(self) -> Ticking:
        """How it goes on, for a clock of another process."""
        return Ticking(self._at, self._since, self.offset, self._rate, self._lead, self._lead_since)

    @property
    def is_told(self) -> bool:
        """Whether the market has a time of its own (`follow`)."""
        return self._tells is not None

    def go_as(self, ticking: Ticking) -> None:
        """Go on as another clock of this machine does."""
        self._at, self._since, self.offset, self._rate, self._lead, self._lead_since = ticking

    def look(self) -> None:
        """Compare with the wall clock: begin to make good what is small, say what is not."""
        now = self._elapsed()
        self._at, self._since = self._steady(now), now
        was_trusted = self.is_trusted
        self.offset = self._wall() - self._at
        self._rate = 0
        if self.is_trusted:
            self._rate = (self.offset > 0) - (self.offset < 0)
            if not was_trusted:
                LOG.warning("the wall clock agrees again")
        elif was_trusted:
            self.leaps += 1
            reason = f"it is {self.offset / SECOND:+.1f} s from the market's, which does not follow"
            LOG.error("the wall clock leapt", extra={"reason": reason})

    def _steady(self, elapsed: int) -> int:
        passed = elapsed - self._since
        made_good = min(abs(self.offset), passed // SLEW) * self._rate
        return self._at + passed + made_good

    def _lead_at(self, elapsed: int) -> int:
        return max(0, self._lead - (elapsed - self._lead_since) // SLEW)
