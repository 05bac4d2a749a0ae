"""Backstop: what liquidity providers commit to take over, and what of it is still unused.

A commitment is a quantity of one asset's debts. It is used up by what the provider takes over and
can be taken back at any time while it is unused.
"""

from solvent.domain import commands as c
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects.backstop import Commitment, CommitmentChange
from solvent.service.api.shapes import quantity_text
from solvent.service.core.keys import Role

TAG = "Solvent"
_PATH = "/solvent/v1/backstop"
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
]
