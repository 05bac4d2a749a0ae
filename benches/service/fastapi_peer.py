"""The peer of the service's orders: the same endpoint as written with FastAPI.

Pydantic parses headers and body, PyNaCl checks the signature, and the order becomes the engine's
command. From there on there are two:

- `in_front`: the record goes to the node that the service itself has, with the same journal and
  group commit, engine, views and streams. Only the edge is FastAPI's.
- `one_by_one`: the plain way. Each order is journaled, synced and carried out by itself, in a
  thread and behind a lock. There are no views and no streams.

Both are spared what the service's edge does besides: they refuse no JSON with a key that comes
twice, no header that does and no body that is too long or too slow, they count nothing, and they
try one form of the signed text.
"""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from benches.common.peers import peer
from benches.service.signed import ORDER_PATH, admissions, keys, symbol
from solvent.domain.commands import NO_CLIENT_ID, OrderType, PlaceOrder, Side, TimeInForce
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import PRICE_DECIMALS, parse_decimal
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.service.authority.model import Terms
from solvent.service.core.idempotency import Answer
from solvent.service.core.keys import FIRST_ACCOUNT
from solvent.service.core.market import Market, encode_head
from solvent.service.core.node import Node, wall_clock
from solvent.service.core.records import Record, commands_record, encode_record

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
CarryOut = Callable[[Record], Awaitable[Answer]]
_DECIMAL = r"^[0-9]{1,20}(\.[0-9]{1,18})?$"
_TYPES = {"Limit": OrderType.LIMIT, "Market": OrderType.MARKET}
_SIDES = {"Bid": Side.BID, "Ask": Side.ASK}
_UNAUTHORIZED = 401


def in_front(node: Node) -> Asgi | None:
    """FastAPI before a node; None where it is not installed."""
    return _application(node.market.parameters, node.submit)


def one_by_one(folder: Path, parameters: EngineParameters) -> Asgi | None:
    """FastAPI with a market of its own in `folder`; None where it is not installed."""
    journal = Journal.create(folder, encode_head(parameters, Terms(1, 0)))
    market = Market(journal.head, FastEngine)
    turn = asyncio.Lock()

    def happen(record: Record) -> Answer:
        journal.append([encode_record(record)])
        return market.carry_out([record])[0].answer

    async def carry_out(record: Record) -> Answer:
        first = market.first_answers.find(record.digest)
        if first is not None:
            return first
        async with turn:
            return await asyncio.to_thread(happen, record)

    for record in admissions(parameters):
        happen(record)
    return _application(parameters, carry_out)


def _application(parameters: EngineParameters, carry_out: CarryOut) -> Asgi | None:
    fastapi, pydantic = peer("fastapi"), peer("pydantic")
    if fastapi is None or pydantic is None:
        return None
    number = Annotated[str, pydantic.Field(pattern=_DECIMAL)]
    order_model = pydantic.create_model(
        "Order",
        __config__=pydantic.ConfigDict(extra="forbid"),
        orderType=(Literal["Limit", "Market"], ...),
        price=(number | None, None),
        quantity=(number | None, None),
        side=(Literal["Bid", "Ask"], ...),
        symbol=(Literal[symbol()], ...),
        timeInForce=(Literal["GTC", "IOC", "FOK"], "GTC"),
        clientId=(Annotated[int, pydantic.Field(ge=0, le=2**32 - 1)] | None, None),
    )
    registry = {
        base64.b64encode(bytes(key.verify_key)).decode(): (key.verify_key, account)
        for account, key in enumerate(keys(), FIRST_ACCOUNT)
    }
    decimals = parameters.assets[1].decimals

    async def execute(
        order: Any, x_api_key: str, x_signature: str, x_timestamp: int, x_window: int = 5000
    ) -> Any:
        found = registry.get(x_api_key)
        fields = order.model_dump(exclude_unset=True)
        if found is None:
            raise fastapi.HTTPException(_UNAUTHORIZED)
        digest = _check(found[0], fields, x_signature, x_timestamp, x_window)
        if digest is None:
            raise fastapi.HTTPException(_UNAUTHORIZED)
        command = PlaceOrder(
            found[1],
            1,
            _SIDES[order.side],
            _TYPES[order.orderType],
            TimeInForce[order.timeInForce],
            price=parse_decimal(order.price or "0", PRICE_DECIMALS),
            quantity=parse_decimal(order.quantity or "0", decimals),
            client_id=NO_CLIENT_ID if order.clientId is None else order.clientId,
        )
        record = commands_record(
            wall_clock(),
            [command],
            account=found[1],
            digest=digest,
            expires=x_timestamp + x_window,
        )
        answer = await carry_out(record)
        return fastapi.Response(answer.body, answer.status, media_type="application/json")

    header = fastapi.Header()
    execute.__annotations__ |= {
        "order": order_model,
        "x_api_key": Annotated[str, header],
        "x_signature": Annotated[str, header],
        "x_timestamp": Annotated[int, header],
        "x_window": Annotated[int, header],
        "return": None,
    }
    app = fastapi.FastAPI()
    app.post(ORDER_PATH, response_model=None)(execute)
    found: Asgi = app
    return found


def _check(
    key: VerifyKey, fields: Mapping[str, Any], signature: str, timestamp: int, window: int
) -> bytes | None:
    """The digest of a request that its key signed and that is in time."""
    if not timestamp - 1000 <= wall_clock() // 1000 <= timestamp + window:
        return None
    words = "".join(f"&{name}={fields[name]}" for name in sorted(fields))
    text = f"instruction=orderExecute{words}&timestamp={timestamp}&window={window}".encode()
    raw = base64.b64decode(signature)
    try:
        key.verify(text, raw)
    except (BadSignatureError, ValueError):
        return None
    return hashlib.blake2b(bytes(key) + raw + text, digest_size=16).digest()
