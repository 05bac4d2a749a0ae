"""HEAD is answered as GET is, and pages of listed origins may read what they asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx

from solvent.service.api.buckets import Buckets
from solvent.service.api.front import Front
from solvent.service.console.bundle import Console
from solvent.service.serve import application
from tests.service.harness import House, opened

LISTED, OTHER = "https://desk.example", "https://evil.example"
NODE = "http://127.0.0.1:8621"


def asked(
    tmp_path: Path,
    ask: Callable[[httpx.AsyncClient], Awaitable[None]],
    nodes: Sequence[str] = (),
) -> None:
    """Ask a service that listed an origin, a node of a cluster perhaps."""

    async def run() -> None:
        house: House = await opened(tmp_path)
        front = Front((LISTED,), hosts={"127.0.0.1"}).among(nodes)
        app = application(house.node, Buckets(), front)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8620") as http:
            await ask(http)
        await house.http.aclose()
        await house.node.close()

    asyncio.run(run())


def test_head_says_what_get_would(tmp_path: Path) -> None:
    async def ask(http: httpx.AsyncClient) -> None:
        for path in ("/api/v1/ping", "/docs", "/", "/nothing"):
            there, head = await http.get(path), await http.head(path)
            assert head.status_code == there.status_code
            assert head.content == b""
            assert head.headers["content-length"] == there.headers["content-length"] != "0"
            assert head.headers["content-type"] == there.headers["content-type"]

    asked(tmp_path, ask)


def test_long_answers_are_packed_for_who_takes_it(tmp_path: Path) -> None:
    async def ask(http: httpx.AsyncClient) -> None:
        for path in ("/openapi.json", "/docs", "/solvent/v1/metrics"):
            plain = await http.get(path, headers={"accept-encoding": "identity"})
            assert "content-encoding" not in plain.headers
            assert plain.headers["vary"] == "accept-encoding"
            found = await http.get(path, headers={"accept-encoding": "br, gzip;q=0.5"})
            assert found.headers["content-encoding"] == "gzip"
            assert int(found.headers["content-length"]) < len(plain.content) / 2
            head = await http.head(path, headers={"accept-encoding": "gzip"})
            assert head.headers["content-encoding"] == "gzip"
            refused = await http.get(path, headers={"accept-encoding": "gzip;q=0"})
            assert "content-encoding" not in refused.headers
            if path != "/solvent/v1/metrics":
                assert found.content == plain.content == refused.content
        short = await http.get("/api/v1/ping", headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in short.headers

    asked(tmp_path, ask)


def test_a_listed_origin_may_read_and_ask_before(tmp_path: Path) -> None:
    async def ask(http: httpx.AsyncClient) -> None:
        reply = await http.get("/api/v1/time", headers={"origin": LISTED})
        assert reply.headers["access-control-allow-origin"] == LISTED
        assert "X-TOTAL" in reply.headers["access-control-expose-headers"]
        assert reply.headers["vary"] == "origin"
        before = await http.options("/api/v1/order", headers={"origin": LISTED})
        assert (before.status_code, before.content) == (204, b"")
        assert "DELETE" in before.headers["access-control-allow-methods"]
        assert "X-Signature" in before.headers["access-control-allow-headers"]

    asked(tmp_path, ask)


def test_no_other_origin_may(tmp_path: Path) -> None:
    async def ask(http: httpx.AsyncClient) -> None:
        for method in ("GET", "OPTIONS"):
            reply = await http.request(method, "/api/v1/time", headers={"origin": OTHER})
            assert (reply.status_code, reply.json()["code"]) == (403, "FORBIDDEN")
            assert "access-control-allow-origin" not in reply.headers

    asked(tmp_path, ask)


def test_pages_of_the_other_nodes_of_a_cluster_may_and_of_no_other_port(tmp_path: Path) -> None:
    async def ask(http: httpx.AsyncClient) -> None:
        reply = await http.get("/solvent/v1/cluster", headers={"origin": NODE})
        assert reply.headers["access-control-allow-origin"] == NODE
        assert "X-Solvent-Sequence" in reply.headers["access-control-expose-headers"]
        before = await http.options("/api/v1/order", headers={"origin": NODE})
        assert "X-Solvent-Min-Sequence" in before.headers["access-control-allow-headers"]
        for other in (OTHER, "http://127.0.0.1:8622", "https://127.0.0.1:8621"):
            refused = await http.get("/solvent/v1/cluster", headers={"origin": other})
            assert refused.status_code == 403
            assert "access-control-allow-origin" not in refused.headers

    asked(tmp_path, ask, ("http://127.0.0.1:8620", NODE))


def test_its_own_page_is_of_the_host_that_is_asked(tmp_path: Path) -> None:
    async def ask(http: httpx.AsyncClient) -> None:
        own = {"origin": "http://127.0.0.1:8620"}
        assert (await http.get("/api/v1/time", headers=own)).status_code == 200
        for origin, host in (
            ("http://127.0.0.1:8621", "127.0.0.1:8620"),
            ("http://rebound.example", "rebound.example"),
        ):
            headers = {"origin": origin, "host": host}
            assert (await http.get("/api/v1/time", headers=headers)).status_code == 403

    asked(tmp_path, ask)


def test_without_a_console_the_front_page_says_how_to_have_one(tmp_path: Path) -> None:
    async def ask(http: httpx.AsyncClient) -> None:
        said = (await http.get("/")).text
        assert Console().is_built == ("./run console" not in said)

    asked(tmp_path, ask)
