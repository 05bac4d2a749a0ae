"""Recovery: how long a market takes to be there again, for a million commands in its journal.

The journal has orders that rest, trade and are cancelled, and lending, one command a record, as the
service writes them, in batches. Recovery is what `solvent up` does: walk the journal and check its
chain, then carry out all records from the first on; with a snapshot of the end, restore that. Both
come to the same state. Time with a snapshot is mostly the walk's.

What an operator waits for is the last row: a market of a million commands whose writer wrote its
snapshots when it thought fit, and was killed when the next one was all but due.
"""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, wait
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path

from benches.common.market import PRICES
from benches.common.measure import Timing, agree, once
from benches.common.rows import AT_MOST, Figure, Row, Target, of
from benches.service.signed import ACCOUNTS, admissions, market_of_now
from solvent.domain.commands import CancelAllOrders, Command, Lend, PlaceOrder, Side
from solvent.domain.parameters import USDC, EngineParameters
from solvent.engine.engine import FastEngine
from solvent.history.market_views import Views
from solvent.journal.durable import Journal
from solvent.service.authority.model import Terms
from solvent.service.core.history_writer import apply_to_views
from solvent.service.core.keys import FIRST_ACCOUNT
from solvent.service.core.market import Market, Outcome, encode_head
from solvent.service.core.opening import JOURNAL, VIEWS, begin_journal, open_node
from solvent.service.core.records import Record, RecordKind, commands_record, encode_record
from solvent.service.core.sequencer import Sequencer, recover
from solvent.service.limits import RECOVERY_SECONDS

NAME = "recovery"
BATCH = 500
MILLION = 10**6
MOST = 10
"""Times a million commands there are enough of until a snapshot is due."""
NEARLY = 0.95
"""Of the time that may pass until a snapshot is due: the writer is killed then."""
KILLED = 7
"""How a life ends that is gone at once."""
QUICKLY = 0.1
"""Seconds that the tail takes where all is small."""
_TARGET = Target(AT_MOST, 10)


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Seconds for a million commands, without a snapshot, with one, and for views made again."""
    commands, times = (1_000, 2) if quick else (100_000, 3)
    parameters = market_of_now()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "journal"
        count = _written(place, parameters, commands)
        measured = f"journal of {count:,} commands"
        replayed, state = _recovered(place, times)
        yield Row(NAME, f"{measured}, no snapshot", _a_million(replayed, count))
        with_views = _with_views(place, Path(folder) / VIEWS, parameters)
        yield Row(NAME, f"{measured}, no snapshot and no views", _a_million(with_views, count))
        _end_with_snapshot(place)
        restored, same = _recovered(place, times)
        agree("the state after recovery with a snapshot", same, state)
        yield Row(NAME, f"{measured}, a snapshot of its end", _a_million(restored, count))
    size, seconds = (1_000, QUICKLY) if quick else (MILLION, NEARLY * RECOVERY_SECONDS)
    yield _killed(parameters, size, seconds, times)


def _killed(parameters: EngineParameters, commands: int, tail: float, times: int) -> Row:
    """How long a market is away that was killed when most was left to happen again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        life = get_context("spawn").Process(target=_live, args=(folder, parameters, commands, tail))
        life.start()
        life.join()
        agree("the exit code of a killed life", life.exitcode, KILLED)
        opened = [_opened(folder) for _ in range(times)]
    _, commands, left = opened[0]
    measured = f"market of {commands:,} commands, killed with {left:,} to do again"
    return Row(NAME, measured, of("s", [each[0] for each in opened]), target=_TARGET)


def _opened(folder: Path) -> tuple[float, int, int]:
    """Seconds until a market could be served; its commands, and how many happened again.

    It is left as it was found, for the next time.
    """
    seconds, node = once(lambda: open_node(folder, None))
    found = seconds, node.market.commands, node.sequencer.tail.records
    node.views_writer.close()
    node.sequencer.close()
    return found


def _live(folder: Path, parameters: EngineParameters, commands: int, tail: float) -> None:
    """Carry out so many commands, go on until the tail took so many seconds, and be gone."""
    begin_journal(folder, encode_head(parameters, Terms(1, 0)))
    journal = Journal.open(folder / JOURNAL)
    market = Market(journal.head, FastEngine)
    writer = Sequencer(journal, market)
    writer.start()
    first = admissions(parameters)
    records = chain(first, _records(parameters, first[0].time, MOST * commands))
    while market.commands < commands or writer.tail.seconds < tail:
        batch = [(record, Future[Outcome]()) for record in islice(records, BATCH)]
        writer.hand_in(batch)
        wait([future for _, future in batch])
    os._exit(KILLED)


def _a_million(timing: Timing, count: int) -> Figure:
    return of("s/M commands", [seconds * MILLION / count for seconds in timing.seconds])


def _written(place: Path, parameters: EngineParameters, commands: int) -> int:
    """Make a journal; how many commands it has."""
    journal = Journal.create(place, encode_head(parameters, Terms(1, 0)))
    records = admissions(parameters)
    time = records[0].time
    count = sum(len(record.decoded) for record in records) + commands
    records += _records(parameters, time, commands)
    for start in range(0, len(records), BATCH):
        journal.append([encode_record(record) for record in records[start : start + BATCH]])
    journal.close()
    return count


def _records(parameters: EngineParameters, time: int, count: int) -> Iterator[Record]:
    for number, command in enumerate(_commands(parameters, count)):
        yield commands_record(time, [command], account=FIRST_ACCOUNT, digest=b"%16d" % number)


def _commands(parameters: EngineParameters, count: int) -> Iterator[Command]:
    """An ask and a bid that meet, an order that rests, a loan, and now and then a cancel of all."""
    market = parameters.assets[1].market
    assert market is not None
    low = PRICES[1] - PRICES[1] % market.tick - 10 * market.tick
    for number in range(count):
        account = FIRST_ACCOUNT + number // 8 % ACCOUNTS
        kind = number % 8
        if kind == 7:  # noqa: PLR2004
            yield CancelAllOrders(account)
        elif kind % 2:
            yield Lend(account, USDC, 10**6)
        elif kind == 0:
            yield PlaceOrder(account, 1, Side.ASK, price=PRICES[1], quantity=market.lot)
        elif kind == 2:  # noqa: PLR2004
            other = FIRST_ACCOUNT + (number // 8 + 1) % ACCOUNTS
            yield PlaceOrder(other, 1, Side.BID, price=PRICES[1], quantity=market.lot)
        else:
            yield PlaceOrder(account, 1, Side.BID, price=low, quantity=market.lot)


def _recovered(place: Path, times: int) -> tuple[Timing, str]:
    """How long it takes to open the journal and have its market, and the market's state."""
    seconds, states = [], []

    def open_and_recover() -> Market:
        journal = Journal.open(place)
        try:
            return recover(journal, FastEngine)
        finally:
            journal.close()

    for _ in range(times):
        took, market = once(open_and_recover)
        seconds.append(took)
        states.append(market.engine.state_hash())
    agree("the states of two recoveries", states[0], states[-1])
    return Timing(tuple(seconds)), states[0]


def _with_views(place: Path, file: Path, parameters: EngineParameters) -> Timing:
    views = Views.open(f"sqlite:///{file}", parameters)

    def listen(outcomes: list[Outcome]) -> None:
        apply_to_views(views, outcomes)
        views.commit()

    def work() -> None:
        journal = Journal.open(place)
        recover(journal, FastEngine, lambda outcomes: listen(list(outcomes)), 0)
        journal.close()

    took, _ = once(work)
    views.close()
    return Timing((took,))


def _end_with_snapshot(place: Path) -> None:
    journal = Journal.open(place)
    market = recover(journal, FastEngine)
    state = market.engine.state_hash()
    check = Record(RecordKind.CHECK, market.engine.now, body=state.encode())
    journal.append([encode_record(check)])
    market.carry_out([check])
    journal.snapshot(market.save())
    journal.close()
