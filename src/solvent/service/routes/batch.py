"""Batch: many commands of one account under one signature, made durable together.

The body is `{"commands": [{"verb": ..., ...}, ...]}`. What is signed is the SHA-256 of its bytes:

    instruction=batchExecute&sha256=<hex>&timestamp=<ms>&window=<ms>

Each command succeeds or is refused for itself, in order; the answer has one item for each: null, an
order, or an error object.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any

from solvent.domain import commands as c
from solvent.domain.parameters import EngineParameters
from solvent.service.api.calls import Call, Reply
from solvent.service.api.endpoints import TRADERS, Endpoint
from solvent.service.api.objects import orders as o
from solvent.service.api.objects.base import Request
from solvent.service.api.params import Params, assets_by_symbol, bad_request
from solvent.service.limits import BATCH_COMMANDS
from solvent.service.routes.orders import place_command
from solvent.service.strict_json import JsonValue
from solvent.service.wire import WireError, parse_decimal

TAG = "Solvent"

Item = Mapping[str, Any]
Encode = Callable[[int, Item, EngineParameters], bytes]
"""Makes the encoded command of an account from an item of a batch."""


def _mover(kind: type[c.Lend] | type[c.Redeem] | type[c.Borrow] | type[c.Repay]) -> Encode:
    """Most items of large batches are these, and right; of others the fields say what is wrong."""
    pack, number = Struct("<4q").pack, c.COMMAND_KINDS.index(kind)

    def encode(account: int, item: Item, parameters: EngineParameters) -> bytes:
        try:
            asset, decimals = assets_by_symbol(parameters)[item["symbol"]]
            quantity = parse_decimal(item["quantity"], decimals, what="quantity")
        except (LookupError, TypeError, AttributeError, WireError):
            fields = Params(item, parameters)
            asset = fields.asset()
            quantity = fields.quantity("quantity", asset)
        return pack(number, account, asset, quantity)

    return encode


def _order(account: int, item: Item, parameters: EngineParameters) -> bytes:
    return c.encode_command(place_command(account, Params(item, parameters)))


def _cancel(account: int, item: Item, parameters: EngineParameters) -> bytes:
    order = Params(item, parameters).integer("orderId", 0, 1, 2**63 - 1)
    return c.encode_command(c.CancelOrder(account, order))


def _cancel_all(account: int, item: Item, parameters: EngineParameters) -> bytes:
    fields = Params(item, parameters)
    asset = fields.market() if fields.has("symbol") else c.ANY_ASSET
    return c.encode_command(c.CancelAllOrders(account, asset))


_ENCODERS: dict[type[Request], Encode] = {
    o.BatchLend: _mover(c.Lend),
    o.BatchRedeem: _mover(c.Redeem),
    o.BatchBorrow: _mover(c.Borrow),
    o.BatchRepay: _mover(c.Repay),
    o.BatchPlace: _order,
    o.BatchCancel: _cancel,
    o.BatchCancelAll: _cancel_all,
}
VERBS: dict[str, tuple[Encode, frozenset[str]]] = {
    str(kind.__struct_config__.tag): (encode, frozenset(kind.__struct_encode_fields__) | {"verb"})
    for kind, encode in _ENCODERS.items()
}
"""How a verb becomes an encoded command, and the fields that it has."""


async def execute(call: Call) -> Reply:
    """Carry out many commands."""
    items = call.body.get("commands") if isinstance(call.body, dict) else None
    if not isinstance(items, list) or not items:
        raise bad_request('the body must be {"commands": [...]} with at least one command')
    if len(items) > BATCH_COMMANDS:
        raise bad_request(f"at most {BATCH_COMMANDS} commands a request")
    account, parameters = call.account, call.parameters
    commands = [_encoded(account, parameters, number, item) for number, item in enumerate(items)]
    return await call.hand_in(call.record(b"".join(commands), is_batch=True))


def _encoded(account: int, parameters: EngineParameters, number: int, item: JsonValue) -> bytes:
    verb = item.get("verb") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(verb, str) or verb not in VERBS:
        raise bad_request(f"commands[{number}]: verb must be one of {', '.join(VERBS)}")
    encode, known = VERBS[verb]
    if not item.keys() <= known:
        unknown = min(item.keys() - known)
        raise bad_request(f"commands[{number}]: unknown field {unknown!r}")
    return encode(account, item, parameters)


ENDPOINTS = [
    Endpoint(
        TAG,
        "POST",
        "/solvent/v1/batch",
        execute,
        "batchExecute",
        body=o.BatchExecutePayload,
        returns=list[o.BatchCommandOrderResult],
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
        signs_digest=True,
    ),
]
