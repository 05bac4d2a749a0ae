"""Clock drills: the wall clock of a running service leaps, and of one that is started.

The clock that leaps is the process's own, by libfaketime, which is told by a file. Clients have the
right time throughout.
"""

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from solvent.journal.durable import verify
from tests.service.clients.served import DEMO_KEYS, PATIENCE, Service, Staff, serving, until

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
HOUR = 3600
YEAR = 366 * 24 * HOUR
NEAR = 2
"""Seconds."""
LEND = {"symbol": "USDC", "side": "Lend", "quantity": "1"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed"),
]


class Wall:
    """The wall clock of the processes that are started."""

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch) -> None:
        self._file = folder / "clock"
        self.set(0)
        for name, value in (
            ("LD_PRELOAD", str(LIBRARIES[0])),
            ("FAKETIME_TIMESTAMP_FILE", str(self._file)),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ):
            environment.setenv(name, value)

    def set(self, seconds: int) -> None:
        """Let it be so far ahead."""
        self._file.write_text(f"{seconds:+d}")


@pytest.fixture
def wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wall:
    """A wall clock that is right until it is set."""
    return Wall(tmp_path, monkeypatch)


def metric(service: Service, name: str) -> float:
    """A gauge."""
    text = httpx.get(f"{service.rest}/solvent/v1/metrics").text
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


def lends(service: Service) -> None:
    """Somebody with the right time acts."""
    Staff(service, DEMO_KEYS["user"]).post("/api/v1/borrowLend", "borrowLendExecute", LEND)


def trades(service: Service) -> None:
    """Whoever has the right time may act, and the market has that time too."""
    lends(service)
    until(lambda: abs(metric(service, "solvent_engine_time_seconds") - time.time()) < NEAR)
    assert abs(int(httpx.get(f"{service.rest}/api/v1/time").text) / 1000 - time.time()) < NEAR


@pytest.mark.parametrize("leap", [2 * HOUR, -2 * HOUR, YEAR])
def test_a_leap_is_told_and_nothing_else_comes_of_it(leap: int, tmp_path: Path, wall: Wall) -> None:
    """S02."""
    with serving(tmp_path, "--demo") as service:
        trades(service)
        wall.set(leap)
        until(lambda: metric(service, "solvent_clock_leaps") == 1)
        assert metric(service, "solvent_clock_offset_seconds") == pytest.approx(leap, abs=1)
        trades(service)
        wall.set(0)
        until(lambda: abs(metric(service, "solvent_clock_offset_seconds")) < 1)
        trades(service)
    with serving(tmp_path, "--demo") as service:
        trades(service)
    assert "the wall clock leapt" not in (tmp_path / "errors").read_text()


@pytest.mark.parametrize(("leap", "said"), [(YEAR, "after"), (-YEAR, "behind"), (-HOUR, "behind")])
def test_a_market_is_not_opened_by_a_clock_that_cannot_be_right(
    leap: int, said: str, tmp_path: Path, wall: Wall
) -> None:
    with serving(tmp_path, "--demo"):
        pass
    market = tmp_path / "market"
    before = verify(market / "journal")
    wall.set(leap)
    words = [sys.executable, "-P", "-m", "solvent.cli", "up", "--folder", str(market), "--demo"]
    done = subprocess.run(
        [*words, "--port", "0"], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{said} the market's last record" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert verify(market / "journal")[:2] == before[:2]
    wall.set(0)
    with serving(tmp_path, "--demo") as service:
        trades(service)


def test_a_market_that_got_ahead_shuts_nobody_out(tmp_path: Path, wall: Wall) -> None:
    """The first start has a clock of two hours ahead; the second one's is right."""
    wall.set(2 * HOUR)
    with serving(tmp_path, "--demo"):
        pass
    wall.set(0)
    with serving(tmp_path, "--demo", "--accept-clock") as service:
        lends(service)
        began = metric(service, "solvent_engine_time_seconds")
        assert metric(service, "solvent_market_lead_seconds") == pytest.approx(2 * HOUR, abs=30)
        until(lambda: metric(service, "solvent_engine_time_seconds") >= began + 2)
