"""`solvent up`: what it says of the market that it serves, new or there already."""

import os
import select
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.cli.helpers import command
from tests.service.clients.served import STAFF, serving, until

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
