"""Governors: who moves a pool's curve as its utilization goes, from outside of the engine.

A governor looks at the utilization every so often and gives the curve's three points new rates by
`ChangeParameter`, as an operator may; the engine charges what its curve says. With r the rate at
the target and s the steepness the points are (0, r / s), (target, r), (1, r * s), and with e the
error of utilization, from -1 (empty) over 0 (at the target) to 1 (full),

    kinked     r stays
    adaptive   r = r * exp(speed * e * time)
    pid        r = base * (1 + proportional * e + integral * sum of e * time
                             + derivative * change of e)

within `lowest` and `highest`. All numbers are integers of 10^-9, rounded down; speed is a year's,
integral a day's.
"""

from collections.abc import Iterator

from solvent.domain.commands import ChangeParameter, Command, ParameterField
from solvent.domain.parameters import MAX_APR
from solvent.domain.units import HOUR, HOURS_PER_YEAR, RATIO
from solvent.lab.people.sampling import exponential
from solvent.lab.people.triggers import UtilizationOf
from solvent.lab.scenario.model import Governor, Rule

YEAR = HOURS_PER_YEAR * HOUR
DAY = 24 * HOUR


class Governors:
    """All governors of a scenario, each with what it remembers."""

    def __init__(self, governors: tuple[Governor, ...]) -> None:
        self._each = [_Governed(governor) for governor in governors]

    def begin(self) -> Iterator[Command]:
        """The curves that they begin with."""
        for each in self._each:
            yield from each.curve()

    def look(self, until: int, utilization: UtilizationOf) -> Iterator[Command]:
        """The curves as they leave them at so many microseconds after the start."""
        for each in self._each:
            yield from each.look(until, utilization)


class _Governed:
    def __init__(self, governor: Governor) -> None:
        self._governor = governor
        self._rate = governor.rate
        self._seen = 0
        self._error = self._sum = 0
        self._points: list[int] = []

    def look(self, until: int, utilization: UtilizationOf) -> Iterator[Command]:
        governor = self._governor
        elapsed = (until - self._seen) // governor.every * governor.every
        if not elapsed or governor.rule is Rule.KINKED:
            return
        self._seen += elapsed
        error = error_of(min(RATIO, utilization(governor.asset)), governor.target)
        if governor.rule is Rule.ADAPTIVE:
            moved = max(-RATIO, min(governor.speed * error * elapsed // (RATIO * YEAR), RATIO))
            wanted = self._rate * exponential(moved) // RATIO
        else:
            total = self._sum + error * elapsed
            pull = (
                governor.proportional * error
                + governor.integral * total // DAY
                + governor.derivative * (error - self._error)
            )
            wanted = governor.rate * (RATIO + pull // RATIO) // RATIO
            # A sum that the bounds keep from the rate must not grow, or it would be felt for weeks.
            if governor.lowest < wanted < governor.highest:
                self._sum = total
        self._error = error
        self._rate = max(governor.lowest, min(wanted, governor.highest))
        yield from self.curve()

    def curve(self) -> Iterator[Command]:
        """Changes that lead from the points as they are to those of the rate, never falling."""
        governor = self._governor
        points = [
            self._rate * RATIO // governor.steepness,
            self._rate,
            min(MAX_APR, self._rate * governor.steepness // RATIO),
        ]
        if not self._points:
            yield ChangeParameter(governor.asset, ParameterField.CURVE_RATE, MAX_APR, 2)
            at = ParameterField.CURVE_UTILIZATION
            yield ChangeParameter(governor.asset, at, governor.target, 1)
            self._points = [0, 0, MAX_APR]
        up = self._points[1] < points[1]
        for place in sorted(range(3), reverse=up):
            if points[place] != self._points[place]:
                yield ChangeParameter(
                    governor.asset, ParameterField.CURVE_RATE, points[place], place
                )
        self._points = points


def error_of(utilization: int, target: int) -> int:
    """How far a utilization is from the target: -1 empty, 1 full, 10^-9."""
    room = RATIO - target if utilization > target else target
    return (utilization - target) * RATIO // room
