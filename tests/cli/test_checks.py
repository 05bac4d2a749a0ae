"""`verify`, `audit` and `sim`: exit code 0 where all is well, and 1 with the place where not."""

import base64
import json
from pathlib import Path

import pytest

from tests.cli.helpers import solvent
from tests.proof import proves


@proves("A6", "A8", "A9", "I21", "I23")
def test_good_receipts_verify(finished: Path) -> None:
    """Alone and with the log of their run; the number of receipts is said."""
    count = len((finished / "receipts.jsonl").read_text().splitlines())
    assert count > 0
    for path in (finished / "receipts.jsonl", finished):
        done = solvent("verify", path)
        assert done.returncode == 0, done.stdout
        assert f"{count} receipts recomputed" in done.stdout


def test_an_altered_receipt_is_named(copied: Path) -> None:
    """With its line and what differs."""
    path = copied / "receipts.jsonl"
    lines = path.read_text().splitlines()
    altered = json.loads(lines[0])
    altered["mark"] = str(int(altered["mark"]) + 1)
    path.write_text("\n".join([json.dumps(altered), *lines[1:]]) + "\n")
    done = solvent("verify", path)
    assert done.returncode == 1
    assert f"{path}: line 1" in done.stdout
    assert "Traceback" not in done.stderr


@proves("I35")
def test_a_good_run_passes_the_audit(finished: Path) -> None:
    """And the hashes it gives are those of the run."""
    done = solvent("audit", finished, "--check-every", "500")
    figures = json.loads((finished / "run.json").read_text())["figures"]
    assert done.returncode == 0, done.stdout
    assert figures["state_hash"] in done.stdout
    assert figures["event_hash"] in done.stdout


@proves("I35")
def test_a_changed_log_fails_the_audit(copied: Path) -> None:
    """One byte is enough; the line says where."""
    path = copied / "events.log"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    done = solvent("audit", copied, "--check-every", "0")
    assert done.returncode == 1
    assert "FAILED: " in done.stdout
    assert "events.log" in done.stdout


@proves("I35")
def test_the_simulator_says_the_same_for_one_seed() -> None:
    """Counts and hashes are printed; only the speed differs."""
    first, second = (solvent("sim", "--seed", "1", "--commands", "200") for _ in range(2))
    assert first.returncode == 0, first.stdout
    assert "commands/s" in first.stdout
    assert "seed 1: state " in first.stdout
    assert first.stdout.splitlines()[1:] == second.stdout.splitlines()[1:]


def test_receipts_made_again_are_those_that_were_written(finished: Path, tmp_path: Path) -> None:
    """All of them, and those of one round, which verify."""
    written = (finished / "receipts.jsonl").read_text()
    done = solvent("receipts", finished)
    assert done.returncode == 0
    assert done.stdout == written
    (first, *_) = (line for line in written.splitlines() if '"round":1,' in line)
    one = solvent("receipts", finished, "--adl-round", "1")
    assert one.stdout.splitlines() == [first]
    (tmp_path / "one.jsonl").write_text(one.stdout)
    assert solvent("verify", tmp_path / "one.jsonl").returncode == 0


def test_receipts_that_there_are_not(finished: Path, tmp_path: Path) -> None:
    """One line that says so."""
    for options, said in (
        (("--account", "999999"), "none of what was asked for"),
        (("--adl-round", "0"), "none of what was asked for"),
        (("--adl-round", "1", "--fill", "1"), "name one of them"),
        (("--account", "-1"), "Must be >= 0"),
    ):
        done = solvent("receipts", finished, *options)
        assert done.returncode == 2, options
        assert said in " ".join(done.stderr.split()), done.stderr
        assert "Traceback" not in done.stderr
    done = solvent("receipts", tmp_path / "nowhere")
    assert done.returncode == 2


@pytest.mark.slow
def test_a_certificate_and_a_proof_of_a_finished_run(copied: Path, tmp_path: Path) -> None:
    keys = tmp_path / "market.key", tmp_path / "other.key"
    for number, key in enumerate(keys):
        key.write_text(base64.b64encode(bytes([number + 1] * 32)).decode())
    first, second, proof = (tmp_path / name for name in ("one.json", "two.json", "proof.json"))
    made = ("certify", copied, "--key-file", keys[0], "--out")
    assert solvent(*made, first, "--commands", "900").returncode == 0
    assert solvent(*made, second, "--previous", first).returncode == 0
    proved = ("prove", copied, "9", "--certificate", second, "--out", proof, "--key-file")
    assert solvent(*proved, keys[0]).returncode == 0
    done = solvent("verify", second, "--previous", first, "--proof", proof)
    assert (done.returncode, done.stderr) == (0, "")
    assert "account 9 is counted in it" in done.stdout
    assert solvent("verify", second, "--key", "AAAA").returncode == 1
    assert solvent("verify", first, "--proof", proof).returncode == 1
    for wrong, says in (
        (solvent(*proved, keys[1]), "is not of this run and key"),
        (solvent(*made, first, "--commands", "99999999"), "must lie above 0 and up to the run's"),
        (solvent(*made, first, "--previous", proof), "is no solvent certificate"),
        (solvent("certify", copied, "--key-file", first, "--out", first), "32 bytes in base64"),
        (solvent("verify", copied, "--key", "AAAA"), "goes with a certificate"),
    ):
        assert wrong.returncode == 2
        assert says in wrong.stderr
        assert wrong.stderr.count("\n") == 1
