"""The folder of a sample: gone on with after kill -9, put together of shards, verified."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.lab.paths.drawing import scenario_hash
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.sweeps.plan import sources_hash
from solvent.lab.tail.folder import (
    LOG,
    PLAN,
    ROWS,
    TailPlan,
    begin,
    carry_out,
    is_tail,
    merge,
    read_plan,
    verify,
)
from solvent.lab.tail.sampling import Asked, LeafRow
from tests.cli.helpers import command, solvent
from tests.lab.sweeps.helpers import falling

PATHS = 5


def plan_of(folder: Path, shard: tuple[int, int] = (1, 1)) -> TailPlan:
    file = falling(folder)
    levels = ("liquidation",)
    asked = Asked(str(file), PATHS, ways=2, levels=levels, accounts=40, shard=shard)
    return TailPlan(asked, scenario_hash(load_scenario(file)), sources_hash())


def sampled(plan: TailPlan, out: Path) -> list[LeafRow]:
    begin(out, plan)
    with ThreadPoolExecutor(1) as one:
        return carry_out(out, one)


@pytest.mark.slow
def test_what_was_torn_is_computed_again_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    plan, whole, cut = plan_of(tmp_path / "s"), tmp_path / "whole", tmp_path / "cut"
    rows = sampled(plan, whole)
    assert is_tail(whole)
    assert read_plan(whole) == plan
    log = (whole / LOG).read_bytes()
    assert log.count(b"\n") == PATHS
    for end in (0, 1, log.index(b"\n") + 1, len(log) * 2 // 3, len(log)):
        begin(cut, plan)
        (cut / LOG).write_bytes(log[:end])
        assert sampled(plan, cut) == rows
        assert (cut / ROWS).read_bytes() == (whole / ROWS).read_bytes()
        (cut / ROWS).unlink()
    (cut / LOG).write_bytes(b"x" + log[1:])
    with pytest.raises(InputError, match="is damaged"):
        sampled(plan, cut)


def test_shards_put_together_are_the_whole(tmp_path: Path) -> None:
    plan, out = plan_of(tmp_path / "s"), tmp_path / "out"
    rows = sampled(plan, tmp_path / "whole")
    parts = [tmp_path / f"part{place}" for place in (1, 2, 3)]
    for place, part in enumerate(parts, start=1):
        sampled(replace(plan, asked=replace(plan.asked, shard=(place, 3))), part)
    with pytest.raises(InputError, match="give each of 1 to 3 once"):
        merge(parts[:2], out)
    assert not out.exists()
    assert merge(parts, out) == rows
    assert (out / ROWS).read_bytes() == (tmp_path / "whole" / ROWS).read_bytes()
    (parts[1] / LOG).write_bytes(b"")
    with pytest.raises(InputError, match="are missing; let every shard"):
        merge(parts, tmp_path / "other")
    other = replace(plan, asked=replace(plan.asked, paths=4))
    sampled(other, tmp_path / "four")
    with pytest.raises(InputError, match="merge one sample"):
        merge([tmp_path / "four", *parts], tmp_path / "other")


def test_a_digit_that_was_changed_is_found(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="holds no sample"):
        verify(out, 1, 0)
    begin(out, plan_of(tmp_path / "s"))
    with pytest.raises(InputError, match="the sample is not done"):
        verify(out, 1, 0)
    sampled(plan_of(tmp_path / "s"), out)
    assert all(same for _, same in verify(out, PATHS, 3))
    text = (out / ROWS).read_text().splitlines(keepends=True)
    cells = text[1].split(",")
    cells[5] = str(float(cells[5]) + 1)
    (out / ROWS).write_text("".join([text[0], ",".join(cells), *text[2:]]))
    assert [same for _, same in verify(out, PATHS, 3)] == [False, *[True] * (PATHS - 1)]


def test_a_folder_of_another_sample_is_left_alone(tmp_path: Path) -> None:
    plan, out = plan_of(tmp_path / "s"), tmp_path / "out"
    begin(out, plan)
    with pytest.raises(InputError, match="holds another sample"):
        begin(out, replace(plan, asked=replace(plan.asked, paths=9)))
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "x").touch()
    with pytest.raises(InputError, match="holds what no sample wrote"):
        begin(strange, plan)
    (out / PLAN).write_text("{}")
    with pytest.raises(InputError, match="is no plan of a sample"):
        read_plan(out)


@pytest.mark.slow
def test_a_sample_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    """SIGKILL of the command and its workers once two paths are there."""
    file, out, whole = falling(tmp_path / "s"), tmp_path / "out", tmp_path / "whole"
    words = ("--paths", "40", "--split", "2", "--levels", "liquidation", "--workers", "2")
    asked = command("lab", "tail", file, "--out", out, *words)
    process = subprocess.Popen(
        asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    log, deadline = out / LOG, time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and log.read_bytes().count(b"\n") > 1:
            break
        time.sleep(0.002)
    assert process.poll() is None, "it was done before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / ROWS).exists()
    assert solvent("lab", "tail", file, "--out", out, *words).returncode == 0
    assert solvent("lab", "tail", file, "--out", whole, *words[:-1], "1").returncode == 0
    assert (out / ROWS).read_bytes() == (whole / ROWS).read_bytes()
    said = solvent("lab", "verify", out, "--paths", "2")
    assert said.returncode == 0
    assert "2 of 2 paths are as the sample says" in said.stdout
