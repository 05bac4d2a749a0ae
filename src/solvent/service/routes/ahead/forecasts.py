"""Forecasts: how rounds of ADL would treat the account of the key, and when pools fill.

The account is told all of itself. Of others it is told how many there are and, in steps, how far
prices are from them; their names are of one answer, so that nobody can be followed by them.
"""

import secrets
from hashlib import blake2b

from solvent.domain.parameters import EngineParameters
from solvent.domain.units import RATIO
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, Endpoint
from solvent.service.api.objects import forecasts as o
from solvent.service.api.shapes import quantity_text, ratio_text, value_text
from solvent.service.core.ahead.rounds import PartnerTold, RoundTold, WayTold

TAG = "Solvent"
STEP = RATIO // 20
"""In such steps of a move the distance to others is told."""
PARTNERS = 10
_NAME_BYTES = 8


async def rounds(call: Call) -> Reply:
    """How every kind of ADL round that could reach the account would treat it, and the ways out."""
    account = call.account
    found = await call.node.forecasts.rounds(account)
    parameters, secret = call.node.market.parameters, secrets.token_bytes(32)
    shown = [_round(parameters, each, secret) for each in found.rounds]
    return json_reply(o.RoundsAhead(time=found.time, rounds=shown))


async def pools(call: Call) -> Reply:
    """When each pool is throttled and at 100 %, if it goes on as it did for up to an hour."""
    async with call.node.reading():
        symbols = [about.symbol for about in call.node.market.parameters.assets]
        found = call.node.forecasts.pools()
    rows = [
        o.PoolTime(
            symbol=symbol,
            since=None if found is None else found.since,
            throttle=None if found is None else found.times[asset].throttle,
            full=None if found is None else found.times[asset].full,
        )
        for asset, symbol in enumerate(symbols)
    ]
    return json_reply(rows)


def beyond(move: int) -> int:
    """The last step of a move that does not lead there yet, towards 0."""
    return abs(move) // STEP * STEP * (1 if move > 0 else -1)


def _round(parameters: EngineParameters, told: RoundTold, secret: bytes) -> o.RoundAhead:
    asset = told.asset
    symbols = [about.symbol for about in parameters.assets]
    return o.RoundAhead(
        case=told.case.name,
        symbol=symbols[asset],
        tier=told.tier.name,
        paid_in=symbols[told.paid_in],
        policy=told.policy.name,
        quantity=quantity_text(parameters, asset, told.quantity),
        rank=told.rank,
        candidates=told.candidates,
        cap=quantity_text(parameters, asset, told.cap),
        allotted=quantity_text(parameters, asset, told.allotted),
        value=value_text(told.value),
        reached=None if told.reached is None else quantity_text(parameters, asset, told.reached),
        partners=[_partner(symbols, each, secret) for each in told.partners[:PARTNERS]],
        partners_in_all=len(told.partners),
        ways=[_way(parameters, each) for each in told.ways],
    )


def _partner(symbols: list[str], told: PartnerTold, secret: bytes) -> o.RoundPartner:
    word = told.account.to_bytes(8, "little")
    step = None if told.move is None else beyond(told.move)
    sign = "-" if step is not None and step < 0 else ""
    return o.RoundPartner(
        name=blake2b(word, digest_size=_NAME_BYTES, key=secret).hexdigest(),
        symbol=None if told.asset is None else symbols[told.asset],
        beyond=None if step is None else sign + ratio_text(abs(step)),
    )


def _way(parameters: EngineParameters, told: WayTold) -> o.WayOut:
    return o.WayOut(
        command=told.command,
        symbol=parameters.assets[told.asset].symbol,
        quantity=quantity_text(parameters, told.asset, told.quantity),
        brings=quantity_text(parameters, told.asset, told.brings),
        value=value_text(told.value),
    )


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/forecast/rounds",
        rounds,
        "forecastRoundsQuery",
        returns=o.RoundsAhead,
        roles=READERS,
    ),
    Endpoint(TAG, "GET", "/solvent/v1/forecast/pools", pools, returns=list[o.PoolTime]),
]
