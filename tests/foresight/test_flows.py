"""Flows: a pool that goes on as it does is at its throttle when it was said, and full when said."""

import pytest

from solvent.domain.commands import Borrow, Lend, Redeem, TimeStep
from solvent.domain.errors import InputError
from solvent.domain.events import Refused
from solvent.domain.units import RATIO, SECOND
from solvent.foresight.flows import PoolAt, PoolTimes, pool_times, pools_at, time_to
from tests.proof import proves
from tests.tables.story import Story, run_story

SOL = 2
UNIT = 10**9


def market() -> Story:
    return run_story("""
        set SOL pool.throttle_threshold 80%
        set SOL pool.throttle_update_fraction 1
        set SOL pool.max_utilization 100%
        deposit ann SOL  100
        lend    ann SOL  100
        deposit bob USDC 100,000
        borrow  bob SOL  20
        step +1s
    """)


@proves("A14")
@pytest.mark.parametrize("a_step", [7 * UNIT, 3 * UNIT, UNIT + 1])
def test_a_flow_that_goes_on_is_at_the_threshold_when_it_was_said(a_step: int) -> None:
    story = market()
    engine, bob = story.engine, story.names.account("bob")
    earlier = pools_at(engine)

    def flow() -> bool:
        """A second of the flow, as far as there is cash."""
        engine.apply_one(TimeStep(engine.now + SECOND))
        return not any(
            isinstance(event, Refused) for event in engine.apply_one(Borrow(bob, SOL, a_step))
        )

    assert flow()
    said = pool_times(earlier, engine)[SOL]
    assert said.throttle is not None
    assert said.full is not None
    start, reached = engine.now, None
    while flow():
        report = engine.queries.pool(SOL)
        if reached is None and report.borrowed * RATIO >= report.threshold * report.lent:
            reached = engine.now - start
        if report.borrowed >= report.lent:
            break
    assert reached == -(-said.throttle // SECOND) * SECOND
    assert engine.queries.pool(SOL).cash < a_step
    full = engine.now - start
    # The last second's borrow finds less than it asks, unless it empties the pool.
    assert full == -(-said.full // SECOND) * SECOND


def test_lenders_who_leave_fill_a_pool_too() -> None:
    story = market()
    engine, ann = story.engine, story.names.account("ann")
    earlier = pools_at(engine)
    engine.apply_one(TimeStep(engine.now + SECOND))
    engine.apply_one(Redeem(ann, SOL, 5 * UNIT))
    # 95 lent and 20 borrowed: 25 lent, at 80 %, in 14 seconds, and 20, at 100 %, in 15.
    assert pool_times(earlier, engine)[SOL] == PoolTimes(14 * SECOND, 15 * SECOND)


def test_a_pool_that_gets_emptier_never_fills() -> None:
    story = market()
    engine, ann = story.engine, story.names.account("ann")
    earlier = pools_at(engine)
    engine.apply_one(TimeStep(engine.now + SECOND))
    assert pool_times(earlier, engine)[SOL] == PoolTimes(None, None)
    story.run("deposit ann SOL 5")
    engine.apply_one(Lend(ann, SOL, 5 * UNIT))
    assert pool_times(earlier, engine)[SOL] == PoolTimes(None, None)


@pytest.mark.parametrize(
    ("earlier", "later", "level", "expected"),
    [
        (PoolAt(0, 0, 0), PoolAt(1, 0, 0), RATIO, None),
        (PoolAt(0, 10, 0), PoolAt(1, 9, 0), RATIO, None),
        (PoolAt(0, 10, 10), PoolAt(1, 10, 10), RATIO, 0),
        (PoolAt(0, 10, 12), PoolAt(1, 10, 12), RATIO, 0),
        (PoolAt(0, 10, 0), PoolAt(3, 10, 1), RATIO, 27),
        (PoolAt(0, 10, 0), PoolAt(3, 10, 4), RATIO, 5),
        (PoolAt(0, 10, 0), PoolAt(3, 10, 4), RATIO // 2, 1),
        (PoolAt(0, 100, 10), PoolAt(10, 90, 9), RATIO, None),
    ],
)
def test_times_of_lines(earlier: PoolAt, later: PoolAt, level: int, expected: int | None) -> None:
    assert time_to(earlier, later, level) == expected


def test_a_flow_needs_time() -> None:
    with pytest.raises(InputError, match="two readings with time between them"):
        time_to(PoolAt(5, 10, 1), PoolAt(5, 10, 2), RATIO)
