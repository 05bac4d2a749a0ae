"""Backstop and standby: what accounts commit to take over, and what of it is still unused.

A provider's commitment is a quantity of one asset's debts; a standby posts USDC for what ADL would
pay others in kind. Both are used up by what is taken over and end after a notice.
"""

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import TRADERS, Endpoint
from solvent.service.api.objects.backstop import (
    Commitment,
    CommitmentChange,
    Standby,
    StandbyPost,
    StandbyWithdrawal,
)
from solvent.service.api.shapes import quantity_text, ratio_text
from solvent.service.core.keys import Role

TAG = "Solvent"
_PATH = "/solvent/v1/backstop"
_STANDBY = "/solvent/v1/standby"
_BLP = frozenset({Role.BLP})


async def commitments(call: Call) -> Reply:
    """The unused commitments of this provider."""
    node = call.node
    parameters = node.market.parameters
    async with node.reading():
        queries = node.market.queries
        unused = [queries.committed(call.account, asset) for asset in range(len(parameters.assets))]
    found = [
        Commitment(symbol=about.symbol, committed=quantity_text(parameters, asset, unused[asset]))
        for asset, about in enumerate(parameters.assets)
        if unused[asset]
    ]
    return json_reply(found)


async def commit(call: Call) -> Reply:
    """Commit to more."""
    fields = call.params
    asset = fields.asset()
    quantity = fields.quantity("quantity", asset)
    return await call.carry_out(c.PostBackstop(call.account, asset, quantity))


async def release(call: Call) -> Reply:
    """Take unused commitment back."""
    fields = call.params
    asset = fields.asset()
    quantity = fields.quantity("quantity", asset)
    return await call.carry_out(c.WithdrawBackstop(call.account, asset, quantity))


async def standing_by(call: Call) -> Reply:
    """What this account stands by with; nothing where it does not."""
    node = call.node
    async with node.reading():
        everybody = node.market.queries.standing_by()
    parameters = node.market.parameters
    found = [
        Standby(
            posted=quantity_text(parameters, USDC, each.posted),
            premium=ratio_text(each.premium),
            leaving=quantity_text(parameters, USDC, each.leaving),
            leaves_at=each.leaves_at if each.leaving else None,
        )
        for each in everybody
        if each.account == call.account
    ]
    return json_reply(found)


async def stand_by(call: Call) -> Reply:
    """Stand by with more, all of it at this premium."""
    fields = call.params
    quantity, premium = fields.quantity("quantity", USDC), fields.ratio("premium")
    return await call.carry_out(c.PostStandby(call.account, quantity, premium))


async def stand_down(call: Call) -> Reply:
    """Take back what is posted, after a notice."""
    quantity = call.params.quantity("quantity", USDC)
    return await call.carry_out(c.WithdrawStandby(call.account, quantity))


ENDPOINTS = [
    Endpoint(TAG, "GET", _PATH, commitments, "backstopQuery", returns=list[Commitment], roles=_BLP),
    Endpoint(
        TAG,
        "POST",
        _PATH,
        commit,
        "backstopPost",
        body=CommitmentChange,
        roles=_BLP,
        mutates=True,
    ),
    Endpoint(
        TAG,
        "DELETE",
        _PATH,
        release,
        "backstopWithdraw",
        body=CommitmentChange,
        roles=_BLP,
        mutates=True,
    ),
    Endpoint(
        TAG,
        "GET",
        _STANDBY,
        standing_by,
        "standbyQuery",
        returns=list[Standby],
        roles=TRADERS,
    ),
    Endpoint(
        TAG,
        "POST",
        _STANDBY,
        stand_by,
        "standbyPost",
        body=StandbyPost,
        roles=TRADERS,
        mutates=True,
    ),
    Endpoint(
        TAG,
        "DELETE",
        _STANDBY,
        stand_down,
        "standbyWithdraw",
        body=StandbyWithdrawal,
        roles=TRADERS,
        mutates=True,
    ),
]
