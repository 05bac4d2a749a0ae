"""What a cluster's file says: the log's servers, the market's beginning, where the nodes serve.

head = "market.head"          what the market begins with, beside this file
secret = "cluster.secret"     what nodes know each other by, beside this file, its owner's alone
all_on_one = false            whether the log's servers may stand on one host

[[log]]
url = "nats://log-0:4222"     where a server takes clients
monitor = "http://log-0:8222" where it answers about itself

[[node]]
url = "http://node-0:8620"    where a node serves, in the order of their numbers
peer = "http://node-0:8630"   where it answers the other nodes
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from solvent.cluster.peers import SECRET_BYTES, SECRET_MOST
from solvent.domain.errors import InputError

OTHERS = 0o077
"""Bits of a file's mode by which others than its owner may do something with it."""


class LogServer(NamedTuple):
    """A server of the log: where it takes clients, and where it answers about itself."""

    url: str
    monitor: str


class NodePlace(NamedTuple):
    """A node: where it serves, and where it answers the other nodes."""

    url: str
    peer: str


class ClusterSettings(NamedTuple):
    """A cluster as its file says it is."""

    file: Path
    head: bytes
    secret: bytes
    log: tuple[LogServer, ...]
    nodes: tuple[NodePlace, ...]
    all_on_one: bool = False


def read_cluster(path: Path) -> ClusterSettings:
    """The cluster of a file. Raises InputError naming the key that cannot be used."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), "file", f"cannot be read: {reason}") from error
    unknown = sorted(set(said) - {"head", "secret", "all_on_one", "log", "node"})
    if unknown:
        reason = "is no key here; there are head, secret, all_on_one, log and node"
        raise InputError(str(path), unknown[0], reason)
    log = tuple(LogServer(*each) for each in _texts(path, said, "log", ("url", "monitor")))
    nodes = tuple(NodePlace(*each) for each in _texts(path, said, "node", ("url", "peer")))
    _refuse_no_ports(path, nodes)
    if any(_has_password(server.url) for server in log) and path.stat().st_mode & OTHERS:
        raise InputError(str(path), "log", "has a password and can be read by others: chmod 600 it")
    head = _beside(path, said, "head", "that the market begins with")
    secret = _beside(path, said, "secret", "of bytes that all nodes share")
    if not SECRET_BYTES <= len(secret) <= SECRET_MOST:
        reason = f"has {len(secret)} bytes and must have {SECRET_BYTES} to {SECRET_MOST}, drawn"
        raise InputError(str(path), "secret", reason)
    if path.with_name(said["secret"]).stat().st_mode & OTHERS:
        reason = f"{said['secret']} can be read by others: chmod 600 it"
        raise InputError(str(path), "secret", reason)
    on_one = said.get("all_on_one", False)
    if not isinstance(on_one, bool):
        raise InputError(str(path), "all_on_one", "must be true or false")
    return ClusterSettings(path, head, secret, log, nodes, on_one)


def _beside(path: Path, said: dict[str, Any], key: str, what: str) -> bytes:
    """The content of a file beside the cluster's."""
    name = said.get(key)
    if not isinstance(name, str):
        raise InputError(str(path), key, f"must name the file {what}")
    try:
        return path.with_name(name).read_bytes()
    except (OSError, ValueError) as error:
        said_of = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), key, f"{name} cannot be read: {said_of}") from error


def _refuse_no_ports(path: Path, nodes: tuple[NodePlace, ...]) -> None:
    for number, node in enumerate(nodes):
        for name, url in node._asdict().items():
            if not (url.startswith("http://") and _port_of(url)):
                reason = f"{name} is {url} and must be like http://node-{number}:8620"
                raise InputError(str(path), f"node[{number}]", reason)


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return False


def _port_of(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def _texts(
    path: Path, said: dict[str, Any], key: str, fields: tuple[str, ...]
) -> list[tuple[str, ...]]:
    """A list of tables, each with these texts and nothing else."""
    tables = said.get(key)
    if not isinstance(tables, list) or not tables:
        raise InputError(str(path), key, f"must be tables [[{key}]], one each, with {fields}")
    found = []
    for number, table in enumerate(tables):
        if not isinstance(table, dict) or sorted(table) != sorted(fields):
            reason = f"must have {' and '.join(fields)} and nothing else"
            raise InputError(str(path), f"{key}[{number}]", reason)
        if not all(isinstance(table[field], str) and table[field] for field in fields):
            raise InputError(str(path), f"{key}[{number}]", "must have texts")
        found.append(tuple(table[field] for field in fields))
    return found


def with_node(settings: ClusterSettings, node: NodePlace) -> ClusterSettings:
    """The cluster with one node more, written at the end of its file. Raises InputError.

    What else the file says stays as it is.
    """
    _refuse_no_ports(settings.file, (*settings.nodes, node))
    before = settings.file.read_text(encoding="utf-8").rstrip("\n")
    beside = settings.file.with_name(f"{settings.file.name}.new")
    # It may have a password, and is seen by nobody who could not see it before.
    beside.touch(mode=0o600)
    beside.chmod(settings.file.stat().st_mode & 0o777)
    beside.write_text(f"{before}\n\n{_table('node', node)}\n", encoding="utf-8")
    beside.replace(settings.file)
    return settings._replace(nodes=(*settings.nodes, node))


def _table(name: str, place: LogServer | NodePlace) -> str:
    said = [f'{field} = "{text}"' for field, text in place._asdict().items()]
    return "\n".join([f"[[{name}]]", *said])


def write_cluster(settings: ClusterSettings) -> None:
    """Write a cluster's file, and beside it what the market begins with and the secret."""
    settings.file.with_name("market.head").write_bytes(settings.head)
    secret = settings.file.with_name("cluster.secret")
    secret.touch(mode=0o600)
    secret.write_bytes(settings.secret)
    lines = ['head = "market.head"', 'secret = "cluster.secret"']
    lines += [f"all_on_one = {str(settings.all_on_one).lower()}"]
    for server in settings.log:
        lines += ["", _table("log", server)]
    for node in settings.nodes:
        lines += ["", _table("node", node)]
    settings.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
