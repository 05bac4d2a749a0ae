"""Rehearsals of a served market: seen before anybody approves, and held against what came."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO
from solvent.engine.engine import FastEngine
from solvent.foresight.rehearsal import rehearse
from solvent.reference.engine import ReferenceEngine
from solvent.service.authority.acts import AttachRehearsal, encode_act
from solvent.service.core.ahead.apart import Apart, ApartError
from solvent.service.core.ahead.rehearsals import Rehearsals
from solvent.service.core.node import wall_clock
from solvent.service.core.records import Record, RecordKind
from solvent.service.routes.ahead.rehearsals import shown
from solvent.service.strict_json import encode
from tests.proof import proves
from tests.service.harness import House, opened, with_house

PROPOSE = "/solvent/v1/risk/proposals"
APPROVE = "/solvent/v1/proposals/approvals"
TRY = "/solvent/v1/risk/rehearsal"
SOL = 2
LIGHTER = {"symbol": "SOL", "field": "COLLATERAL_WEIGHT", "value": RATIO // 10}
LIGHTER_COMMAND = c.ChangeParameter(SOL, c.ParameterField.COLLATERAL_WEIGHT, RATIO // 10)


async def owe_against_sol(house: House) -> int:
    """Leave Bob with SOL alone and a debt of most of what he may owe; his account."""
    ann, bob = (house.accounts[client.public] for client in (house.ann, house.bob))
    queries = house.node.market.queries
    await house.node.command(c.Lend(ann, USDC, queries.max_lend(ann, USDC)))
    await house.node.command(c.Withdraw(bob, 1, 10**9))
    most = queries.max_withdraw(bob, USDC, auto_lend_redeem=True, auto_borrow=True)
    await house.node.command(c.Withdraw(bob, USDC, most, True, True))
    return bob


async def proposed(house: House, **fields: Any) -> int:
    """The number of a proposal that was made."""
    reply = await house.client("risk").send("POST", PROPOSE, "riskPropose", **fields)
    assert reply.status_code == 200, reply.text
    return int(reply.json()["proposal"])


async def approved(house: House, number: int) -> Any:
    """The answer to the other risk admin, who approves."""
    reply = await house.client("risk-2").send("POST", APPROVE, "proposalApprove", proposal=number)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def row(house: House, who: str = "risk-2") -> Any:
    """The latest proposal, as somebody sees it."""
    reply = await house.client(who).get("/solvent/v1/proposals", "proposalQuery")
    assert reply.status_code == 200, reply.text
    return reply.json()[0]


async def row_with(house: House, name: str) -> Any:
    """The latest proposal once a field of it is there."""
    for _ in range(600):
        found = await row(house)
        if name in found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"no {name} came")


@proves("A13", "A14")
@pytest.mark.parametrize("engines", [FastEngine, ReferenceEngine])
def test_what_is_seen_before_it_is_approved_is_what_happens(
    tmp_path: Path, engines: type[FastEngine] | type[ReferenceEngine]
) -> None:
    async def story() -> None:
        house = await opened(tmp_path, engines=engines)
        try:
            await house.start()
            bob = await owe_against_sol(house)
            before = house.node.market.engine.snapshot()
            number = await proposed(house, **LIGHTER)
            seen = await row(house)
            for who in ("risk", "auditor", "operator", "funder"):
                assert await row(house, who) == seen
            assert seen["rehearsal"]["atOnce"]["accountIds"] == [bob]
            assert "effect" not in seen
            assert encode(seen["rehearsal"]) == encode(shown(rehearse(before, [LIGHTER_COMMAND])))
            assert house.node.market.queries.liquidating() == []
            assert (await approved(house, number))["state"] == "made"
            assert house.node.market.queries.liquidating() == [bob]
            effect = (await row_with(house, "effect"))["effect"]
            assert effect["atOnce"]["accountIds"] == [bob]
            assert effect["atOnce"]["without"]["liquidating"] == 0
            assert effect["atOnce"]["withChange"]["liquidating"] == 1
            assert (effect["asRehearsed"], effect["unforeseen"], effect["spared"]) == (1, [], [])
            assert effect["marks"] == []
            entries = house.node.market.desk.audit.latest
            told = [(each.role, each.act, each.outcome) for each in entries if each.proposal]
            assert told == [
                ("risk_admin", "ChangeParameter", "waits"),
                ("clock", "AttachRehearsal", "done"),
                ("risk_admin", "Approve", "made"),
                ("clock", "AttachEffect", "done"),
            ]
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(story())


@proves("A14")
def test_what_differs_from_the_rehearsal_is_shown(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        bob = await owe_against_sol(house)
        number = await proposed(house, **LIGHTER)
        assert (await row(house))["rehearsal"]["atOnce"]["accountIds"] == [bob]
        debt = house.node.market.queries.balances(bob)[USDC].debt
        await house.node.command(c.Deposit(bob, USDC, debt), c.Repay(bob, USDC, debt))
        await house.quote(SOL=190)
        assert (await approved(house, number))["state"] == "made"
        effect = (await row_with(house, "effect"))["effect"]
        assert (effect["asRehearsed"], effect["unforeseen"]) == (0, [])
        assert effect["spared"] == [bob]
        assert effect["marks"] == [{"symbol": "SOL", "rehearsed": "200", "actual": "190"}]
        again = await proposed(house, symbol="SOL", field="COLLATERAL_WEIGHT", value=RATIO // 20)
        assert (await row(house))["rehearsal"]["atOnce"]["accountIds"] == []
        ann = house.accounts[house.ann.public]
        most = house.node.market.queries.max_borrow(bob, USDC)
        await house.node.command(c.Borrow(bob, USDC, most), c.Withdraw(bob, USDC, most // 2))
        assert ann not in house.node.market.queries.liquidating()
        await approved(house, again)
        effect = (await row_with(house, "effect"))["effect"]
        assert effect["unforeseen"] == house.node.market.queries.liquidating() == [bob]

    with_house(tmp_path, story)


def test_nobody_approves_what_was_not_rehearsed_and_a_restart_rehearses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def blind(house: House) -> None:
        number = await proposed(house, **LIGHTER)
        risk = house.client("risk-2")
        reply = await risk.send("POST", APPROVE, "proposalApprove", proposal=number)
        assert reply.status_code == 409
        assert "is being rehearsed" in reply.json()["message"]
        assert house.node.market.desk.waiting[number].approvers == ()

    async def again() -> None:
        house = await opened(tmp_path)
        try:
            assert (await row_with(house, "rehearsal"))["rehearsal"]["hours"] == 4
            assert (await approved(house, 1))["state"] == "made"
        finally:
            await house.http.aclose()
            await house.node.close()

    with monkeypatch.context() as patched:
        patched.setattr(Rehearsals, "_rehearsal", lambda *_: None)
        patched.setattr("solvent.service.core.ahead.rehearsals.REHEARSAL_WAIT_SECONDS", 0.1)
        with_house(tmp_path, blind)
    asyncio.run(again())


def test_a_rehearsal_that_cannot_be_made_says_why_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House) -> None:
        number = await proposed(house, **LIGHTER)
        assert "too long" in (await row(house))["notRehearsed"]
        assert (await approved(house, number))["state"] == "made"

    monkeypatch.setattr("solvent.service.core.ahead.rehearsals.REHEARSAL_SECONDS", 0.05)
    with_house(tmp_path, story)


def test_only_the_service_puts_a_rehearsal_beside_a_proposal(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        number = await proposed(house, **LIGHTER)
        first = house.node.market.desk.waiting[number].rehearsal
        for actor in [0, *(held.number for _, held in house.node.market.keys.all())]:
            body = encode_act(AttachRehearsal(number, b"", "forged"))
            record = Record(RecordKind.ACT, wall_clock(), body=body, actor=actor)
            assert (await house.node.submit(record)).status == 403
        assert house.node.market.desk.waiting[number].rehearsal == first

    with_house(tmp_path, story)


def test_a_change_is_tried_without_being_proposed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        bob = await owe_against_sol(house)
        for who in ("risk", "operator", "auditor"):
            reply = await house.client(who).get(TRY, "rehearsalQuery", **LIGHTER, hours=1)
            assert reply.status_code == 200, reply.text
            assert reply.json()["atOnce"]["accountIds"] == [bob]
            assert [each["path"] for each in reply.json()["paths"]] == [
                "steady",
                "down 30 %",
                "up 30 %",
            ]
        for client in (house.bob, house.client("oracle"), house.funder):
            reply = await client.get(TRY, "rehearsalQuery", **LIGHTER)
            assert reply.status_code == 403
        for fields, said in (
            (LIGHTER | {"value": 2 * RATIO}, "no such change"),
            (LIGHTER | {"field": "NONE"}, "field must be one of"),
            (LIGHTER | {"hours": 25}, "hours"),
        ):
            reply = await house.client("risk").get(TRY, "rehearsalQuery", **fields)
            assert reply.status_code == 400, reply.text
            assert said in reply.json()["message"]
        assert house.node.market.desk.all() == []
        assert house.node.market.queries.liquidating() == []

    with_house(tmp_path, story)


def test_a_process_apart_answers_errs_and_comes_again() -> None:
    apart = Apart(20)
    try:
        with pytest.raises(ApartError, match="KeyError"):
            apart.ask("no such task")
        process = apart._process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(ApartError, match="was ended"):
            apart.ask("no such task")
        with pytest.raises(ApartError, match="KeyError"):
            apart.ask("no such task")
    finally:
        apart.close()
    with pytest.raises(ApartError, match="closing"):
        apart.ask("no such task")
