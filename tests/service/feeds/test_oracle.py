"""Feeds against the real service: what the oracle posts becomes the index, and nobody else's."""

import asyncio
import base64
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from solvent.domain.commands import OpenAccount
from solvent.domain.decimals import Units
from solvent.service.core.keys import Role
from solvent.service.feeds import Quote
from solvent.service.feeds.exchanges import ExchangeFeed
from solvent.service.feeds.poster import Poster, PostRefusedError, drive
from solvent.service.feeds.synthetic import SyntheticFeed
from solvent.service.serve import application
from tests.cli.helpers import command
from tests.service.feeds.exchange import kraken, running
from tests.service.harness import House, opened
from tests.service.streams.served import _listening, free_port

UNIT = 10**10
ROWS = "time,symbol,close\n1760130000,SOL,211\n1760130060,SOL,212\n"

Story = Callable[[House, str], Awaitable[None]]


ROLES = {
    "oracle": Role.ORACLE,
    "operator": Role.OPERATOR,
    "risk": Role.RISK_ADMIN,
    "auditor": Role.AUDITOR,
    "ann": Role.USER,
}


def served(folder: Path, story: Story) -> None:
    """Run a story with a house that has prices and keys, on a free port of loopback."""

    async def run() -> None:
        house = await opened(folder)
        try:
            await house.quote()
            await house.node.command(OpenAccount(2))
            for name, role in ROLES.items():
                await house.admit(house.client(name), role, 2 if role is Role.USER else -1)
            await on_socket(house, story)
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(run())


async def on_socket(house: House, story: Story) -> None:
    """Serve the house while the story lasts."""
    port = free_port()
    server = Server(
        application(house.node),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        log_level=LogLevels.error,
    )
    serving = asyncio.create_task(server.serve())
    await _listening(port)
    try:
        await story(house, f"http://127.0.0.1:{port}")
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait([serving], timeout=20)


def secret(name: str) -> bytes:
    """The key of the house's client of that name."""
    return name.encode().ljust(32, b".")


def index(house: House, symbol: str = "SOL") -> int:
    """The index price."""
    market = house.node.market
    return market.queries.price(Units(market.parameters).number(symbol)).index


async def post(url: str, name: str, *quotes: Quote) -> int:
    """Post as somebody."""
    poster = Poster(url, secret(name))
    try:
        return await asyncio.to_thread(poster.post, quotes)
    finally:
        poster.close()


def test_an_oracle_s_quotes_become_the_index(tmp_path: Path) -> None:
    async def story(house: House, url: str) -> None:
        sources = len(house.node.market.parameters.assets[1].price.source_weights)
        quotes = [Quote("SOL", source, *[210 * UNIT] * 3) for source in range(sources)]
        assert await post(url, "oracle", *quotes) == sources
        assert index(house) == 210 * UNIT

    served(tmp_path, story)


def test_nobody_else_may_post(tmp_path: Path) -> None:
    async def story(house: House, url: str) -> None:
        before = index(house)
        for name in (*ROLES.keys() - {"oracle"}, "a stranger"):
            with pytest.raises(PostRefusedError):
                await post(url, name, Quote("SOL", 0, *[1 * UNIT] * 3))
        assert index(house) == before

    served(tmp_path, story)


def test_a_quote_that_the_market_does_not_take_leaves_the_others(tmp_path: Path) -> None:
    """Source 7 of SOL is none: it is refused, the quote beside it is not."""

    async def story(_: House, url: str) -> None:
        good, bad = (Quote("SOL", source, *[205 * UNIT] * 3) for source in (0, 7))
        assert await post(url, "oracle", good, bad) == 1

    served(tmp_path, story)


def test_an_exchange_s_prices_arrive(tmp_path: Path) -> None:
    async def story(house: House, url: str) -> None:
        poster = Poster(url, secret("oracle"))
        with running() as exchange:
            exchange.price("SOL", "199", "201", "200.5")
            feed = ExchangeFeed({"kraken": kraken(exchange)}, ["SOL"])
            await asyncio.to_thread(drive, feed, poster, threading.Event(), 1)
        poster.close()
        assert index(house) == 2005 * UNIT // 10

    served(tmp_path, story)


def test_a_walk_is_taken_reading_by_reading(tmp_path: Path) -> None:
    async def story(house: House, url: str) -> None:
        before = house.node.market.commands
        poster = Poster(url, secret("oracle"))
        feed = SyntheticFeed({"SOL": 200 * UNIT, "BTC": 10**5 * UNIT}, interval=0.01)
        await asyncio.to_thread(drive, feed, poster, threading.Event(), 5)
        poster.close()
        assert house.node.market.commands == before + 10

    served(tmp_path, story)


class TestCommand:
    """`solvent feed` as a process of its own."""

    def test_a_recorded_file_to_its_end(self, tmp_path: Path) -> None:
        file = tmp_path / "prices.csv"
        file.write_text(ROWS, encoding="utf-8")
        key = tmp_path / "key"
        key.write_text(base64.b64encode(secret("oracle")).decode(), encoding="utf-8")

        async def story(house: House, url: str) -> None:
            done = await process(
                *("recorded", "--url", url, "--key-file", key, "--file", file, "--speed", "600"),
                *("--interval", "0.05", "--sources", "1"),
            )
            assert done == (0, "")
            assert index(house) == 212 * UNIT

        served(tmp_path / "market", story)

    def test_a_source_that_the_market_has_not_is_named(self, tmp_path: Path) -> None:
        """SOL has one source here: the second's quote is refused, and the log says whose it was."""
        key = tmp_path / "key"
        key.write_text(base64.b64encode(secret("oracle")).decode(), encoding="utf-8")

        async def story(house: House, url: str) -> None:
            assert len(house.node.market.parameters.assets[1].price.source_weights) == 1
            code, said = await process(
                *("synthetic", "--url", url, "--key-file", key, "--start", "SOL=200"),
                *("--sources", "2", "--readings", "1"),
            )
            assert (code, said.count("\n")) == (0, 1)
            assert "SOL of source 1: " in said

        served(tmp_path / "market", story)

    def test_a_refused_key_is_one_line(self, tmp_path: Path) -> None:
        key = tmp_path / "key"
        key.write_text(base64.b64encode(secret("ann")).decode(), encoding="utf-8")

        async def story(_: House, url: str) -> None:
            words = ("synthetic", "--url", url, "--key-file", key, "--start", "SOL=200")
            code, said = await process(*words)
            assert code == 2
            assert said.count("\n") == 1
            assert "role may not do this" in said
            assert key.read_text(encoding="utf-8") not in said

        served(tmp_path / "market", story)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["recorded"], "--file: is missing"),
            (["recorded", "--file", "none.csv"], "does not exist"),
            (["synthetic"], "--start: needs a first price, like BTC=100"),
            (["synthetic", "--start", "SOL=0"], "no price"),
            (["synthetic", "--start", "SOL=1", "--symbols", "SOL,ETH"], "like ETH=100"),
            (["live"], "--symbols: are missing"),
            (["live", "--symbols", "SOL", "--exchanges", "nowhere"], "no exchange"),
            (["live", "--symbols", "SOL", "--exchanges", ","], "--exchanges: are missing"),
            (["synthetic", "--start", "SOL=1", "--url", "nowhere"], "is no URL"),
        ],
    )
    def test_what_cannot_be_used(self, tmp_path: Path, words: list[str], reason: str) -> None:
        key = tmp_path / "key"
        key.write_text(base64.b64encode(bytes(32)).decode(), encoding="utf-8")
        code, said = asyncio.run(process(*words, "--key-file", key))
        assert (code, said.count("\n")) == (2, 1)
        assert reason in said

    @pytest.mark.parametrize("text", [b"", b"short", b"\xff\xfe\x00"])
    def test_a_file_that_holds_no_key(self, tmp_path: Path, text: bytes) -> None:
        key = tmp_path / "key"
        key.write_bytes(text)
        code, said = asyncio.run(process("synthetic", "--start", "SOL=1", "--key-file", key))
        assert (code, said.count("\n")) == (2, 1)
        assert "must hold 32 bytes in base64" in said


async def process(*words: str | Path) -> tuple[int | None, str]:
    """Exit code and standard error of `solvent feed`."""
    started = await asyncio.create_subprocess_exec(
        *command("feed", *words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(started.communicate(), 120)
    return started.returncode, said.decode()
