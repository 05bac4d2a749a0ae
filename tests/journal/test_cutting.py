"""A copy that ends at a record: as the market was then, and good to go on from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from solvent.engine.engine import FastEngine
from solvent.journal.archive import JOURNAL
from solvent.journal.copies import copy_journal
from solvent.journal.durable import Journal, JournalError, verify
from solvent.service.core.records import encode_record
from solvent.service.core.sequencer import Sequencer, recover
from tests.service.played import played

GAME = played(9)
BATCH = 7
RECORDS = 91
PLACES = (0, 1, 6, 7, 8, 40, 62, 63, 90, 91)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A market with batches of several records, and some segments; it is open."""
    folder = tmp_path_factory.mktemp("market")
    Journal.create(folder / JOURNAL, GAME.head).close()
    journal = Journal.open(folder / JOURNAL, segment_bytes=2000)
    for first in range(0, RECORDS, BATCH):
        batch = GAME.records[first : first + BATCH]
        journal.append([encode_record(record) for record in batch])
    assert len(list((folder / JOURNAL).glob("segment-*"))) > 3
    yield folder
    journal.close()


@contextmanager
def reopened(folder: Path) -> Iterator[Journal]:
    journal = Journal.open(folder / JOURNAL)
    yield journal
    journal.close()


@pytest.mark.parametrize("at", PLACES)
def test_a_copy_is_the_market_as_it_was(market: Path, tmp_path: Path, at: int) -> None:
    found = copy_journal(market, tmp_path / "copy", at=at)
    assert (found.records, found.torn) == (at, 0)
    with reopened(tmp_path / "copy") as journal:
        assert [data for _, data in journal.records()] == [
            encode_record(record) for record in GAME.records[:at]
        ]
        assert recover(journal, FastEngine).save() == GAME.market(at).save()


def test_a_market_goes_on_from_where_it_was_cut(market: Path, tmp_path: Path) -> None:
    copy_journal(market, tmp_path / "copy", at=40)
    journal = Journal.open(tmp_path / "copy" / JOURNAL)
    sequencer = Sequencer(journal, recover(journal, FastEngine))
    sequencer.start()
    for record in GAME.records[40:70]:
        sequencer.submit(record).result(20)
    sequencer.close()
    with reopened(tmp_path / "copy") as again:
        # Its close kept the state, with a record that says its hash.
        assert again.sequence == 71
        assert recover(again, FastEngine).save() == GAME.market(70).save()


def test_the_market_that_is_copied_is_as_before(market: Path, tmp_path: Path) -> None:
    files = {path: path.read_bytes() for path in (market / JOURNAL).iterdir()}
    copy_journal(market, tmp_path / "copy", at=40)
    assert {path: path.read_bytes() for path in (market / JOURNAL).iterdir()} == files


def test_snapshots_of_later_are_not_in_it(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "market" / JOURNAL, GAME.head)
    for number in range(4):
        journal.append([b"%d" % number] * 3)
        journal.snapshot(b"state of %d" % journal.sequence)
    assert copy_journal(tmp_path / "market", tmp_path / "copy", at=10).snapshots == (9,)
    assert copy_journal(tmp_path / "market", tmp_path / "other", at=9).snapshots == (9,)
    assert copy_journal(tmp_path / "market", tmp_path / "early", at=8).snapshots == ()
    journal.close()


def test_what_it_does_not_have_is_refused_and_nothing_is_left(market: Path, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"records: end before 92; name a record that there is"):
        copy_journal(market, tmp_path / "copy", at=RECORDS + 1)
    assert list((tmp_path / "copy").iterdir()) == []


def test_what_left_for_the_archive_is_asked_for(tmp_path: Path) -> None:
    folder, archive = tmp_path / "market", tmp_path / "archive"
    Journal.create(folder / JOURNAL, GAME.head).close()
    journal = Journal.open(folder / JOURNAL, archive=archive, segment_bytes=900)
    for number in range(40):
        journal.append([b"%d" % number * 20] * 3)
        if number in (15, 30):
            journal.snapshot(b"state")
    first = journal.move_to_archive().first
    assert first > 3
    with pytest.raises(JournalError, match=f"records: before {first} are in the archive"):
        copy_journal(folder, tmp_path / "copy", at=first - 1)
    assert copy_journal(folder, tmp_path / "copy", archive, at=first - 1).records == first - 1
    assert copy_journal(folder, tmp_path / "later", at=first + 1).records == first + 1
    assert verify_whole(tmp_path / "copy") == first - 1
    journal.close()


def verify_whole(market: Path) -> int:
    return verify(market / JOURNAL).records
