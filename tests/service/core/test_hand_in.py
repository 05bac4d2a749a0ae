"""Handing in: who hands in many requests is told of whole batches, whatever becomes of them."""

from pathlib import Path

import pytest

from solvent.domain.commands import OpenAccount
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.service.core import sequencer as module
from solvent.service.core.idempotency import Ticket
from solvent.service.core.market import Market, Outcome
from solvent.service.core.records import Record, RecordKind, commands_record
from solvent.service.core.sequencer import (
    QueueFullError,
    Sequencer,
    Told,
    WriterStoppedError,
)
from tests.service.core.test_sequencer import HEAD, WAIT, deposit


def test_who_hands_in_many_is_told_of_whole_batches(tmp_path: Path) -> None:
    """In order, each once, after the listeners; those who submit are answered beside them."""
    heard: list[object] = []
    sequencer = Sequencer(
        Journal.create(tmp_path / "journal", HEAD),
        Market(HEAD, FastEngine),
        listeners=[lambda outcomes: heard.append(len(outcomes))],
    )
    sequencer.answer_to(heard.append)
    tickets: list[Ticket[Outcome]] = [Ticket() for _ in range(30)]
    opened = commands_record(0, [OpenAccount(2)])
    sequencer.hand_in([(opened, tickets[0])])
    sequencer.hand_in([(deposit(number), tickets[number]) for number in range(1, 30)])
    beside = sequencer.submit(deposit(7))
    sequencer.start()
    assert beside.result(WAIT).answer.status == 200
    sequencer.close()
    (count, told) = heard
    assert count == 31
    assert isinstance(told, list)
    assert [ticket for ticket, _ in told] == tickets
    outcomes = [said for _, said in told]
    assert all(isinstance(said, Outcome) for said in outcomes)
    assert [said.record for said in outcomes[1:]] == [deposit(number) for number in range(1, 30)]


def test_what_is_handed_in_is_taken_whole_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_RECORDS", 10)
    sequencer = Sequencer(Journal.create(tmp_path / "journal", HEAD), Market(HEAD, FastEngine))
    sequencer.hand_in([(deposit(1), Ticket()) for _ in range(6)])
    with pytest.raises(QueueFullError):
        sequencer.hand_in([(deposit(1), Ticket()) for _ in range(5)])
    assert sequencer.waiting == 6
    sequencer.hand_in([(deposit(1), Ticket()) for _ in range(4)])
    sequencer.start()
    sequencer.close()
    assert sequencer.market.commands == 10


def test_a_ticket_is_told_that_the_writer_stopped(tmp_path: Path) -> None:
    """The batch with the fault and what waited behind it; nobody waits for ever."""
    told: list[Told] = []
    sequencer = Sequencer(Journal.create(tmp_path / "journal", HEAD), Market(HEAD, FastEngine))
    sequencer.answer_to(told.extend)
    wrong = Record(RecordKind.CHECK, 0, body=b"0" * 64)
    tickets: list[Ticket[Outcome]] = [Ticket() for _ in range(3)]
    records = [commands_record(0, [OpenAccount(2)]), wrong, deposit(1)]
    sequencer.hand_in(list(zip(records, tickets, strict=True)))
    sequencer.start()
    sequencer.close()
    assert [ticket for ticket, _ in told] == tickets
    assert all(isinstance(said, WriterStoppedError) for _, said in told)
    with pytest.raises(WriterStoppedError):
        sequencer.hand_in([(deposit(1), Ticket())])
