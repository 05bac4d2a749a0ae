"""A market with an archive: it serves, starts, is audited, copied and restored as one without."""

import asyncio
import shutil
from pathlib import Path

import pytest

from solvent.domain.commands import OpenAccount
from solvent.journal.durable import Journal
from solvent.proof.audit.markets import audit_market
from solvent.service.core.node import Node
from solvent.service.core.opening import AUDIT, JOURNAL, VIEWS, Start, open_node
from solvent.service.core.records import commands_record
from tests.cli.helpers import solvent
from tests.tables.market import plain_parameters

RECORDS = 150
EVERY = 40
SEGMENT = 4_096
WAIT = 30


def node_of(folder: Path, archive: Path | None) -> Node:
    return open_node(
        folder,
        Start(plain_parameters()),
        archive=archive,
        snapshot_every=EVERY,
        segment_bytes=SEGMENT,
    )


def live(folder: Path, archive: Path | None, records: int = RECORDS) -> Node:
    """A life of so many records that ends in order; the node as it was then."""

    async def life() -> Node:
        node = node_of(folder, archive)
        await node.start(keeps_time=False)
        for _ in range(records):
            record = commands_record(0, [OpenAccount(node.market.queries.accounts())])
            assert (await node.submit(record)).status == 200
        assert await node.past(lambda views: views.applied) == node.market.commands
        await node.close()
        return node

    return asyncio.run(life())


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """The folder of a market that lived twice beside an archive."""
    folder = tmp_path / "market"
    for _ in range(2):
        live(folder, tmp_path / "archive")
    return folder


def first_of(folder: Path) -> int:
    journal = Journal.open(folder / JOURNAL)
    journal.close()
    return journal.first


def test_a_market_goes_on_beside_its_archive(market: Path, tmp_path: Path) -> None:
    """What is left is short; the next life has everything, with the archive named and without."""
    assert first_of(market) > RECORDS
    for lives, archive in enumerate((tmp_path / "archive", None), 3):
        before = first_of(market)
        node = live(market, archive)
        assert node.archiver.failures == 0
        assert (first_of(market) > before) == (archive is not None)
        assert node.views_writer.follows
        assert node.market.queries.accounts() == 2 + lives * RECORDS


def test_histories_are_made_anew_out_of_the_archive(market: Path, tmp_path: Path) -> None:
    (market / VIEWS).unlink()
    (market / AUDIT).unlink()
    node = live(market, tmp_path / "archive", 1)
    assert node.views_writer.follows
    assert node.audit_file is not None
    assert node.audit_file.agrees(node.market.desk.audit)


def test_a_market_whose_archive_is_not_there_trades(market: Path, tmp_path: Path) -> None:
    """Histories that would need it are refused and say what to name; nothing else is."""
    shutil.move(tmp_path / "archive", tmp_path / "elsewhere")
    (market / VIEWS).unlink()

    async def life() -> None:
        node = node_of(market, None)
        await node.start(keeps_time=False)
        record = commands_record(0, [OpenAccount(node.market.queries.accounts())])
        assert (await node.submit(record)).status == 200
        async with asyncio.timeout(WAIT):
            while not node.views_writer.trouble:
                await asyncio.sleep(0.01)
        assert "name it with --archive" in node.views_writer.trouble
        await node.close()

    asyncio.run(life())
    live(market, tmp_path / "elsewhere", 1)


def test_an_archive_that_cannot_be_written_delays_nothing(market: Path, tmp_path: Path) -> None:
    """It is counted, and the next one that can be is brought up to date."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    before = first_of(market)
    node = live(market, blocked)
    assert node.archiver.failures > 0
    assert first_of(market) == before
    live(market, tmp_path / "archive")
    assert first_of(market) > before


def test_audits_with_and_without_the_archive(market: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    whole = audit_market(market / JOURNAL, archive=archive)
    short = audit_market(market / JOURNAL)
    old = audit_market(archive / JOURNAL)
    assert (whole.problem, short.problem, old.problem) == (None, None, None)
    assert (whole.first, old.first, old.records) == (0, 0, first_of(market))
    assert short.first >= first_of(market)
    assert (whole.state_hash, whole.digest) == (short.state_hash, short.digest)
    assert (whole.records, whole.commands) == (short.records, short.commands)
    assert whole.checks > short.checks
    done = solvent("audit", market)
    assert done.returncode == 0, done.stderr
    assert "--archive has those before" in done.stdout
    done = solvent("audit", market, "--archive", archive)
    assert done.returncode == 0, done.stderr
    assert f"{whole.records:,} records replayed" in done.stdout


def test_a_report_needs_the_archive(market: Path, tmp_path: Path) -> None:
    """It tells a market from its first record, so it is refused without those that left."""
    out = tmp_path / "market.html"
    refused = solvent("report", market, "--out", out)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--archive" in refused.stderr
    assert not out.exists()
    done = solvent("report", market, "--out", out, "--archive", tmp_path / "archive")
    assert done.returncode == 0, done.stderr
    text = out.read_text(encoding="utf-8")
    whole = audit_market(market / JOURNAL, archive=tmp_path / "archive")
    assert whole.state_hash in text
    assert f">{whole.commands:,}<" in text


def test_the_commands_of_an_archive(tmp_path: Path) -> None:
    """Archive a market that is down, copy it whole, restore it, and serve what was restored."""
    market, archive = tmp_path / "market", tmp_path / "archive"
    live(market, None)
    done = solvent("archive", market, archive)
    assert done.returncode == 0, done.stderr
    first = first_of(market)
    assert f"begins with record {first:,}" in done.stdout
    assert first > 0
    whole, short = tmp_path / "whole", tmp_path / "short"
    assert solvent("backup", market, whole, "--archive", archive).returncode == 0
    assert solvent("restore", market, short).returncode == 0
    assert solvent("restore", short, tmp_path / "both", "--archive", archive).returncode == 0
    assert [first_of(each) for each in (whole, short, tmp_path / "both")] == [0, first, 0]
    assert live(whole, None, 1).views_writer.follows
    assert solvent("audit", whole).returncode == 0
    refused = solvent("archive", tmp_path / "nothing", archive)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
