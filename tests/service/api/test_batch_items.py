"""Items of a batch: what is read of each, and what is said to a request with a wrong one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.commands import Command
from solvent.service.core.market import Outcome
from solvent.service.core.records import Record
from tests.service.harness import House, with_house

GOOD = {"verb": "lend", "symbol": "USDC", "quantity": "1.5"}
WRONG: list[tuple[Any, str]] = [
    ([], "verb must be one of lend, redeem, borrow, repay, order, cancel, cancelAll"),
    ({}, "verb must be one of"),
    ({"verb": ["lend"]}, "verb must be one of"),
    ({"verb": "give"}, "verb must be one of"),
    (GOOD | {"price": "1"}, "commands[1]: unknown field 'price'"),
    ({"verb": "lend", "quantity": "1"}, "symbol is missing"),
    (GOOD | {"symbol": None}, "symbol is missing"),
    (GOOD | {"symbol": 7}, "symbol must be a string"),
    (GOOD | {"symbol": ["USDC"]}, "symbol must be a string"),
    (GOOD | {"symbol": "PEPE"}, "Invalid asset symbol"),
    (GOOD | {"symbol": "PEPE", "quantity": None}, "Invalid asset symbol"),
    ({"verb": "repay", "symbol": "SOL"}, "quantity is missing"),
    (GOOD | {"quantity": None}, "quantity is missing"),
    (GOOD | {"quantity": 1}, "quantity must be a string"),
    (GOOD | {"quantity": True}, "quantity must be a string"),
    (GOOD | {"quantity": "-1"}, "quantity must be a plain decimal"),
    (GOOD | {"quantity": "1.0000001"}, "more than 6 decimals"),
    (GOOD | {"quantity": "9223372036855"}, "too large"),
    ({"verb": "cancel", "orderId": 0}, "orderId must be a whole number"),
    ({"verb": "cancelAll", "symbol": "SOL"}, "Invalid market symbol"),
    ({"verb": "order", "symbol": "SOL_USDC"}, "side and orderType must be given"),
]


def test_a_wrong_item_is_named_and_nothing_happens(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        before = house.node.market.commands
        for item, reason in WRONG:
            body = {"commands": [GOOD, item, GOOD]}
            reply = await house.ann.send_digest("/solvent/v1/batch", "batchExecute", body)
            assert (reply.status_code, reason in reply.json()["message"]) == (400, True), reply.text
        assert house.node.market.commands == before

    with_house(tmp_path / "market", story)


@pytest.mark.parametrize("verb", ["lend", "borrow"])
def test_an_item_is_the_command_that_the_other_endpoint_makes(tmp_path: Path, verb: str) -> None:
    """For every asset and way to write a quantity."""
    done: list[list[Command]] = []

    async def story(house: House) -> None:
        carry_out = house.node.market.carry_out

        def noted(records: Sequence[Record]) -> list[Outcome]:
            outcomes = carry_out(records)
            done.extend(list(each.transcript.commands) for each in outcomes if each.record.digest)
            return outcomes

        house.node.market.carry_out = noted  # type: ignore[method-assign]
        for symbol in ("USDC", "SOL", "BTC"):
            for quantity in ("1", "0.5", "007.250", "12.000000"):
                fields = {"symbol": symbol, "quantity": quantity}
                body = {"commands": [fields | {"verb": verb}]}
                await house.ann.send_digest("/solvent/v1/batch", "batchExecute", body)
                fields["side"] = verb.title()
                await house.ann.send("POST", "/api/v1/borrowLend", "borrowLendExecute", **fields)
        assert len(done) == 24
        assert done[::2] == done[1::2]

    with_house(tmp_path / "market", story)
