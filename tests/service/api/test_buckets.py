"""Buckets: exact to the nanosecond, apart by caller, kind and direction of risk, and bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.service.api.buckets import RATES, Buckets, Rate

SECOND = 10**9


class Clock:
    """Time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = 5 * SECOND

    def __call__(self) -> int:
        return self.now


def buckets(a_second: int, size: int, *, most: int = 100) -> tuple[Buckets, Clock]:
    """Buckets of one rate for two kinds of callers."""
    clock = Clock()
    rate = Rate(a_second, size)
    return Buckets({"key": rate, "address": rate}, clock=clock, most=most), clock


def test_a_full_bucket_has_its_size_and_then_fills_a_token_at_a_time() -> None:
    found, clock = buckets(a_second=10, size=3)
    assert [found.spend("key", "a") for _ in range(5)] == [0, 0, 0, 1, 1]
    clock.now += SECOND // 10 - 1
    assert found.spend("key", "a") == 1
    clock.now += 1
    assert [found.spend("key", "a") for _ in range(2)] == [0, 1]


def test_an_idle_bucket_never_holds_more_than_its_size() -> None:
    found, clock = buckets(a_second=10, size=3)
    found.spend("key", "a")
    clock.now += 1000 * SECOND
    assert [found.spend("key", "a") for _ in range(4)] == [0, 0, 0, 1]


def test_retry_after_is_when_a_token_is_there_and_a_refusal_costs_none() -> None:
    found, clock = buckets(a_second=1, size=4)
    assert [found.spend("key", "a") for _ in range(4)] == [0, 0, 0, 0]
    wait = found.spend("key", "a")
    assert wait == 1
    assert [found.spend("key", "a") for _ in range(100)] == [1] * 100
    clock.now += wait * SECOND
    assert found.spend("key", "a") == 0


@given(
    st.integers(1, 50),
    st.integers(1, 20),
    st.lists(st.integers(0, 2 * SECOND), min_size=1, max_size=60),
)
def test_no_span_of_time_lets_through_more_than_size_and_rate(
    a_second: int, size: int, pauses: list[int]
) -> None:
    found, clock = buckets(a_second, size)
    passed = []
    for pause in pauses:
        clock.now += pause
        wait = found.spend("key", "a")
        if wait:
            later = clock.now + wait * SECOND
            clock.now = later
            assert found.spend("key", "a") == 0, "Retry-After was too short"
        passed.append(clock.now)
    token = SECOND // a_second
    for first, start in enumerate(passed):
        for last, end in enumerate(passed[first:], first):
            assert last - first + 1 <= size + -(-(end - start) // token)


def test_who_is_throttled_can_still_reduce_risk() -> None:
    found, _ = buckets(a_second=1, size=2)
    assert [found.spend("key", "a") for _ in range(3)] == [0, 0, 1]
    assert [found.spend("key", "a", reduces_risk=True) for _ in range(3)] == [0, 0, 1]


def test_callers_and_kinds_are_apart() -> None:
    found, _ = buckets(a_second=1, size=1)
    assert [found.spend("key", "a") for _ in range(2)] == [0, 1]
    assert found.spend("key", "b") == 0
    assert found.spend("address", "a") == 0


def test_the_longest_untouched_bucket_is_forgotten_and_no_other_kind_suffers() -> None:
    found, _ = buckets(a_second=1, size=1, most=2)
    assert found.spend("key", "k") == 0
    for name in ("a", "b", "a", "c"):
        found.spend("address", name)
    assert found.spend("address", "a") == 1
    assert found.spend("address", "b") == 0
    for number in range(1000):
        found.spend("address", f"flood {number}")
    assert found.spend("key", "k") == 1


@pytest.mark.parametrize("kind", RATES)
def test_the_service_has_a_bucket_for_each_kind_of_caller(kind: str) -> None:
    clock = Clock()
    found = Buckets(clock=clock)
    size = RATES[kind].size
    assert found.spend(kind, "a", size - 1) == 0
    assert [found.spend(kind, "a") for _ in range(2)] == [0, 1]


def test_what_costs_more_takes_more() -> None:
    found, clock = buckets(10, 5)
    assert found.spend("key", "a", 3) == 0
    assert found.spend("key", "a", 3) == 1
    assert found.spend("key", "a", 2) == 0
    clock.now += SECOND
    assert found.spend("key", "a", 50) == 0, "a full one lets through what is larger than it is"
    assert found.spend("key", "a") == 1, "and makes up for it, but for no longer than two fill in"
    clock.now += SECOND // 2
    assert found.spend("key", "a") == 1
    clock.now += SECOND // 10
    assert found.spend("key", "a") == 0


def test_what_was_done_already_is_charged_also_where_nothing_is_left() -> None:
    """But nobody is shut out for longer than it takes to fill two buckets."""
    found, clock = buckets(10, 5)
    found.charge("key", "a", 4)
    assert [found.spend("key", "a") for _ in range(2)] == [0, 1]
    found.charge("key", "a", 10**9)
    assert found.spend("key", "a") == 1
    clock.now += SECOND // 2
    assert found.spend("key", "a") == 1
    clock.now += SECOND // 10
    assert found.spend("key", "a") == 0
