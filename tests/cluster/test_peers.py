"""What nodes ask each other: nobody else is answered, and nobody else's answer is taken."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from solvent.cluster.log import LogSilentError
from solvent.cluster.memory_log import MemoryLog
from solvent.cluster.peers import (
    PeerError,
    Peers,
    ask,
    open_question,
    sealed_answer,
    sealed_question,
)
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.service.core.cluster.replicated import (
    FRAMES_TOLD,
    ReplicatedSequencer,
    Replication,
    frames_from,
)
from solvent.service.core.sequencer import recover
from tests.cluster.doors import answering
from tests.service.clients.served import until
from tests.service.played import played

SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
NOBODY = "http://127.0.0.1:9"
GAME = played(9)
FRAMES = 100


def made_node(folder: Path, log: MemoryLog, number: int, peers: Peers) -> ReplicatedSequencer:
    Journal.create(folder, GAME.head).close()
    journal = Journal.open(folder)
    market = recover(journal, FastEngine)
    return ReplicatedSequencer(journal, market, Replication(number, log, peers))


@pytest.fixture(scope="module")
def leader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicatedSequencer]:
    """A node that has some frames."""
    folder = tmp_path_factory.mktemp("leader") / "journal"
    node = made_node(folder, MemoryLog(), 0, Peers(SECRET, []))
    node.start()
    until(lambda: node.leads, 20)
    for record in GAME.records[:FRAMES]:
        node.submit(record).result(20)
    yield node
    node.close()


class TestSeal:
    def test_a_question_is_opened_by_who_has_the_secret(self) -> None:
        path, nonce = sealed_question(SECRET, "frames/7")
        assert open_question(SECRET, path) == ("frames/7", nonce)
        assert open_question(OTHER, path) is None

    @pytest.mark.parametrize(
        "change",
        [("frames/7", "frames/8"), ("nonce=", "nonce=00"), ("seal=", "seel="), ("=", "=x")],
    )
    def test_a_question_that_was_changed_is_none(self, change: tuple[str, str]) -> None:
        path, _ = sealed_question(SECRET, "frames/7")
        assert open_question(SECRET, path.replace(*change)) is None

    def test_no_two_questions_are_sealed_alike(self) -> None:
        assert sealed_question(SECRET, "frames/7") != sealed_question(SECRET, "frames/7")

    def test_an_answer_is_no_question(self) -> None:
        path, nonce = sealed_question(SECRET, "status")
        seal = sealed_answer(SECRET, "status", nonce, b"")[:32]
        forged = f"/status?nonce={nonce.hex()}&seal={seal.hex()}"
        assert forged != path
        assert open_question(SECRET, forged) is None


class TestDoor:
    def test_a_node_tells_its_frames_to_another(self, leader: ReplicatedSequencer) -> None:
        with answering(leader, SECRET) as url:
            told = Peers(SECRET, [NOBODY, url])(3)
            assert told == frames_from(leader.journal, 3)
            assert len(told) == FRAMES_TOLD
            assert Peers(SECRET, [url])(10**9) == Peers(SECRET, [url])(0) == ()

    def test_who_has_another_secret_is_told_nothing(self, leader: ReplicatedSequencer) -> None:
        with answering(leader, SECRET) as url:
            with pytest.raises(PeerError, match="not sealed with this cluster's secret"):
                ask(url, OTHER, "frames/3")
            assert Peers(OTHER, [url])(3) == ()

    @pytest.mark.parametrize("path", ["/", "/frames/3", "/frames/3?nonce=00&seal=00", "/metrics"])
    def test_who_has_none_is_told_nothing(self, leader: ReplicatedSequencer, path: str) -> None:
        with answering(leader, SECRET) as url, pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url + path)
        with caught.value:
            assert caught.value.code == 403

    @pytest.mark.parametrize("words", ["frames", "frames/x", "frames/-1", "journal"])
    def test_what_is_no_question_is_not_answered(
        self, leader: ReplicatedSequencer, words: str
    ) -> None:
        with answering(leader, SECRET) as url, pytest.raises(PeerError, match="does not know"):
            ask(url, SECRET, words)

    def test_an_answer_to_another_question_is_not_taken(
        self, leader: ReplicatedSequencer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with answering(leader, SECRET) as url:
            old = sealed_question(SECRET, "frames/3")
            monkeypatch.setattr(
                "solvent.cluster.peers.sealed_question", lambda *_: (old[0], bytes(16))
            )
            with pytest.raises(PeerError, match="answers with another secret"):
                ask(url, SECRET, "frames/3")

    def test_a_node_that_is_not_there_is_named(self) -> None:
        with pytest.raises(PeerError, match=f"{NOBODY}: does not answer"):
            ask(NOBODY, SECRET, "frames/3")


class Unreadable(MemoryLog):
    """A log that says that it goes on, and cannot read what it has."""

    def read(self, first: int, most: int) -> list[bytes]:
        raise LogSilentError(f"{first} to {most}")


def test_a_node_comes_up_by_its_peers_where_the_log_reads_nothing(
    leader: ReplicatedSequencer, tmp_path: Path
) -> None:
    log = Unreadable()
    log.frames = leader._log.frames  # type: ignore[attr-defined]
    with answering(leader, SECRET) as url:
        follower = made_node(tmp_path / "journal", log, 2, Peers(SECRET, [NOBODY, url]))
        follower.start()
        until(lambda: follower.applied >= FRAMES, 20)
        assert follower.fault is None
        follower.close()
