"""Members under a simulated log and network, and the planted bugs that this finds."""

import pytest

from solvent.cluster.member import Member
from solvent.proof.cluster.nodes import Node
from solvent.proof.cluster.simulation import simulate_clusters
from solvent.proof.cluster.witness import Answered, order_flaw
from solvent.proof.cluster.world import ClusterRun, World, simulate_cluster
from tests.cluster import canaries
from tests.sizes import sized

STEPS = sized(500_000, 5_000_000, 100_000_000)
SEED = 15_000
BUG_RUNS = 60
RUN = 20_000


def test_no_promise_is_broken() -> None:
    runs = list(simulate_clusters(SEED, STEPS))
    assert [(run.seed, str(run.fault)) for run in runs if run.fault] == []
    assert sum(run.steps for run in runs) >= STEPS
    # What the runs are for has happened: leaders fell, and clients were answered all the same.
    assert sum(run.epochs for run in runs) > 5 * len(runs)
    assert sum(run.answered for run in runs) > 200 * len(runs)
    assert sum(run.reads for run in runs) > 50 * len(runs)


def test_the_same_seed_makes_the_same_run() -> None:
    assert simulate_cluster(7, RUN) == simulate_cluster(7, RUN)


def test_every_kind_of_fault_happens() -> None:
    for name in World(0).faults.__slots__:
        assert any(getattr(World(seed).faults, name) for seed in range(20)), name


def found(world: type[World]) -> ClusterRun | None:
    runs = (simulate_cluster(seed, RUN, world) for seed in range(BUG_RUNS))
    return next((run for run in runs if run.fault), None)


@pytest.mark.parametrize("bug", canaries.MEMBERS)
def test_a_bug_of_a_member_is_found(bug: type[Member]) -> None:
    class Bugged(World):
        members = bug

    assert found(Bugged) is not None


@pytest.mark.parametrize("bug", canaries.NODES)
def test_a_bug_of_a_node_is_found(bug: type[Node]) -> None:
    class Bugged(World):
        node = bug

    assert found(Bugged) is not None


def test_an_append_that_expects_nothing_is_found() -> None:
    assert found(canaries.SkipsTheExpectation) is not None


class TestRealTime:
    """What was answered before another was asked for stands before it."""

    def test_overlapping_operations_stand_either_way(self) -> None:
        assert (
            order_flaw([Answered(1, 1, asked=0, told=10), Answered(2, 0, asked=9, told=20)]) is None
        )

    def test_one_told_at_the_moment_another_is_asked_overlaps_it(self) -> None:
        assert (
            order_flaw([Answered(1, 1, asked=0, told=9), Answered(2, 0, asked=9, told=20)]) is None
        )

    def test_one_that_was_told_before_stands_before(self) -> None:
        flaw = order_flaw([Answered(1, 1, asked=0, told=8), Answered(2, 0, asked=9, told=20)])
        assert flaw is not None
        assert flaw.numbers == (2, 0)

    def test_a_planted_inversion_among_many_is_found(self) -> None:
        many = [Answered(each, each, asked=10 * each, told=10 * each + 25) for each in range(5000)]
        assert order_flaw(many) is None
        late = many[1000]._replace(asked=90_000, told=90_010)
        assert order_flaw([*many[:1000], late, *many[1001:]]) is not None
