"""What is signed for one market is not good on another that knows the key, where it names it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from tests.service.harness import Client, House, opened

LEND = {"symbol": "USDC", "side": "Lend", "quantity": "1"}


def named(client: Client, market: str) -> dict[str, str]:
    """The headers of a lend that is signed for a market."""
    headers = client.headers("borrowLendExecute", LEND)
    stamp = headers["X-Timestamp"]
    text = "instruction=borrowLendExecute&quantity=1&side=Lend&symbol=USDC"
    bound = client.signed(f"{text}&timestamp={stamp}&window=5000&market={market}")
    return headers | {"X-Signature": bound, "X-Market": market}


async def sent(house: House, headers: dict[str, str]) -> httpx.Response:
    """A lend with these headers."""
    return await house.http.post("/api/v1/borrowLend", json=LEND, headers=headers)


def test_a_request_that_names_its_market_is_good_there_alone(tmp_path: Path) -> None:
    """S25."""

    async def run() -> None:
        houses = [await opened(tmp_path / name) for name in ("here", "there")]
        try:
            for house in houses:
                await house.start()
            here, there = houses
            market = here.node.market.identity
            assert len(market) == 32
            assert market != there.node.market.identity
            said = (await here.http.get("/solvent/v1/identity")).json()
            assert said == {"market": market, "demo": False, "scenario": "", "speed": "1"}
            headers = named(here.ann, market)
            assert (await sent(here, headers)).status_code == 200
            await _is_no_good(there, headers)
        finally:
            for house in houses:
                await house.http.aclose()
                await house.node.close()

    asyncio.run(run())


async def _is_no_good(there: House, headers: dict[str, Any]) -> None:
    """Sent there as it is, without the name, or with that of the other market."""
    before = there.node.market.commands
    plain = {name: value for name, value in headers.items() if name != "X-Market"}
    other = headers | {"X-Market": there.node.market.identity}
    messages = [(await sent(there, each)).json()["message"] for each in (headers, plain, other)]
    assert messages == ["the request is signed for another market", *["Invalid signature"] * 2]
    assert there.node.market.commands == before
