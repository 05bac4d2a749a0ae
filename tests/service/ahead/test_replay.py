"""A scenario that is played: its pace is the operator's and logged, and its past is what it was."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from solvent.service.core.node import Demo, wall_clock
from tests.proof import proves
from tests.service.harness import House, opened
from tests.service.players import Still
from tests.tables.market import plain_parameters

REPLAY, PACE = "/solvent/v1/replay", "/solvent/v1/admin/replay"
POOLS, MARKETS = "/solvent/v1/pools", "/api/v1/borrowLend/markets"


def with_house_of_now(folder: Path, story: Callable[[House], Awaitable[None]]) -> None:
    """Run a story in a house whose market began just now, so that its time can be stepped."""

    async def run() -> None:
        parameters = replace(plain_parameters(), start_time=wall_clock())
        house = await opened(folder, parameters)
        try:
            await house.start()
            await story(house)
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(run())


async def said(house: House, path: str, **fields: Any) -> Any:
    """A public answer."""
    reply = await house.http.get(path, params=fields)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_pace_is_the_operators_and_is_logged(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        player = Still()
        house.node.demo = Demo(player)
        reply = await house.ann.send("POST", PACE, "adminReplay", speed="60")
        assert reply.status_code == 403
        assert player.speed == 1000
        reply = await house.operator.send("POST", PACE, "adminReplay", speed="0.5", paused=True)
        assert reply.json() == {"state": "made"}
        assert (player.speed, player.is_paused) == (500, True)
        shown = await said(house, REPLAY)
        assert (shown["speed"], shown["paused"], shown["ended"]) == ("0.5", True, True)
        await house.operator.send("POST", PACE, "adminReplay", paused=False)
        assert (player.speed, player.is_paused) == (500, False)
        for speed in ("0", "1000.1", "0.0001"):
            reply = await house.operator.send("POST", PACE, "adminReplay", speed=speed)
            assert reply.status_code == 400, speed
        entries = [each for each in house.node.market.desk.audit.latest if each.act == "PaceReplay"]
        assert [each.role for each in entries] == ["operator", "operator"]
        assert entries[0].subject == '{"speed":500,"paused":true}'

    with_house_of_now(tmp_path, story)


def test_where_nothing_is_played_there_is_no_replay(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for path in (REPLAY, f"{REPLAY}/past?time=0", f"{REPLAY}/report"):
            assert (await house.http.get(path)).status_code == 404
        reply = await house.operator.send("POST", PACE, "adminReplay", paused=True)
        assert reply.status_code == 404

    with_house_of_now(tmp_path, story)


@proves("I37")
def test_the_past_is_what_was_said_then_and_asking_changes_nothing(tmp_path: Path) -> None:
    """Forwards, backwards, and from what was kept on the way."""

    async def story(house: House) -> None:
        house.node.demo = Demo(Still())
        house.node.past_market._every = 2
        then = []
        for quantity in ("1", "2", "3"):
            await house.ann.send(
                "POST",
                "/api/v1/borrowLend",
                "borrowLendExecute",
                symbol="BTC",
                side="Lend",
                quantity=quantity,
            )
            await house.node.step_to(house.node.clock())
            moment = house.node.clock(), house.node.market.engine.now
            records = house.node.sequencer.journal.sequence
            then.append((moment, records, await said(house, POOLS), await said(house, MARKETS)))
        before = house.node.market.engine.state_hash()
        lent = [markets[1]["lentQuantity"] for *_, markets in then]
        assert lent == sorted(set(lent))
        for (asked, time), records, pools, markets in (then[2], then[0], then[1], then[0], then[2]):
            was = await said(house, f"{REPLAY}/past", time=asked)
            assert (was["time"], was["records"]) == (time, records)
            assert was["pools"] == pools
            assert was["markets"] == markets
        first = await said(house, f"{REPLAY}/past", time=0)
        assert (first["records"], first["liquidating"]) == (0, 0)
        assert house.node.market.engine.state_hash() == before

    with_house_of_now(tmp_path, story)


def test_an_account_and_a_book_are_what_they_were(tmp_path: Path) -> None:
    """The same as was said then; a trade of later is not among those of before."""

    async def story(house: House) -> None:
        house.node.demo = Demo(Still())
        market = {"symbol": "SOL_USDC", "orderType": "Limit", "quantity": "1", "price": "150"}
        own = str(house.accounts[house.ann.public])
        then = []
        for side, who in (("Ask", house.ann), ("Bid", house.bob), ("Ask", house.ann)):
            done = await who.send("POST", "/api/v1/order", "orderExecute", side=side, **market)
            assert done.status_code == 200, done.text
            await house.node.step_to(house.node.clock())
            seen = await house.ann.get(
                "/solvent/v1/watch/account", "watchAccountQuery", account=own
            )
            book = await said(house, "/api/v1/depth", symbol="SOL_USDC")
            trades = await said(house, "/api/v1/trades", symbol="SOL_USDC")
            then.append((house.node.clock(), seen.json(), book, trades))
        assert [len(trades) for *_, trades in then] == [0, 1, 1]
        path, name = f"{REPLAY}/past/account", "replayPastAccountQuery"
        for time, seen, book, trades in (then[2], then[0], then[1]):
            asked = {"time": str(time), "account": own}
            assert (await house.ann.get(path, name, **asked)).json() == seen
            assert (await house.bob.get(path, name, **asked)).status_code == 403
            was = await said(house, f"{REPLAY}/past/book", time=time, symbol="SOL_USDC")
            assert (was["asks"], was["bids"]) == (book["asks"], book["bids"])
            assert was["trades"] == trades
        reply = await house.ann.get(path, name, time="0", account=own)
        assert reply.status_code == 404

    with_house_of_now(tmp_path, story)


def test_there_is_no_report_before_the_end(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        player = Still()
        player.end = house.node.market.engine.now + 1
        house.node.demo = Demo(player)
        assert (await house.http.get(f"{REPLAY}/report")).status_code == 409
        await house.node.step_to(house.node.clock())
        reply = await house.http.get(f"{REPLAY}/report")
        assert "nothing was played" in reply.text

    with_house_of_now(tmp_path, story)
