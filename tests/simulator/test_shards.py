"""Shards: a line each, in any number of processes, and on from where a run was stopped."""

import json
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.proof.fuzz import shards
from solvent.proof.fuzz.comparison import Comparison, Difference
from solvent.proof.fuzz.shards import run_shards, totals_of
from solvent.proof.fuzz.simulator import simulate
from tests.proof import proves

COMMANDS = 150


@proves("I35")
def test_lines_are_the_runs_in_the_order_of_seeds(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    totals = run_shards(one, 70, 3, COMMANDS)
    assert run_shards(two, 70, 3, COMMANDS, processes=2) == totals
    assert one.read_bytes() == two.read_bytes()
    head, *lines = map(json.loads, one.read_text(encoding="utf-8").splitlines())
    assert (head["mode"], head["commands"]) == ("invariants", COMMANDS)
    assert [line["seed"] for line in lines] == [70, 71, 72]
    assert lines[1]["events"] == simulate(71, COMMANDS).event_hash
    assert (totals.shards, totals.first_seed, totals.last_seed) == (3, 70, 72)
    assert totals.commands == 3 * COMMANDS
    assert totals.faults == ()


@pytest.mark.parametrize("cut", [1, 40, 2000])
def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "shards"
    run_shards(path, 70, 4, COMMANDS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    done: list[int] = []
    run_shards(path, 70, 4, COMMANDS, progress=done.append)
    assert path.read_bytes() == whole
    assert len(done) == (1 if cut < 1000 else whole[-cut:].count(b"\n"))
    run_shards(path, 70, 4, COMMANDS, progress=lambda _: pytest.fail("nothing is left to do"))


def test_shards_of_other_runs_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shards"
    run_shards(path, 70, 1, COMMANDS)
    with pytest.raises(InputError, match="name another"):
        run_shards(path, 70, 1, COMMANDS + 1)
    with pytest.raises(InputError, match="name another"):
        run_shards(path, 70, 1, COMMANDS, comparing=True)
    monkeypatch.setattr(shards, "code_digest", lambda: "other code")
    with pytest.raises(InputError, match="other code"):
        run_shards(path, 70, 1, COMMANDS)
    path.write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(InputError, match="no file of shards"):
        totals_of(path)


def test_a_comparison_says_where_engines_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shards"
    assert run_shards(path, 70, 1, COMMANDS, comparing=True).faults == ()
    other = Difference(71, 5, "planted")
    monkeypatch.setattr(shards, "compare", lambda *_, **__: Comparison(71, 5, 0, "", other))
    totals = run_shards(path, 70, 2, COMMANDS, comparing=True)
    assert totals.faults == (str(other),)
    assert (totals.shards, totals.commands) == (2, COMMANDS + 5)
