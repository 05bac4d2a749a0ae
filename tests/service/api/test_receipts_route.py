"""Receipts over the API: whose they are, in which pages they come, and that they verify."""

import json
from pathlib import Path
from typing import Any

import pytest

from solvent.cli.verify import verify
from solvent.domain.units import SECOND
from solvent.service.core.node import wall_clock
from solvent.service.routes import receipts as receipts_route
from tests.proof import proves
from tests.service.api.test_insight import borrow_lend, done, in_house
from tests.service.harness import Client, House

RECEIPTS = "/solvent/v1/receipts"


async def crash(house: House, symbol: str = "BTC") -> dict[str, Client]:
    """ann lends USDC; cat's debt is taken over by a provider, dan's is settled with ann."""
    await done(await borrow_lend(house.ann, "Lend", "USDC", "500000"))
    people = {}
    for name in ("cat", "dan"):
        people[name] = house.client(name)
        await house.open(people[name])
        await house.give(people[name], **{symbol: "1"})
        await done(await borrow_lend(people[name], "Borrow", "USDC", "90000"))
        fields = {"symbol": "USDC", "quantity": "90000", "address": "x", "blockchain": "Solana"}
        reply = await people[name].send(
            "POST", "/wapi/v1/capital/withdrawals", "withdraw", **fields
        )
        await done(reply)
    people["zoe"] = house.client("zoe")
    await house.open(people["zoe"], "blp")
    await house.give(people["zoe"], USDC="1000000")
    fields = {"symbol": "USDC", "quantity": "60000"}
    await done(await people["zoe"].send("POST", "/solvent/v1/backstop", "backstopPost", **fields))
    start = wall_clock() + SECOND
    for second in range(4):
        await house.quote(**{symbol: 91_000})
        await house.node.step_to(start + second * SECOND)
    return people


async def lines(who: Client, **fields: Any) -> list[str]:
    reply = await who.get(RECEIPTS, "receiptsQuery", **fields)
    assert reply.status_code == 200, reply.text
    return reply.text.splitlines()


async def downloaded(who: Client, **fields: Any) -> bytes:
    """All pages put together."""
    found = b""
    offset: str | None = "0"
    while offset is not None:
        reply = await who.get(RECEIPTS, "receiptsQuery", offset=offset, **fields)
        assert reply.status_code == 200, reply.text
        found += reply.content
        offset = reply.headers.get("x-next-offset")
    return found


@proves("A6", "A8", "A12", "I22")
def test_what_is_downloaded_verifies_and_what_is_altered_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(house: House) -> dict[str, bytes]:
        people = await crash(house)
        names = {"auditor": house.client("auditor"), "ann": house.ann, "bob": house.bob, **people}
        return {name: await downloaded(who, limit=1) for name, who in names.items()}

    files = in_house(tmp_path / "market", story)
    everything = files["auditor"].splitlines()
    formats = {json.loads(line)["format"] for line in everything}
    assert formats == {"solvent adl receipt", "solvent backstop receipt"}
    assert files["bob"] == b""
    for name in ("ann", "cat", "dan", "zoe"):
        assert files[name]
        assert set(files[name].splitlines()) <= set(everything)
    file = tmp_path / "receipts.jsonl"
    file.write_bytes(files["auditor"])
    assert verify(file) == 0
    assert f"{len(everything)} receipts recomputed" in capsys.readouterr().out
    file.write_bytes(files["auditor"].replace(b'"mark":"91000', b'"mark":"92000'))
    assert verify(file) == 1


@proves("I35")
def test_receipts_are_the_same_after_a_restart(tmp_path: Path) -> None:
    async def before(house: House) -> bytes:
        await crash(house)
        return await downloaded(house.client("auditor"))

    async def after(house: House) -> bytes:
        return await downloaded(house.client("auditor"))

    said = in_house(tmp_path, before)
    assert in_house(tmp_path, after) == said != b""
    for path in tmp_path.glob("views.db*"):
        path.unlink()
    assert in_house(tmp_path, after) == said


def test_receipts_are_found_by_account_round_and_fill(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        people = await crash(house)
        auditor = house.client("auditor")
        everything = await lines(auditor)
        for line in everything:
            document = json.loads(line)
            number = {key: document[key] for key in ("round", "fill") if key in document}
            assert await lines(auditor, **number) == [line]
        dan = house.accounts[people["dan"].public]
        assert await lines(auditor, account=dan) == await lines(people["dan"])
        assert await lines(people["dan"], account=dan) == await lines(people["dan"])
        other = await people["dan"].get(RECEIPTS, "receiptsQuery", account=dan - 1)
        assert (other.status_code, other.json()["code"]) == (403, "FORBIDDEN")

    in_house(tmp_path, story)


def test_a_page_ends_with_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts_route, "PAGE_BYTES", 1)

    async def story(house: House) -> None:
        await crash(house)
        auditor = house.client("auditor")
        reply = await auditor.get(RECEIPTS, "receiptsQuery")
        assert len(reply.text.splitlines()) == 1
        assert reply.headers["x-next-offset"] == "1"
        total = int(reply.headers["x-total"])
        assert len((await downloaded(auditor)).splitlines()) == total > 1

    in_house(tmp_path, story)
