"""`solvent cluster`: what it finds wrong, line by line, and what it refuses."""

from pathlib import Path

import pytest

from solvent.cli.cluster.asking import ClusterSaid, NodeSaid, ServerSaid
from solvent.cli.cluster.check import NEAR, check, of_nodes, of_servers
from solvent.cli.cluster.hand_over import hand_over
from solvent.cli.cluster.settings import (
    ClusterSettings,
    LogServer,
    NodePlace,
    write_cluster,
)
from solvent.cli.cluster.status import status
from solvent.cluster.log import LogError
from solvent.cluster.nats_settings import Store
from solvent.cluster.peers import NodeStatus, PeerError
from solvent.domain.errors import InputError
from solvent.service.core.opening import Start, head_of
from tests.tables.market import plain_parameters

LEADS = NodeStatus("1.0", "leads", 1000, 3, 0, 0.1)
FOLLOWS = NodeStatus("1.0", "follows", 998, 3, 2, 0.1)
BEHIND = NodeStatus("1.0", "follows", 1000 - NEAR - 1, 3, NEAR + 1, 9.0)
OLD = NodeStatus("0.9", "follows", 1000, 3, 0, 0.1)
SILENT = PeerError("http://node-2:8630: does not answer (refused)")
WHOLE = Store("http://log-0:8222", (2, 15, 1), True, 1000, 1, 1000)
HOLED = WHOLE._replace(messages=739)
BEHEADED = WHOLE._replace(messages=900, first=101)
EMPTY = WHOLE._replace(messages=0, first=0, last=0)
SHORT = WHOLE._replace(messages=900, last=900)
LAZY = WHOLE._replace(syncs=False)
MUTE = LogError("http://log-2:8222", "monitor", "does not answer")


@pytest.mark.parametrize(
    ("nodes", "lines"),
    [
        ([LEADS, FOLLOWS, FOLLOWS], []),
        (
            [LEADS, FOLLOWS, SILENT],
            ["node 2 does not answer: start it, or see its log for why it stopped"],
        ),
        ([FOLLOWS, FOLLOWS, FOLLOWS], ["no node leads, and one should"]),
        ([LEADS, FOLLOWS, LEADS], ["0 and 2 leads, and one should"]),
        ([LEADS, FOLLOWS, OLD], ["the nodes have versions 0.9, 1.0"]),
        ([LEADS, BEHIND, FOLLOWS], ["node 1 is 101 frames behind another"]),
    ],
)
def test_what_is_wrong_with_nodes(nodes: list[NodeSaid], lines: list[str]) -> None:
    assert list(of_nodes(ClusterSaid(nodes, []))) == lines


LACKS = "log 2 lacks frames: stop it, remove its store, start it again"


@pytest.mark.parametrize(
    ("servers", "lines"),
    [
        ([WHOLE, WHOLE, WHOLE], []),
        ([WHOLE, WHOLE, MUTE], ["log 2 does not answer"]),
        ([WHOLE, WHOLE, HOLED], [LACKS]),
        ([WHOLE, WHOLE, BEHEADED], [LACKS]),
        ([WHOLE, WHOLE, EMPTY], ["log 2 is 1,000 frames behind another"]),
        ([SHORT, SHORT, SHORT], ["the log ends with frame 900, and a node has frame 1,000"]),
        (
            [WHOLE, LAZY, WHOLE],
            [
                "log 1: http://log-0:8222: sync_interval: is not always; "
                "set sync_interval: always in jetstream and start it again"
            ],
        ),
    ],
)
def test_what_is_wrong_with_servers(servers: list[ServerSaid], lines: list[str]) -> None:
    assert list(of_servers(ClusterSaid([LEADS], servers))) == lines


@pytest.fixture
def nobody(tmp_path: Path) -> Path:
    """The file of a cluster of which nothing runs."""
    file = tmp_path / "cluster.toml"
    head = head_of(Start(plain_parameters()))
    servers = (LogServer("nats://127.0.0.1:9", "http://127.0.0.1:9"),) * 3
    nodes = (NodePlace("http://127.0.0.1:9", "http://127.0.0.1:9"),) * 2
    write_cluster(ClusterSettings(file, head, bytes(range(32)), servers, nodes, all_on_one=True))
    return file


def test_of_what_does_not_run_it_is_said(nobody: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(nobody) == 0
    shown = capsys.readouterr().out
    assert (shown.count("does not answer"), shown.count("\n")) == (5, 5)
    assert check(nobody) == 1
    assert "differs: log 2 does not answer" in capsys.readouterr().out
    with pytest.raises(InputError, match="leads nowhere that answers"):
        hand_over(nobody)


def test_a_head_that_is_none_is_refused(nobody: Path) -> None:
    nobody.with_name("market.head").write_bytes(b"head")
    with pytest.raises(InputError, match="head: the head cannot be read"):
        status(nobody)
