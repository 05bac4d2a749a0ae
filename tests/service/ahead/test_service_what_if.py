"""What-if over HTTP: what it says comes true, and asking holds nobody up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.engine.engine import FastEngine
from solvent.reference.engine import ReferenceEngine
from solvent.service.limits import QUESTIONS
from tests.proof import proves
from tests.service.harness import House, opened, with_house

WHAT_IF = "/solvent/v1/what-if"
CURVE = "/solvent/v1/what-if/curve"


async def owe_all_he_can(house: House) -> int:
    """Let Bob borrow as much USDC as he may and take it away; his account."""
    ann, bob = (house.accounts[client.public] for client in (house.ann, house.bob))
    queries = house.node.market.queries
    await house.node.command(c.Lend(ann, USDC, queries.max_lend(ann, USDC)))
    most = queries.max_withdraw(bob, USDC, auto_lend_redeem=True, auto_borrow=True)
    await house.node.command(c.Withdraw(bob, USDC, most, True, True))
    return bob


async def asked(house: House, path: str, **fields: Any) -> Any:
    """What a risk admin is answered."""
    instruction = "whatIfQuery" if path == WHAT_IF else "whatIfCurveQuery"
    reply = await house.client("risk").get(path, instruction, **fields)
    assert reply.status_code == 200, reply.text
    return reply.json()


@proves("A13", "A14")
@pytest.mark.parametrize("engines", [FastEngine, ReferenceEngine])
def test_who_is_said_to_be_liquidatable_is_so_when_prices_come(
    tmp_path: Path, engines: type[FastEngine] | type[ReferenceEngine]
) -> None:
    async def story() -> None:
        house = await opened(tmp_path, engines=engines)
        try:
            await house.start()
            bob = await owe_all_he_can(house)
            calm = await asked(house, WHAT_IF, move="-0.05")
            assert calm["accountIds"] == []
            moves = {"BTC": "-0.9", "SOL": "-0.9"}
            said = await asked(house, WHAT_IF, moves=",".join(f"{a}:{m}" for a, m in moves.items()))
            assert said["accountIds"] == [bob]
            assert said["point"]["accounts"] == 1
            await house.quote(BTC=10_000, SOL=20)
            assert house.node.market.queries.liquidating() == [bob]
            marks = {pool["symbol"]: pool["markPrice"] for pool in said["point"]["pools"]}
            assert marks == {"USDC": "1", "BTC": "10000", "SOL": "20"}
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(story())


def test_a_curve_is_what_single_moves_say(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await owe_all_he_can(house)
        curve = await asked(house, CURVE, betas="SOL:1.5")
        found = {point["move"]: point["point"] for point in curve["points"]}
        assert next(iter(found)) == "-0.9"
        assert list(found)[-1] == "3"
        for move in ("-0.9", "-0.05", "0", "3"):
            single = (await asked(house, WHAT_IF, move=move, betas="SOL:1.5"))["point"]
            for pool in single["pools"]:
                del pool["impaired"]
            assert single == found[move]
        assert found["-0.9"]["accounts"] == 1
        assert found["3"]["accounts"] == 0

    with_house(tmp_path, story)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "and not both"),
        ({"move": "-0.1", "moves": "SOL:-0.1"}, "and not both"),
        ({"moves": "XYZ:-0.1"}, "Invalid asset symbol"),
        ({"moves": "SOL"}, "like SOL:-0.3"),
        ({"moves": "SOL:-0.1,SOL:-0.2"}, "each asset once"),
        ({"moves": "SOL:x"}, "plain decimal"),
        ({"moves": "SOL:--1"}, "plain decimal"),
        ({"moves": "SOL:-1.5"}, "-100 %"),
        ({"moves": "USDC:-0.1"}, "unit"),
        ({"move": "101"}, "10,000 %"),
        ({"moves": "SOL:-0." + "1" * 3000}, "too long"),
    ],
)
def test_what_cannot_be_asked_is_said(tmp_path: Path, fields: dict[str, str], said: str) -> None:
    async def story(house: House) -> None:
        reply = await house.client("risk").get(WHAT_IF, "whatIfQuery", **fields)
        assert reply.status_code == 400, reply.text
        assert said in reply.json()["message"]

    with_house(tmp_path, story)


def test_the_market_goes_on_while_questions_wait_and_too_many_are_told_so(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        risk = house.client("risk")
        questions = [
            asyncio.ensure_future(risk.get(CURVE, "whatIfCurveQuery")) for _ in range(QUESTIONS + 3)
        ]
        await house.quote(SOL=190)
        codes = [reply.status_code for reply in await asyncio.gather(*questions)]
        assert codes.count(503) == 3
        assert codes.count(200) == QUESTIONS

    with_house(tmp_path, story)
