"""Snapshots: written so often that a market is soon there again, however its lives ended."""

from pathlib import Path

import pytest

from solvent.domain.commands import OpenAccount
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.service.core import sequencer as sequencers
from solvent.service.core.opening import JOURNAL, Start, open_node
from solvent.service.core.records import commands_record
from solvent.service.core.sequencer import Sequencer, Tail, recover
from tests.tables.market import plain_parameters

WAIT = 30


def live(folder: Path, records: int, every: int) -> list[int]:
    """A life of so many records that ends as by a kill; of which records there are snapshots."""
    node = open_node(folder, Start(plain_parameters()), snapshot_every=every)
    writer = node.sequencer
    writer.start()
    for _ in range(records):
        record = commands_record(0, [OpenAccount(2)])
        writer.submit(record).result(WAIT)
    kept = [after for after, _ in writer.journal.good_snapshots()]
    writer.journal._release()
    node.views_writer.close()
    return kept


def test_records_are_counted_over_lives(tmp_path: Path) -> None:
    """S13."""
    assert live(tmp_path, 90, 100) == []
    first = live(tmp_path, 90, 100)
    assert len(first) == 1
    assert 100 <= first[0] <= 102
    later = [live(tmp_path, 90, 100) for _ in range(3)]
    assert later[-1][0] > 300


def test_what_takes_long_to_happen_again_is_not_left_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencers, "RECOVERY_SECONDS", 0.01)
    assert live(tmp_path, 500, 10**6)
    monkeypatch.setattr(sequencers, "RECOVERY_SECONDS", 1000.0)
    assert live(tmp_path / "other", 500, 10**6) == []


def test_a_tail_that_a_former_life_left_is_saved_with_the_first_record(tmp_path: Path) -> None:
    live(tmp_path, 20, 10**6)
    journal = Journal.open(tmp_path / JOURNAL)
    writer = Sequencer(journal, recover(journal, FastEngine), tail=Tail(20, 60.0))
    writer.start()
    writer.submit(commands_record(0, [OpenAccount(3)])).result(WAIT)
    writer.close()
    journal = Journal.open(tmp_path / JOURNAL)
    assert journal.latest_snapshot() is not None
    journal.close()
