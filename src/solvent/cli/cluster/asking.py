"""What the nodes of a cluster and the servers of its log say when they are asked, all at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import msgspec

from solvent.cli.cluster.settings import ClusterSettings
from solvent.cluster.frames import digest_of
from solvent.cluster.log import LogError
from solvent.cluster.nats_settings import Server, Store, ask_stores, stream_name
from solvent.cluster.peers import NodeStatus, PeerError, ask, ask_status
from solvent.domain.errors import InputError
from solvent.service.core.market import MarketError, head_identity

Of = TypeVar("Of")
Said = TypeVar("Said")
NodeSaid = NodeStatus | PeerError
ServerSaid = Store | LogError


class ClusterSaid(NamedTuple):
    """What each node and each server said, or that it did not, in the order of the file."""

    nodes: Sequence[NodeSaid]
    servers: Sequence[ServerSaid]

    @property
    def answered(self) -> dict[int, NodeStatus]:
        """The nodes that answered, by their numbers."""
        found = enumerate(self.nodes)
        return {number: said for number, said in found if isinstance(said, NodeStatus)}

    @property
    def stores(self) -> dict[int, Store]:
        """The servers that answered, by their numbers."""
        found = enumerate(self.servers)
        return {number: said for number, said in found if isinstance(said, Store)}


def ask_all(settings: ClusterSettings) -> ClusterSaid:
    """Ask the nodes, then the servers. Raises InputError for a head that cannot be read."""
    try:
        stream = stream_name(head_identity(settings.head))
    except MarketError as error:
        raise InputError(str(settings.file), "head", str(error)) from error
    nodes = _at_once(lambda peer: _ask_node(settings.secret, peer), _peers(settings))
    servers = [Server(*each) for each in settings.log]
    return ClusterSaid(nodes, _at_once(lambda server: _ask_server(server, stream), servers))


def ask_digests(settings: ClusterSettings, sequence: int) -> Sequence[bytes]:
    """The digest of a frame as each node's own journal has it; empty where it tells none."""

    def one(peer: str) -> bytes:
        try:
            said = ask(peer, settings.secret, f"frames/{sequence}")
            frames = msgspec.msgpack.decode(said, type=list[bytes])
        except (PeerError, msgspec.MsgspecError):
            return b""
        return digest_of(frames[0]) if frames else b""

    return _at_once(one, _peers(settings))


def _peers(settings: ClusterSettings) -> list[str]:
    return [node.peer for node in settings.nodes]


def _ask_node(secret: bytes, peer: str) -> NodeSaid:
    try:
        return ask_status(peer, secret)
    except PeerError as error:
        return error


def _ask_server(server: Server, stream: str) -> ServerSaid:
    try:
        return ask_stores([server], stream)[0]
    except LogError as error:
        return error


def _at_once(ask_one: Callable[[Of], Said], all_of: Sequence[Of]) -> list[Said]:
    with ThreadPoolExecutor(len(all_of)) as threads:
        return list(threads.map(ask_one, all_of))
