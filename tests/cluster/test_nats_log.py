"""A log in three real NATS servers: what it promises, and what it refuses to start on."""

import dataclasses
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nats.js.api import DiscardPolicy, StorageType

from solvent.cluster.log import LogError, LogSilentError, Refused, Stored, Unknown
from solvent.cluster.nats_log import NatsLog
from solvent.cluster.nats_settings import (
    Server,
    Store,
    refuse_one_host,
    refuse_weak_servers,
    refuse_weak_stream,
    stream_config,
)
from tests.cluster.nats_servers import NatsServers, until

# The client library leaves a socket to its end that a dying server did not take.
pytestmark = pytest.mark.filterwarnings("ignore:.*StreamWriter")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServers]:
    running = NatsServers(tmp_path_factory.mktemp("nats"))
    yield running
    running.close()


@pytest.fixture
def log(servers: NatsServers) -> Iterator[NatsLog]:
    opened = NatsLog.open(servers.servers, secrets.token_hex(16), all_on_one=True)
    yield opened
    opened.close()


def stored(log: NatsLog, expected: int, frame: bytes) -> int:
    """Append until the log has answered, as a leader does."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = log.append(expected, f"key {expected}", frame)
        if isinstance(answer, Stored):
            return answer.sequence
        assert answer == Unknown()
        time.sleep(0.05)
    raise AssertionError("the log never answered")


class TestPromise:
    def test_it_stores_where_it_ends_and_once(self, log: NatsLog) -> None:
        assert log.append(1, "a", b"1") == Refused()
        assert log.append(0, "a", b"1") == Stored(1)
        assert log.append(0, "a", b"1") == Stored(1)
        assert log.append(0, "b", b"2") == Refused()
        assert log.append(1, "b", b"2") == Stored(2)
        assert (log.tail(), list(log.read(1, 5)), list(log.read(3, 5))) == (2, [b"1", b"2"], [])

    def test_two_writers_and_one_wins_each_place(self, log: NatsLog, servers: NatsServers) -> None:
        market = log.subject.removeprefix("solvent.")
        other = NatsLog.open(servers.servers, market, all_on_one=True)
        for place in range(20):
            answers = [each.append(place, f"{id(each)} {place}", b"x") for each in (log, other)]
            assert sorted(map(str, answers)) == sorted(map(str, (Stored(place + 1), Refused())))
        other.close()

    @pytest.mark.slow
    def test_nothing_is_lost_or_doubled_while_servers_die_and_sleep(
        self, log: NatsLog, servers: NatsServers
    ) -> None:
        frames = [secrets.token_bytes(200) for _ in range(60)]
        for place, frame in enumerate(frames):
            number = place // 10 % 3
            if place % 20 == 5:
                servers.kill(number)
            if place % 20 == 9:
                servers.start(number)
            if place % 20 == 15:
                servers.kill(number, signal.SIGSTOP)
            if place % 20 == 19:
                servers.kill(number, signal.SIGCONT)
            assert stored(log, place, frame) == place + 1
        until(lambda: [each.messages for each in log.stores()] == [60] * 3, 60)
        assert list(log.read(1, 100)) == frames


class TestRefusals:
    def test_a_stream_that_is_weaker_is_refused_by_name(self) -> None:
        wanted = stream_config("S", "s")
        refuse_weak_stream(wanted, wanted)
        weaker: dict[str, Any] = {
            "storage": StorageType.MEMORY,
            "num_replicas": 1,
            "discard": DiscardPolicy.OLD,
            "max_msgs": 1000,
            "max_bytes": 1000,
            "max_age": 60.0,
            "deny_delete": False,
            "deny_purge": None,
            "allow_rollup_hdrs": True,
            "allow_direct": True,
            "duplicate_window": 1.0,
        }
        for field, value in weaker.items():
            with pytest.raises(LogError, match=f"stream S: {field}: is .* and must be"):
                refuse_weak_stream(dataclasses.replace(wanted, **{field: value}), wanted)

    def test_a_weak_stream_is_found_on_the_servers(self, servers: NatsServers) -> None:
        market = secrets.token_hex(16)
        weak = NatsLog(servers.servers, market)
        weak._thread.start()
        weak.stream = "OTHER"
        weak._call(weak._connect(), 10)
        config = stream_config(f"SOLVENT_{market[:16]}", f"x.{market}").evolve(deny_purge=False)
        assert weak._context is not None
        weak._call(weak._context.add_stream(config), 10)
        weak.close()
        with pytest.raises(LogError, match="deny_purge: is false and must be true"):
            NatsLog.open(servers.servers, market, all_on_one=True)

    def test_servers_that_sync_now_and_then_are_refused(self, tmp_path: Path) -> None:
        running = NatsServers(tmp_path / "nats", sync="2m")
        try:
            with pytest.raises(LogError, match="sync_interval: is not always; set sync_interval"):
                NatsLog.open(running.servers, "ab" * 16, all_on_one=True)
        finally:
            running.close()

    def test_an_old_server_is_refused(self) -> None:
        store = Store("http://n0:8222", (2, 10, 22), True, 0, 0, 0)
        with pytest.raises(LogError, match=r"version: is 2\.10\.22 and must be 2\.15\.1 or later"):
            refuse_weak_servers([store])

    def test_one_host_is_refused_unless_it_is_asked_for(self) -> None:
        one = [Server(f"nats://here:{port}", "http://here:1") for port in (1, 2, 3)]
        with pytest.raises(LogError, match="stand on 1 of 3 hosts"):
            refuse_one_host(one, all_on_one=False)
        refuse_one_host(one, all_on_one=True)
        with pytest.raises(LogError, match="are 2 and must be 3"):
            refuse_one_host(one[:2], all_on_one=True)

    def test_a_server_without_a_monitor_is_named(self, servers: NatsServers) -> None:
        blind = [server._replace(monitor="http://127.0.0.1:9") for server in servers.servers]
        with pytest.raises(LogError, match=r"127\.0\.0\.1:9: monitor: does not answer"):
            NatsLog.open(blind, "cd" * 16, all_on_one=True)


@pytest.mark.slow
def test_a_flipped_bit_shows_in_the_count_and_a_wiped_store_is_whole_again(
    tmp_path: Path,
) -> None:
    running = NatsServers(tmp_path / "nats")
    log = None
    try:
        log = NatsLog.open(running.servers, "ef" * 16, all_on_one=True)
        for place in range(40):
            stored(log, place, bytes([place]) * 20_000)
        until(lambda: [each.messages for each in log.stores()] == [40] * 3)
        running.kill(2, signal.SIGTERM)
        (block,) = sorted(running.store(2).rglob("msgs/*.blk"))[:1]
        content = bytearray(block.read_bytes())
        content[len(content) // 2] ^= 1
        block.write_bytes(content)
        running.start(2)
        until(running.answer)
        # A store that is whole is restored long before; this one says that all is well.
        time.sleep(2)
        assert [each.messages for each in log.stores()][:2] == [40, 40]
        assert log.stores()[2].messages < 40
        running.kill(2, signal.SIGTERM)
        running.wipe(2)
        running.start(2)
        until(lambda: running.answer() and log.stores()[2].messages == 40, 60)
        assert [each.holes for each in log.stores()] == [0, 0, 0]
    finally:
        if log is not None:
            log.close()
        running.close()


def test_silence_is_said_and_not_guessed(tmp_path: Path) -> None:
    running = NatsServers(tmp_path / "nats")
    try:
        log = NatsLog.open(running.servers, "ad" * 16, all_on_one=True)
        stored(log, 0, b"1")
        for number in range(3):
            running.kill(number)
        assert log.append(1, "b", b"2") == Unknown()
        with pytest.raises(LogSilentError):
            log.tail()
        log.close()
    finally:
        running.close()
