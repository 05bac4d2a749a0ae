"""Signatures of subscriptions: good once, on one connection, and only as long as the key acts."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from solvent.service.core.keys import Role
from tests.service.clients.served import (
    FUNDER,
    OPERATOR,
    PATIENCE,
    Key,
    Service,
    Staff,
    key_of,
    serving,
)
from tests.service.streams.served import ANN, Served, in_loop

OWN = "account.orderUpdate"
BALANCES = "account.balanceUpdate"
CUT = (1008, "the key that signed may not act any more")


def test_a_signature_is_good_on_one_connection() -> None:
    """S09: there as often as its window allows, elsewhere never, also when the first has gone."""

    async def story(served: Served) -> None:
        signature = served.sign(ANN)
        async with served.client() as first:
            await first.subscribe(OWN, signature=signature)
            await first.subscribe("account.balanceUpdate", signature=signature)
            async with served.client() as second:
                frame = {"method": "SUBSCRIBE", "params": [OWN], "signature": signature}
                await second.say(frame)
                error = await second.error()
                assert error["message"] == "the signature was used on another connection"
        while served.endpoint.connections:
            await asyncio.sleep(0.01)
        async with served.client() as third:
            await third.say({"method": "SUBSCRIBE", "params": [OWN], "signature": signature})
            assert (await third.error())["code"] == 4002

    in_loop(story)


async def _name(client: Any) -> str:
    await client.say({"method": "CONNECTION"})
    found: str = json.loads(await client.socket.recv())["connection"]
    return found


def test_a_signature_that_names_streams_and_connection_is_good_for_nothing_else() -> None:
    """S09 and S25: it names the market too."""

    async def story(served: Served) -> None:
        async with served.client() as first, served.client() as second:
            name, other = await _name(first), await _name(second)
            assert name != other
            bound = f"&connection={name}&market=m&streams={OWN}"
            for client, streams, text in (
                (second, [OWN], bound),
                (first, [OWN, "account.balanceUpdate"], bound),
                (first, [OWN], bound.replace("=m&", "=other&")),
            ):
                frame = {"method": "SUBSCRIBE", "params": streams}
                await client.say(frame | {"signature": served.sign(ANN, bound=text)})
                assert (await client.error())["message"] == "Invalid signature"
            await first.subscribe(OWN, signature=served.sign(ANN, bound=bound))

    in_loop(story)


class Desk:
    """A served market, its operator, and a user whose socket listens."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.operator = Staff(service, OPERATOR)
        self.user = key_of("user")
        proof = self.operator.proof(self.user, "user", "new")
        body = {"publicKey": self.user.public, "proof": proof}
        self.account = self.operator.post_digest("/solvent/v1/admin/accounts", "adminOpen", body)

    @contextmanager
    def listening(self, key: Key, stream: str) -> Iterator[ClientConnection]:
        """A socket that subscribed with a key."""
        frame = {"method": "SUBSCRIBE", "params": [stream]}
        frame["signature"] = Staff(self.service, key).subscription()
        with connect(self.service.streams, ping_interval=None) as found:
            found.send(json.dumps(frame))
            drain(found)
            yield found

    def deposit(self, quantity: str) -> None:
        """The funder brings USDC for the user's account."""
        fields = {"account": self.account["account"], "symbol": "USDC", "quantity": quantity}
        Staff(self.service, FUNDER).post("/solvent/v1/admin/deposits", "adminDeposit", fields)


def drain(socket: ClientConnection) -> None:
    """Read all that was told before a question."""
    socket.send(json.dumps({"method": "CONNECTION"}))
    while "connection" not in json.loads(socket.recv(PATIENCE)):
        pass


def hear_until(socket: ClientConnection, available: str) -> None:
    """Read balances up to the one that says what is available, and those told with it."""
    while json.loads(socket.recv(PATIENCE))["data"]["A"] != available:
        pass
    drain(socket)


def heard_to_the_end(socket: ClientConnection) -> list[str | bytes]:
    """All that is read up to the end of a connection."""
    found: list[str | bytes] = []
    with suppress(ConnectionClosed):
        while True:
            found.append(socket.recv(PATIENCE))
    return found


def ended(socket: ClientConnection) -> tuple[int | None, str | None]:
    """Read to the end of a connection; why it ended."""
    heard_to_the_end(socket)
    return socket.close_code, socket.close_reason


@pytest.mark.parametrize("how", ["removed", "rotated"])
def test_a_key_that_acts_no_more_is_cut_at_once(tmp_path: Path, how: str) -> None:
    """S09: before whoever removed it is answered; other listeners stay, and staff are told."""
    with ExitStack() as stack:
        desk = Desk(stack.enter_context(serving(tmp_path)))
        service = desk.service
        cut = stack.enter_context(desk.listening(desk.user, OWN))
        stays = stack.enter_context(desk.listening(OPERATOR, "audit"))
        if how == "removed":
            body = {"publicKey": desk.user.public}
            desk.operator.post_digest("/solvent/v1/admin/keys", "adminKeyRemove", body, "DELETE")
        else:
            new = key_of("user's next")
            proof = desk.operator.proof(new, Role.USER, desk.account["account"])
            body = {"publicKey": new.public, "proof": proof}
            user = Staff(service, desk.user)
            user.post_digest("/solvent/v1/keys/rotation", "keyRotate", body)
        assert ended(cut) == CUT
        entry = json.loads(stays.recv(PATIENCE))["data"]
        assert entry["act"] == ("RemoveKey" if how == "removed" else "RotateKey")
        assert entry["outcome"] == "done"


def test_nothing_private_is_told_after_the_removal_is_answered(tmp_path: Path) -> None:
    """S09: on no connection of that key; another key of the same account hears on."""
    with ExitStack() as stack:
        desk = Desk(stack.enter_context(serving(tmp_path)))
        other, account = key_of("user's other"), desk.account["account"]
        proof = desk.operator.proof(other, "user", account)
        body = {"publicKey": other.public, "role": "user", "account": account, "proof": proof}
        desk.operator.post_digest("/solvent/v1/admin/keys", "adminKey", body)
        cut = [stack.enter_context(desk.listening(desk.user, BALANCES)) for _ in range(3)]
        stays = stack.enter_context(desk.listening(other, BALANCES))
        desk.deposit("3")
        for socket in (*cut, stays):  # what the account's opening tells may come late, before it
            hear_until(socket, "3")
        body = {"publicKey": desk.user.public}
        desk.operator.post_digest("/solvent/v1/admin/keys", "adminKeyRemove", body, "DELETE")
        desk.deposit("5")
        hear_until(stays, "8")
        for socket in cut:
            assert heard_to_the_end(socket) == []
            assert (socket.close_code, socket.close_reason) == CUT
        signature = Staff(desk.service, desk.user).subscription()
        with connect(desk.service.streams) as late:
            frame = {"method": "SUBSCRIBE", "params": [BALANCES], "signature": signature}
            late.send(json.dumps(frame))
            assert json.loads(late.recv(PATIENCE))["error"]["code"] == 4002


@pytest.mark.parametrize(("key", "stream"), [(FUNDER, OWN), (None, "audit")])
def test_streams_are_for_those_whose_they_are(tmp_path: Path, key: Key | None, stream: str) -> None:
    with serving(tmp_path) as service:
        desk = Desk(service)
        with connect(service.streams) as socket:
            signature = Staff(service, key or desk.user).subscription()
            frame = {"method": "SUBSCRIBE", "params": [stream], "signature": signature}
            socket.send(json.dumps(frame))
            assert json.loads(socket.recv(PATIENCE))["error"]["code"] == 4002
