"""Every answer says what it knows, and who asks for more than is known is told so."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from tests.service.harness import House, with_house

KNOWN, LEAST = "x-solvent-sequence", "X-Solvent-Min-Sequence"


def known(reply: httpx.Response) -> int:
    return int(reply.headers[KNOWN])


async def asked(house: House, least: str) -> httpx.Response:
    return await house.http.get("/solvent/v1/identity", headers={LEAST: least})


def test_an_answer_knows_what_it_did_and_what_was_before(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        before = known(await house.http.get("/api/v1/ping"))
        done = await house.ann.send(
            "POST",
            "/api/v1/borrowLend",
            "borrowLendExecute",
            quantity="1",
            side="Lend",
            symbol="USDC",
        )
        assert done.status_code == 200
        assert known(done) == before + 1 == house.node.sequencer.applied
        refused = await house.ann.send("POST", "/api/v1/borrowLend", "borrowLendExecute", side="x")
        assert (refused.status_code, known(refused)) == (400, before + 1)
        ready = (await house.http.get("/solvent/v1/ready")).json()
        assert [ready[name] for name in ("part", "sequence", "epoch", "lag")] == [
            *("alone", before + 1),
            *(0, 0),
        ]

    with_house(tmp_path, story)


def test_what_is_known_is_not_waited_for(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        reply = await asked(house, str(house.node.reached.sequence))
        assert (reply.status_code, known(reply)) == (200, house.node.reached.sequence)

    with_house(tmp_path, story)


def test_a_node_that_knows_less_says_to_ask_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        began = time.monotonic()
        reply = await asked(house, str(house.node.reached.sequence + 1))
        assert 0.2 <= time.monotonic() - began < 2
        assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
        assert "ask again, or another one" in reply.json()["message"]

    with_house(tmp_path, story)


def test_who_waits_is_answered_when_it_is_there(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        least = house.node.reached.sequence + 1
        waiting = asyncio.create_task(asked(house, str(least)))
        await asyncio.sleep(0)
        await house.node.command()
        reply = await waiting
        assert (reply.status_code, known(reply)) == (200, least)

    with_house(tmp_path, story)


@pytest.mark.parametrize("least", ["", "-1", "1.5", "x", "²", "1" * 19])
def test_what_is_no_number_is_refused(tmp_path: Path, least: str) -> None:
    async def story(house: House) -> None:
        reply = await house.http.get("/api/v1/ping", headers=[(LEAST.encode(), least.encode())])
        assert (reply.status_code, LEAST in reply.json()["message"]) == (400, True)

    with_house(tmp_path, story)
