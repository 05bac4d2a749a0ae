"""Requests that were carried out or failed where they had to be refused, each kept as it came."""

from pathlib import Path
from typing import Any

import pytest

from tests.service.harness import House, with_house

BATCHES: list[tuple[list[Any], str]] = [
    ([{"verb": ["lend"]}], "commands[0]: verb must be one of"),
    ([{"verb": {}}], "commands[0]: verb must be one of"),
    (["lend"], "commands[0]: verb must be one of"),
    ([{"verb": "cancelAll"}, {"verb": "lend", "amount": "1"}], "commands[1]: unknown field"),
    ([{"verb": "lend", "symbol": "SOL", "quantity": "9" * 20}], "is too large"),
    ([{"verb": "borrow", "symbol": "SOL", "quantity": "9223372036.854775808"}], "too large"),
]


@pytest.mark.parametrize(("commands", "said"), BATCHES)
def test_a_batch_with_a_wrong_item_is_refused_whole(
    tmp_path: Path, commands: list[Any], said: str
) -> None:
    async def story(house: House) -> None:
        before = house.desk.market.commands
        reply = await house.ann.send_digest(
            "/solvent/v1/batch", "batchExecute", {"commands": commands}
        )
        assert reply.status_code == 400
        assert said in reply.json()["message"]
        assert house.desk.market.commands == before

    with_house(tmp_path, story)


MISSING = [
    ("oracle", "oracle/halt", "oracleHalt", {"symbol": "BTC"}, "halted"),
    ("oracle", "oracle/halt", "oracleHalt", {"symbol": "BTC", "halted": None}, "halted"),
    ("operator", "admin/deposits", "adminDeposit", {"symbol": "BTC", "quantity": "1"}, "account"),
    ("risk", "risk/proposals", "riskPropose", {"field": "POOL_FEE"}, "value"),
]


@pytest.mark.parametrize(("who", "path", "instruction", "fields", "name"), MISSING)
def test_what_is_missing_is_not_made_up(
    tmp_path: Path, who: str, path: str, instruction: str, fields: dict[str, Any], name: str
) -> None:
    async def story(house: House) -> None:
        before = house.desk.market.engine.state_hash()
        signed = {key: value for key, value in fields.items() if value is not None}
        client = house.client(who)
        headers = client.headers(instruction, signed)
        reply = await house.http.post(f"/solvent/v1/{path}", json=fields, headers=headers)
        assert (reply.status_code, reply.json()["message"]) == (400, f"{name} is missing")
        assert house.desk.market.engine.state_hash() == before

    with_house(tmp_path, story)


def test_an_unknown_field_of_a_quote_is_refused(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        quote = {"symbol": "SOL", "bid": "1", "ask": "1", "last": "1", "sauce": 1}
        reply = await house.client("oracle").send_digest(
            "/solvent/v1/oracle/prices", "oraclePrices", {"prices": [quote]}
        )
        assert (reply.status_code, reply.json()["message"]) == (
            400,
            "prices: unknown field 'sauce'",
        )

    with_house(tmp_path, story)
