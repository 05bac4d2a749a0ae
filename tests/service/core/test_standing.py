"""Standing: true of what was durable when it was asked, and the writer goes on, however often."""

import asyncio
from pathlib import Path

from tests.service.harness import House, with_house

PATH = "/solvent/v1/solvency"


def test_many_who_ask_are_told_by_few_hashes(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        node = house.node
        before = node.standings.taken
        replies = await asyncio.gather(*(house.http.get(PATH) for _ in range(200)))
        assert {reply.json()["stateHash"] for reply in replies} == {node.market.engine.state_hash()}
        assert node.standings.taken - before == 1, "nothing changed between"

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
