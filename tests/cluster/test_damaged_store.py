"""A store of the log that is damaged in earnest: a node behind it comes up by another's journal."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from solvent.cluster.log import LogSilentError
from solvent.cluster.nats_log import NatsLog
from solvent.cluster.peers import Peers
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.service.core.cluster.replicated import ReplicatedSequencer, Replication
from solvent.service.core.sequencer import AskAgainError, recover
from tests.cluster.doors import answering
from tests.cluster.nats_servers import NatsServers, until
from tests.service.played import played

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*StreamWriter")]
SECRET = bytes(range(32))
GAME = played(9)
RECORDS = 60
MARKET = "ba" * 16
DAMAGED = 2


def begun(folder: Path, servers: NatsServers, number: int, peers: Peers) -> ReplicatedSequencer:
    Journal.create(folder, GAME.head).close()
    journal = Journal.open(folder)
    log = NatsLog.open(servers.servers, MARKET, all_on_one=True)
    node = ReplicatedSequencer(
        journal, recover(journal, FastEngine), Replication(number, log, peers)
    )
    node.start()
    return node


def flip_a_bit(block: Path) -> None:
    content = bytearray(block.read_bytes())
    content[len(content) // 2] ^= 1
    block.write_bytes(content)


def truncate(block: Path) -> None:
    block.write_bytes(block.read_bytes()[: block.stat().st_size // 2])


@pytest.mark.parametrize("harm", [flip_a_bit, truncate])
def test_a_node_behind_a_damaged_block_in_the_leading_store_comes_up(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    servers = NatsServers(tmp_path / "nats")
    try:
        leader = begun(tmp_path / "leader", servers, 0, Peers(SECRET, []))
        until(lambda: leader.leads, 60)
        done = 0
        while done < RECORDS:
            try:
                leader.submit(GAME.records[done]).result(60)
            except AskAgainError:
                time.sleep(0.1)
                continue
            done += 1
        _damage(servers, harm)
        log = NatsLog.open(servers.servers, MARKET, all_on_one=True)
        until(lambda: _leads_with_a_hole(log), 90)
        with answering(leader, SECRET) as url:
            follower = begun(tmp_path / "follower", servers, 2, Peers(SECRET, [url]))
            until(lambda: follower.applied > RECORDS, 60)
            assert follower.market.commands == leader.market.commands
            assert follower.fault is None
            follower.close()
        log.close()
        leader.close()
    finally:
        servers.close()


def _damage(servers: NatsServers, harm: Callable[[Path], None]) -> None:
    servers.kill(DAMAGED, signal.SIGTERM)
    (block,) = sorted(servers.store(DAMAGED).rglob("msgs/*.blk"))[:1]
    harm(block)
    servers.start(DAMAGED)
    until(servers.answer, 60)


def _leads_with_a_hole(log: NatsLog) -> bool:
    """Make the damaged server the one that answers, and say whether it misses a frame."""
    placed = json.dumps({"placement": {"preferred": f"n{DAMAGED}"}}).encode()
    assert log._client is not None
    try:
        log._call(log._client.request(f"$JS.API.STREAM.LEADER.STEPDOWN.{log.stream}", placed), 5)
        time.sleep(3)
        return len(log.read(1, RECORDS)) < RECORDS <= log.tail()
    except LogSilentError:
        return False
