"""From an empty folder to a market that is traded in, backed up and restored, by commands alone."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from solvent.journal.durable import verify
from tests.cli.helpers import command, files, solvent
from tests.service.clients.served import Service, serving


def called(service: Service, key: Path | None, *words: object) -> object:
    """What `solvent call` prints, as JSON."""
    signed = () if key is None else ("--key-file", key)
    done = solvent("call", *map(str, words), "--url", service.rest, *map(str, signed))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.mark.slow
def test_a_market_from_an_empty_folder(tmp_path: Path) -> None:
    """G4 to G7."""
    names = ("operator", "oracle", "funder", "ann")
    done = solvent("keygen", *names, "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    keys = {name: tmp_path / f"{name}.secret" for name in names}
    public = {name: (tmp_path / f"{name}.pub").read_text().strip() for name in names}
    assert [path.stat().st_mode & 0o777 for path in keys.values()] == [0o600] * 4
    assert solvent("keygen", "ann", "--folder", str(tmp_path)).returncode == 2
    options = ["--scenario", "quiet", "--approvals", "1", "--delay", "0"]
    options += ["--operator-key", public["operator"]]
    options += ["--first-key", f"oracle={public['oracle']}"]
    options += ["--first-key", f"funder={public['funder']}"]
    market = tmp_path / "market"
    with serving(tmp_path, *options) as service:
        opened = called(
            service,
            keys["operator"],
            "post",
            "/solvent/v1/admin/accounts",
            "role=user",
            "--prove",
            keys["ann"],
        )
        assert opened == {"account": 2}
        deposit = ("post", "/solvent/v1/admin/deposits", "account=2", "symbol=USDC", "quantity=5")
        called(service, keys["funder"], *deposit)
        called(service, keys["ann"], "patch", "/api/v1/account", "leverageLimit=2")
        balance = called(service, keys["ann"], "get", "/api/v1/capital")
        assert isinstance(balance, dict)
        assert float(balance["USDC"]["available"]) == 5
        feed = ("--key-file", keys["oracle"], "--url", service.rest, "--readings", "1")
        fed = solvent("feed", "synthetic", *map(str, feed), "--start", "BTC=1,ETH=1,SOL=200")
        assert fed.returncode == 0, fed.stderr
        assert isinstance(called(service, None, "get", "/api/v1/markets"), list)
        refused = solvent(
            "call", "get", "/api/v1/order", "symbol=SOL_USDC", "orderId=7",
            "--url", service.rest, "--key-file", str(keys["ann"]),
        )  # fmt: skip
        assert (refused.returncode, "Not Found" in refused.stderr) == (1, True)
        unsigned = solvent("call", "get", "/api/v1/capital", "--url", service.rest)
        assert (unsigned.returncode, unsigned.stdout) == (2, "")
        copied = solvent("backup", str(market), str(tmp_path / "copy"))
        assert copied.returncode == 0, copied.stderr
        called(service, keys["funder"], *deposit)
    again = solvent("backup", str(market), str(tmp_path / "copy"))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    other = tmp_path / "other"
    other.mkdir()
    restored = solvent("restore", str(tmp_path / "copy"), str(other / "market"))
    assert restored.returncode == 0, restored.stderr
    with serving(other) as service:
        balance = called(service, keys["ann"], "get", "/api/v1/capital")
        assert isinstance(balance, dict)
        assert float(balance["USDC"]["available"]) == 5
        rows = called(service, keys["ann"], "get", "/wapi/v1/capital/deposits")
        assert isinstance(rows, list)
        assert len(rows) == 1


@pytest.mark.slow
def test_copies_that_are_made_while_the_market_works_are_whole(tmp_path: Path) -> None:
    """S30."""
    with serving(tmp_path, "--demo", "--accounts", "40", "--snapshot-every", "20"):
        for number in range(5):
            copy = tmp_path / f"copy-{number}"
            done = solvent("backup", str(tmp_path / "market"), str(copy))
            assert done.returncode == 0, done.stderr
            assert verify(copy / "journal").records > 0
            time.sleep(0.3)
    assert solvent("audit", str(tmp_path / "copy-4")).returncode == 0


def test_nothing_is_left_of_a_copy_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    before = files(tmp_path)
    for words in (("backup", "empty", "copy"), ("restore", "empty", "market")):
        done = subprocess.run(
            command(*words), cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert files(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == {"empty"}
