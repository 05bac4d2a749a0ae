"""`./run` sets up once, afresh when something changed or went wrong, and never by half.

It runs here with a stand-in for Python that writes down what it is asked to install.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

STAND_IN = """#!/bin/sh
case "$*" in
    *"print(sys.version)"*) echo "3.11 stand-in" ;;
    -c* | "-P -c"*) exit 0 ;;
    -V) echo "Python 3.11" ;;
    *"build.py --check") echo "ran ${*##*/}"; [ ! -e unbuilt ] ;;
    *build.py) echo "ran ${*##*/}"; [ ! -e unbuildable ] ;;
    "-m venv"*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo 3.11 >"$3/pyvenv.cfg"
        echo venv >>log ;;
    "-m pip"*) for last; do :; done; echo "pip ${last##*/}" >>log; [ ! -e broken ] ;;
    *) echo "ran $*${SOLVENT_COMMAND:+ as $SOLVENT_COMMAND}" ;;
esac
"""

LOCKS = [
    f"requirements/{name}.txt"
    for name in (
        "run",
        "build",
        "dev",
        "parquet",
        "postgres",
        "bench",
        "bench-compiled",
        "bench-lab",
    )
]
FRESH_RUN = ["venv", "pip run.txt", "pip build.txt", "pip checkout"]
FRESH_DEV = ["venv", "pip dev.txt", "pip checkout"]
RUNS_SOLVENT = "ran -P -m solvent.cli"


class Checkout:
    """A copy of what `./run` reads, with the stand-in for Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        (self.folder / "requirements").mkdir(parents=True)
        shutil.copy(ROOT / "run", self.folder)
        for name in ("pyproject.toml", *LOCKS):
            (self.folder / name).write_text(name)
        self.python = folder / "python"
        self.python.write_text(STAND_IN)
        self.python.chmod(0o755)
        self.log = self.folder / "log"

    def run(self, *words: str, python: str = "") -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        return subprocess.run(
            ["./run", *words],
            cwd=self.folder,
            env=os.environ | {"SOLVENT_PYTHON": python or str(self.python)},
            capture_output=True,
            text=True,
            check=False,
        )

    def steps(self, *words: str) -> list[str]:
        """Return what the run set up before it did what it was asked for."""
        self.run(*words)
        return self.log.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.mark.parametrize(
    ("words", "ran"),
    [
        ([], f"{RUNS_SOLVENT} --help as ./run"),
        (["demo", "a b"], f"{RUNS_SOLVENT} demo a b as ./run"),
        (["bench", "all"], "ran -P -m benches all"),
        (["test", "-k", "x"], "ran -m pytest -n auto --dist worksteal -k x"),
    ],
)
def test_words_become_commands(checkout: Checkout, words: list[str], ran: str) -> None:
    assert checkout.run(*words).stdout == ran + "\n"


def test_hints_name_the_script_as_it_was_typed(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run("demo")
    for words, named in (
        (["checkout/run"], "checkout/run"),
        ([str(checkout.folder / "run")], str(checkout.folder / "run")),
        (["sh", "checkout/run"], "checkout/run"),
    ):
        done = subprocess.run(
            [*words, "demo"],
            cwd=tmp_path,
            env=os.environ | {"SOLVENT_PYTHON": str(checkout.python)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{RUNS_SOLVENT} demo as {named}\n"
    inside = subprocess.run(
        ["sh", "run", "demo"], cwd=checkout.folder, capture_output=True, text=True, check=True
    )
    assert inside.stdout == f"{RUNS_SOLVENT} demo as ./run\n"


def test_a_bench_adds_what_is_measured_against_once(checkout: Checkout) -> None:
    added = ["pip bench.txt", "pip bench-compiled.txt"]
    lab = ["venv", "pip bench-lab.txt"]
    assert checkout.steps("bench", "all") == [*FRESH_RUN, *added, *lab]
    assert checkout.steps("bench", "all") == checkout.steps("bench", "lab") == []
    (checkout.folder / "requirements/bench.txt").write_text("other peers")
    assert checkout.steps("bench", "all") == added


def test_a_parquet_file_adds_what_reads_it_once(checkout: Checkout) -> None:
    assert checkout.steps("run", "demo", "--prices", "a.csv") == FRESH_RUN
    assert checkout.steps("run", "demo", "--prices", "a b/X.Parquet") == ["pip parquet.txt"]
    assert checkout.steps("feed", "recorded", "--file=y.parquet", "--speed", "2") == []
    (checkout.folder / "requirements/parquet.txt").write_text("another reader")
    assert checkout.steps("run", "demo", "--prices", "a.parquet") == ["pip parquet.txt"]


def test_a_cluster_adds_its_log_once(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkout.steps("sim", "--cluster", "1000") == FRESH_RUN
    assert checkout.steps("up", "--demo", "--cluster", "3") == ["pip cluster.txt"]
    assert checkout.steps("up", "--cluster=cluster.toml", "--node", "1") == []
    (checkout.folder / "requirements/cluster.txt").write_text("another client")
    monkeypatch.setenv("SOLVENT_UP_CLUSTER", "3")
    assert checkout.steps("up") == ["pip cluster.txt"]


def test_views_in_a_server_add_what_speaks_to_it_once(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S31: wherever the address comes from."""
    added = ["pip postgres.txt"]
    assert checkout.steps("up", "--views", "sqlite:///a.db") == FRESH_RUN
    assert checkout.steps("up", "--views", "postgresql://host/name") == added
    assert checkout.steps("up", "--views=postgres://host/name") == []
    (checkout.folder / "requirements/postgres.txt").write_text("another driver")
    monkeypatch.setenv("SOLVENT_UP_VIEWS", "postgresql://host/name")
    assert checkout.steps("up") == added
    (checkout.folder / "requirements/postgres.txt").write_text("a third one")
    monkeypatch.delenv("SOLVENT_UP_VIEWS")
    (checkout.folder / "solvent.toml").write_text('[up]\nviews = "postgresql://host/name"\n')
    monkeypatch.setenv("SOLVENT_CONFIG", "solvent.toml")
    assert checkout.steps("up") == added


def test_up_builds_the_console_where_its_sources_changed(checkout: Checkout) -> None:
    """The stand-in has Node at hand; where the build fails the service starts all the same."""
    checkout.run("up")
    said = checkout.run("up").stdout.splitlines()
    assert said == ["ran build.py --check", f"{RUNS_SOLVENT} up as ./run"]
    (checkout.folder / "unbuilt").touch()
    said = checkout.run("up").stdout.splitlines()
    assert said == ["ran build.py --check", "ran build.py", f"{RUNS_SOLVENT} up as ./run"]
    (checkout.folder / "unbuildable").touch()
    done = checkout.run("up")
    assert done.stdout.splitlines()[-1] == f"{RUNS_SOLVENT} up as ./run"
    assert "going on without the console" in done.stderr
    failed = checkout.run("console")
    assert failed.returncode != 0


def test_set_up_is_done_once_and_told_in_one_line(checkout: Checkout) -> None:
    first = checkout.run("demo")
    assert checkout.log.read_text().splitlines() == FRESH_RUN
    assert first.stderr == "solvent: setting up .venv (Python 3.11, requirements/run.txt)\n"
    second = checkout.run("demo")
    assert checkout.log.read_text() == ""
    assert second.stderr == ""


def test_tests_add_the_developers_tools(checkout: Checkout) -> None:
    assert checkout.steps("demo") == FRESH_RUN
    assert checkout.steps("test") == ["pip dev.txt"]
    assert checkout.steps("test") == checkout.steps("demo") == []


def test_tests_first_make_all_at_once(checkout: Checkout) -> None:
    assert checkout.steps("test") == FRESH_DEV
    assert checkout.steps("demo") == []


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements/run.txt", ".venv/pyvenv.cfg"])
def test_a_changed_input_makes_it_afresh(checkout: Checkout, name: str) -> None:
    checkout.run("demo")
    (checkout.folder / name).write_text("changed")
    assert checkout.steps("demo") == FRESH_RUN


def test_a_changed_developers_lock_makes_it_afresh(checkout: Checkout) -> None:
    checkout.run("test")
    (checkout.folder / "requirements/dev.txt").write_text("changed")
    assert checkout.steps("demo") == []
    assert checkout.steps("test") == FRESH_DEV


def test_a_moved_checkout_makes_it_afresh(checkout: Checkout) -> None:
    checkout.run("demo")
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("elsewhere"))
    checkout.log = checkout.folder / "log"
    assert checkout.steps("demo") == ["venv", "pip run.txt", "pip build.txt", "pip elsewhere"]


@pytest.mark.parametrize("ready", [None, "demo"])
def test_a_failed_set_up_is_said_and_not_trusted(checkout: Checkout, ready: str | None) -> None:
    if ready:
        checkout.run(ready)
    (checkout.folder / "broken").touch()
    failed = checkout.run("test")
    assert failed.returncode == 1
    assert "solvent: set-up failed" in failed.stderr
    assert failed.stdout == ""
    (checkout.folder / "broken").unlink()
    assert checkout.steps("demo") == FRESH_RUN


@pytest.mark.parametrize("python", ["/bin/false", "no-such-python"])
def test_a_python_that_does_not_do_is_named(checkout: Checkout, python: str) -> None:
    refused = checkout.run("demo", python=python)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"solvent: needs Python 3.11, 3.12 or 3.13 with its venv module (tried: {python})\n"
    )
    assert not (checkout.folder / ".venv").exists()
