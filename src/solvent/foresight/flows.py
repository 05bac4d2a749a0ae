"""Flows: when a pool would reach its throttle, and 100 %, if it went on as it does.

Between two readings lent and borrowed gained so much, interest included; both go on in a straight
line. Times are microseconds, rounded up; totals are atoms, utilization 10^-9.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from solvent.domain.engine_face import EngineFace
from solvent.domain.errors import InputError
from solvent.domain.units import RATIO, divide_up


@dataclass(frozen=True, slots=True)
class PoolAt:
    """What a pool had lent out and was owed at a time, microseconds UTC."""

    time: int
    lent: int
    borrowed: int


@dataclass(frozen=True, slots=True)
class PoolTimes:
    """Microseconds until a pool reaches its throttle's threshold and 100 %.

    0 where it is there, None where the flow does not lead there.
    """

    throttle: int | None
    full: int | None


def pools_at(engine: EngineFace) -> list[PoolAt]:
    """The pools of an engine now, by asset number."""
    reports = [engine.queries.pool(asset) for asset in range(len(engine.parameters.assets))]
    return [PoolAt(engine.now, report.lent, report.borrowed) for report in reports]


def time_to(earlier: PoolAt, later: PoolAt, level: int) -> int | None:
    """Microseconds from `later` until borrowed / lent is at least `level`; None: never.

    InputError where no time lies between the readings.
    """
    if later.time <= earlier.time:
        raise InputError("forecast", "flow", "needs two readings with time between them")
    missing = level * later.lent - later.borrowed * RATIO
    lent, borrowed = later.lent - earlier.lent, later.borrowed - earlier.borrowed
    nearing = borrowed * RATIO - level * lent
    if missing <= 0:
        return 0 if later.borrowed else None
    if nearing <= 0:
        return None
    span = later.time - earlier.time
    time = divide_up(missing * span, nearing)
    # Lenders who leave an idle pool leave nothing that could be full.
    return time if later.borrowed * span + borrowed * time > 0 else None


def pool_times(earlier: Sequence[PoolAt], engine: EngineFace) -> list[PoolTimes]:
    """When each pool reaches its threshold and 100 %, at the flow since earlier readings."""
    thresholds = [about.pool.throttle_threshold for about in engine.parameters.assets]
    return [
        PoolTimes(time_to(before, now, threshold), time_to(before, now, RATIO))
        for before, now, threshold in zip(earlier, pools_at(engine), thresholds, strict=True)
    ]
