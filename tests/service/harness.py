"""A node in a folder of its own, and clients that sign: the service without a socket."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from nacl.signing import SigningKey

from solvent.domain import commands as c
from solvent.domain.decimals import Units
from solvent.domain.engine_face import EngineFactory
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import PRICE_SCALE
from solvent.engine.engine import FastEngine
from solvent.service.api.buckets import RATES, Buckets, Rate
from solvent.service.authority.acts import AdmitKey, ChangeParameter, encode_act
from solvent.service.authority.model import HOUSE, Terms
from solvent.service.authority.possession import possession_text
from solvent.service.core.keys import Role, parse_public_key
from solvent.service.core.node import Node, wall_clock
from solvent.service.core.opening import Start, open_node
from solvent.service.core.records import Record, RecordKind
from solvent.service.serve import application
from tests.tables.market import plain_parameters

Done = TypeVar("Done")
RICH = 10**9
"""What the funder may book in an hour, USDC."""
PRICES = {"BTC": 100_000, "SOL": 200}


class Client:
    """Signs requests with a key of its own, drawn from its name."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http = http
        self.signing = SigningKey(name.encode().ljust(32, b".")[:32])
        self.public = base64.b64encode(bytes(self.signing.verify_key)).decode()

    def headers(
        self, instruction: str, fields: dict[str, Any], now: int | None = None, window: int = 5000
    ) -> dict[str, str]:
        """The four headers of a signed request."""
        words = [f"instruction={instruction}"]
        words += [f"{name}={_signed(fields[name])}" for name in sorted(fields)]
        return self._signature("&".join(words), now, window)

    def _signature(self, text: str, now: int | None = None, window: int = 5000) -> dict[str, str]:
        stamp = wall_clock() // 1000 if now is None else now
        signed = self.signing.sign(f"{text}&timestamp={stamp}&window={window}".encode())
        return {
            "X-API-Key": self.public,
            "X-Signature": base64.b64encode(signed.signature).decode(),
            "X-Timestamp": str(stamp),
            "X-Window": str(window),
        }

    def signed(self, text: str) -> str:
        """The signature of a text."""
        return base64.b64encode(self.signing.sign(text.encode()).signature).decode()

    async def get(self, path: str, instruction: str, **fields: Any) -> httpx.Response:
        """A signed GET."""
        return await self.http.get(path, params=fields, headers=self.headers(instruction, fields))

    async def send(self, method: str, path: str, instruction: str, **fields: Any) -> httpx.Response:
        """A signed request with a JSON body."""
        return await self.http.request(
            method, path, json=fields, headers=self.headers(instruction, fields)
        )

    async def send_list(
        self, path: str, instruction: str, items: list[dict[str, Any]]
    ) -> httpx.Response:
        """A signed batch of orders."""
        pieces = [
            "&".join(
                [f"instruction={instruction}"]
                + [f"{name}={_signed(item[name])}" for name in sorted(item)]
            )
            for item in items
        ]
        headers = self._signature("&".join(pieces))
        return await self.http.post(path, json=items, headers=headers)

    async def send_digest(
        self, path: str, instruction: str, body: Any, *, method: str = "POST"
    ) -> httpx.Response:
        """A request of which the body's digest is signed."""
        raw = json.dumps(body).encode()
        fields = {"sha256": hashlib.sha256(raw).hexdigest()}
        headers = self.headers(instruction, fields) | {"content-type": "application/json"}
        return await self.http.request(method, path, content=raw, headers=headers)


def _signed(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class House:
    """A running node with prices, and people who have something."""

    def __init__(self, node: Node, http: httpx.AsyncClient) -> None:
        self.node = node
        self.http = http
        self.operator = Client(http, "operator")
        self.funder = Client(http, "funder")
        self.ann = Client(http, "ann")
        self.bob = Client(http, "bob")
        self.accounts: dict[str, int] = {}

    async def start(self) -> None:
        """Add keys, prices and people."""
        await self.admit(self.operator, Role.OPERATOR, -1)
        for name, role in (
            ("oracle", Role.ORACLE),
            ("risk", Role.RISK_ADMIN),
            ("risk-2", Role.RISK_ADMIN),
            ("auditor", Role.AUDITOR),
            ("operator-2", Role.OPERATOR),
            ("leaver", Role.AUDITOR),
            ("roy", Role.AUDITOR),
            ("funder", Role.FUNDER),
        ):
            await self.admit(Client(self.http, name), role, -1)
        await self.quote()
        await self.node.step_to(wall_clock())
        for client in (self.ann, self.bob):
            await self.open(client)
        await self.give(self.ann, USDC="1000000", SOL="1000", BTC="10")
        await self.give(self.bob, USDC="1000000", SOL="1000", BTC="10")

    async def quote(self, **prices: int) -> None:
        """Quotes of all sources."""
        for symbol, price in (PRICES | prices).items():
            asset = Units(self.node.market.parameters).number(symbol)
            for source in range(
                len(self.node.market.parameters.assets[asset].price.source_weights)
            ):
                await self.node.command(
                    c.UpdatePrice(
                        asset, source, price * PRICE_SCALE, price * PRICE_SCALE, price * PRICE_SCALE
                    )
                )

    async def admit(self, client: Client, role: Role, account: int) -> None:
        """Let a key act."""
        body = encode_act(AdmitKey(parse_public_key(client.public), role, account))
        record = Record(RecordKind.ACT, wall_clock(), body=body, actor=HOUSE)
        answer = await self.node.submit(record)
        assert answer.status == 200, answer.body

    def proof(self, client: Client, role: str, account: int | str = -1) -> str:
        """A new key's proof that its owner has it."""
        text = possession_text(self.node.market.identity, client.public, Role(role), account)
        return base64.b64encode(client.signing.sign(text).signature).decode()

    def filled(self, fields: dict[str, Any], path: str, signer: Client) -> dict[str, Any]:
        """The fields of an example, with a new key and its proof where the example says so."""
        found = dict(fields)
        if found.get("account") == "OWN":
            held = self.node.market.keys.find(parse_public_key(signer.public))
            found["account"] = str(held.account if held and held.account >= 0 else 2)
        if found.get("publicKey") == "LEAVER":
            found["publicKey"] = self.client("leaver").public
        if found.get("publicKey") == "KEY":
            new = self.client(f"new {path}")
            found["publicKey"] = new.public
            role, account = found.get("role", "user"), found.get("account", -1)
            if path.endswith("accounts"):
                account = "new"
            elif path.endswith("rotation"):
                held = self.node.market.keys.find(parse_public_key(signer.public))
                role, account = (held.role, held.account) if held else ("user", -1)
            found["proof"] = self.proof(new, role, account)
        return found

    async def open(self, client: Client, role: str = "user") -> int:
        """Open an account for a client, through the API."""
        reply = await self.operator.send_digest(
            "/solvent/v1/admin/accounts",
            "adminOpen",
            {"publicKey": client.public, "role": role, "proof": self.proof(client, role, "new")},
        )
        assert reply.status_code == 200, reply.text
        account = reply.json()["account"]
        self.accounts[client.public] = account
        return int(account)

    async def give(self, client: Client, **quantities: str) -> None:
        """Deposit for a client, through the API."""
        for symbol, quantity in quantities.items():
            reply = await self.funder.send(
                "POST",
                "/solvent/v1/admin/deposits",
                "adminDeposit",
                account=self.accounts[client.public],
                symbol=symbol,
                quantity=quantity,
            )
            assert reply.status_code == 200, reply.text

    async def attached(self) -> int:
        """How many records the service added of its own, once every change has those it gets."""
        desk = self.node.market.desk
        while any(
            isinstance(each.decoded, ChangeParameter)
            and (desk.lacks_rehearsal(each.number) or (each.state == "made" and not each.effect))
            for each in desk.all()
        ):
            await asyncio.sleep(0.02)
        return sum(entry.act.startswith("Attach") for entry in desk.audit.latest)

    def client(self, name: str) -> Client:
        """Another client."""
        return Client(self.http, name)


async def opened(
    folder: Path,
    parameters: EngineParameters | None = None,
    engines: EngineFactory = FastEngine,
    views_url: str | None = None,
) -> House:
    """A house in a folder, new or as it was left."""
    start = Start(parameters or plain_parameters(), Terms(2, 0, RICH))
    node = open_node(folder, start, engines=engines, views_url=views_url)
    await node.start(keeps_time=False)
    transport = httpx.ASGITransport(app=application(node, endless()), client=("127.0.0.1", 1))
    return House(node, httpx.AsyncClient(transport=transport, base_url="http://node"))


def endless() -> Buckets:
    """Buckets that are never empty."""
    return Buckets(dict.fromkeys(RATES, Rate(10**9, 10**9)))


def with_house(folder: Path, story: Callable[[House], Awaitable[Done]]) -> Done:
    """Run a story in a new house and close it in order."""

    async def run() -> Done:
        house = await opened(folder)
        try:
            await house.start()
            return await story(house)
        finally:
            await house.http.aclose()
            await house.node.close()

    return asyncio.run(run())
