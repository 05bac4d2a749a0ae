"""Forecasts over HTTP: of the account's own rounds all, of others no name; pools at their flow."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.labels import AdlCase
from solvent.domain.parameters import USDC
from solvent.domain.units import HOUR, RATIO, SECOND
from solvent.engine.engine import FastEngine
from solvent.foresight.flows import pool_times, pools_at
from solvent.foresight.forecast import Forecaster
from solvent.foresight.leaving import ways_off
from solvent.reference.engine import ReferenceEngine
from solvent.service.api.shapes import quantity_text
from solvent.service.routes.ahead.forecasts import STEP, beyond
from tests.proof import proves
from tests.service.harness import Client, House, opened, with_house

ROUNDS = "/solvent/v1/forecast/rounds"
POOLS = "/solvent/v1/forecast/pools"
SOL = 2
UNIT = 10**9


async def opposed(house: House) -> int:
    """Ann owes SOL and has USDC, Bob has SOL and owes USDC; both lend, too. Ann's account."""
    zoe = house.client("zoe")
    await house.open(zoe)
    await house.give(zoe, USDC="300000", SOL="2000")
    ann, bob, lender = (house.accounts[each.public] for each in (house.ann, house.bob, zoe))
    rows = (
        c.Lend(lender, USDC, 300_000 * 10**6),
        c.Lend(lender, SOL, 2_000 * UNIT),
        c.Withdraw(ann, SOL, 1_000 * UNIT),
        c.Withdraw(ann, 1, 10**9),
        c.Withdraw(ann, USDC, 900_000 * 10**6),
        c.Withdraw(bob, 1, 10**9),
        c.Withdraw(bob, USDC, 1_000_000 * 10**6),
        c.Borrow(ann, SOL, 300 * UNIT),
        c.Withdraw(ann, SOL, 300 * UNIT),
        c.Borrow(bob, USDC, 120_000 * 10**6),
        c.Withdraw(bob, USDC, 120_000 * 10**6),
        c.Lend(bob, SOL, 100 * UNIT),
        c.Lend(ann, USDC, 10_000 * 10**6),
    )
    outcome = await house.node.command(*rows)
    for one in outcome.transcript:
        assert not any(isinstance(event, Refused) for event in one.events), one
    return ann


async def forecast(who: Client) -> Any:
    """What a key is told."""
    reply = await who.get(ROUNDS, "forecastRoundsQuery")
    assert reply.status_code == 200, reply.text
    return reply.json()


@proves("A14")
@pytest.mark.parametrize("engines", [FastEngine, ReferenceEngine])
def test_a_forecast_is_the_forecasters_and_its_way_out_leads_out(
    tmp_path: Path, engines: type[FastEngine] | type[ReferenceEngine]
) -> None:
    async def story() -> None:
        house = await opened(tmp_path, engines=engines)
        try:
            await house.start()
            ann = await opposed(house)
            market = house.node.market
            said = await forecast(house.ann)
            forecaster = Forecaster(market.engine)
            lists = forecaster.lists(ann, tiers=False)
            assert len(said["rounds"]) == len(lists) > 0
            assert {each["case"] for each in said["rounds"]} == {case.name for case in AdlCase}
            for told, listed in zip(said["rounds"], lists, strict=True):
                place, kind = listed.place, listed.place.asked.kind
                for name, atoms in (
                    ("quantity", place.asked.quantity),
                    ("cap", place.cap),
                    ("allotted", place.allotted),
                    ("reached", place.reached),
                ):
                    text = quantity_text(market.parameters, kind.asset, atoms or 0)
                    assert told[name] == (None if atoms is None else text)
                assert (told["rank"], told["candidates"]) == (place.rank, place.candidates)
                assert told["partnersInAll"] == len(listed.partners)
                found = ways_off(forecaster, ann, place)
                assert [way["command"] for way in told["ways"]] == [
                    type(way.command).__name__ for way in found
                ]
            (opposites,) = [each for each in said["rounds"] if each["case"] == "OPPOSITES"]
            assert opposites["allotted"] != "0"
            way = opposites["ways"][0]
            assert way["command"] == "Repay"
            await house.give(house.ann, SOL=way["brings"])
            step = {"verb": "repay", "symbol": "SOL", "quantity": way["quantity"]}
            batch = {"commands": [step]}
            reply = await house.ann.send_digest("/solvent/v1/batch", "batchExecute", batch)
            assert [each["operation"] for each in reply.json()] == ["Ok"]
            later = await forecast(house.ann)
            shares = [each for each in later["rounds"] if each["case"] == "OPPOSITES"]
            assert all(each["allotted"] == "0" for each in shares)
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(story())


@proves("A14")
def test_nobody_learns_who_his_partners_are_nor_where(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ann = await opposed(house)
        first, second = [await forecast(house.ann) for _ in range(2)]
        listed = Forecaster(house.node.market.engine).lists(ann, tiers=False)[0]
        told = first["rounds"][0]["partners"]
        assert len(told) == len(listed.partners) > 0
        names = [each["name"] for each in told]
        assert len(set(names)) == len(names)
        later = {each["name"] for row in second["rounds"] for each in row["partners"]}
        assert later.isdisjoint(names)
        public = {
            house.node.publisher.waterfall._name(account)
            for account in range(house.node.market.queries.accounts())
        }
        assert public.isdisjoint(names)
        for each, partner in zip(told, listed.partners, strict=True):
            assert set(each) == {"name", "symbol", "beyond"}
            move = partner.move or 0
            step = float(each["beyond"])
            assert round(step * RATIO) % STEP == 0
            assert abs(step) * RATIO <= abs(move) < abs(step) * RATIO + STEP
        reply = await house.client("auditor").get(ROUNDS, "forecastRoundsQuery")
        assert reply.status_code == 403

    with_house(tmp_path, story)


@pytest.mark.parametrize(
    ("move", "told"), [(0, 0), (49, 0), (-49, 0), (50, 50), (-50, -50), (-149, -100), (410, 400)]
)
def test_a_distance_is_told_in_steps_towards_nothing(move: int, told: int) -> None:
    assert beyond(move * RATIO // 1000) == told * RATIO // 1000


@proves("A14")
def test_pools_are_forecast_at_the_flow_since_a_reading(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        reply = await house.http.get(POOLS)
        assert {each["since"] for each in reply.json()} == {None}
        ann = await opposed(house)
        node, engine = house.node, house.node.market.engine
        await node.command(c.TimeStep(engine.now + 61 * SECOND))
        earlier, since = pools_at(engine), engine.now
        await node.command(c.Borrow(ann, SOL, UNIT))
        await node.command(c.TimeStep(engine.now + 30 * SECOND))
        told = (await house.http.get(POOLS)).json()
        assert [each["symbol"] for each in told] == ["USDC", "BTC", "SOL"]
        readings = node.forecasts._readings
        assert since in [each[0].time for each in readings]
        first = readings[0]
        assert {each["since"] for each in told} == {first[0].time}
        times = pool_times(first, engine)
        assert [(each["throttle"], each["full"]) for each in told] == [
            (each.throttle, each.full) for each in times
        ]
        assert told[SOL]["full"] >= told[SOL]["throttle"] > 0
        assert told[1]["full"] is None
        assert pool_times(earlier, engine)[SOL].full is not None
        for _ in range(30):
            await node.command(c.TimeStep(engine.now + HOUR // 15))
        (since,) = {each["since"] for each in (await house.http.get(POOLS)).json()}
        assert since > first[0].time

    with_house(tmp_path, story)


def test_a_forecast_that_takes_too_long_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House) -> None:
        reply = await house.ann.get(ROUNDS, "forecastRoundsQuery")
        assert reply.status_code == 503
        assert "took too long" in reply.json()["message"]

    monkeypatch.setattr("solvent.service.core.ahead.forecasts.FORECAST_SECONDS", 0.01)
    with_house(tmp_path, story)
