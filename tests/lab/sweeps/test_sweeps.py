"""Sweeps: the same bytes for any workers, shards and kills; bad input leaves nothing behind."""

import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.lab.estimate.until import chance_sequence
from solvent.lab.paths.drawing import scenario_hash
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.sweeps import sweeping, workers
from solvent.lab.sweeps.log import LOG, RowLog, read_log
from solvent.lab.sweeps.plan import PLAN, Plan, read_plan, sources_hash
from solvent.lab.sweeps.rows import METRICS, Row
from solvent.lab.sweeps.sweeping import ROWS, begin, merge, read_rows, sweep
from solvent.lab.sweeps.verifying import chosen, verify
from solvent.lab.sweeps.workers import Done, Pool, Workforce, local_pool
from tests.cli.helpers import solvent
from tests.lab.sweeps.helpers import falling, killed, swept


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweeps")


@pytest.fixture(scope="module")
def file(home: Path) -> Path:
    return falling(home / "scenario")


@pytest.fixture(scope="module")
def one(home: Path, file: Path) -> Path:
    """The sweep by one worker, which all others must come out as."""
    done = swept(file, home / "one", "--workers", "1")
    assert done.returncode == 0, done.stderr
    return home / "one"


def test_some_paths_lose_and_the_fund_helps(one: Path) -> None:
    rows = read_rows(one)
    losses = [[row.value("deficit") for row in rows if row.point == point] for point in range(3)]
    assert [len(each) for each in losses] == [8, 8, 8]
    assert 0 < sum(loss > 0 for loss in losses[1]) < 8
    # The same weather and people on each path: a larger fund never makes a lender lose more.
    assert all(more <= less for less, more in zip(losses[1], losses[2], strict=True))
    assert sum(losses[2]) < sum(losses[1])


@pytest.mark.slow
@pytest.mark.parametrize("count", ["2", "3"])
def test_any_number_of_workers_gives_the_same_bytes(
    count: str, one: Path, file: Path, tmp_path: Path
) -> None:
    assert swept(file, tmp_path / "out", "--workers", count).returncode == 0
    assert (tmp_path / "out" / ROWS).read_bytes() == (one / ROWS).read_bytes()
    assert (tmp_path / "out" / PLAN).read_bytes() == (one / PLAN).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1, 2000])
def test_a_killed_sweep_is_gone_on_with(size: int, one: Path, file: Path, tmp_path: Path) -> None:
    left = killed(file, tmp_path / "out", size, "--workers", "2")
    assert not (tmp_path / "out" / ROWS).exists()
    done = swept(file, tmp_path / "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / ROWS).read_bytes() == (one / ROWS).read_bytes()
    if size > 1:
        assert left >= size


def test_a_log_that_was_torn_at_any_byte_is_gone_on_with(one: Path, tmp_path: Path) -> None:
    whole = (one / LOG).read_bytes()
    count = len(read_log(one))
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in {0, 1, 64, 65, *ends, *(end - 1 for end in ends), len(whole) // 2}:
        (tmp_path / LOG).write_bytes(whole[:cut])
        log = RowLog(tmp_path)
        assert len(log.rows) <= count
        missing = [row for key, row in read_log(one).items() if key not in log.rows]
        assert bool(missing) == (cut < len(whole))
        if missing:
            log.append(missing)
        log.close()
        assert read_log(tmp_path) == read_log(one)


def test_damage_inside_a_log_is_refused_by_line(one: Path, tmp_path: Path) -> None:
    whole = bytearray((one / LOG).read_bytes())
    whole[70] ^= 1
    (tmp_path / LOG).write_bytes(whole)
    with pytest.raises(InputError) as caught:
        RowLog(tmp_path)
    assert caught.value.line == 1
    assert (tmp_path / LOG).read_bytes() == whole


def test_two_processes_do_not_write_one_log(tmp_path: Path) -> None:
    log = RowLog(tmp_path)
    with pytest.raises(InputError, match="another process"):
        RowLog(tmp_path)
    log.close()
    RowLog(tmp_path).close()


@pytest.mark.slow
def test_shards_together_are_the_sweep(one: Path, file: Path, tmp_path: Path) -> None:
    shards = [tmp_path / f"s{place}" for place in (1, 2)]
    for place, out in enumerate(shards, start=1):
        done = swept(file, out, "--workers", "1", "--shard", f"{place}/2")
        assert done.returncode == 0, done.stderr
    assert {row.path % 2 for row in read_rows(shards[0])} == {0}
    merged = solvent("lab", "merge", *shards, "--out", tmp_path / "all")
    assert merged.returncode == 0, merged.stderr
    assert (tmp_path / "all" / ROWS).read_bytes() == (one / ROWS).read_bytes()
    assert (tmp_path / "all" / PLAN).read_bytes() == (one / PLAN).read_bytes()
    for folders, said in [((shards[0],), "1/2"), ((shards[0], shards[0]), "1/2, 1/2")]:
        with pytest.raises(InputError, match=said):
            merge(list(folders), tmp_path / "no")
    with pytest.raises(InputError, match="merge one sweep"):
        merge([shards[0], _other_plan(tmp_path, shards[1])], tmp_path / "no")
    assert not (tmp_path / "no").exists()


def _other_plan(folder: Path, shard: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    text = (shard / PLAN).read_text()
    (other / PLAN).write_text(text.replace('"paths": 8', '"paths": 13'))
    return other


class TestWorkers:
    """A worker that dies takes nobody with it."""

    def plan(self, file: Path) -> Plan:
        root = scenario_hash(load_scenario(file))
        return Plan(str(file), root, sources_hash(), ({},), 6)

    def test_a_worker_killed_from_outside_costs_no_row(self, file: Path, tmp_path: Path) -> None:
        begin(tmp_path / "out", self.plan(file))
        pools: list[ProcessPoolExecutor] = []

        def make() -> ProcessPoolExecutor:
            pools.append(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
            return pools[-1]

        def kill(done: int, _whole: int) -> None:
            if done == 1:
                for process in list(pools[0]._processes.values()):
                    os.kill(process.pid or 0, signal.SIGKILL)

        rows = sweep(tmp_path / "out", Pool(make, 1), kill)
        assert len(pools) == 2
        assert [row.path for row in rows] == list(range(6))
        assert not [row for row in rows if row.error]

    def test_a_path_that_ends_its_process_becomes_a_row(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "work", deadly)
        force = Workforce(self.plan(file), local_pool(1))
        rows = [row for chunk in force.rows([(0, path) for path in range(5)]) for row in chunk]
        force.close()
        assert sorted(row.path for row in rows) == list(range(5))
        (bad,) = [row for row in rows if row.error]
        assert (bad.path, "died 3 times" in bad.error) == (3, True)

    def test_a_scenario_that_changed_is_refused(self, tmp_path: Path) -> None:
        own = falling(tmp_path / "own")
        begin(tmp_path / "out", self.plan(own))
        own.write_text(own.read_text() + "\n# another\n")
        with pytest.raises(InputError, match="restore it"):
            sweep(tmp_path / "out", local_pool(1))
        assert not (tmp_path / "out" / ROWS).exists()


def deadly(_plan: Plan, keys: list[tuple[int, int]]) -> Done:
    """A worker's work that path 3 ends the process of."""
    if any(path == 3 for _, path in keys):
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
    return Done([Row(point, path, dict.fromkeys(METRICS, "0")) for point, path in keys], 0.01)


def test_a_path_that_fails_is_a_row_with_its_error(tmp_path: Path) -> None:
    file = falling(tmp_path / "scenario")
    text = file.read_text()
    text = text.replace("SOL = -0.3 }", "SOL = 5 }").replace("a_day = 150", "a_day = 400")
    file.write_text(text)
    done = swept(file, tmp_path / "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "out")
    failed = [row for row in rows if row.error]
    assert 0 < len(failed) < len(rows)
    assert all("out of range on path" in row.error for row in failed)
    assert f"{len(failed)} paths failed" in done.stdout
    assert [row.key for row in rows] == [(point, path) for point in range(3) for path in range(8)]


class TestVerify:
    """A row is as the sweep says, or the difference is seen."""

    def test_rows_come_out_to_the_bit(self, one: Path) -> None:
        found = verify(one, 4, seed=1)
        assert len(found) == 4
        assert all(each.same for each in found)

    def test_one_digit_changed_is_found(self, one: Path, tmp_path: Path) -> None:
        for name in (PLAN, ROWS):
            (tmp_path / name).write_bytes((one / name).read_bytes())
        text = (tmp_path / ROWS).read_text().splitlines()
        cells = text[5].split(",")
        cells[2] = str(float(cells[2]) + 1)
        text[5] = ",".join(cells)
        (tmp_path / ROWS).write_text("\n".join(text) + "\n")
        assert [each.said.key for each in verify(tmp_path, 24, 0) if not each.same] == [(0, 4)]

    def test_the_seed_says_which_rows(self, one: Path) -> None:
        rows = read_rows(one)
        picks = [[row.key for row in chosen(rows, 5, seed)] for seed in (1, 1, 2)]
        assert picks[0] == picks[1] != picks[2]
        assert len(chosen(rows, 100, 1)) == len(rows)

    def test_a_row_is_the_run_that_its_command_names(self, one: Path) -> None:
        plan = read_plan(one)
        row = max(read_rows(one), key=lambda each: each.value("deficit"))
        point = [f"--set={field}={value}" for field, value in plan.points[row.point].items()]
        done = solvent("lab", "run", plan.scenario, "--path", str(row.path), *point)
        assert done.returncode == 0, done.stderr
        assert f"event_hash  {row.figures['event_hash']}" in done.stdout

    def test_a_packaged_scenario_has_paths_too(self) -> None:
        first, second = (
            solvent("lab", "run", "quiet", "--path", path, "--accounts", "20") for path in "01"
        )
        assert first.returncode == second.returncode == 0
        assert first.stdout != second.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--vary", "fund.balanse=1"], "fund.balanse"),
        (["--vary", "nonsense"], "--vary"),
        (["--until", "deficit ± 5"], "--until"),
        (["--until", "deficit_p99 ± 5 %", "--shard", "1/2"], "--shard"),
        (["--shard", "3/2"], "--shard"),
        (["--paths", "0"], "--paths"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], said: str, file: Path, tmp_path: Path
) -> None:
    done = solvent("lab", "sweep", file, "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_refused(one: Path, file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = swept(file, tmp_path)
    assert (done.returncode, "no sweep wrote" in done.stderr) == (2, True)
    done = swept(file, one, "--accounts", "20")
    assert (done.returncode, "another sweep" in done.stderr) == (2, True)
    for folder in (tmp_path, tmp_path / "missing"):
        assert solvent("lab", "verify", folder).returncode == 2


def test_a_sweep_stops_when_it_is_sure(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a look, and with what that look may claim: not before, and not later."""
    monkeypatch.setattr(sweeping, "FIRST_LOOK", 10)
    plan = Plan(
        str(file),
        scenario_hash(load_scenario(file)),
        sources_hash(),
        ({},),
        1000,
        until="deficit_chance ± 0.3",
    )
    begin(tmp_path / "out", plan)
    rows = sweep(tmp_path / "out", local_pool(1))
    assert len(rows) in (20, 40)
    lost = [row.value("deficit") > 0 for row in rows]
    assert chance_sequence(sum(lost), len(lost)).half_width <= 0.3
    half = len(lost) // 2
    assert chance_sequence(sum(lost[:half]), half).half_width > 0.3
