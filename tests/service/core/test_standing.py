"""Standing: true of what was durable when it was asked, and the writer goes on, however often."""

import asyncio
import threading
from pathlib import Path

import pytest

from solvent.engine.engine import FastEngine
from tests.service.harness import House, with_house

PATH = "/solvent/v1/solvency"


def test_many_who_ask_are_told_by_few_hashes(tmp_path: Path) -> None:
    """S14."""

    async def story(house: House) -> None:
        node = house.node
        before = node.standings.taken
        replies = await asyncio.gather(*(house.http.get(PATH) for _ in range(200)))
        assert {reply.json()["stateHash"] for reply in replies} == {node.market.engine.state_hash()}
        assert node.standings.taken - before == 1, "nothing changed between"

    with_house(tmp_path, story)


def test_hashes_are_taken_beside_the_loop_and_kept_until_something_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S14."""
    threads = []
    taken = FastEngine.state_hash

    def noted(engine: FastEngine) -> str:
        threads.append(threading.current_thread())
        return taken(engine)

    async def story(house: House) -> None:
        node = house.node
        monkeypatch.setattr(FastEngine, "state_hash", noted)
        first = (await house.http.get(PATH)).json()
        assert [(await house.http.get(PATH)).json() for _ in range(5)] == [first] * 5
        assert len(threads) <= 1
        await house.give(house.ann, USDC="1")
        second = (await house.http.get(PATH)).json()
        assert second["records"] == node.sequencer.journal.sequence > first["records"]
        assert second["stateHash"] != first["stateHash"]
        assert threads
        assert threading.main_thread() not in threads

    with_house(tmp_path, story)


def test_who_asks_is_told_of_all_that_was_acknowledged(tmp_path: Path) -> None:
    """While others ask and change the market without a pause."""

    async def story(house: House) -> None:
        async def change(number: int) -> None:
            await house.give(house.ann, USDC=f"{number + 1}")
            sequence = house.node.sequencer.journal.sequence
            found = (await house.http.get(PATH)).json()
            assert found["records"] >= sequence

        before = house.node.standings.taken
        await asyncio.gather(*map(change, range(50)))
        assert 1 <= house.node.standings.taken - before <= 50

    with_house(tmp_path, story)


def test_metrics_are_written_for_all_who_ask_at_once(tmp_path: Path) -> None:
    """And tell of what was answered before they were asked for."""

    async def story(house: House) -> None:
        before = house.node.metrics_text.times
        path = "/solvent/v1/metrics"
        first = (await house.http.get(path)).text
        assert house.node.metrics_text.times == before + 1
        many = await asyncio.gather(*(house.http.get(path) for _ in range(100)))
        assert {reply.status_code for reply in many} == {200}
        assert house.node.metrics_text.times <= before + 3
        await house.http.get("/api/v1/ping")
        text = (await house.http.get(path)).text
        assert 'solvent_requests_total{status="200",tag="System"} 1.0' in text
        assert 'tag="System"' not in first

    with_house(tmp_path, story)
