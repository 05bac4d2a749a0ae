"""The service: signed requests a second on one core, from the ASGI call to the durable answer.

One process, no socket: what a request costs here is the service's own work, its journal's sync
included. Clients sign before the clock starts. Orders come one a request, with so many in flight;
batches come with a hundred commands under one signature. The limit beside both is the check of the
signatures alone, in the same run.
"""

import asyncio
import base64
import hashlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from nacl.signing import SigningKey

from solvent.benches.market import PRICES, market
from solvent.benches.measure import WrongAnswerError
from solvent.benches.rows import AT_LEAST, Row, Target, of
from solvent.domain.commands import Deposit, OpenAccount, UpdatePrice
from solvent.domain.units import PRICE_SCALE
from solvent.service.buckets import Buckets, Rate
from solvent.service.desk import Desk, wall_clock
from solvent.service.http import App
from solvent.service.keys import Role, encode_addition
from solvent.service.opening import Start, open_desk
from solvent.service.records import Record, RecordKind
from solvent.service.serve import application

NAME = "service"
ACCOUNTS = 50
FIRST = 2
IN_FLIGHT = 64
PER_BATCH = 100
_OPEN = Rate(10**9, 10**9)


class Request(NamedTuple):
    """A signed request, ready to be sent."""

    path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    signed: bytes
    signature: bytes
    key: SigningKey


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Signed orders a second, and commands a second in signed batches."""
    orders, batches, times = (200, 10, 2) if quick else (12_000, 300, 3)
    yield from asyncio.run(_measure(orders, batches, times))


async def _measure(orders: int, batches: int, times: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        desk = open_desk(Path(folder) / "market", Start(market()))
        await desk.start(keeps_time=False)
        try:
            keys = await _admit(desk)
            app = application(desk, Buckets({"address": _OPEN, "key": _OPEN}))
            single = [await _rate(app, _orders(keys, orders)) for _ in range(times)]
            many = [await _rate(app, _batches(keys, batches)) for _ in range(times)]
            alone = [_checks(_orders(keys, orders)) for _ in range(times)]
        finally:
            await desk.close()
    limit = of("orders/s", alone)
    batched = of("commands/s", [value * PER_BATCH for value in many])
    return [
        Row(
            NAME,
            f"signed orders, one a request, {IN_FLIGHT} in flight",
            of("orders/s", single),
            "checks of their signatures alone",
            limit,
            Target(AT_LEAST, 6_000),
        ),
        Row(
            NAME,
            f"signed batches of {PER_BATCH} commands",
            batched,
            target=Target(AT_LEAST, 300_000),
        ),
    ]


async def _admit(desk: Desk) -> list[SigningKey]:
    """Accounts with means, keys that act for them, and prices."""
    parameters = desk.market.parameters
    sources = enumerate(parameters.assets)
    quotes = [
        UpdatePrice(asset, source, *[PRICES[asset]] * 3)
        for asset, about in sources
        if about.market
        for source in range(len(about.price.source_weights))
    ]
    await desk.command(*quotes)
    await desk.step_to(wall_clock())
    keys = []
    for number in range(ACCOUNTS):
        account = FIRST + number
        await desk.command(OpenAccount(account), Deposit(account, 0, 10**14))
        key = SigningKey(hashlib.sha256(b"bench %d" % number).digest())
        body = encode_addition(bytes(key.verify_key), Role.USER, account)
        await desk.submit(Record(RecordKind.KEY, wall_clock(), body=body))
        keys.append(key)
    return keys


def _orders(keys: Sequence[SigningKey], count: int) -> list[Request]:
    """Orders that find nothing to trade with and expire at once."""
    symbol = f"{market().assets[1].symbol}_USDC"
    found = []
    for number in range(count):
        key = keys[number % len(keys)]
        fields = {
            "orderType": "Limit",
            "price": str(PRICES[1] // PRICE_SCALE * 9 // 10),
            "quantity": "0.01",
            "side": "Bid",
            "symbol": symbol,
            "timeInForce": "IOC",
        }
        words = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
        found.append(_signed(key, "/api/v1/order", f"instruction=orderExecute{words}", fields))
    return found


def _batches(keys: Sequence[SigningKey], count: int) -> list[Request]:
    item = {"verb": "lend", "symbol": "USDC", "quantity": "1"}
    body = {"commands": [item] * PER_BATCH}
    digest = hashlib.sha256(msgspec.json.encode(body)).hexdigest()
    return [
        _signed(
            keys[number % len(keys)],
            "/solvent/v1/batch",
            f"instruction=batchExecute&sha256={digest}",
            body,
        )
        for number in range(count)
    ]


_OK = 200
_STAMPS = iter(range(10**9))
"""No two requests are the same, or the second would get the first one's answer."""


def _signed(key: SigningKey, path: str, text: str, body: dict[str, Any]) -> Request:
    window = 60_000 - next(_STAMPS) % 50_000
    stamp = wall_clock() // 1000
    signed = f"{text}&timestamp={stamp}&window={window}".encode()
    signature = key.sign(signed).signature
    headers = {
        "x-api-key": base64.b64encode(bytes(key.verify_key)).decode(),
        "x-signature": base64.b64encode(signature).decode(),
        "x-timestamp": str(stamp),
        "x-window": str(window),
        "content-type": "application/json",
    }
    return Request(
        path,
        [(name.encode(), value.encode()) for name, value in headers.items()],
        msgspec.json.encode(body),
        signed,
        signature,
        key,
    )


async def _rate(app: App, requests: Sequence[Request]) -> float:
    """Requests a second, so many at a time."""
    waiting = iter(requests)

    async def client() -> None:
        for request in waiting:
            await _send(app, request)

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
    return len(requests) / (time.perf_counter() - start)


async def _send(app: App, request: Request) -> None:
    said: dict[str, Any] = {}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        said.update(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": request.path,
        "query_string": b"",
        "headers": request.headers,
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    if said["status"] != _OK:
        raise WrongAnswerError(f"{request.path} was answered {said['body']!r}")


def _checks(requests: Sequence[Request]) -> float:
    """Signatures checked a second."""
    start = time.perf_counter()
    for request in requests:
        request.key.verify_key.verify(request.signed, request.signature)
    return len(requests) / (time.perf_counter() - start)
