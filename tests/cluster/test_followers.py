"""Nodes that follow answer what the risk desk asks, off the leader, and say how much they know."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from solvent.cli.live import STAFF_KEYS
from solvent.service.client import Client, RefusedError
from solvent.service.sequences import LEAST_HEADER, SEQUENCE_HEADER
from tests.cluster.test_streams_failover import leader_of
from tests.cluster.trials import NODES, pid_of, running, url_of

pytestmark = pytest.mark.slow
FAR = 10**9


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    with running(tmp_path) as served:
        yield served


class Reader(Client):
    """The product's client, which names the sequence that it knows and keeps that of the answer."""

    known = 0

    def _ask(self, request: Request) -> str:
        request.add_header(LEAST_HEADER, str(self.known))
        try:
            with urlopen(request, timeout=30) as answer:
                self.known = int(answer.headers[SEQUENCE_HEADER])
                return str(answer.read().decode())
        except HTTPError as error:
            raise RefusedError(error.read().decode()) from None


def key_of(folder: Path, number: int, role: str) -> Path:
    """A file with the secret of one of the demo's staff."""
    staff = json.loads((folder / f"node-{number}" / STAFF_KEYS).read_text())
    (name,) = [each for each in staff if each.startswith(role)][:1]
    file = folder / f"{role}.key"
    file.write_text(staff[name]["secret"])
    return file


def test_a_node_that_follows_answers_while_the_leader_stands_still(
    trial: tuple[Path, int],
) -> None:
    folder, port = trial
    leader = leader_of(port)
    follower = (leader + 1) % NODES
    reader = Reader(url_of(port + follower), key_of(folder, follower, "risk"), 30.0)
    asked = {"field": "COLLATERAL_WEIGHT", "value": "100000000", "symbol": "SOL", "hours": "1"}
    pid = pid_of(folder, f"node-{leader}")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        for path, fields in (
            ("/solvent/v1/what-if", {"moves": "SOL:-0.3"}),
            ("/solvent/v1/risk/rehearsal", asked),
            ("/solvent/v1/watch/concentration", {}),
            ("/solvent/v1/forecast/pools", {}),
        ):
            before = reader.known
            assert json.loads(reader.send("GET", path, fields))
            assert reader.known >= max(before, 1)
        reader.known = FAR
        with pytest.raises(RefusedError, match="this node knows all up to"):
            reader.send("GET", "/solvent/v1/forecast/pools", {})
    finally:
        os.kill(pid, signal.SIGCONT)
    metrics = urlopen(f"{url_of(port + follower)}/solvent/v1/metrics").read().decode()
    assert "\nsolvent_lag_frames " in metrics
