"""Exactly once: whoever repeats a request gets the first answer, and nothing happens again."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from solvent.domain.units import SECOND
from solvent.service.core.node import wall_clock
from solvent.service.core.records import commands_record
from solvent.service.limits import WINDOW_MS
from tests.proof import proves
from tests.service.harness import Client, House, opened, with_house
from tests.sizes import sized

ORDER: dict[str, Any] = {
    "symbol": "SOL_USDC",
    "side": "Bid",
    "orderType": "Limit",
    "price": "190",
    "quantity": "1",
}
REPLAYS = sized(quick=1_000, usual=5_000, full=10_000)


class Signed:
    """A request that can be sent again, byte for byte; with `digest` that of its body is signed."""

    def __init__(
        self,
        client: Client,
        method: str,
        path: str,
        instruction: str,
        fields: dict[str, Any],
        *,
        window: int = WINDOW_MS,
        digest: bool = False,
    ) -> None:
        self.method, self.path = method, path
        self.body = json.dumps(fields).encode()
        signed = {"sha256": hashlib.sha256(self.body).hexdigest()} if digest else fields
        self.headers = client.headers(instruction, signed, window=window)

    async def send(self, http: httpx.AsyncClient) -> tuple[int, bytes]:
        """Send it."""
        headers = self.headers | {"content-type": "application/json"}
        reply = await http.request(self.method, self.path, content=self.body, headers=headers)
        return reply.status_code, reply.content


def order(client: Client, window: int = WINDOW_MS, **fields: Any) -> Signed:
    """An order, signed."""
    return Signed(client, "POST", "/api/v1/order", "orderExecute", ORDER | fields, window=window)


def cancel(client: Client, fields: dict[str, Any]) -> Signed:
    """The cancellation of an order, signed."""
    return Signed(client, "DELETE", "/api/v1/order", "orderCancel", fields)


def lend(client: Client, quantity: str = "1") -> Signed:
    """A lend, signed."""
    fields = {"symbol": "USDC", "side": "Lend", "quantity": quantity}
    return Signed(client, "POST", "/api/v1/borrowLend", "borrowLendExecute", fields)


def everything(house: House) -> list[Signed]:
    """Requests that change the market, each in its own way; a later one may need an earlier."""
    ann, operator = house.ann, house.operator
    by_id = {"symbol": "SOL_USDC", "clientId": 5}
    withdrawal = {
        "address": "an address",
        "blockchain": "Solana",
        "quantity": "1",
        "symbol": "SOL",
    }
    deposit = {"account": house.accounts[ann.public], "symbol": "SOL", "quantity": "3"}
    another = house.client("another auditor")
    key = {"role": "auditor", "publicKey": another.public, "proof": house.proof(another, "auditor")}
    change = {"field": "POOL_FEE", "symbol": "SOL", "value": 1}
    admin, risk = "/solvent/v1/admin/", "/solvent/v1/risk/"
    batch = [ORDER | {"clientId": 11}, ORDER | {"clientId": 12}]
    commands = {"commands": [{"verb": "lend", "symbol": "USDC", "quantity": "1"}]}
    return [
        lend(ann),
        order(ann),
        order(ann, clientId=5),
        cancel(ann, by_id),
        order(ann, clientId=6),
        Signed(ann, "DELETE", "/api/v1/orders", "orderCancelAll", {"symbol": "SOL_USDC"}),
        Signed(ann, "POST", "/wapi/v1/capital/withdrawals", "withdraw", withdrawal),
        Signed(ann, "POST", "/solvent/v1/batch", "batchExecute", commands, digest=True),
        Signed(house.funder, "POST", admin + "deposits", "adminDeposit", deposit),
        Signed(operator, "POST", admin + "keys", "adminKey", key, digest=True),
        Signed(
            house.client("oracle"),
            "POST",
            "/solvent/v1/oracle/halt",
            "oracleHalt",
            {"symbol": "BTC", "halted": True},
        ),
        Signed(house.client("risk"), "POST", risk + "proposals", "riskPropose", change),
        Signed(
            house.client("risk-2"),
            "POST",
            "/solvent/v1/proposals/approvals",
            "proposalApprove",
            {"proposal": 2},
        ),
        BatchOfOrders(ann, batch),
    ]


class BatchOfOrders(Signed):
    """A list of orders, each with its instruction in what is signed."""

    def __init__(self, client: Client, items: list[dict[str, Any]]) -> None:
        super().__init__(client, "POST", "/api/v1/orders", "orderExecute", {})
        self.body = json.dumps(items).encode()
        words = ["&".join(f"{name}={item[name]}" for name in sorted(item)) for item in items]
        self.headers = client._signature(
            "&".join(f"instruction=orderExecute&{each}" for each in words), window=WINDOW_MS
        )


def state(house: House) -> tuple[str, bytes]:
    """All that there is."""
    market = house.node.market
    return market.engine.state_hash(), market.save()


def twice(folder: Path, story: Callable[[House], Awaitable[Any]], *, has_snapshot: bool) -> None:
    """A story in a house, and what it returned in the same house after a restart.

    Without a snapshot everything is read from the journal, as after a crash.
    """

    async def run() -> None:
        house = await opened(folder)
        await house.start()
        again = await story(house)
        await house.http.aclose()
        await house.node.close()
        if not has_snapshot:
            for path in (folder / "journal").glob("snapshot-*"):
                path.unlink()
        house = await opened(folder)
        try:
            await again(house)
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(run())


@proves("I36")
def test_thousands_of_replays_do_nothing(tmp_path: Path) -> None:
    """One after another and many at a time, of an order and of a lend."""

    async def story(house: House) -> None:
        requests = [order(house.ann), lend(house.bob)]
        first = [await request.send(house.http) for request in requests]
        assert [status for status, _ in first] == [200, 200]
        records, before = house.node.sequencer.journal.sequence, state(house)
        for _ in range(REPLAYS // 2 // 100):
            for request, said in zip(requests, first, strict=True):
                assert await request.send(house.http) == said
                sent = await asyncio.gather(*(request.send(house.http) for _ in range(99)))
                assert set(sent) == {said}
        assert house.node.sequencer.journal.sequence == records
        assert state(house) == before

    with_house(tmp_path / "market", story)


@proves("I36")
def test_many_at_once_are_one(tmp_path: Path) -> None:
    """Before there is an answer: all wait for it."""

    async def story(house: House) -> None:
        for request in everything(house):
            before, attached = house.node.sequencer.journal.sequence, await house.attached()
            sent = await asyncio.gather(*(request.send(house.http) for _ in range(20)))
            assert len(set(sent)) == 1
            assert sent[0][0] == 200, sent[0]
            attached = await house.attached() - attached
            assert house.node.sequencer.journal.sequence == before + 1 + attached

    with_house(tmp_path / "market", story)


@proves("I36")
@pytest.mark.parametrize("has_snapshot", [True, False])
def test_every_kind_of_request_after_a_restart(tmp_path: Path, *, has_snapshot: bool) -> None:
    """The first answer, and nothing happens."""

    async def story(house: House) -> Callable[[House], Awaitable[None]]:
        requests = everything(house)
        first = [await request.send(house.http) for request in requests]
        assert {status for status, _ in first} == {200}, first
        assert [await request.send(house.http) for request in requests] == first
        await house.attached()
        market = house.node.market
        before = market.engine.state_hash(), market.keys.encode(), market.desk.rows()

        async def again(later: House) -> None:
            assert [await request.send(later.http) for request in requests] == first
            market = later.node.market
            after = market.engine.state_hash(), market.keys.encode(), market.desk.rows()
            assert after == before

        return again

    twice(tmp_path / "market", story, has_snapshot=has_snapshot)


@proves("I36")
@pytest.mark.parametrize("client_id", [9, 0, 2**32 - 1])
@pytest.mark.parametrize("has_snapshot", [True, False])
def test_a_client_id_is_one_order(tmp_path: Path, *, has_snapshot: bool, client_id: int) -> None:
    """Signed anew each time, one after another, at once, and after a restart, while it rests."""

    async def story(house: House) -> Callable[[House], Awaitable[None]]:
        windows = iter(range(1000, WINDOW_MS))
        sent = await asyncio.gather(
            *(
                order(house.ann, next(windows), clientId=client_id).send(house.http)
                for _ in range(50)
            )
        )
        assert len(set(sent)) == 1
        assert sent[0][0] == 200
        resting = house.node.market.orders.of(house.accounts[house.ann.public])
        assert len(resting) == 1

        async def again(later: House) -> None:
            ann = later.client("ann")
            repeated = order(ann, next(windows), clientId=client_id)
            assert await repeated.send(later.http) == sent[0]
            assert later.node.market.orders.all() == resting
            changed = order(ann, next(windows), clientId=client_id, quantity="2")
            other = await changed.send(later.http)
            assert other[0] == 400
            assert json.loads(other[1])["code"] == "INVALID_ORDER"
            assert later.node.market.orders.all() == resting

        return again

    twice(tmp_path / "market", story, has_snapshot=has_snapshot)


def test_client_ids_of_batches_are_one_order(tmp_path: Path) -> None:
    """Also where no single order had them, and from the batch of commands."""

    async def story(house: House) -> None:
        item = ORDER | {"clientId": 3}
        batch = {"commands": [{"verb": "order"} | item, {"verb": "order"} | item]}
        done = await house.ann.send_digest("/solvent/v1/batch", "batchExecute", batch)
        assert [each["operation"] for each in done.json()] == ["Ok", "Err"]
        single = await order(house.ann, clientId=3).send(house.http)
        assert json.loads(single[1])["id"] == done.json()[0]["id"]
        assert len(house.node.market.orders.all()) == 1

    with_house(tmp_path / "market", story)


@pytest.mark.parametrize("has_snapshot", [True, False])
@pytest.mark.parametrize("client_id", [7, 0])
def test_a_client_id_names_another_order_after_its_own_has_ended(
    tmp_path: Path, *, has_snapshot: bool, client_id: int
) -> None:
    """Case f08: cancelled, filled or expired; the same bytes are still the old request."""

    async def story(house: House) -> Callable[[House], Awaitable[None]]:
        windows = iter(range(1000, WINDOW_MS))
        named = {"clientId": client_id}
        first = order(house.ann, next(windows), **named)
        said = [await first.send(house.http)]
        by_id = {"symbol": "SOL_USDC"} | named
        cancelled = await cancel(house.ann, by_id).send(house.http)
        assert json.loads(cancelled[1])["clientId"] == client_id
        for fields in ({}, {"timeInForce": "IOC"}, {"side": "Ask", "price": "200"}):
            said.append(await order(house.ann, next(windows), **named, **fields).send(house.http))
            await cancel(house.ann, by_id).send(house.http)
        await order(house.ann, next(windows), **named, side="Ask", price="200").send(house.http)
        taken = await order(house.bob, price="200", timeInForce="IOC").send(house.http)
        assert json.loads(taken[1])["status"] == "Filled"
        said.append(await order(house.ann, next(windows), **named).send(house.http))
        orders = [json.loads(body) for _, body in said]
        assert [status for status, _ in said] == [200] * 5
        assert len({each["id"] for each in orders}) == 5
        assert {each["clientId"] for each in orders} == {client_id}
        assert await first.send(house.http) == said[0]

        async def again(later: House) -> None:
            ann = later.client("ann")
            assert await first.send(later.http) == said[0]
            assert await order(ann, next(windows), **named).send(later.http) == said[-1]
            assert len(later.node.market.orders.all()) == 1

        return again

    twice(tmp_path / "market", story, has_snapshot=has_snapshot)


def test_an_account_is_opened_once(tmp_path: Path) -> None:
    """And its key stays where it is."""

    async def story(house: House) -> None:
        new = house.client("another user")
        request = Signed(
            house.operator,
            "POST",
            "/solvent/v1/admin/accounts",
            "adminOpen",
            {"publicKey": new.public, "proof": house.proof(new, "user", "new")},
            digest=True,
        )
        first = await request.send(house.http)
        assert first[0] == 200
        before = state(house)
        sent = await asyncio.gather(*(request.send(house.http) for _ in range(20)))
        assert {status for status, _ in sent} == {200}
        assert state(house) == before
        principal = house.node.market.keys.find(bytes(new.signing.verify_key))
        assert principal is not None
        assert principal.account == json.loads(first[1])["account"]

    with_house(tmp_path / "market", story)


def test_a_refused_request_is_refused_again_and_can_be_made_anew(tmp_path: Path) -> None:
    """The same bytes get the first answer also when they would pass now."""

    async def story(house: House) -> None:
        bob, quantity = house.bob, "1500000"
        request = lend(bob, quantity)
        first = await request.send(house.http)
        assert first[0] == 400
        await house.give(bob, USDC="1000000")
        assert await request.send(house.http) == first
        assert (await lend(bob, "1500000.0").send(house.http))[0] == 200

    with_house(tmp_path / "market", story)


def test_a_request_that_may_be_forgotten_is_refused(tmp_path: Path) -> None:
    """A clock that was ahead and is set back lets nothing in twice, and shuts nobody out."""

    async def story(house: House) -> None:
        first = order(house.ann)
        assert (await first.send(house.http))[0] == 200
        ahead = wall_clock() + 7200 * SECOND
        record = commands_record(ahead, [], digest=b"f" * 16, expires=ahead // 1000 + WINDOW_MS)
        await house.node.submit(record)
        commands = house.node.market.commands
        for request in (first, order(house.ann, window=100)):
            status, body = await request.send(house.http)
            assert status == 400
            assert "expired" in json.loads(body)["message"]
        assert house.node.market.commands == commands
        assert (await order(house.bob, window=WINDOW_MS).send(house.http))[0] == 200

    with_house(tmp_path / "market", story)
