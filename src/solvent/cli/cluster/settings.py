"""What a cluster's file says: the log's servers, the market's beginning, where the nodes serve.

head = "market.head"          what the market begins with, beside this file
all_on_one = false            whether the log's servers may stand on one host

[[log]]
url = "nats://log-0:4222"     where a server takes clients
monitor = "http://log-0:8222" where it answers about itself

[[node]]
url = "http://node-0:8620"    where a node serves, in the order of their numbers
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from solvent.domain.errors import InputError


class LogServer(NamedTuple):
    """A server of the log: where it takes clients, and where it answers about itself."""

    url: str
    monitor: str


class ClusterSettings(NamedTuple):
    """A cluster as its file says it is."""

    file: Path
    head: bytes
    log: tuple[LogServer, ...]
    nodes: tuple[str, ...]
    all_on_one: bool = False


def read_cluster(path: Path) -> ClusterSettings:
    """The cluster of a file. Raises InputError naming the key that cannot be used."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), "file", f"cannot be read: {reason}") from error
    unknown = sorted(set(said) - {"head", "all_on_one", "log", "node"})
    if unknown:
        reason = "is no key here; there are head, all_on_one, log and node"
        raise InputError(str(path), unknown[0], reason)
    log = tuple(LogServer(*each) for each in _texts(path, said, "log", ("url", "monitor")))
    nodes = tuple(url for (url,) in _texts(path, said, "node", ("url",)))
    head = said.get("head")
    if not isinstance(head, str):
        raise InputError(str(path), "head", "must name the file that the market begins with")
    try:
        content = path.with_name(head).read_bytes()
    except OSError as error:
        raise InputError(str(path), "head", f"{head} cannot be read: {error.strerror}") from error
    on_one = said.get("all_on_one", False)
    if not isinstance(on_one, bool):
        raise InputError(str(path), "all_on_one", "must be true or false")
    return ClusterSettings(path, content, log, nodes, on_one)


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


def write_cluster(settings: ClusterSettings) -> None:
    """Write a cluster's file, and beside it what the market begins with."""
    settings.file.with_name("market.head").write_bytes(settings.head)
    lines = ['head = "market.head"', f"all_on_one = {str(settings.all_on_one).lower()}"]
    for server in settings.log:
        lines += ["", "[[log]]", f'url = "{server.url}"', f'monitor = "{server.monitor}"']
    for url in settings.nodes:
        lines += ["", "[[node]]", f'url = "{url}"']
    settings.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
