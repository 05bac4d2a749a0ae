"""Batch: many commands of one account under one signature, made durable together.

The body is `{"commands": [{"verb": ..., ...}, ...]}`. What is signed is the SHA-256 of its bytes:

    instruction=batchExecute&sha256=<hex>&timestamp=<ms>&window=<ms>

Each command succeeds or is refused for itself, in order; the answer has one item for each: null, an
order, or an error object.
"""

from collections.abc import Callable

from solvent.domain import commands as c
from solvent.domain.parameters import EngineParameters
from solvent.service.calls import Call, Reply
from solvent.service.endpoints import TRADERS, Endpoint
from solvent.service.limits import BATCH_COMMANDS
from solvent.service.params import Params, bad_request
from solvent.service.routes.orders import ORDER_FIELDS, place_command
from solvent.service.strict_json import JsonValue

TAG = "Solvent"


Encode = Callable[[int, Params], bytes]
"""Makes the encoded command of an account and its fields."""


def _mover(kind: type[c.Lend] | type[c.Redeem] | type[c.Borrow] | type[c.Repay]) -> Encode:
    def encode(account: int, fields: Params) -> bytes:
        asset = fields.asset()
        return c.encode_numbers(kind, account, asset, fields.quantity("quantity", asset))

    return encode


def _order(account: int, fields: Params) -> bytes:
    return c.encode_command(place_command(account, fields))


def _cancel(account: int, fields: Params) -> bytes:
    order = fields.integer("orderId", 0, 1, 2**63 - 1)
    return c.encode_command(c.CancelOrder(account, order))


def _cancel_all(account: int, fields: Params) -> bytes:
    asset = fields.market() if fields.has("symbol") else c.ANY_ASSET
    return c.encode_command(c.CancelAllOrders(account, asset))


_MOVED = frozenset({"verb", "symbol", "quantity"})
VERBS: dict[str, tuple[Encode, frozenset[str]]] = {
    "lend": (_mover(c.Lend), _MOVED),
    "redeem": (_mover(c.Redeem), _MOVED),
    "borrow": (_mover(c.Borrow), _MOVED),
    "repay": (_mover(c.Repay), _MOVED),
    "order": (_order, ORDER_FIELDS | {"verb"}),
    "cancel": (_cancel, frozenset({"verb", "orderId"})),
    "cancelAll": (_cancel_all, frozenset({"verb", "symbol"})),
}
"""How a verb becomes an encoded command, and the fields that it has."""


async def execute(call: Call) -> Reply:
    """Carry out many commands."""
    items = call.body.get("commands") if isinstance(call.body, dict) else None
    if not isinstance(items, list) or not items:
        raise bad_request('the body must be {"commands": [...]} with at least one command')
    if len(items) > BATCH_COMMANDS:
        raise bad_request(f"at most {BATCH_COMMANDS} commands a request")
    account, parameters = call.account, call.desk.market.parameters
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
    return encode(account, Params(item, parameters))


ENDPOINTS = [
    Endpoint(
        TAG,
        "POST",
        "/solvent/v1/batch",
        execute,
        "batchExecute",
        body="commands:[object]",
        returns="[BatchCommandOrderResult]",
        roles=TRADERS,
        changes=True,
        signs_digest=True,
    ),
]
