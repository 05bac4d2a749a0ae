"""Who may do what: every endpoint as every role, against a table written by hand.

Whoever may, reaches the endpoint; whoever may not is told so with the published code, and neither
the market nor its journal is touched. An endpoint without a row fails. Besides the roles there is
nobody (`-`): no signature, a key that was never let in, a key that was taken out again.

    x   may
    o   may, with a key that has an account to read
    .   may not
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from solvent.service.api.endpoints import Endpoint
from solvent.service.api.front import Front
from solvent.service.core.keys import Role, parse_public_key
from solvent.service.core.node import Demo
from solvent.service.edge.crew import behind
from solvent.service.errors import ApiError
from solvent.service.listening import Address, free_address
from solvent.service.routes.all import ENDPOINTS
from solvent.service.serve import application
from tests.proof import proves
from tests.service.api.examples import EXAMPLES, LISTS
from tests.service.harness import RICH, Client, House, endless, opened
from tests.service.players import Still

TABLE = """
                                                  - user blp oracle risk operator funder auditor
POST   /api/v1/borrowLend                         .  x    x    .     .      .       .       .
GET    /api/v1/borrowLend/positions               .  x    x    .     .      .       .       o
GET    /api/v1/borrowLend/position/liquidationPrice . x   x    .     .      .       .       o
GET    /api/v1/borrowLend/markets                 x  x    x    x     x      x       x       x
GET    /api/v1/borrowLend/markets/history         x  x    x    x     x      x       x       x
GET    /api/v1/borrowLend/apy                     x  x    x    x     x      x       x       x
GET    /api/v1/account                            .  x    x    .     .      .       .       o
PATCH  /api/v1/account                            .  x    x    .     .      .       .       .
GET    /api/v1/account/limits/borrow              .  x    x    .     .      .       .       o
GET    /api/v1/account/limits/order               .  x    x    .     .      .       .       o
GET    /api/v1/account/limits/withdrawal          .  x    x    .     .      .       .       o
POST   /api/v1/account/convertDust                .  x    x    .     .      .       .       .
GET    /api/v1/capital                            .  x    x    .     .      .       .       o
GET    /api/v1/capital/collateral                 .  x    x    .     .      .       .       o
GET    /wapi/v1/capital/deposits                  .  x    x    .     .      .       .       o
GET    /wapi/v1/capital/deposit/address           .  x    x    .     .      .       .       o
GET    /wapi/v1/capital/withdrawals               .  x    x    .     .      .       .       o
POST   /wapi/v1/capital/withdrawals               .  x    x    .     .      .       .       .
GET    /wapi/v1/capital/withdrawals/delay         .  x    x    .     .      .       .       x
POST   /wapi/v1/capital/withdrawals/delay         .  x    x    .     .      .       .       .
PATCH  /wapi/v1/capital/withdrawals/delay         .  x    x    .     .      .       .       .
GET    /api/v1/assets                             x  x    x    x     x      x       x       x
GET    /api/v1/collateral                         x  x    x    x     x      x       x       x
GET    /api/v1/markets                            x  x    x    x     x      x       x       x
GET    /api/v1/market                             x  x    x    x     x      x       x       x
GET    /api/v1/ticker                             x  x    x    x     x      x       x       x
GET    /api/v1/tickers                            x  x    x    x     x      x       x       x
GET    /api/v1/depth                              x  x    x    x     x      x       x       x
GET    /api/v1/klines                             x  x    x    x     x      x       x       x
GET    /api/v1/markPrices                         x  x    x    x     x      x       x       x
GET    /api/v1/openInterest                       x  x    x    x     x      x       x       x
GET    /api/v1/fundingRates                       x  x    x    x     x      x       x       x
GET    /api/v1/trades                             x  x    x    x     x      x       x       x
GET    /api/v1/trades/history                     x  x    x    x     x      x       x       x
GET    /api/v1/securities                         x  x    x    x     x      x       x       x
GET    /api/v1/market-sessions                    x  x    x    x     x      x       x       x
GET    /api/v1/order                              .  x    x    .     .      .       .       o
POST   /api/v1/order                              .  x    x    .     .      .       .       .
DELETE /api/v1/order                              .  x    x    .     .      .       .       .
POST   /api/v1/orders                             .  x    x    .     .      .       .       .
GET    /api/v1/orders                             .  x    x    .     .      .       .       o
DELETE /api/v1/orders                             .  x    x    .     .      .       .       .
GET    /api/v1/position                           .  x    x    .     .      .       .       x
GET    /api/v1/status                             x  x    x    x     x      x       x       x
GET    /api/v1/ping                               x  x    x    x     x      x       x       x
GET    /api/v1/time                               x  x    x    x     x      x       x       x
GET    /api/v1/wallets                            x  x    x    x     x      x       x       x
GET    /wapi/v1/history/borrowLend                .  x    x    .     .      .       .       o
GET    /wapi/v1/history/borrowLend/positions      .  x    x    .     .      .       .       o
GET    /wapi/v1/history/interest                  .  x    x    .     .      .       .       o
GET    /wapi/v1/history/settlement                .  x    x    .     .      .       .       o
GET    /wapi/v1/history/dust                      .  x    x    .     .      .       .       o
GET    /wapi/v1/history/orders                    .  x    x    .     .      .       .       o
GET    /wapi/v1/history/fills                     .  x    x    .     .      .       .       o
GET    /wapi/v1/history/position                  .  x    x    .     .      .       .       x
GET    /wapi/v1/history/funding                   .  x    x    .     .      .       .       x
POST   /solvent/v1/batch                          .  x    x    .     .      .       .       .
GET    /solvent/v1/limits                         .  x    x    .     .      .       .       o
GET    /solvent/v1/limits/order                   .  x    x    .     .      .       .       o
GET    /solvent/v1/limits/order/ahead             .  x    x    .     .      .       .       o
GET    /solvent/v1/forecast                       .  x    x    .     .      .       .       o
GET    /solvent/v1/waterfall                      x  x    x    x     x      x       x       x
GET    /solvent/v1/pools                          x  x    x    x     x      x       x       x
GET    /solvent/v1/solvency                       x  x    x    x     x      x       x       x
GET    /solvent/v1/receipts                       .  x    x    .     .      .       .       x
GET    /solvent/v1/certificates                   x  x    x    x     x      x       x       x
POST   /solvent/v1/certificates                   .  .    .    .     .      x       .       x
GET    /solvent/v1/certificates/proof             .  x    x    .     .      .       .       o
GET    /solvent/v1/forecast/rounds                .  x    x    .     .      .       .       o
GET    /solvent/v1/forecast/pools                 x  x    x    x     x      x       x       x
GET    /solvent/v1/what-if                        .  .    .    .     x      x       .       x
GET    /solvent/v1/what-if/curve                  .  .    .    .     x      x       .       x
GET    /solvent/v1/watch/accounts                 .  .    .    .     x      x       .       x
GET    /solvent/v1/watch/account                  .  x    x    .     x      x       .       x
GET    /solvent/v1/watch/concentration            .  .    .    .     x      x       .       x
GET    /solvent/v1/watch/cover                    .  .    .    .     x      x       .       x
GET    /solvent/v1/oracle                         x  x    x    x     x      x       x       x
GET    /solvent/v1/replay                         x  x    x    x     x      x       x       x
POST   /solvent/v1/admin/replay                   .  .    .    .     .      x       .       .
GET    /solvent/v1/replay/past                    x  x    x    x     x      x       x       x
GET    /solvent/v1/replay/past/account            .  x    x    .     x      x       .       x
GET    /solvent/v1/replay/past/book               x  x    x    x     x      x       x       x
GET    /solvent/v1/replay/report                  x  x    x    x     x      x       x       x
GET    /solvent/v1/risk/rehearsal                 .  .    .    .     x      x       .       x
GET    /solvent/v1/backstop                       .  .    x    .     .      .       .       .
POST   /solvent/v1/backstop                       .  .    x    .     .      .       .       .
DELETE /solvent/v1/backstop                       .  .    x    .     .      .       .       .
GET    /solvent/v1/standby                        .  x    x    .     .      .       .       .
POST   /solvent/v1/standby                        .  x    x    .     .      .       .       .
DELETE /solvent/v1/standby                        .  x    x    .     .      .       .       .
GET    /solvent/v1/standby/history                .  x    x    .     .      .       .       o
GET    /solvent/v1/waterfall/bridge               x  x    x    x     x      x       x       x
GET    /solvent/v1/waterfall/capacity             x  x    x    x     x      x       x       x
POST   /solvent/v1/oracle/prices                  .  .    .    x     .      .       .       .
POST   /solvent/v1/oracle/halt                    .  .    .    x     .      .       .       .
POST   /solvent/v1/risk/proposals                 .  .    .    .     x      .       .       .
POST   /solvent/v1/proposals/approvals            .  .    .    .     x      x       x       .
POST   /solvent/v1/proposals/rejections           .  .    .    .     x      x       x       .
GET    /solvent/v1/proposals                      .  .    .    .     x      x       x       x
POST   /solvent/v1/admin/accounts                 .  .    .    .     .      x       .       .
GET    /solvent/v1/admin/keys                     .  .    .    .     x      x       x       x
POST   /solvent/v1/admin/keys                     .  .    .    .     .      x       .       .
DELETE /solvent/v1/admin/keys                     .  .    .    .     .      x       .       .
POST   /solvent/v1/admin/deposits                 .  .    .    .     .      .       x       .
POST   /solvent/v1/admin/fees                     .  .    .    .     .      x       .       .
POST   /solvent/v1/keys/rotation                  .  x    x    x     x      x       x       x
POST   /solvent/v1/demo/accounts                  x  x    x    x     x      x       x       x
POST   /solvent/v1/demo/deposits                  .  x    x    .     .      .       .       .
GET    /solvent/v1/audit                          .  .    .    .     x      x       x       x
GET    /solvent/v1/identity                       x  x    x    x     x      x       x       x
GET    /solvent/v1/health                         x  x    x    x     x      x       x       x
GET    /solvent/v1/ready                          x  x    x    x     x      x       x       x
GET    /solvent/v1/cluster                        x  x    x    x     x      x       x       x
GET    /solvent/v1/metrics                        x  x    x    x     x      x       x       x
GET    /openapi.json                              x  x    x    x     x      x       x       x
GET    /docs                                      x  x    x    x     x      x       x       x
GET    /                                          x  x    x    x     x      x       x       x
"""
REFUSED_IN_SUBSTANCE = {
    "POST /wapi/v1/capital/withdrawals/delay": "NOT_IMPLEMENTED",
    "PATCH /wapi/v1/capital/withdrawals/delay": "NOT_IMPLEMENTED",
    "POST /api/v1/account/convertDust": "INVALID_QUANTITY",
    "GET /api/v1/order": "RESOURCE_NOT_FOUND",
    "DELETE /api/v1/order": "RESOURCE_NOT_FOUND",
    "POST /solvent/v1/admin/fees": "INSUFFICIENT_FUNDS",
    "POST /solvent/v1/keys/rotation": "PRECONDITION_FAILED",
    "POST /solvent/v1/demo/accounts": "PRECONDITION_FAILED",
}
"""What those who may are told, where it is not yes: no such order, dust or fee, a key in use."""
NOBODY = "-"
ROLES = TABLE.split("\n")[1].split()
KEYS = {
    "user": "ann",
    "blp": "zoe",
    "oracle": "oracle",
    "risk": "risk-2",
    "operator": "operator",
    "funder": "funder",
    "auditor": "auditor",
}
"""Whose key stands for a role."""
NOBODIES = ("stranger", "former")
READER = "reader"
"""An auditor whose key has ann's account to read."""


class Row(NamedTuple):
    """What the table says about an endpoint, by role."""

    method: str
    path: str
    marks: dict[str, str]


def rows() -> list[Row]:
    """The table."""
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        method, path, *marks = line.split()
        assert set(marks) <= {"x", "o", "."}, line
        found.append(Row(method, path, dict(zip(ROLES, marks, strict=True))))
    return found


ROWS = {(row.method, row.path): row.marks for row in rows()}


async def _change(house: House) -> httpx.Response:
    value = house.node.sequencer.journal.sequence
    change = {"symbol": "BTC", "field": "POOL_FEE", "value": value}
    risk = house.client("risk")
    return await risk.send("POST", "/solvent/v1/risk/proposals", "riskPropose", **change)


async def _key(house: House) -> httpx.Response:
    new = house.client(f"auditor {house.node.sequencer.journal.sequence}")
    fields = {"role": "auditor", "publicKey": new.public, "proof": house.proof(new, "auditor")}
    operator = house.client("operator-2")
    return await operator.send_digest("/solvent/v1/admin/keys", "adminKey", fields)


async def _money(house: House) -> httpx.Response:
    quantity = 2 * RICH + house.node.sequencer.journal.sequence
    fields = {"account": 2, "symbol": "USDC", "quantity": str(quantity)}
    funder = house.client("funder-2")
    return await funder.send("POST", "/solvent/v1/admin/deposits", "adminDeposit", **fields)


PROPOSERS = {"risk-2": _change, "operator": _key, "funder": _money}
"""What is proposed to whom; all of it twice, to be approved and to be rejected."""


class Town:
    """A house where somebody is of each role, on a loop of its own, maybe behind gateways."""

    def __init__(self, folder: Path, gateways: int) -> None:
        self.runner = asyncio.Runner()
        self.house: House = self.runner.run(opened(folder))
        self._stack = AsyncExitStack()
        if gateways:
            self.runner.run(self._move(gateways))
        self.runner.run(self._people())
        self.attachments = self.runner.run(self.house.attached())

    def close(self) -> None:
        """End in order."""
        self.runner.run(self.house.http.aclose())
        self.runner.run(self._stack.aclose())
        self.runner.run(self.house.node.close())
        self.runner.close()

    async def _move(self, gateways: int) -> None:
        """Let whoever asks from now on ask gateways."""
        house, buckets = self.house, endless()
        address, front = free_address(Address("127.0.0.1", 0)), Front(hosts={"127.0.0.1"})
        app = application(house.node, buckets, front)
        await self._stack.enter_async_context(
            behind(gateways, house.node, app, buckets, address, front)
        )
        await house.http.aclose()
        url = f"http://127.0.0.1:{address.port}"
        http = httpx.AsyncClient(base_url=url, timeout=30, trust_env=False)
        self.house = House(house.node, http)

    async def _people(self) -> None:
        house = self.house
        house.node.demo = Demo(Still())
        await house.start()
        zoe = house.client("zoe")
        await house.open(zoe, "blp")
        await house.give(zoe, USDC="100000", SOL="100", BTC="1")
        former = house.client("former")
        await house.open(former)
        body = {"publicKey": former.public}
        path = "/solvent/v1/admin/keys"
        reply = await house.operator.send_digest(path, "adminKeyRemove", body, method="DELETE")
        assert reply.json() == {"state": "made"}
        await house.admit(house.client(READER), Role.AUDITOR, house.accounts[house.ann.public])
        await house.admit(house.client("funder-2"), Role.FUNDER, -1)
        for number in range(0, 2 * len(PROPOSERS), len(PROPOSERS)):
            for place, propose in enumerate(PROPOSERS.values(), 1):
                reply = await propose(house)
                assert reply.json() == {"state": "waiting", "proposal": number + place}

    @property
    def state(self) -> tuple[str, int, bytes]:
        """All that a request could change: engine, journal, keys, proposals and answers."""
        node = self.house.node
        return (
            node.market.engine.state_hash(),
            node.sequencer.journal.sequence,
            node.market.save(),
        )

    def ask(self, endpoint: Endpoint, who: str | None) -> httpx.Response:
        """A request that is good but for who sends it; without a signature from nobody."""
        reply = self.runner.run(self._ask(endpoint, who))
        self.attachments = self.runner.run(self.house.attached())
        return reply

    async def _ask(self, endpoint: Endpoint, who: str | None) -> httpx.Response:
        client = self.house.client(who) if who else _Unsigned(self.house.http)
        fields = self._fields(endpoint, client, who)
        instruction = endpoint.instruction or "none"
        if endpoint.is_batch:
            return await client.send_list(endpoint.path, instruction, [fields])
        if endpoint.method == "GET":
            return await client.get(endpoint.path, instruction, **fields)
        if endpoint.signs_digest:
            return await client.send_digest(
                endpoint.path, instruction, fields, method=endpoint.method
            )
        return await client.send(endpoint.method, endpoint.path, instruction, **fields)

    def _fields(self, endpoint: Endpoint, client: Client, who: str | None) -> dict[str, Any]:
        if endpoint.path in LISTS:
            _, name, items = LISTS[endpoint.path]
            return {name: items}
        fields = dict(EXAMPLES[endpoint.method, endpoint.path].fields)
        if endpoint.path.endswith("rotation"):
            # Nobody's key is changed here: one that is in use is refused, after all else was right.
            used = self.house.client("operator-2")
            held = self.house.node.market.keys.find(parse_public_key(client.public))
            role, account = (held.role, held.account) if held else ("user", -1)
            return {"publicKey": used.public, "proof": self.house.proof(used, role, account)}
        if endpoint.path.endswith("demo/accounts"):
            used = self.house.client("operator-2")
            return {"publicKey": used.public, "proof": self.house.proof(used, "user", "new")}
        if "proposal" in fields and who in PROPOSERS:
            after = len(PROPOSERS) if endpoint.path.endswith("rejections") else 0
            fields["proposal"] = list(PROPOSERS).index(who) + 1 + after
        return self.house.filled(fields, endpoint.path, client)


class _Unsigned(Client):
    """Says who it is and signs nothing."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__(http, "operator")

    def _signature(self, *_: Any, **__: Any) -> dict[str, str]:
        return {}


@pytest.fixture(
    scope="module", params=[0, pytest.param(2, marks=pytest.mark.slow)], ids=["alone", "gateways"]
)
def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """One house for all rows."""
    town = Town(tmp_path_factory.mktemp("town"), request.param)
    yield town
    town.close()


def test_the_table_has_every_endpoint_and_no_other() -> None:
    assert set(ROWS) == {(each.method, each.path) for each in ENDPOINTS}
    assert len(ROWS) == len(rows()) == len(ENDPOINTS)
    assert len(KEYS) == len(Role) == len(ROLES) - 1


@proves("I37")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.method} {each.path}")
def test_an_endpoint_is_open_to_those_it_is_for(town: Town, endpoint: Endpoint) -> None:
    marks = ROWS[endpoint.method, endpoint.path]
    before = town.state
    for who, status, code in _refused(marks):
        reply = town.ask(endpoint, who)
        assert (reply.status_code, reply.json()["code"]) == (status, code), (who, reply.text)
        assert town.state == before, who
    attachments = town.attachments
    said = REFUSED_IN_SUBSTANCE.get(f"{endpoint.method} {endpoint.path}")
    allowed = list(_allowed(marks))
    for one in allowed:
        reply = town.ask(endpoint, one)
        if said is None:
            assert reply.status_code in (200, 204), (one, reply.text)
        else:
            assert (reply.status_code // 100, reply.json()["code"]) == (4, said), one
    if not endpoint.mutates:
        assert town.state == before, "who only reads changed something"
    else:
        assert town.state[1] == before[1] + len(allowed) + town.attachments - attachments


def _refused(marks: dict[str, str]) -> Iterator[tuple[str | None, int, str]]:
    """Who is refused, and how."""
    if marks[NOBODY] == ".":
        for who in (None, *NOBODIES):
            yield who, 401, "UNAUTHORIZED"
    for role, key in KEYS.items():
        if marks[role] != "x":
            yield key, 403, "FORBIDDEN"
    if marks["auditor"] == "." or marks["user"] == ".":
        yield READER, 403, "FORBIDDEN"


def _allowed(marks: dict[str, str]) -> Iterator[str | None]:
    """Who is let in."""
    if marks[NOBODY] == "x":
        yield from (None, *NOBODIES)
    yield from (key for role, key in KEYS.items() if marks[role] == "x")
    if marks["auditor"] != "." and marks["user"] != ".":
        yield READER


@pytest.mark.parametrize("who", [*KEYS.values(), *NOBODIES, READER])
def test_an_accounts_own_streams_are_its_traders(town: Town, who: str) -> None:
    signature = list(town.house.client(who).headers("subscribe", {}).values())
    if who in (KEYS["user"], KEYS["blp"]):
        found = town.house.node.authenticate(signature, ["account.orderUpdate"]).principal
        assert found.account == town.house.accounts[town.house.client(who).public]
    else:
        with pytest.raises(ApiError) as caught:
            town.house.node.authenticate(signature, ["account.orderUpdate"])
        assert caught.value.code == ("UNAUTHORIZED" if who in NOBODIES else "FORBIDDEN")


def test_an_auditor_reads_the_account_of_his_key_and_no_other(town: Town) -> None:
    endpoint = next(each for each in ENDPOINTS if each.path == "/api/v1/capital")
    seen = town.ask(endpoint, READER).json()
    assert seen == town.ask(endpoint, "ann").json()
    assert seen != town.ask(endpoint, "zoe").json()


@pytest.mark.parametrize(
    ("role", "account", "words"),
    [
        ("auditor", 99, "one that was opened"),
        ("auditor", 1, "one that was opened"),
        ("user", None, "needs an account"),
        ("user", 0, "one that was opened"),
        ("oracle", 2, "has no account"),
        ("operator", 2, "has no account"),
    ],
)
def test_a_key_is_let_in_for_an_account_that_is_open_or_for_none(
    town: Town, role: str, account: int | None, words: str
) -> None:
    keys = town.house.node.market.keys
    before = town.state[0], keys.encode()
    other = town.house.client("other")
    proof = town.house.proof(other, role, -1 if account is None else account)
    fields: dict[str, Any] = {"role": role, "publicKey": other.public, "proof": proof}
    if account is not None:
        fields["account"] = account
    reply = town.runner.run(
        town.house.operator.send_digest("/solvent/v1/admin/keys", "adminKey", fields)
    )
    assert (reply.status_code, reply.json()["code"]) == (400, "INVALID_CLIENT_REQUEST")
    assert words in reply.json()["message"]
    assert (town.state[0], keys.encode()) == before
