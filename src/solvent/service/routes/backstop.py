"""Backstop and standby: what accounts commit to take over, and what of it is still unused.

A provider's commitment is a quantity of one asset's debts; a standby posts USDC for what ADL would
pay others in kind. Both are used up by what is taken over and end after a notice.
"""

from itertools import groupby

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_SUPPLY, USDC
from solvent.domain.units import value_down
from solvent.history.tables.rows import StandbyRow
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, TRADERS, Endpoint
from solvent.service.api.objects.backstop import (
    BridgeStage,
    Commitment,
    CommitmentChange,
    HandedOn,
    OfferedCapacity,
    Standby,
    StandbyLevel,
    StandbyNotice,
    StandbyPost,
    StandbyWithdrawal,
    WaterfallBridge,
    WaterfallCapacity,
)
from solvent.service.api.objects.pages import PageQuery
from solvent.service.api.shapes import price_text, quantity_text, ratio_text, value_text
from solvent.service.core.keys import Role
from solvent.service.core.market import Market
from solvent.service.routes.histories import page
from solvent.service.streams.bridge import Bridge, Ended
from solvent.service.wire import naive_time

TAG = "Solvent"
_PATH = "/solvent/v1/backstop"
_STANDBY = "/solvent/v1/standby"
_BLP = frozenset({Role.BLP})
_FUND = 0


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


async def notices(call: Call) -> Reply:
    """What this account stood by with, change by change."""
    parameters = call.node.market.parameters

    def shape(row: StandbyRow) -> StandbyNotice:
        return StandbyNotice(
            timestamp=naive_time(row.time),
            posted=quantity_text(parameters, USDC, row.posted),
            premium=ratio_text(row.premium),
            leaving=quantity_text(parameters, USDC, row.leaving),
            leaves_at=row.leaves_at if row.leaving else None,
        )

    return await page(
        call, lambda views, paging: views.standbys(call.account, paging=paging), shape
    )


async def capacity(call: Call) -> Reply:
    """What stands behind the book: providers' commitments, standbys and the backstop fund."""
    async with call.node.reading():
        shown = capacity_now(call.node.market)
    return json_reply(shown)


def capacity_now(market: Market) -> WaterfallCapacity:
    """What stands behind the book of a market at rest."""
    queries, parameters = market.queries, market.parameters
    free = [balance.available for balance in queries.balances(_FUND)]
    worths = [0, 0]
    offers = []
    for asset, (offered, had) in enumerate(zip(queries.committed_in_all(), free, strict=True)):
        about, mark = parameters.assets[asset], queries.price(asset).mark
        values = [value_down(each, mark, about.decimals) for each in (offered, had)]
        worths = [total + value for total, value in zip(worths, values, strict=True)]
        offers.append(
            OfferedCapacity(
                symbol=about.symbol,
                mark_price=price_text(mark),
                committed=quantity_text(parameters, asset, offered),
                committed_value=value_text(values[0]),
                fund=quantity_text(parameters, asset, had),
                fund_value=value_text(values[1]),
            )
        )
    standing = queries.standing_by()
    levels = []
    for premium, those in groupby(standing, key=lambda each: each.premium):
        posted = [each.posted for each in those]
        levels.append(
            StandbyLevel(
                premium=ratio_text(premium),
                posted=quantity_text(parameters, USDC, sum(posted)),
                accounts=len(posted),
            )
        )
    return WaterfallCapacity(
        time=market.engine.now,
        offers=offers,
        committed_value=value_text(worths[0]),
        fund_value=value_text(worths[1]),
        standbys=levels,
        posted=quantity_text(parameters, USDC, sum(each.posted for each in standing)),
        max_posted=quantity_text(parameters, USDC, MAX_SUPPLY),
        max_premium=ratio_text(parameters.waterfall.max_discount),
        notice=parameters.waterfall.commitment_notice,
    )


async def bridge(call: Call) -> Reply:
    """All debts that ended in the waterfall since the service was started, by stage."""
    return json_reply(bridge_shown(call.node.publisher.bridge))


def bridge_shown(found: Bridge) -> WaterfallBridge:
    """A bridge as the API says it."""
    left, stages = found.owed, []
    for stage in Ended:
        left -= found.ended[stage]
        stages.append(
            BridgeStage(
                stage=stage,
                value=value_text(found.ended[stage]),
                left=value_text(left),
                settlements=found.settlements[stage],
                handed_over=[
                    HandedOn(reason=reason.name, count=count)
                    for reason, count in found.reasons[stage].most_common()
                ],
            )
        )
    deficit = found.ended[Ended.DEFICIT]
    return WaterfallBridge(
        since=found.since,
        time=found.until,
        owed=value_text(found.owed),
        stages=stages,
        deficit=value_text(deficit),
        received=value_text(found.owed - deficit),
        fund_paid=value_text(found.fund_paid),
        taken_over=value_text(found.taken_over),
    )


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
        needs_no_market=True,
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
        needs_no_market=True,
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
        needs_no_market=True,
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
        needs_no_market=True,
    ),
    Endpoint(
        TAG,
        "GET",
        f"{_STANDBY}/history",
        notices,
        "standbyHistoryQuery",
        query=PageQuery,
        returns=list[StandbyNotice],
        roles=READERS,
    ),
    Endpoint(TAG, "GET", "/solvent/v1/waterfall/bridge", bridge, returns=WaterfallBridge),
    Endpoint(TAG, "GET", "/solvent/v1/waterfall/capacity", capacity, returns=WaterfallCapacity),
]
