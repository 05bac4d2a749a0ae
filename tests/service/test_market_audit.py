"""The audit of a market's folder: good ones pass, and every kind of damage is named."""

from pathlib import Path

import pytest

from solvent.cli import main
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal, JournalLockedError
from solvent.journal.segments import segment_path
from solvent.proof.audit.markets import audit_market
from solvent.service.core.records import Record, RecordKind, encode_record
from solvent.service.core.sequencer import Sequencer, recover
from tests.cli.helpers import files, solvent
from tests.proof import proves
from tests.service.harness import House, with_house
from tests.service.played import played


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal with two snapshots, three state hashes, and records after them."""
    game = played(25)
    place = tmp_path / "journal"
    Journal.create(place, game.head).close()
    third = (len(game.records) - 5) // 3
    for life in range(3):
        journal = Journal.open(place)
        sequencer = Sequencer(journal, recover(journal, FastEngine))
        sequencer.start()
        futures = [sequencer.submit(each) for each in game.records[life * third :][:third]]
        assert all(future.result(20) for future in futures)
        sequencer.close()
    journal = Journal.open(place)
    journal.append([encode_record(record) for record in game.records[3 * third :]])
    journal.close()
    return place


@proves("I35", "I36")
def test_a_good_market_passes(folder: Path) -> None:
    """And the hash is that of the commands; nothing in the folder changes."""
    before = files(folder)
    found = audit_market(folder)
    game = played(25)
    assert found.problem is None
    assert found.state_hash == game.market().engine.state_hash()
    assert found.commands == len(game.commands)
    assert (found.records, found.checks, found.snapshots) == (len(game.records) + 3, 3, 2)
    assert files(folder) == before
    done = solvent("audit", folder.parent)
    assert done.returncode == 0, done.stdout
    assert found.state_hash in done.stdout
    assert found.digest in done.stdout
    assert "everything agrees" in done.stdout


def test_a_markets_folder_has_a_report(folder: Path, tmp_path: Path) -> None:
    """Made from the journal alone, which stays as it was; it ends in the market's own state."""
    before = files(folder)
    assert main(["report", str(folder.parent), "--out", str(tmp_path / "market.html")]) == 0
    text = (tmp_path / "market.html").read_text(encoding="utf-8")
    assert audit_market(folder).state_hash in text
    assert "A served market" in text
    assert files(folder) == before


@proves("I36")
def test_a_flipped_bit_fails(folder: Path) -> None:
    """With file and byte, and exit code 1."""
    path = segment_path(folder, 1)
    content = bytearray(path.read_bytes())
    content[len(content.rstrip(b"\0")) // 2] ^= 4
    path.write_bytes(content)
    done = solvent("audit", folder.parent)
    assert done.returncode == 1
    assert f"FAILED: {path}: byte " in done.stdout
    assert "Traceback" not in done.stderr


@proves("I36")
def test_a_damaged_snapshot_fails(folder: Path) -> None:
    (newest, *_) = sorted(folder.glob("snapshot-*"), reverse=True)
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    found = audit_market(folder)
    assert found.problem is not None
    assert newest.name in found.problem


def test_a_torn_end_is_told_and_left(folder: Path) -> None:
    whole = audit_market(folder)
    journal = Journal.open(folder)
    journal.append([b"x" * 40])
    path = segment_path(folder, 1)
    cut = len(path.read_bytes().rstrip(b"\0")) - 10
    journal.close()
    path.write_bytes(path.read_bytes()[:cut])
    before = files(folder)
    found = audit_market(folder)
    assert found.problem is None
    assert found.torn
    assert (found.records, found.digest) == (whole.records, whole.digest)
    assert files(folder) == before


@proves("I35")
def test_a_state_hash_that_does_not_come_out_fails(folder: Path) -> None:
    journal = Journal.open(folder)
    records = journal.append([encode_record(Record(RecordKind.CHECK, 0, body=b"0" * 64))])
    journal.close()
    found = audit_market(folder)
    assert found.problem is not None
    assert f" to {records}: state hash" in found.problem


@proves("I35")
def test_a_snapshot_of_another_state_fails(folder: Path) -> None:
    journal = Journal.open(folder)
    journal.snapshot(played(25).market(40).save())
    sequence = journal.sequence
    journal.close()
    found = audit_market(folder)
    assert found.problem is not None
    assert f"snapshot-{sequence:020}: is not what the records before it lead to" in found.problem


def test_what_is_no_record_is_named(folder: Path) -> None:
    journal = Journal.open(folder)
    number = journal.append([b"nonsense"])
    journal.close()
    found = audit_market(folder)
    assert found.problem is not None
    assert f"record {number}: no record" in found.problem


def test_a_running_market_is_left_alone(folder: Path) -> None:
    """Exit code 2 and one line: it is no failure of the market."""
    journal = Journal.open(folder)
    with pytest.raises(JournalLockedError):
        audit_market(folder)
    done = solvent("audit", folder.parent)
    journal.close()
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_histories_that_know_of_more_tell_of_lost_records(tmp_path: Path) -> None:
    """S21: the last frame of a killed journal, damaged: the journal alone cannot know."""
    market = tmp_path / "market"

    async def story(house: House) -> int:
        end = house.node.sequencer.journal._chain.end
        await house.give(house.ann, USDC="5")
        await house.ann.get("/wapi/v1/capital/deposits", "depositQueryAll")
        return end

    end = with_house(market, story)
    path = market / "journal" / "segment-000001"
    content = path.read_bytes()
    assert audit_market(market / "journal").problem is None
    path.write_bytes(content[: end + 40])
    for snapshot in (market / "journal").glob("snapshot-*"):
        snapshot.unlink()
    found = audit_market(market / "journal")
    assert found.torn == 40
    assert "acknowledged records are lost" in str(found.problem)
    (market / "views.db").unlink()
    assert audit_market(market / "journal").problem is None
