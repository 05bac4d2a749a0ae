"""Insight: what an account may still do, what ADL would do to it, and whether everybody is covered.

What the public API has no word for stands under a prefix of our own.
"""

from dataclasses import replace

from solvent.domain import commands as c
from solvent.domain.parameters import USDC, EngineParameters, PoolState
from solvent.domain.readings import AmountCommand, PoolReport, PriceReading, Trade, nearest
from solvent.domain.units import PRICE_SCALE, RATIO, divide_up
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, Endpoint
from solvent.service.api.objects.account import OrderLimitQuery
from solvent.service.api.objects.insight import (
    AdlForecast,
    ForecastQuery,
    Limits,
    LimitsQuery,
    OrderAhead,
    OrderAheadQuery,
    OrderLimit,
    PoolCondition,
    PoolNow,
    PoolSolvency,
    Solvency,
    WaterfallQuery,
)
from solvent.service.api.objects.streams import WaterfallStep
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import (
    price_text,
    quantity_text,
    ratio_text,
    side_text,
    value_text,
)
from solvent.service.core.market import Market
from solvent.service.limits import PAGE_DEFAULT, PAGE_MOST
from solvent.service.routes.account import asked_order
from solvent.service.routes.bounds import bound_object, refusal_error

TAG = "Solvent"


async def limits(call: Call) -> Reply:
    """The most that each action in an asset may ask for now, and which limit binds it."""
    fields = call.params
    asset = fields.asset()
    node = call.node
    account = call.account
    redeem, borrow = fields.flag("autoLendRedeem"), fields.flag("autoBorrow")
    asked: dict[str, AmountCommand] = {
        "lend": c.Lend(account, asset, 0),
        "redeem": c.Redeem(account, asset, 0),
        "borrow": c.Borrow(account, asset, 0),
        "repay": c.Repay(account, asset, 0),
        "withdraw": c.Withdraw(account, asset, 0, redeem, borrow),
    }
    async with node.reading():
        queries = node.market.queries
        parameters = node.market.parameters
        pool = queries.pool(asset)
        price = queries.price(asset)
        bounds = {name: queries.bound(command) for name, command in asked.items()}
    shown = {
        name: bound_object(parameters, command, bounds[name]) for name, command in asked.items()
    }
    return json_reply(
        Limits(
            symbol=parameters.assets[asset].symbol,
            **shown,
            utilization=ratio_text(pool.utilization),
            utilization_bound=ratio_text(pool.bound),
            throttle_threshold=ratio_text(pool.threshold),
            max_utilization=ratio_text(pool.max_utilization),
            pool_cash=quantity_text(parameters, asset, max(0, pool.cash)),
            redeemable=quantity_text(parameters, asset, pool.redeemable),
            gated=pool.gated,
            stale_price=price.stale,
            mark_price=price_text(price.mark),
        )
    )


async def order_limit(call: Call) -> Reply:
    """The largest order of a kind that may be placed now, and which limit binds it."""
    command = asked_order(call)
    node = call.node
    async with node.reading():
        parameters = node.market.parameters
        bound = node.market.queries.bound(command)
    shown = bound_object(parameters, command, bound)
    return json_reply(
        OrderLimit(
            symbol=call.params.text("symbol"),
            side=side_text(command.side),
            quantity=shown.quantity,
            limit=shown.limit,
            code=shown.code,
            message=shown.message,
        )
    )


async def order_ahead(call: Call) -> Reply:
    """How the account would stand once an order is filled; one that is refused is refused here."""
    fields = call.params
    order = asked_order(call)
    asset = order.asset
    order = replace(order, quantity=fields.quantity("quantity", asset))
    price = fields.price("at") if fields.has("at") else order.price
    if not price:
        raise bad_request("at is missing: a market order has no price of its own")
    async with call.node.reading():
        queries, parameters = call.node.market.queries, call.node.market.parameters
        refusal = queries.refusal(order)
        if refusal is not None:
            raise refusal_error(parameters, order, refusal, queries.bound(order).largest)
        trade = _trade(parameters, order, price)
        now, then = queries.fractions(call.account), queries.after_trade(trade, asset)
        before = queries.liquidation_price(call.account, asset)
        after = nearest(then.prices, queries.price(asset).mark)
    ratios = (now.maintenance_ratio, then.maintenance_ratio)
    shown = [None if ratio is None else ratio_text(ratio) for ratio in ratios]
    prices = [None if each is None else price_text(each) for each in (before, after)]
    return json_reply(
        OrderAhead(
            symbol=fields.text("symbol"),
            margin_ratio=shown[0],
            margin_ratio_then=shown[1],
            liquidation_price=prices[0],
            liquidation_price_then=prices[1],
            borrows=parameters.assets[trade.gives].symbol,
            borrowed=quantity_text(parameters, trade.gives, then.borrowed),
        )
    )


def _trade(parameters: EngineParameters, order: c.PlaceOrder, price: int) -> Trade:
    """A fill of all of an order: what is paid rounded up, what comes in down."""
    account, asset, quantity = order.account, order.asset, order.quantity
    worth = quantity * price * 10 ** parameters.assets[USDC].decimals
    scale = PRICE_SCALE * 10 ** parameters.assets[asset].decimals
    if order.side is c.Side.BID:
        return Trade(account, USDC, divide_up(worth, scale), asset, quantity)
    return Trade(account, asset, quantity, USDC, worth // scale)


async def forecast(call: Call) -> Reply:
    """How an ADL round in an asset that the account owes would treat it today."""
    asset = call.params.asset()
    quantity = call.params.quantity("quantity", asset) if call.params.has("quantity") else None
    node = call.node
    async with node.reading():
        queries = node.market.queries
        seen = queries.forecast(call.account, asset, quantity)
        prices = queries.liquidation_prices(call.account, asset)
        fractions = queries.fractions(call.account)
        mark = queries.price(asset).mark
        debt = queries.balances(call.account)[asset].debt
    price = nearest(prices, mark)
    parameters = node.market.parameters
    shape = AdlForecast(
        symbol=parameters.assets[asset].symbol,
        candidate=seen is not None,
        liquidated_below=None if prices.below is None else price_text(prices.below),
        liquidated_above=None if prices.above is None else price_text(prices.above),
        margin_ratio=None
        if fractions.maintenance_ratio is None
        else ratio_text(fractions.maintenance_ratio),
        distance=None
        if price is None or not mark
        else ratio_text(abs(price - mark) * RATIO // mark),
        leverage=None if fractions.leverage is None else ratio_text(fractions.leverage),
    )
    if seen is not None:
        shape.rank = seen.rank
        shape.candidates = seen.candidates
        shape.settled = quantity_text(parameters, asset, seen.allotted)
        shape.share = ratio_text(seen.allotted * RATIO // debt)
        shape.settled_value = value_text(seen.value)
        shape.cash_left = quantity_text(parameters, asset, max(0, seen.cash_left))
    return json_reply(shape)


async def pools(call: Call) -> Reply:
    """What every pool does now, what may leave it, and how its rate comes about."""
    async with call.node.reading():
        shown = pools_now(call.node.market)
    return json_reply(shown)


def pools_now(market: Market) -> list[PoolNow]:
    """What every pool of a market at rest does."""
    queries, parameters = market.queries, market.parameters
    return [
        _pool(parameters, asset, queries.pool(asset), queries.price(asset))
        for asset in range(len(parameters.assets))
    ]


def _pool(
    parameters: EngineParameters, asset: int, pool: PoolReport, price: PriceReading
) -> PoolNow:
    about = parameters.assets[asset]
    ceiling = min(pool.bound, pool.max_utilization)
    borrowable = max(0, min(pool.cash, pool.lent * ceiling // RATIO - pool.borrowed))
    return PoolNow(
        symbol=about.symbol,
        condition=_condition(pool, price),
        utilization=ratio_text(pool.utilization),
        cash=quantity_text(parameters, asset, max(0, pool.cash)),
        redeemable=quantity_text(parameters, asset, pool.withdrawable),
        borrowable=quantity_text(parameters, asset, borrowable),
        deficit=quantity_text(parameters, asset, pool.deficit),
        stale=price.stale,
        halted=price.halted,
        gated=pool.gated,
        curve=[(ratio_text(at), ratio_text(rate)) for at, rate in about.pool.curve.points],
    )


def _condition(pool: PoolReport, price: PriceReading) -> PoolCondition:
    """The first that is true, in the order of `PoolCondition`."""
    found = (
        (PoolCondition.CLOSED, pool.state is PoolState.CLOSED),
        (PoolCondition.IMPAIRED, pool.gated),
        (PoolCondition.STALE, price.stale or price.halted),
        (PoolCondition.REPAY_ONLY, pool.state is PoolState.REPAY_ONLY),
        (PoolCondition.FULL, pool.lent > 0 and pool.utilization >= RATIO),
        (PoolCondition.THROTTLED, pool.lent > 0 and pool.utilization >= pool.bound),
    )
    return next((condition for condition, is_so in found if is_so), PoolCondition.OPEN)


async def solvency(call: Call) -> Reply:
    """Every pool's claims against what stands behind them, and the state that this is true of."""
    parameters = call.node.market.parameters
    standing = await call.node.standings.now()
    pools = [
        PoolSolvency(
            symbol=about.symbol,
            claims=quantity_text(parameters, asset, pool.lent),
            cash=quantity_text(parameters, asset, pool.cash),
            borrowed=quantity_text(parameters, asset, pool.borrowed),
            fees=quantity_text(parameters, asset, pool.fees),
            deficit=quantity_text(parameters, asset, pool.deficit),
            covered=pool.cash + pool.borrowed >= pool.lent,
        )
        for asset, (about, pool) in enumerate(zip(parameters.assets, standing.pools, strict=True))
    ]
    return json_reply(
        Solvency(
            pools=pools,
            liquidating=standing.liquidating,
            state_hash=standing.state_hash,
            records=standing.records,
            journal_digest=standing.digest,
        )
    )


async def waterfall(call: Call) -> Reply:
    """The latest steps of the waterfall since the service was started, oldest first."""
    limit = call.params.integer("limit", PAGE_DEFAULT, 1, PAGE_MOST)
    return json_reply(list(call.node.publisher.waterfall.latest)[-limit:])


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/limits",
        limits,
        "limitsQuery",
        query=LimitsQuery,
        returns=Limits,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/limits/order",
        order_limit,
        "limitsOrderQuery",
        query=OrderLimitQuery,
        returns=OrderLimit,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/limits/order/ahead",
        order_ahead,
        "limitsOrderAheadQuery",
        query=OrderAheadQuery,
        returns=OrderAhead,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/forecast",
        forecast,
        "forecastQuery",
        query=ForecastQuery,
        returns=AdlForecast,
        roles=READERS,
    ),
    Endpoint(TAG, "GET", "/solvent/v1/pools", pools, returns=list[PoolNow]),
    Endpoint(TAG, "GET", "/solvent/v1/solvency", solvency, returns=Solvency),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/waterfall",
        waterfall,
        query=WaterfallQuery,
        returns=list[WaterfallStep],
    ),
]
