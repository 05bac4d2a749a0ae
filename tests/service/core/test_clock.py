"""The market's clock: it goes on evenly, and is never moved by a wall clock that leaps."""

import logging
from itertools import pairwise

import pytest

from solvent.domain.errors import InputError
from solvent.domain.units import SECOND
from solvent.service.core.clock import SLEW, MarketClock
from solvent.service.limits import BEHIND_SECONDS, LEAP_SECONDS, PAUSE_SECONDS

NOON = 1_700_000_000 * SECOND
HOUR = 3600 * SECOND


class Machine:
    """A machine whose clocks a test moves."""

    def __init__(self) -> None:
        self.wall_at = NOON
        self.elapsed_at = 7 * SECOND
        self.clock = MarketClock(lambda: self.wall_at, lambda: self.elapsed_at)

    def wait(self, duration: int, drift: int = 0) -> None:
        """Let time pass, and the wall clock gain `drift` on it."""
        self.elapsed_at += duration
        self.wall_at += duration + drift

    def live(self, seconds: int) -> list[int]:
        """Look every second; what the clock said."""
        told = []
        for _ in range(seconds):
            self.wait(SECOND)
            self.clock.look()
            told.append(self.clock())
        return told


@pytest.mark.parametrize("leap", [2 * HOUR, -2 * HOUR, 366 * 24 * HOUR, LEAP_SECONDS * SECOND + 1])
def test_a_leap_is_not_followed_and_is_told(leap: int, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    logging.getLogger("solvent").propagate = True
    assert machine.live(3) == [NOON + n * SECOND for n in (1, 2, 3)]
    machine.wall_at += leap
    assert machine.live(3) == [NOON + n * SECOND for n in (4, 5, 6)]
    assert (machine.clock.leaps, machine.clock.offset) == (1, leap)
    machine.wall_at -= leap
    assert machine.live(2) == [NOON + n * SECOND for n in (7, 8)]
    assert machine.clock.offset == 0
    assert machine.clock.leaps == 1
    assert [record.message for record in caplog.records] == [
        "the wall clock leapt",
        "the wall clock agrees again",
    ]


@pytest.mark.parametrize("drift", [LEAP_SECONDS * SECOND, -LEAP_SECONDS * SECOND, 1, -1, 9_999])
def test_a_small_difference_is_made_good_slowly(drift: int) -> None:
    machine = Machine()
    machine.wall_at += drift
    machine.clock.look()
    before = machine.clock()
    told = machine.live(2 * SLEW)
    steps = [later - earlier for earlier, later in pairwise([before, *told])]
    assert all(abs(step - SECOND) <= SECOND // SLEW for step in steps)
    assert machine.clock.offset == 0
    assert told[-1] == machine.wall_at


def test_a_market_that_is_ahead_goes_on_and_its_lead_melts() -> None:
    """Signatures are judged by the time of those who sign, whatever the market's is."""
    machine = Machine()
    ahead = BEHIND_SECONDS * SECOND
    machine.clock.begin(NOON + ahead)
    assert machine.clock() == NOON + ahead
    assert machine.clock.signing() == NOON
    told = machine.live(BEHIND_SECONDS * SLEW + 1)
    assert all(0 < later - earlier <= SECOND for earlier, later in pairwise(told))
    assert machine.clock.lead == 0
    assert told[-1] == machine.clock.signing() == machine.wall_at


def test_a_clock_too_far_from_the_last_record_is_refused() -> None:
    clock = Machine().clock
    for last in (NOON - PAUSE_SECONDS * SECOND, NOON + BEHIND_SECONDS * SECOND):
        clock.begin(last)
    wrong = (NOON - PAUSE_SECONDS * SECOND - 1, NOON + BEHIND_SECONDS * SECOND + 1)
    for last, said in zip(wrong, ("after", "behind"), strict=True):
        with pytest.raises(InputError, match=f"{said} the market's last record"):
            clock.begin(last)
        clock.begin(last, is_accepted=True)
        assert clock() == max(last, NOON)


def test_a_time_that_is_followed_is_never_ahead() -> None:
    """What is played faster than it happens is told as it was, not as it will be."""
    machine = Machine()
    played = [NOON - HOUR]
    machine.clock.follow(lambda: played[0])
    assert machine.clock() == NOON - HOUR
    played[0] = NOON + HOUR
    assert machine.clock() == machine.clock.signing() == NOON
