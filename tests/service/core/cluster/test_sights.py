"""Sights: which node answers, who leads, and what the others said of themselves last."""

import asyncio
import threading
from pathlib import Path

import httpx

from solvent import __version__
from solvent.cluster.memory_log import MemoryLog
from solvent.cluster.peers import NodeStatus, PeerError
from solvent.service.core.cluster.replicated import Replication
from solvent.service.core.cluster.sights import AGAIN_SECONDS, NodeAt, Sights
from solvent.service.core.node import Node
from solvent.service.core.opening import Start, open_node
from solvent.service.serve import application
from tests.service.harness import House, with_house
from tests.tables.market import plain_parameters

FOLLOWS = NodeStatus("1.0", "follows", 40, 3, 1, 0.1)


class Other:
    """A node that is asked, and may answer late or not at all."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_silent = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self) -> NodeStatus:
        self.asked += 1
        self.may_answer.wait()
        if self.is_silent:
            raise PeerError("it does not answer")
        return FOLLOWS


def test_a_node_that_answers_late_keeps_nobody_waiting_and_is_asked_once() -> None:
    async def story() -> None:
        late, soon = Other(), Other()
        late.may_answer.clear()
        sights = Sights([NodeAt("a", None), NodeAt("b", late), NodeAt("c", soon)])
        assert await sights.now() == {2: FOLLOWS}
        assert await sights.now() == {2: FOLLOWS}
        assert (late.asked, soon.asked) == (1, 1)
        late.may_answer.set()
        while 1 not in await sights.now():
            await asyncio.sleep(0)

    asyncio.run(story())


def test_a_node_that_answers_no_more_has_said_nothing() -> None:
    async def story() -> None:
        other = Other()
        sights = Sights([NodeAt("a", None), NodeAt("b", other)])
        assert await sights.now() == {1: FOLLOWS}
        other.is_silent = True
        assert await sights.now() == {1: FOLLOWS}
        assert other.asked == 1
        await asyncio.sleep(AGAIN_SECONDS)
        assert await sights.now() == {}

    asyncio.run(story())


def test_a_node_of_a_cluster_tells_where_all_are(tmp_path: Path) -> None:
    async def story() -> None:
        other, gone = Other(), Other()
        gone.is_silent = True
        nodes = [NodeAt("http://a", other), NodeAt("http://b", None), NodeAt("http://c", gone)]
        node = open_node(
            tmp_path,
            Start(plain_parameters()),
            replicate=lambda _: Replication(1, MemoryLog(), lambda _: (), nodes),
        )
        await node.start(keeps_time=False)
        try:
            await _leading(node)
            transport = httpx.ASGITransport(app=application(node), client=("127.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://node") as http:
                said = (await http.get("/solvent/v1/cluster")).json()
            own = said["sequence"]
            assert own >= 1
            assert said["quietMs"] >= 0
            assert {name: said[name] for name in ("node", "part", "epoch", "leader")} == {
                "node": 1,
                "part": "leads",
                "epoch": 1,
                "leader": 1,
            }
            names = ("node", "url", "part", "sequence", "epoch", "lag", "version")
            assert [tuple(each[name] for name in names) for each in said["nodes"]] == [
                (0, "http://a", "follows", 40, 3, 1, "1.0"),
                (1, "http://b", "leads", own, 1, said["nodes"][1]["lag"], __version__),
                (2, "http://c", "silent", None, None, None, None),
            ]
        finally:
            await node.close()

    asyncio.run(story())


async def _leading(node: Node) -> None:
    while not node.sequencer.leads:
        await asyncio.sleep(0.01)


def test_a_node_that_is_alone_has_no_others(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        said = (await house.http.get("/solvent/v1/cluster")).json()
        assert (said["part"], said["leader"], said["nodes"]) == ("alone", None, [])

    with_house(tmp_path, story)
