"""The FastAPI peer of the service: it does the same, refuses what is not signed, and once is once.

It is measured where it is installed, so it is tried where it is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from benches.common.peers import peer
from benches.service.fastapi_peer import Asgi, in_front, one_by_one
from benches.service.signed import ORDER_PATH, admit, endless, market_of_now, orders
from solvent.service.core.node import Node
from solvent.service.core.opening import Start, open_node
from solvent.service.serve import application

pytestmark = pytest.mark.skipif(peer("fastapi") is None, reason="fastapi is not installed")


def with_apps(folder: Path, story: Callable[[Node, list[Asgi]], Awaitable[None]]) -> None:
    """The service's application and both peers, each with the same people."""

    async def run() -> None:
        node = open_node(folder / "market", Start(market_of_now()))
        await node.start(keeps_time=False)
        try:
            await admit(node)
            plain = one_by_one(folder / "plain", node.market.parameters)
            front = in_front(node)
            assert plain is not None
            assert front is not None
            await story(node, [application(node, endless()), front, plain])
        finally:
            await node.close()

    asyncio.run(run())


async def post(app: Asgi, headers: list[tuple[bytes, bytes]], body: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as http:
        return await http.post(ORDER_PATH, headers=headers, content=body)


def test_all_answer_an_order_alike_and_once(tmp_path: Path) -> None:
    async def story(node: Node, apps: list[Asgi]) -> None:
        said: list[dict[str, Any]] = []
        for app in apps:
            (request,) = orders(1)
            before = node.market.commands
            replies = [await post(app, request.headers, request.body) for _ in range(2)]
            assert [reply.status_code for reply in replies] == [200, 200]
            assert replies[0].content == replies[1].content
            assert node.market.commands - before == (0 if app is apps[2] else 1)
            said.append(replies[0].json())
        for each in said:
            del each["createdAt"], each["id"]
        assert said[0] == said[1] == said[2]

    with_apps(tmp_path, story)


def test_none_takes_what_was_not_signed(tmp_path: Path) -> None:
    async def story(node: Node, apps: list[Asgi]) -> None:
        for app in apps:
            (request,) = orders(1)
            other = request.body.replace(b'"0.01"', b'"0.02"')
            before = node.market.commands
            reply = await post(app, request.headers, other)
            assert reply.status_code in {400, 401}
            assert node.market.commands == before

    with_apps(tmp_path, story)
