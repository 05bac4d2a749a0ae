"""Borrow/lend: the one request that lends, redeems, borrows and repays, and the pools' figures.

`Lend` in an asset that the account owes repays the debt, `Borrow` in one that it lends redeems the
claim: a request never crosses through zero.
"""

import base64
import binascii
from datetime import UTC, datetime

from solvent.domain.parameters import PoolState
from solvent.domain.readings import DebtMargin, nearest
from solvent.domain.units import RATIO
from solvent.history.tables.rows import Paging, Position
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, TRADERS, Endpoint
from solvent.service.api.objects.borrow_lend import (
    ApyQuery,
    ApyRates,
    BorrowLendApyRate,
    BorrowLendExecutePayload,
    BorrowLendMarket,
    BorrowLendPositionWithMargin,
    LiquidationPriceQuery,
    PositionEstimatedLiquidationPrice,
)
from solvent.service.api.objects.enums import BorrowLendBookState, BorrowLendSide
from solvent.service.api.params import Params, bad_request
from solvent.service.api.shapes import (
    margin_function,
    price_text,
    quantity_text,
    ratio_text,
    value_text,
)
from solvent.service.core.intents import MoveInPool, PoolSide
from solvent.service.core.market import Market
from solvent.service.limits import PAGE_MOST
from solvent.service.routes.bounds import refusal_error
from solvent.service.strict_json import JsonValue, decode_object

TAG = "Borrow/lend"
_STATES = {state: BorrowLendBookState[state.name] for state in PoolState}
_SIDES = {side: PoolSide[side.name] for side in BorrowLendSide}


async def execute(call: Call) -> Reply:
    """Lend, repay, borrow or redeem."""
    return await call.intend(_wanted(call.params))


def _wanted(fields: Params) -> MoveInPool:
    asset = fields.asset()
    side = fields.choice("side", BorrowLendSide)
    if side is None:
        raise bad_request("side is missing")
    return MoveInPool(asset, _SIDES[side], fields.quantity("quantity", asset))


async def positions(call: Call) -> Reply:
    """Every claim (above zero) and debt (below)."""
    past = await call.node.past(
        lambda views: views.positions(call.account, is_open=True, paging=Paging(PAGE_MOST))
    )
    rows = {row.asset: row for row in past.rows}
    async with call.node.reading():
        queries = call.node.market.queries
        found: list[BorrowLendPositionWithMargin] = []
        margins = queries.debt_margins(call.account)
        for asset, balance in enumerate(queries.balances(call.account)):
            if balance.lent or balance.debt:
                net = balance.lent - balance.debt
                found.append(_position(call, asset, net, margins[asset], rows.get(asset)))
    return json_reply(found)


def _position(
    call: Call, asset: int, net: int, margin: DebtMargin, row: Position | None
) -> BorrowLendPositionWithMargin:
    """One position; `row` is what the history says of it, if it knows of it yet."""
    queries = call.node.market.queries
    parameters = call.node.market.parameters
    about = parameters.assets[asset]
    mark = queries.price(asset).mark
    liquidation_price = queries.liquidation_price(call.account, asset)
    exposure = max(0, -net)
    return BorrowLendPositionWithMargin(
        cumulative_interest=quantity_text(parameters, asset, row.interest if row else 0),
        id=str(row.position) if row else "",
        imf=ratio_text(margin.initial),
        imf_function=margin_function(about.initial),
        net_quantity=quantity_text(parameters, asset, net),
        mark_price=price_text(mark),
        mmf=ratio_text(margin.maintenance),
        mmf_function=margin_function(about.maintenance),
        net_exposure_quantity=quantity_text(parameters, asset, exposure),
        net_exposure_notional=value_text(margin.notional),
        symbol=about.symbol,
        est_liquidation_price=price_text(liquidation_price or 0),
    )


async def liquidation_price(call: Call) -> Reply:
    """The mark at which the account would be liquidated if a borrow or lend were carried out now.

    One that would be refused is refused here, and in the same words.
    """
    wanted = _wanted(call.item(_imagined(call.params.need("borrow"))))
    node = call.node
    async with node.reading():
        queries = node.market.queries
        command = wanted.command(call.account, queries)
        refusal = queries.refusal(command)
        if refusal is not None:
            bound = queries.bound(command)
            raise refusal_error(node.market.parameters, command, refusal, bound.largest)
        prices = queries.liquidation_prices_after(command)
        mark = queries.price(wanted.asset).mark
    price = nearest(prices, mark)
    return json_reply(
        PositionEstimatedLiquidationPrice(
            liquidation_price=None if price is None else price_text(price),
            mark_price=price_text(mark),
        )
    )


_PAYLOAD = frozenset(BorrowLendExecutePayload.__struct_encode_fields__)


def _imagined(text: str) -> dict[str, JsonValue]:
    """The payload in base64, with or without the padding at its end."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        payload = decode_object(data)
    except (ValueError, binascii.Error) as error:
        raise bad_request("borrow must be a JSON object in base64") from error
    unknown = sorted(payload.keys() - _PAYLOAD)
    if unknown:
        raise bad_request(f"borrow: unknown field {unknown[0]!r}")
    return payload


async def markets(call: Call) -> Reply:
    """Every pool now."""
    async with call.node.reading():
        found = pool_markets(call.node.market)
    return json_reply(found)


def pool_markets(market: Market) -> list[BorrowLendMarket]:
    """Every pool of a market at rest."""
    parameters, queries = market.parameters, market.queries
    now = datetime.fromtimestamp(market.engine.now // 10**6, UTC)
    found: list[BorrowLendMarket] = []
    for asset, about in enumerate(parameters.assets):
        pool = queries.pool(asset)
        terms = about.pool
        limit = quantity_text(parameters, asset, terms.open_borrow_lend_limit)
        found.append(
            BorrowLendMarket(
                state=_STATES[PoolState(pool.state)],
                asset_mark_price=price_text(queries.price(asset).mark),
                borrow_interest_rate=ratio_text(pool.borrow_apr),
                borrowed_quantity=quantity_text(parameters, asset, pool.borrowed),
                fee=ratio_text(terms.fee),
                lend_interest_rate=ratio_text(pool.lend_apr),
                lent_quantity=quantity_text(parameters, asset, pool.lent),
                max_utilization=ratio_text(terms.max_utilization),
                open_borrow_lend_limit=limit,
                optimal_utilization=ratio_text(terms.optimal_utilization),
                symbol=about.symbol,
                timestamp=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                throttle_utilization_threshold=ratio_text(terms.throttle_threshold),
                throttle_utilization_bound=ratio_text(pool.bound),
                throttle_update_fraction=ratio_text(terms.throttle_update_fraction),
                utilization=ratio_text(min(pool.utilization, RATIO)),
                step_size=quantity_text(parameters, asset, 1),
            )
        )
    return found


async def apy(call: Call) -> Reply:
    """Rates of all pools."""
    node = call.node
    async with node.reading():
        rates: list[BorrowLendApyRate] = []
        for asset, about in enumerate(node.market.parameters.assets):
            pool = node.market.queries.pool(asset)
            rates.append(
                BorrowLendApyRate(
                    symbol=about.symbol,
                    borrow_rate=ratio_text(pool.borrow_apr),
                    lend_rate=ratio_text(pool.lend_apr),
                )
            )
    return json_reply(ApyRates(borrow_lend=rates, staking=[]))


ENDPOINTS = [
    Endpoint(
        TAG,
        "POST",
        "/api/v1/borrowLend",
        execute,
        "borrowLendExecute",
        body=BorrowLendExecutePayload,
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/borrowLend/positions",
        positions,
        "borrowLendPositionQuery",
        returns=list[BorrowLendPositionWithMargin],
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/borrowLend/position/liquidationPrice",
        liquidation_price,
        "borrowLendPositionLiquidationPrice",
        query=LiquidationPriceQuery,
        returns=PositionEstimatedLiquidationPrice,
        roles=READERS,
        deviations="base64 without its padding, for no value has `=`; "
        "null where no price liquidates",
    ),
    Endpoint(TAG, "GET", "/api/v1/borrowLend/markets", markets, returns=list[BorrowLendMarket]),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/borrowLend/apy",
        apy,
        query=ApyQuery,
        returns=ApyRates,
        deviations="no tiers and no staking",
    ),
]
