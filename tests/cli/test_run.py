"""Runs: what they print, what they leave, and what an interruption leaves."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from solvent.cli.runs.folder import RUN_FILES
from solvent.lab.runner import ACCOUNTS
from tests.cli.helpers import SMALL, command, files, solvent
from tests.proof import proves

NAMES = sorted(RUN_FILES - {ACCOUNTS})


def test_a_run_leaves_its_files_and_says_where(finished: Path) -> None:
    """All of them, and nothing of the work in between."""
    assert sorted(path.name for path in finished.iterdir()) == NAMES
    assert all(path.stat().st_size for path in finished.iterdir())


@proves("I35")
def test_json_is_one_object_and_the_same_for_one_seed(finished: Path) -> None:
    """Standard output is the object and no more; hashes agree under another hash seed."""
    done = solvent("run", *SMALL, "--json", PYTHONHASHSEED="1")
    again = solvent("run", *SMALL, "--json", PYTHONHASHSEED="2")
    assert done.returncode == again.returncode == 0
    assert done.stdout == again.stdout
    assert done.stdout.count("\n") == 1
    figures = json.loads(done.stdout)
    kept = json.loads((finished / "run.json").read_text())["figures"]
    # A run with a folder checks itself by half the step.
    assert figures == {name: value for name, value in kept.items() if name != "step_check"}
    assert len(figures["state_hash"]) == len(figures["event_hash"]) == 64
    assert figures["accounts"] >= 40


@pytest.mark.slow
def test_another_seed_or_policy_is_another_run() -> None:
    """What is asked for is done and said."""
    runs = [
        json.loads(solvent("run", *SMALL, "--json", *more).stdout)
        for more in (
            (),
            ("--seed", "5"),
            ("--policy", "pro-rata"),
            ("--default-policy", "queue"),
        )
    ]
    assert [run["seed"] for run in runs[1:]] == [5, runs[0]["seed"], runs[0]["seed"]]
    assert runs[2]["policy"] == "pro_rata"
    assert runs[3]["default_policy"] == "queue"
    assert runs[0]["event_hash"] != runs[1]["event_hash"]
    assert len({run["state_hash"] for run in runs}) == len(runs)


def test_tables_go_to_standard_output_and_progress_beside_it(tmp_path: Path) -> None:
    """Everything that the demo promises is printed; away from a terminal there is no bar."""
    done = solvent("demo", "--accounts", "40", cwd=tmp_path)
    assert done.returncode == 0
    for said in (
        "Stages of the waterfall",
        "Lender recovery",
        "Deficits",
        "Utilization against throttle",
        "Conservation in ADL",
        "state_hash",
        "event_hash",
        "solvent verify solvent-demo/receipts.jsonl",
        "solvent audit solvent-demo",
    ):
        assert said in done.stdout
    started, ended, *notes = done.stderr.splitlines()
    assert started == "solvent: running crash-2025-10-10 ..."
    assert " steps in " in ended
    assert all(note.startswith("solvent: note: ") for note in notes)
    assert "\x1b" not in done.stdout + done.stderr
    assert sorted(path.name for path in (tmp_path / "solvent-demo").iterdir()) == NAMES


def test_a_former_run_is_replaced(copied: Path) -> None:
    """Also where an earlier run was killed and left its partial folder."""
    (copied / ".partial-abc").mkdir()
    (copied / ".partial-abc" / "half").write_text("half")
    before = files(copied)
    done = solvent("run", *SMALL, "--seed", "9", "--out", copied)
    assert done.returncode == 0, done.stderr
    after = files(copied)
    assert sorted(after) == NAMES
    assert after["events.log"] != before["events.log"]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    """Not the folder, not those above it; Ctrl-C says so in one line."""
    out = tmp_path / "deep" / "run"
    words = command("run", "crash-2025-10-10", "--out", out)
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        assert run.stderr.readline().endswith("...\n")
        run.send_signal(number)
        _, said = run.communicate(timeout=60)
    assert run.returncode == code
    assert said == ("solvent: interrupted, nothing was written\n" if code == 130 else "")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_leaves_is_no_error() -> None:
    """`solvent ... | head` ends in silence."""
    with subprocess.Popen(
        command("run", *SMALL), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        said = run.stderr.read()
    assert run.returncode == 141
    assert "Traceback" not in said
    assert "Exception" not in said


def test_scenarios_are_listed() -> None:
    """At least the four that are promised, the demo among them."""
    lines = solvent("scenarios").stdout.splitlines()
    assert len(lines) >= 4
    assert any(line.startswith("crash-2025-10-10 ") for line in lines)
