"""Independence of the views: whatever their database does, the market trades and they catch up.

The databases are real: a file of SQLite that is locked, damaged or full, and a PostgreSQL server
that hangs, crashes or loses its tables.
"""

import asyncio
import shutil
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from solvent.engine.engine import FastEngine
from solvent.history.market_views import Views
from solvent.history.tables import database
from solvent.journal.durable import Journal
from solvent.service.core import history_writer, opening
from solvent.service.core.history_writer import apply_to_views
from solvent.service.core.market import Market, head_parameters
from solvent.service.core.opening import ASIDE, JOURNAL, VIEWS
from solvent.service.core.sequencer import replay
from tests.history.postgres_server import NoServerError, Server, controlled_server
from tests.service.harness import House, opened

HISTORY = ("/wapi/v1/history/borrowLend", "borrowHistoryQueryAll")
PATIENCE = 20.0
SOON = 0.25
"""Seconds within which the market answers, whatever the database does."""

Story = Callable[[House], Awaitable[None]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that is waited for be waited for less long."""
    monkeypatch.setattr(database, "LOCK_SECONDS", 1)
    monkeypatch.setattr(database, "STATEMENT_SECONDS", 1)
    monkeypatch.setattr(database, "CONNECT_SECONDS", 2)
    monkeypatch.setattr(history_writer, "HISTORY_SECONDS", 1)
    monkeypatch.setattr(history_writer, "LONGEST_PAUSE", 0.5)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server, running."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    try:
        with controlled_server() as found:
            yield found
    except NoServerError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def postgres(server: Server) -> Iterator[Server]:
    """The server, without views."""
    yield server
    tables = database.open_database(server.url)
    for name in tables.tables():
        tables.execute(f"DROP TABLE {name}")
    tables.close()


def told(folder: Path, story: Story, *, is_new: bool = True, url: str | None = None) -> float:
    """Let a story happen in a market; how long the market took to end, in seconds."""

    async def run() -> float:
        house = await opened(folder, views_url=url)
        if is_new:
            await house.start()
        try:
            await story(house)
        finally:
            await house.http.aclose()
            began = time.monotonic()
            await house.node.close()
        return time.monotonic() - began

    return asyncio.run(run())


async def trade(house: House, times: int = 20) -> None:
    """Lend, which has to be answered soon, and is a row of a history."""
    for _ in range(times):
        began = time.monotonic()
        reply = await house.ann.send(
            "POST",
            "/api/v1/borrowLend",
            "borrowLendExecute",
            symbol="USDC",
            side="Lend",
            quantity="1",
        )
        assert reply.status_code == 200, reply.text
        assert time.monotonic() - began < SOON
        await asyncio.sleep(0.01)


async def readiness(house: House) -> dict[str, Any]:
    reply = await house.http.get("/solvent/v1/ready")
    assert reply.status_code == 200
    found: dict[str, Any] = reply.json()
    return found


async def until(house: House, histories: str) -> None:
    """Trade on until readiness says so of histories."""
    end = time.monotonic() + PATIENCE
    while (await readiness(house))["histories"] != histories:
        assert time.monotonic() < end, house.node.views_writer.trouble
        await trade(house, 2)


async def is_held_up(house: House) -> None:
    """Readiness and metrics say that histories are behind; they are refused at once."""
    await until(house, "behind")
    while not house.node.views_writer.trouble:
        await trade(house, 2)
    await trade(house)
    began = time.monotonic()
    reply = await house.ann.get(*HISTORY)
    assert time.monotonic() - began < SOON
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    text = (await house.http.get("/solvent/v1/metrics")).text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(figures["solvent_views_follow"]) == 0
    assert float(figures["solvent_views_lag_commands"]) > 0
    assert float(figures["solvent_views_lag_seconds"]) > 0


async def catches_up(house: House) -> None:
    """Histories have all that was acknowledged, each row once."""
    await until(house, "following")
    await trade(house, 3)
    reply = await house.ann.get(*HISTORY)
    assert reply.status_code == 200, reply.text
    assert int(reply.headers["x-total"]) == await lent(house)


async def lent(house: House) -> int:
    """How often somebody lent, by what he has lent."""
    rows = (await house.ann.get("/api/v1/borrowLend/positions", "borrowLendPositionQuery")).json()
    return round(sum(float(row["netQuantity"]) for row in rows))


def are_the_journals(folder: Path, url: str | None = None) -> None:
    """The views that are left are those that the journal makes."""
    journal = Journal.open(folder / JOURNAL)
    parameters = head_parameters(journal.head)
    anew = Views.open(":memory:", parameters)
    for outcomes in replay(journal, Market(journal.head, FastEngine)):
        apply_to_views(anew, outcomes)
    anew.commit()
    journal.close()
    kept = Views.open(url or f"sqlite:///{folder / VIEWS}", parameters)
    assert kept.dump() == anew.dump()
    kept.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program has the file for itself."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_histories_are_read_by_their_owner_alone(tmp_path: Path) -> None:
    """S29: views.db, with everybody's orders, could be read by everybody."""

    async def story(house: House) -> None:
        await catches_up(house)
        kept = list(tmp_path.glob(f"{VIEWS}*"))
        assert kept
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}

    told(tmp_path, story)


@pytest.mark.slow
def test_a_locked_file(tmp_path: Path) -> None:
    """S06."""

    async def story(house: House) -> None:
        await trade(house)
        with locked(tmp_path / VIEWS):
            await is_held_up(house)
        await catches_up(house)
        assert house.node.views_writer.rebuilds == 0

    told(tmp_path, story)
    are_the_journals(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("is_snapshot_near", [True, False])
def test_more_happens_than_is_kept_for_the_views(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_snapshot_near: bool
) -> None:
    """What was not kept is told again out of the journal."""
    for module in (history_writer, opening):
        monkeypatch.setattr(module, "VIEWS_RECORDS", 7)

    async def story(house: House) -> None:
        await trade(house, 3)
        with locked(tmp_path / VIEWS):
            await is_held_up(house)
        await catches_up(house)

    if is_snapshot_near:
        told(tmp_path, trade)
    told(tmp_path, story, is_new=not is_snapshot_near)
    are_the_journals(tmp_path)


def spoil(path: Path) -> None:
    """Write over most of a file, as a failing disk does."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        for place in range(0, size, 512):
            file.seek(place)
            file.write(b"\xa5" * 300)


@pytest.mark.slow
def test_a_file_that_is_damaged_while_the_market_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S06: with so little memory that it is read again."""
    monkeypatch.setattr(database, "CACHE_KIB", 8)

    async def story(house: House) -> None:
        await trade(house)
        for name in (VIEWS, f"{VIEWS}-wal"):
            spoil(tmp_path / name)
        end = time.monotonic() + PATIENCE
        while not house.node.views_writer.rebuilds:
            assert time.monotonic() < end
            await trade(house, 2)
            await house.ann.get(*HISTORY)
        await catches_up(house)

    told(tmp_path, story)
    assert (tmp_path / ASIDE).exists()
    are_the_journals(tmp_path)


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 300, b"SQLite format 3\0" + b"x" * 9000]
)
def test_a_file_that_is_damaged_before_the_market_is_opened(tmp_path: Path, content: bytes) -> None:
    told(tmp_path, trade)
    for path in tmp_path.glob(f"{VIEWS}*"):
        path.unlink()
    (tmp_path / VIEWS).write_bytes(content)
    told(tmp_path, catches_up, is_new=False)
    assert (tmp_path / ASIDE).read_bytes() == content
    are_the_journals(tmp_path)


@pytest.mark.parametrize("table", ["meta", "fills", "movements"])
def test_a_table_that_is_gone(tmp_path: Path, table: str) -> None:
    async def story(house: House) -> None:
        await trade(house)
        other = sqlite3.connect(tmp_path / VIEWS)
        other.execute(f"DROP TABLE {table}")
        other.close()
        await trade(house)
        # Nobody has a fill here, and to know that takes no look at the table: the symbol does.
        path = "/wapi/v1/history/fills"
        reply = await house.ann.get(path, "fillHistoryQueryAll", symbol="SOL_USDC")
        assert reply.status_code in (200, 503)
        end = time.monotonic() + PATIENCE
        while not house.node.views_writer.rebuilds:
            assert time.monotonic() < end
            await trade(house, 2)
        await catches_up(house)

    told(tmp_path, story)
    told(tmp_path, catches_up, is_new=False)
    are_the_journals(tmp_path)


def test_views_of_a_longer_journal_are_made_anew(tmp_path: Path) -> None:
    told(tmp_path / "long", trade)
    told(tmp_path / "short", lambda house: trade(house, 1))
    shutil.copy(tmp_path / "long" / VIEWS, tmp_path / "short" / VIEWS)
    told(tmp_path / "short", catches_up, is_new=False)
    are_the_journals(tmp_path / "short")


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    """The views' own disk: the journal's is another."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    url = f"sqlite:///{disk / 'v.db'}"
    filler = disk / "filler"

    async def story(house: House) -> None:
        await trade(house)
        with filler.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(4096))
                except OSError:
                    break
        await is_held_up(house)
        filler.unlink()
        await catches_up(house)

    try:
        told(tmp_path / "market", story, url=url)
        are_the_journals(tmp_path / "market", url)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_server_that_hangs(tmp_path: Path, postgres: Server) -> None:
    """S03."""

    async def story(house: House) -> None:
        await trade(house)
        postgres.send(signal.SIGSTOP)
        try:
            await is_held_up(house)
        finally:
            postgres.send(signal.SIGCONT)
        await catches_up(house)

    told(tmp_path, story, url=postgres.url)
    are_the_journals(tmp_path, postgres.url)


@pytest.mark.slow
def test_a_market_ends_while_its_server_hangs(tmp_path: Path, postgres: Server) -> None:
    """S03: what the views lack they get at the next start, also where the server is there later."""

    async def story(house: House) -> None:
        await trade(house)
        postgres.send(signal.SIGSTOP)
        await trade(house)

    try:
        assert told(tmp_path, story, url=postgres.url) < 10
    finally:
        postgres.send(signal.SIGCONT)
    told(tmp_path, catches_up, is_new=False, url=postgres.url)
    are_the_journals(tmp_path, postgres.url)


@pytest.mark.slow
def test_a_server_that_is_gone_and_comes_again(tmp_path: Path, postgres: Server) -> None:
    """S06."""

    async def restarted(house: House) -> None:
        await trade(house)
        postgres.stop()
        try:
            await is_held_up(house)
        finally:
            postgres.start()
        await catches_up(house)

    async def absent(house: House) -> None:
        try:
            await is_held_up(house)
        finally:
            postgres.start()
        await catches_up(house)

    told(tmp_path, restarted, url=postgres.url)
    postgres.stop()
    told(tmp_path, absent, is_new=False, url=postgres.url)
    are_the_journals(tmp_path, postgres.url)


@pytest.mark.slow
def test_a_server_whose_tables_are_locked_or_gone(tmp_path: Path, postgres: Server) -> None:
    async def story(house: House) -> None:
        await trade(house)
        other = database.open_database(postgres.url)
        other.begin()
        other.execute("LOCK TABLE movements")
        await is_held_up(house)
        other.rollback()
        await catches_up(house)
        other.execute("DROP TABLE movements")
        await until(house, "behind")
        await catches_up(house)
        other.close()

    told(tmp_path, story, url=postgres.url)
    are_the_journals(tmp_path, postgres.url)
