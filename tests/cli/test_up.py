"""`solvent up`: what it says of the market that it serves, new or there already."""

import os
import select
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from solvent.cli.up import _terms
from solvent.domain.units import HOUR, SECOND
from tests.cli.helpers import command, solvent
from tests.service.clients.served import OPERATOR, STAFF, serving, until

PATIENCE = 60.0


def banner(folder: Path, *options: str) -> list[str]:
    """The lines that `solvent up` prints in a folder until it is told to end."""
    words = command("up", "--folder", folder / "market", "--port", "0", *STAFF, *options)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            assert ready
            said = os.read(process.stdout.fileno(), 4096)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    return said.decode().splitlines()


def test_two_people_and_an_hour_stand_behind_a_new_market_that_is_no_demo() -> None:
    """S08: nobody pays himself out alone where nothing else was asked for."""
    terms = _terms(None, None, None, is_demo=False)
    assert (terms.approvals, terms.delay, terms.funding) == (2, HOUR, 100_000)
    assert _terms(None, None, None, is_demo=True)[:2] == (1, 0)
    assert _terms(3, 5, 7, is_demo=True) == (3, 5 * SECOND, 7)


@pytest.mark.slow
def test_one_operator_alone_begins_no_market(tmp_path: Path) -> None:
    """S08."""
    one = ("--operator-key", OPERATOR.public)
    done = solvent("up", "--folder", tmp_path / "market", "--port", "0", *one)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--operator-key" in done.stderr
    assert not (tmp_path / "market").exists()


@pytest.mark.slow
def test_an_existing_market_is_not_called_by_another_scenarios_name(tmp_path: Path) -> None:
    place = tmp_path / "market"
    for _ in ("new", "there already"):
        said = banner(tmp_path, "--scenario", "short-squeeze")[0]
        assert said == f"serving short-squeeze from {place}"
    other = banner(tmp_path)[0]
    assert other.startswith("serving a market of USDC, ")
    assert other.endswith(f" from {place}")


@pytest.mark.slow
def test_a_replay_is_never_ahead_of_the_time_and_says_how_far_it_is(tmp_path: Path) -> None:
    """G2: candles up to the server's time have all of it; every answer says the market's time."""
    with serving(tmp_path, "--replay", "demo-market", "--speed", "300", "--accounts", "50") as it:
        said = tmp_path / "errors"
        until(lambda: "the scenario has ended" in said.read_text())
        tenths = [line for line in said.read_text().splitlines() if " % of " in line]
        assert tenths[-1].endswith("100 % of the scenario is played")
        market = int(httpx.get(f"{it.rest}/api/v1/ping").headers["x-market-time"])
        now = int(httpx.get(f"{it.rest}/api/v1/time").text)
        assert now - 60_000 < market <= now
        rows = httpx.get(
            f"{it.rest}/api/v1/klines",
            params={
                "symbol": "SOL_USDC",
                "interval": "1m",
                "startTime": now // 1000 - 3600,
                "endTime": now // 1000,
                "priceType": "Mark",
            },
        ).json()
        seen = [float(row["low"]) for row in rows if row["low"] is not None]
        assert min(seen) < 0.95 * seen[0]


def test_the_port_that_the_system_chose_is_printed(tmp_path: Path) -> None:
    rest = banner(tmp_path)[2]
    assert rest.startswith("  REST       http://127.0.0.1:")
    assert int(rest.rpartition(":")[2]) > 0
