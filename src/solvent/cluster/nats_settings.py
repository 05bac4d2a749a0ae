"""What a NATS stream and its servers must be set to before a market's frames are trusted to them.

Each setting is one whose weaker form has lost acknowledged messages, lets somebody remove some, or
answers from a server that may be behind. A stream is made so; one that is found otherwise, or a
server that does not sync each message, is refused and the setting named.
"""

import json
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import urlsplit

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from solvent.cluster.log import LogError

REPLICAS = 3
LEAST_VERSION = (2, 15, 1)
"""The first release whose servers sync once an append and not once a message and replica."""
DUPLICATE_SECONDS = 120.0
MONITOR_SECONDS = 2.0
NAME_CHARACTERS = 16
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
UNLIMITED = -1


class Server(NamedTuple):
    """A NATS server: where clients connect, and where it answers about itself over HTTP."""

    url: str
    monitor: str


class Store(NamedTuple):
    """What one server says of its own copy of a stream."""

    server: str
    version: tuple[int, ...]
    syncs: bool
    messages: int
    first: int
    last: int

    @property
    def holes(self) -> int:
        """Messages that lie between its first and its last, and are not there."""
        return self.last - self.first + 1 - self.messages if self.messages else 0


def stream_name(market: str) -> str:
    """The name of the stream of the market with this identity."""
    return f"SOLVENT_{market[:NAME_CHARACTERS]}"


def stream_config(name: str, subject: str) -> StreamConfig:
    """The stream of a market."""
    return StreamConfig(
        name=name,
        subjects=[subject],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=REPLICAS,
        discard=DiscardPolicy.NEW,
        max_msgs=UNLIMITED,
        max_bytes=UNLIMITED,
        max_age=0,
        deny_delete=True,
        deny_purge=True,
        allow_rollup_hdrs=False,
        allow_direct=False,
        duplicate_window=DUPLICATE_SECONDS,
    )


def refuse_weak_stream(config: StreamConfig, wanted: StreamConfig) -> None:
    """Raise LogError for the first setting of a stream that is not as wanted."""
    for field in _SETTINGS:
        is_set, should = getattr(config, field), getattr(wanted, field)
        if (is_set or 0) != (should or 0):
            reason = f"is {_word(is_set)} and must be {_word(should)}; make the stream anew"
            raise LogError(f"stream {wanted.name}", field, reason)


_SETTINGS = (
    "storage",
    "num_replicas",
    "retention",
    "discard",
    "max_msgs",
    "max_bytes",
    "max_age",
    "deny_delete",
    "deny_purge",
    "allow_rollup_hdrs",
    "allow_direct",
    "duplicate_window",
)


def _word(value: object) -> str:
    return str(getattr(value, "value", value)).lower()


def refuse_one_host(servers: Sequence[Server], *, all_on_one: bool) -> None:
    """Raise LogError unless there are three servers on three hosts, or one host was asked for."""
    if len(servers) != REPLICAS:
        reason = f"are {len(servers)} and must be {REPLICAS}; name each with its monitor"
        raise LogError("log", "servers", reason)
    hosts = {urlsplit(server.url).hostname for server in servers}
    if len(hosts) < REPLICAS and not all_on_one:
        reason = (
            f"stand on {len(hosts)} of {REPLICAS} hosts, whose death would end the log; "
            "place each on its own, or say --all-on-one for a trial"
        )
        raise LogError("log", "servers", reason)


def refuse_weak_servers(stores: Sequence[Store]) -> None:
    """Raise LogError for a server that is too old or syncs less than each message."""
    for store in stores:
        if store.version < LEAST_VERSION:
            least = ".".join(map(str, LEAST_VERSION))
            said = ".".join(map(str, store.version))
            raise LogError(store.server, "version", f"is {said} and must be {least} or later")
        if not store.syncs:
            reason = "is not always; set sync_interval: always in jetstream and start it again"
            raise LogError(store.server, "sync_interval", reason)


def ask_stores(servers: Sequence[Server], stream: str) -> list[Store]:
    """What each server says of its own copy. Raises LogError where one does not answer."""
    return [_ask(server, stream) for server in servers]


def _ask(server: Server, stream: str) -> Store:
    about = _get(server, "varz")
    jetstream = _get(server, "jsz?accounts=1&streams=1&config=1")
    syncs = bool(jetstream.get("config", {}).get("sync_always"))
    version = tuple(int(part) for part in str(about["version"]).split("-")[0].split("."))
    for each in _streams(jetstream):
        if each["name"] == stream:
            state = each["state"]
            place = state["messages"], state["first_seq"], state["last_seq"]
            return Store(server.monitor, version, syncs, *place)
    return Store(server.monitor, version, syncs, 0, 0, 0)


def _streams(jetstream: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for account in jetstream.get("account_details") or ():
        yield from account.get("stream_detail") or ()


def _get(server: Server, path: str) -> dict[str, Any]:
    try:
        with _DIRECTLY.open(f"{server.monitor}/{path}", timeout=MONITOR_SECONDS) as reply:
            found: dict[str, Any] = json.load(reply)
    except (URLError, OSError, ValueError) as error:
        reason = f"does not answer ({getattr(error, 'reason', error)}); set its http_port"
        raise LogError(server.monitor, "monitor", reason) from error
    return found
