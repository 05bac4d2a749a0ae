"""A cluster's writer beside a single node's: what a log of three servers costs in time.

Both writers carry out the same requests, from being handed in to the outcome, without an edge. The
log is that of `solvent up --cluster 3`: three NATS servers on this machine that sync every append.
The leader is alone in its process while it is measured, so that followers cost it nothing here that
they would not on machines of their own; the lag is that of a follower in the same process.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benches.common.measure import WrongAnswerError
from benches.common.rows import Row, of
from benches.service.signed import market_of_now
from solvent.cli.cluster.settings import ClusterSettings
from solvent.cli.cluster.trial import LOGS, Trial, begin_trial
from solvent.cluster.log import LogError
from solvent.cluster.nats_log import NatsLog
from solvent.cluster.nats_settings import Server
from solvent.domain.commands import Deposit, OpenAccount
from solvent.domain.parameters import USDC
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.service.core.cluster.replicated import ReplicatedSequencer, Replication
from solvent.service.core.keys import FIRST_ACCOUNT
from solvent.service.core.market import Outcome, head_identity
from solvent.service.core.opening import Start, head_of
from solvent.service.core.records import Record, commands_record
from solvent.service.core.sequencer import Sequencer, recover

NAME = "cluster"
ALONE = "a single node"
IN_FLIGHT = 64
PER_BATCH = 100
WAIT_SECONDS = 60.0
LAG_PACE = 0.02


class Size(NamedTuple):
    """Requests one at a time, batches, requests whose lag is looked at, and how often."""

    single: int
    batches: int
    lags: int
    times: int


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Latency one at a time, commands a second in batches, and how far a follower is behind."""
    size = Size(20, 5, 10, 2) if quick else Size(400, 400, 200, 5)
    head = head_of(Start(market_of_now()))
    with tempfile.TemporaryDirectory() as place, _servers(Path(place), head) as settings:
        log = [Server(*each) for each in settings.log]

        def node(name: str, number: int) -> ReplicatedSequencer:
            opened = NatsLog.open(log, head_identity(head), all_on_one=True)
            journal = _journal(Path(place) / name, head)
            replication = Replication(number, opened, lambda _: ())
            return ReplicatedSequencer(journal, recover(journal, FastEngine), replication)

        journal = _journal(Path(place) / "alone", head)
        alone = Sequencer(journal, recover(journal, FastEngine))
        leader = node("leader", 0)
        for each in (alone, leader):
            each.start()
        _until(lambda: leader.leads)
        for each in (alone, leader):
            each.submit(commands_record(_now(), [OpenAccount(FIRST_ACCOUNT)])).result()
        # In turn, so that both are disturbed alike.
        took: list[list[list[float]]] = [[], []]
        rates: list[list[float]] = [[], []]
        for _ in range(size.times):
            for place_of, each in enumerate((alone, leader)):
                took[place_of].append(_one_at_a_time(each, size.single))
                rates[place_of].append(_in_batches(each, size.batches))
        if alone.market.engine.state_hash() != leader.market.engine.state_hash():
            raise WrongAnswerError("the nodes do not have the same state")
        for name, share in (("p50", 50), ("p99", 99)):
            ours, theirs = (
                of("ms", [_percentile(each, share) for each in times]) for times in reversed(took)
            )
            yield Row(NAME, f"a request at a time: {name}", ours, ALONE, theirs)
        yield Row(
            NAME,
            f"batches of {PER_BATCH} commands, {IN_FLIGHT} in flight",
            of("commands/s", rates[1]),
            ALONE,
            of("commands/s", rates[0]),
        )
        follower = node("follower", 1)
        follower.start()
        _until(lambda: follower.applied >= leader.applied)
        lags = _lags(leader, follower, size.lags)
        yield Row(NAME, "a follower carries it out after the leader: p50", of("ms", [lags[0]]))
        yield Row(NAME, "a follower carries it out after the leader: p99", of("ms", [lags[1]]))
        for each in (alone, follower, leader):
            each.close()


def _one_at_a_time(node: Sequencer, count: int) -> list[float]:
    """Milliseconds of each."""
    found = []
    for _ in range(count):
        record = _deposits(1)
        began = time.perf_counter()
        node.submit(record).result(WAIT_SECONDS)
        found.append((time.perf_counter() - began) * 1e3)
    return found


def _in_batches(node: Sequencer, count: int) -> float:
    """Commands a second."""
    records = [_deposits(PER_BATCH) for _ in range(count)]
    waiting: list[Future[Outcome]] = []
    began = time.perf_counter()
    for record in records:
        waiting.append(node.submit(record))
        if len(waiting) >= IN_FLIGHT:
            waiting.pop(0).result(WAIT_SECONDS)
    for each in waiting:
        each.result(WAIT_SECONDS)
    return count * PER_BATCH / (time.perf_counter() - began)


def _lags(leader: Sequencer, follower: Sequencer, count: int) -> tuple[float, float]:
    """Milliseconds, the median and the 99th of a hundred."""
    found = []
    for _ in range(count):
        leader.submit(_deposits(1)).result(WAIT_SECONDS)
        began, sequence = time.perf_counter(), leader.applied
        while follower.applied < sequence:
            time.sleep(0.0001)
        found.append((time.perf_counter() - began) * 1e3)
        time.sleep(LAG_PACE)
    return _percentile(found, 50), _percentile(found, 99)


def _percentile(values: Sequence[float], share: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def _deposits(count: int) -> Record:
    return commands_record(_now(), [Deposit(FIRST_ACCOUNT, USDC, 1)] * count)


def _now() -> int:
    return time.time_ns() // 1000


def _journal(folder: Path, head: bytes) -> Journal:
    Journal.create(folder, head).close()
    return Journal.open(folder)


@contextmanager
def _servers(place: Path, head: bytes) -> Iterator[ClusterSettings]:
    """The servers of a trial's log, without its nodes."""
    folder = place / "trial"
    settings = begin_trial(folder, 1, "127.0.0.1", 1, head)
    trial = Trial(folder, settings, [])
    processes = [
        subprocess.Popen(trial.log_command(number), start_new_session=True)
        for number in range(LOGS)
    ]
    try:
        _until(lambda: _opens(settings, head))
        yield settings
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(WAIT_SECONDS)


def _opens(settings: ClusterSettings, head: bytes) -> bool:
    servers = [Server(*each) for each in settings.log]
    try:
        NatsLog.open(servers, head_identity(head), all_on_one=True).close()
    except LogError:
        return False
    return True


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise WrongAnswerError("the cluster did not come up")
        time.sleep(0.05)
