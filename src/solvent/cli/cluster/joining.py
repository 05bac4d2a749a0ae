"""One node of a cluster joins the log that its file names."""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from solvent.cli.cluster.settings import ClusterSettings
from solvent.cluster.log import Log, LogError
from solvent.cluster.peers import Peers, ask_status
from solvent.domain.errors import InputError
from solvent.service.core.cluster.replicated import Replication
from solvent.service.core.cluster.sights import NodeAt
from solvent.service.nodes_door import AmongNodes

OPEN_SECONDS = 30.0
AGAIN_SECONDS = 0.2


class ClusterNode(NamedTuple):
    """A cluster, and which of its nodes this one is."""

    settings: ClusterSettings
    number: int


def cluster_node(settings: ClusterSettings, number: int | None) -> ClusterNode:
    """Raises InputError for a number that the cluster does not have."""
    last = len(settings.nodes) - 1
    if number is None or not 0 <= number <= last:
        reason = f"must be the number of a node of {settings.file}, 0 to {last}"
        raise InputError("--node", "number", reason)
    return ClusterNode(settings, number)


def joining(node: ClusterNode) -> Callable[[str], Replication]:
    """What makes a market, told its identity, one of a cluster."""
    settings = node.settings

    def replicate(market: str) -> Replication:
        others = [each.peer for at, each in enumerate(settings.nodes) if at != node.number]
        peers = Peers(settings.secret, others)
        return Replication(node.number, _open(settings, market), peers, _nodes(node))

    return replicate


def among_nodes(node: ClusterNode, host: str) -> AmongNodes:
    """Where the node answers the others: at the host that it serves on."""
    port = urlsplit(node.settings.nodes[node.number].peer).port
    assert port is not None
    return AmongNodes(host, port, node.settings.secret)


def _nodes(node: ClusterNode) -> list[NodeAt]:
    """All nodes, in the order of their numbers."""
    secret, found = node.settings.secret, []
    for number, each in enumerate(node.settings.nodes):
        ask = None if number == node.number else partial(ask_status, each.peer, secret)
        found.append(NodeAt(each.url, ask))
    return found


def _open(settings: ClusterSettings, market: str) -> Log:
    """The log, once its servers have started. Raises LogError where they do not in time."""
    try:
        from solvent.cluster.nats_log import NatsLog
        from solvent.cluster.nats_settings import Server
    except ModuleNotFoundError as error:
        raise InputError("--cluster", "log", "needs NATS: install solvent[cluster]") from error
    servers = [Server(*each) for each in settings.log]
    end = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            return NatsLog.open(servers, market, all_on_one=settings.all_on_one)
        except LogError as error:
            if error.field not in ("monitor", "servers") or time.monotonic() > end:
                raise
            time.sleep(AGAIN_SECONDS)
