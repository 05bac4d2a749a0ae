"""Signed requests for benches of the service: a market with accounts in it, and what they send.

Clients sign before the clock starts. Orders find nothing to trade with and expire at once, so that
the book is the same however many came; batches lend.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

import msgspec
from nacl.signing import SigningKey

from benches.common.market import PRICES, market
from solvent.domain.commands import (
    Command,
    Deposit,
    Lend,
    OpenAccount,
    TimeStep,
    UpdatePrice,
)
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.service.api.buckets import RATES, Buckets, Rate
from solvent.service.authority.acts import AdmitKey, encode_act
from solvent.service.authority.model import HOUSE
from solvent.service.core.keys import FIRST_ACCOUNT, Role
from solvent.service.core.node import Node, wall_clock
from solvent.service.core.records import Record, RecordKind, commands_record

ACCOUNTS = 50
PER_BATCH = 100
ORDER_PATH = "/api/v1/order"
BATCH_PATH = "/solvent/v1/batch"
MEANS = 10**14
_ENDLESS = Rate(10**9, 10**9)
_STAMPS = count()
"""No two requests are the same, or the second would get the first one's answer."""


class Request(NamedTuple):
    """A signed request, ready to be sent."""

    path: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    signed: bytes
    signature: bytes
    key: SigningKey


def market_of_now() -> EngineParameters:
    """The market of the other benches, begun a second ago."""
    return replace(market(), start_time=wall_clock() - SECOND)


def endless() -> Buckets:
    """Token buckets that are never empty."""
    return Buckets(dict.fromkeys(RATES, _ENDLESS))


def symbol(asset: int = 1) -> str:
    """The name of a market."""
    assets = market().assets
    return f"{assets[asset].symbol}_{assets[USDC].symbol}"


def keys() -> list[SigningKey]:
    """One for each account."""
    seeds = (hashlib.sha256(b"bench %d" % number).digest() for number in range(ACCOUNTS))
    return [SigningKey(seed) for seed in seeds]


def admissions(parameters: EngineParameters) -> list[Record]:
    """Prices, a step of time, accounts with means in all assets, and keys that act for them."""
    now = wall_clock()
    quotes = [
        UpdatePrice(asset, source, PRICES[asset], PRICES[asset], PRICES[asset])
        for asset, about in enumerate(parameters.assets)
        if about.market
        for source in range(len(about.price.source_weights))
    ]
    records = [commands_record(now, [*quotes, TimeStep(now)])]
    for account, key in enumerate(keys(), FIRST_ACCOUNT):
        deposits = [Deposit(account, asset, MEANS) for asset in range(len(parameters.assets))]
        records.append(commands_record(now, [OpenAccount(account), *deposits]))
        body = encode_act(AdmitKey(bytes(key.verify_key), Role.USER, account))
        records.append(Record(RecordKind.ACT, now, body=body, actor=HOUSE))
    return records


async def admit(node: Node) -> None:
    """Carry out at a node what is there at the beginning."""
    for record in admissions(node.market.parameters):
        await node.submit(record)


def orders(number: int) -> list[Request]:
    """Orders, each of the next account."""
    fields = {
        "orderType": "Limit",
        "price": str(PRICES[1] // PRICE_SCALE * 9 // 10),
        "quantity": "0.01",
        "side": "Bid",
        "symbol": symbol(),
        "timeInForce": "IOC",
    }
    words = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
    text = f"instruction=orderExecute{words}"
    who = keys()
    return [_signed(who[each % len(who)], ORDER_PATH, text, fields) for each in range(number)]


def batches(number: int) -> list[Request]:
    """Batches of PER_BATCH commands."""
    item = {"verb": "lend", "symbol": market().assets[USDC].symbol, "quantity": "1"}
    body = {"commands": [item] * PER_BATCH}
    digest = hashlib.sha256(msgspec.json.encode(body)).hexdigest()
    text = f"instruction=batchExecute&sha256={digest}"
    who = keys()
    return [_signed(who[each % len(who)], BATCH_PATH, text, body) for each in range(number)]


def batch_commands(number: int) -> list[Command]:
    """The commands of so many batches."""
    quantity = 10 ** market().assets[USDC].decimals
    return [
        Lend(FIRST_ACCOUNT + each % ACCOUNTS, USDC, quantity)
        for each in range(number)
        for _ in range(PER_BATCH)
    ]


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


def on_the_wire(request: Request) -> bytes:
    """A request as bytes of HTTP/1.1."""
    lines = [f"POST {request.path} HTTP/1.1".encode(), b"host: 127.0.0.1"]
    lines += [name + b": " + value for name, value in request.headers]
    lines.append(b"content-length: %d" % len(request.body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + request.body


def checks(requests: Sequence[Request]) -> None:
    """Check the signatures and do nothing else."""
    for request in requests:
        request.key.verify_key.verify(request.signed, request.signature)
