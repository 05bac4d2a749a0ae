"""Bad input: one clear line on standard error, exit code 2, and nothing written."""

from pathlib import Path

import pytest

from tests.cli.helpers import files, solvent
from tests.service.clients.served import STAFF, serving

UNUSABLE: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown command": (("dmeo",), "dmeo"),
    "unknown option": (("demo", "--acounts", "5"), "--acounts"),
    "no scenario": (("run",), "SCENARIO"),
    "unknown scenario": (("run", "no-such-scenario"), "no-such-scenario"),
    "missing scenario file": (("run", "absent.toml"), "absent.toml"),
    "broken scenario file": (("run", "broken.toml"), "broken.toml"),
    "missing price file": (("run", "quiet", "--prices", "absent.csv"), "absent.csv"),
    "empty price file": (("run", "quiet", "--prices", "empty.csv"), "empty.csv"),
    "no accounts": (("demo", "--accounts", "0"), "--accounts"),
    "accounts in words": (("demo", "--accounts", "many"), "--accounts"),
    "negative seed": (("demo", "--seed", "-1"), "--seed"),
    "huge seed": (("demo", "--seed", str(2**63)), "seed"),
    "unknown policy": (("demo", "--policy", "fair"), "--policy"),
    "folder of somebody else": (("demo", "--out", "foreign"), "--out"),
    "a file as folder": (("demo", "--out", "broken.toml"), "--out"),
    "receipts that are not there": (("verify", "absent.jsonl"), "absent.jsonl"),
    "a log that is not there": (("audit", "absent"), "absent"),
    "audit backwards": (("audit", ".", "--check-every", "-1"), "--check-every"),
    "nobody's approval": (("up", "--approvals", "0"), "--approvals"),
    "a delay that is over": (("up", "--delay", "-5"), "--delay"),
    "a key that is none": (("up", "--approvals", "1", "--operator-key", "xyz"), "--operator-key"),
    "views that are nowhere": (("up", "--demo", "--views", "foo"), "foo"),
    "a password that everybody can read": (
        ("up", "--demo", "--views", "postgresql://ann:hunter2@127.0.0.1:1/views"),
        "SOLVENT_UP_VIEWS",
    ),
    "a password among parameters": (
        ("up", "--demo", "--views=postgresql://127.0.0.1:1/views?user=ann&password=hunter2"),
        "SOLVENT_UP_VIEWS",
    ),
    "no records for a snapshot": (("up", "--snapshot-every", "0"), "--snapshot-every"),
    "receipts without a receipt": (("verify", "empty.csv"), "empty.csv"),
    "a feed without a market": (
        (
            "feed",
            "synthetic",
            "--key-file",
            "key",
            "--start",
            "SOL=1",
            "--url",
            "http://127.0.0.1:1",
        ),
        "does not answer",
    ),
    "truncation of nothing": (("truncate", ".", "--at", "3"), "journal"),
    "no commands": (("sim", "--commands", "0"), "--commands"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", UNUSABLE)
def test_bad_input_is_one_line_and_writes_nothing(name: str, tmp_path: Path) -> None:
    """The line names what is wrong; the folder is as it was."""
    arguments, named = UNUSABLE[name]
    (tmp_path / "broken.toml").write_text("this is = = no TOML")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "key").write_text("A" * 43 + "=")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("years of work")
    before = files(tmp_path)
    done = solvent(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("solvent: ")
    assert done.stderr.count("\n") == 1
    assert named in done.stderr
    assert files(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "broken.toml",
        "empty.csv",
        "foreign",
        "key",
    ]


@pytest.mark.slow
def test_the_password_of_the_views_is_never_shown(tmp_path: Path) -> None:
    """S29: refused where the list of processes has it; from the environment it is used."""
    secret = "hunter2"
    url = f"postgresql://ann:{secret}@127.0.0.1:1/views?connect_timeout=1"
    shown = solvent("up", "--demo", "--port", "0", "--views", url, cwd=tmp_path)
    kept = solvent("up", "--demo", "--port", "0", cwd=tmp_path, SOLVENT_UP_VIEWS=url)
    assert (shown.returncode, kept.returncode) == (2, 2)
    assert "list of processes" in shown.stderr
    assert "cannot be reached" in kept.stderr or "is not installed" in kept.stderr
    assert secret not in shown.stdout + shown.stderr + kept.stdout + kept.stderr


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--demo",), ("--replay", "quiet"), STAFF], ids=lambda o: o[0])
def test_a_market_is_not_made_in_the_folder_of_a_run(
    copied: Path, options: tuple[str, ...]
) -> None:
    """G5: of no kind, and an audit speaks of the run as before."""
    before, audited = files(copied), solvent("audit", copied)
    done = solvent("up", "--folder", copied, *options, "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "which a run wrote" in done.stderr
    assert done.stderr.count("\n") == 1
    assert files(copied) == before
    again = solvent("audit", copied)
    assert (again.returncode, again.stdout) == (0, audited.stdout)


@pytest.mark.slow
def test_a_run_is_not_written_into_the_folder_of_a_market(tmp_path: Path) -> None:
    """G5: the other way round."""
    with serving(tmp_path):
        pass
    before = files(tmp_path)
    done = solvent("run", "quiet", "--accounts", "5", "--out", tmp_path / "market")
    assert (done.returncode, done.stdout) == (2, "")
    assert files(tmp_path) == before


@pytest.mark.slow
def test_a_refused_scenario_leaves_a_former_run_alone(copied: Path) -> None:
    """The folder of a former run may be replaced, but only by a run that ends well."""
    before = files(copied)
    assert solvent("run", "quiet", "--prices", "absent.csv", "--out", copied).returncode == 2
    assert files(copied) == before
