"""History of trading, page by page: every order and fill, people's and the three stages'."""

from solvent.domain.commands import OrderType
from solvent.domain.labels import ExpiryReason, SystemOrder
from solvent.history.tables import rows as r
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.pages import page_headers
from solvent.service.api.shapes import (
    PREVENTIONS,
    TYPES,
    Object,
    market_symbol,
    price_text,
    quantity_text,
    side_text,
    value_text,
)
from solvent.service.routes.histories import (
    history_endpoint,
    market_of,
    number_of,
    one_of,
    page,
    times_of,
    words,
)
from solvent.service.wire import naive_time

_FILL_TYPES = {
    "User": (r.FillKind.USER,),
    "BookLiquidation": (r.FillKind.BOOK,),
    "Adl": (r.FillKind.ADL,),
    "Backstop": (r.FillKind.BACKSTOP,),
    "Liquidation": (r.FillKind.BOOK,),
    "AllLiquidation": (r.FillKind.BOOK, r.FillKind.BACKSTOP, r.FillKind.ADL),
    "CollateralConversion": (),
    "CollateralConversionAndSpotLiquidation": (r.FillKind.BOOK,),
}
SYSTEM_TYPES = {
    r.FillKind.BOOK: "LiquidatePositionOnBook",
    r.FillKind.BACKSTOP: "LiquidatePositionOnBackstop",
    r.FillKind.ADL: "LiquidatePositionOnAdl",
}
_REASONS = {ExpiryReason.ADL_SETTLEMENT: "Liquidation"}


async def orders(call: Call) -> Reply:
    """Every order and what became of it."""
    order, asset = number_of(call, "orderId"), market_of(call)
    parameters = call.desk.market.parameters

    def shape(row: r.OrderRow) -> Object:
        found: Object = {
            "id": str(row.order),
            "createdAt": naive_time(row.time),
            "executedQuantity": quantity_text(parameters, row.asset, row.executed),
            "executedQuoteQuantity": value_text(row.executed_quote),
            "orderType": TYPES[row.order_type],
            "selfTradePrevention": PREVENTIONS[row.self_trade_prevention],
            "status": words(row.status.name),
            "side": side_text(row.side),
            "symbol": market_symbol(parameters, row.asset),
            "timeInForce": row.time_in_force.name,
        }
        if row.quantity:
            found["quantity"] = quantity_text(parameters, row.asset, row.quantity)
        if row.quote_quantity:
            found["quoteQuantity"] = value_text(row.quote_quantity)
        if row.order_type is OrderType.LIMIT:
            found |= {"price": price_text(row.price), "postOnly": row.post_only}
        if row.client_id:
            found["clientId"] = row.client_id
        if row.reason is not None:
            found["expiryReason"] = _REASONS.get(row.reason) or words(row.reason.name)
        if row.system is not SystemOrder.USER:
            found["systemOrderType"] = SYSTEM_TYPES[r.FillKind.BOOK]
        return found

    return await page(
        call,
        lambda views, paging: views.orders(call.account, order=order, asset=asset, paging=paging),
        shape,
    )


async def fills(call: Call) -> Reply:
    """Every fill, people's and the three stages'."""
    order, asset = number_of(call, "orderId"), market_of(call)
    kinds = one_of(call, "fillType", _FILL_TYPES)
    if kinds == ():
        return json_reply([], page_headers(call.params, 0))
    first, end = times_of(call)
    parameters = call.desk.market.parameters

    def shape(row: r.Fill) -> Object:
        found: Object = {
            "fee": ("-" if row.fee < 0 else "") + value_text(abs(row.fee)),
            "feeSymbol": parameters.assets[0].symbol,
            "isMaker": row.is_maker,
            "orderId": str(row.order),
            "price": price_text(row.price),
            "quantity": quantity_text(parameters, row.asset, row.quantity),
            "side": side_text(row.side),
            "symbol": market_symbol(parameters, row.asset),
            "timestamp": naive_time(row.time),
        }
        if row.trade:
            found["tradeId"] = row.trade
        if row.client_id:
            found["clientId"] = str(row.client_id)
        if row.kind in SYSTEM_TYPES:
            found["systemOrderType"] = SYSTEM_TYPES[row.kind]
        return found

    return await page(
        call,
        lambda views, paging: views.fills(
            call.account,
            order=order,
            asset=asset,
            kinds=kinds,
            first=first,
            end=end,
            paging=paging,
        ),
        shape,
    )


ENDPOINTS = [
    history_endpoint(
        "Orders",
        "history/orders",
        orders,
        "orderHistoryQueryAll",
        "orderId?:str strategyId?:str symbol?:str marketType?:[MarketType]",
        "Order",
    ),
    history_endpoint(
        "Orders",
        "history/fills",
        fills,
        "fillHistoryQueryAll",
        "orderId?:str strategyId?:str from?:i64 to?:i64 symbol?:str fillType?:FillType "
        "marketType?:[MarketType]",
        "OrderFill",
    ),
]
