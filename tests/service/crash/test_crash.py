"""kill -9 of the service: nothing acknowledged is lost or doubled, and a crash test would tell.

`solvent sim --kill 2000` kills as often as it is told.
"""

from pathlib import Path

import pytest

from solvent.proof.crash.inspection import judge
from solvent.proof.crash.processes import Serve
from solvent.proof.crash.result import CrashTest, Difference
from solvent.proof.crash.rounds import crash_test
from solvent.proof.crash.script import Holding, Op, Plan
from solvent.proof.crash.signed import Ask
from tests.proof import proves
from tests.service.crash import planted
from tests.sizes import sized
from tests.tables.market import plain_parameters

KILLS = sized(quick=12, usual=300, full=2_000)
ENOUGH = 80
"""Kills among which there is one of each kind."""
FEW = 40
HELD = Holding(deposits=1, usdc=100)
LEND = Plan("anybody", Ask("POST", "/", "none"), (Op(2, "lend", 5), Op(2, "order", 7)))
DEPOSIT = Plan("operator", Ask("POST", "/", "none"), (Op(2, "deposit", 50),))


@proves("I35", "I36")
def test_a_killed_service_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    """Killed at every kind of moment, with requests on their way that it had carried out."""
    found = crash_test(tmp_path, plain_parameters(), KILLS)
    assert found.problems == []
    assert (found.kills, found.lost, found.doubled) == (KILLS, 0, 0)
    assert found.commands > found.acknowledged > KILLS
    assert found.told > KILLS
    if KILLS >= ENOUGH:
        assert min(found.opening, found.in_snapshot, found.closing) > 0
        assert found.unanswered > found.unanswered_done > 0
        assert found.repeated > KILLS
        assert found.missed > 0
        assert found.archived > 0
        assert min(found.fired, found.rotated) > 0


def crash_tested(folder: Path, serve: Serve, seed: int = 1) -> CrashTest:
    """What a few kills of processes with a fault come to."""
    folder.mkdir(exist_ok=True)
    found = crash_test(folder, plain_parameters(), FEW, serve=serve, seed=seed)
    assert not found.is_good
    return found


@pytest.mark.slow
@pytest.mark.parametrize("serve", [planted.acknowledges_early, planted.loses_the_tail])
def test_what_is_lost_is_found(serve: Serve, tmp_path: Path) -> None:
    assert crash_tested(tmp_path, serve).lost > 0


@pytest.mark.slow
def test_what_is_doubled_is_found(tmp_path: Path) -> None:
    """What is on its way at the kill may hide a request that was carried out twice, not always."""
    tried = (
        crash_tested(tmp_path / str(seed), planted.forgets_answers, seed) for seed in range(1, 6)
    )
    assert any(found.doubled for found in tried)


@pytest.mark.slow
@pytest.mark.parametrize(
    "serve",
    [
        planted.saves_no_answers,
        planted.saves_no_proposals,
        planted.makes_changes_twice,
        planted.forgets_what_waits,
        planted.saves_no_rotation,
    ],
)
def test_a_market_that_forgets_is_found(serve: Serve, tmp_path: Path) -> None:
    """When it is killed decides by what: a request lost or doubled, an answer, another state."""
    crash_tested(tmp_path, serve)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("serve", "said"),
    [
        (planted.answers_otherwise, "the answer is"),
        (planted.keeps_no_fifth, "account"),
        (planted.ends_by_itself, "exit code 7"),
        (planted.tells_no_seventh, "a stream: "),
        (planted.tells_twice, "a stream: "),
        (planted.tells_other_prices, "was told as"),
        (planted.removes_no_key, " act"),
        (planted.fires_none, "waiting=("),
        (planted.fires_twice, "has Holding("),
        (planted.keeps_old_keys, "acts again"),
    ],
)
def test_what_is_otherwise_is_found(serve: Serve, said: str, tmp_path: Path) -> None:
    assert said in crash_tested(tmp_path, serve).problems[0]


def test_an_account_says_which_requests_were_carried_out() -> None:
    both = HELD._replace(deposits=2, usdc=150, movements=1, lent=5, orders=1, open=(7,))
    assert judge(2, HELD, HELD, [LEND, DEPOSIT]) == []
    assert judge(2, HELD, HELD._replace(deposits=2, usdc=150), [LEND, DEPOSIT]) == [DEPOSIT]
    assert judge(2, HELD, both, [LEND, DEPOSIT]) == [LEND, DEPOSIT]


@pytest.mark.parametrize(
    ("has", "lost", "doubled"),
    [
        (Holding(), 1, 0),
        (HELD._replace(deposits=2, usdc=200), 0, 1),
        (HELD._replace(movements=2, lent=10), 0, 1),
        (HELD._replace(usdc=99), 0, 0),
        (HELD._replace(movements=1, lent=5), 0, 0),
    ],
    ids=["nothing", "a second deposit", "a second lend", "an atom less", "half a request"],
)
def test_an_account_that_has_something_else_is_a_difference(
    has: Holding, lost: int, doubled: int
) -> None:
    found = judge(2, HELD, has, [LEND])
    assert isinstance(found, Difference)
    assert (found.lost, found.doubled) == (lost, doubled)
