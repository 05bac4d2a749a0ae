"""Foresight: what would hold at other prices, for whoever watches over the market's risk.

Sums over all accounts tell where single ones would be liquidated, so that only roles without an
account may ask. Questions are asked beside the writer and off the event loop (`core.ahead`).
"""

from collections.abc import Callable, Mapping

from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import INDEX_SCALE, RATIO_DECIMALS
from solvent.foresight.moves import CURVE, by_beta
from solvent.foresight.what_if import Outlook, Point, WhatIf
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects import foresight as o
from solvent.service.api.params import Params, assets_by_symbol, bad_request
from solvent.service.api.shapes import price_text, quantity_text, ratio_text, value_text
from solvent.service.core.keys import Role
from solvent.service.errors import ApiErrorCode
from solvent.service.limits import PAGE_MOST
from solvent.service.wire import WireError, format_decimal, parse_decimal

TAG = "Solvent"
WATCHERS = frozenset({Role.RISK_ADMIN, Role.OPERATOR, Role.AUDITOR})
"""Roles that may see all accounts together."""
_IMPAIRED_DECIMALS = len(str(INDEX_SCALE)) - 1


async def what_if(call: Call) -> Reply:
    """What would hold if prices moved now: who is liquidatable, what could take it, losses."""
    parameters = call.node.market.parameters
    moves = moves_asked(call)

    def asked(outlook: Outlook) -> WhatIf:
        return outlook.what_if(moves(outlook))

    try:
        found = await call.node.outlooks.ask(asked)
    except InputError as error:
        raise bad_request(f"{error.field}: {error.reason}") from None
    return json_reply(
        o.WhatIfAnswer(
            time=found.time,
            point=_point(parameters, found.point, found.impaired),
            account_ids=list(found.accounts[:PAGE_MOST]),
        )
    )


def moves_asked(call: Call) -> Callable[[Outlook], Mapping[int, int]]:
    """By how much of itself each mark moves, of a market as it is found. Raises ApiError."""
    fields, parameters = call.params, call.node.market.parameters
    if fields.has("moves") == fields.has("move"):
        raise bad_request("name moves by asset, or one move of all, and not both")
    moves = _by_asset(fields, "moves", parameters)
    betas = _by_asset(fields, "betas", parameters)
    move = _signed("move", fields.need("move")) if fields.has("move") else 0
    return lambda it: moves or by_beta(it.parameters, it.marks, betas, move)


async def curve(call: Call) -> Reply:
    """What would hold along a line of moves, from -90 % to +300 %, each asset by its beta."""
    parameters = call.node.market.parameters
    betas = _by_asset(call.params, "betas", parameters)
    try:
        time, found = await call.node.outlooks.ask(lambda it: (it.time, it.curve(betas=betas)))
    except InputError as error:
        raise bad_request(f"{error.field}: {error.reason}") from None
    points = [
        o.CurvePoint(move=ratio_text(move), point=_point(parameters, point))
        for move, point in zip(CURVE, found, strict=True)
    ]
    return json_reply(o.Curve(time=time, points=points))


def _by_asset(fields: Params, name: str, parameters: EngineParameters) -> dict[int, int]:
    """Shares by asset of a text like SOL:-0.3,BTC:0.1."""
    text = fields.text(name)
    if len(text) > o.MOST_MOVES_TEXT:
        raise bad_request(f"{name} is too long")
    assets = assets_by_symbol(parameters)
    found: dict[int, int] = {}
    for part in text.split(",") if text else []:
        symbol, mark, share = part.partition(":")
        if symbol not in assets:
            raise bad_request(f"{name}: Invalid asset symbol", ApiErrorCode.INVALID_ASSET)
        number, _ = assets[symbol]
        if not mark or number in found:
            raise bad_request(f"{name} must be like SOL:-0.3,BTC:0.1, each asset once")
        found[number] = _signed(name, share)
    return found


def _signed(name: str, text: str) -> int:
    """A share of 10^-9 that may be below zero."""
    digits = text.removeprefix("-")
    try:
        share = parse_decimal(digits, RATIO_DECIMALS, what=name)
    except WireError as error:
        raise bad_request(str(error)) from error
    return -share if text != digits else share


def _point(
    parameters: EngineParameters, point: Point, impaired: tuple[int, ...] | None = None
) -> o.PointAhead:
    stages = point.stages
    return o.PointAhead(
        accounts=point.accounts,
        insolvent=point.insolvent,
        lacking=value_text(point.lacking),
        at_stake=value_text(stages.total),
        stages=o.StagesAhead(
            own=value_text(stages.own),
            book=value_text(stages.book),
            providers=value_text(stages.providers),
            opposites=value_text(stages.opposites),
            adl=value_text(stages.adl),
        ),
        pools=[_pool(parameters, point, asset, impaired) for asset in range(len(point.pools))],
    )


def _pool(
    parameters: EngineParameters, point: Point, asset: int, impaired: tuple[int, ...] | None
) -> o.PoolAhead:
    pool, capacity = point.pools[asset], point.capacities[asset]
    shown = o.PoolAhead(
        symbol=parameters.assets[asset].symbol,
        mark_price=price_text(point.marks[asset]),
        owed=quantity_text(parameters, asset, pool.owed),
        lent=quantity_text(parameters, asset, pool.lent),
        redeemable=quantity_text(parameters, asset, pool.redeemable),
        fills=pool.fills,
        bids=value_text(capacity.bids),
        asks=value_text(capacity.asks),
        committed=value_text(capacity.committed),
    )
    if impaired is not None:
        shown.impaired = format_decimal(impaired[asset], _IMPAIRED_DECIMALS)
    return shown


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/what-if",
        what_if,
        "whatIfQuery",
        query=o.WhatIfQuery,
        returns=o.WhatIfAnswer,
        roles=WATCHERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/what-if/curve",
        curve,
        "whatIfCurveQuery",
        query=o.CurveQuery,
        returns=o.Curve,
        roles=WATCHERS,
    ),
]
