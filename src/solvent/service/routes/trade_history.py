"""History of trading, page by page: every order and fill, people's and the three stages'."""

from solvent.domain.commands import NO_CLIENT_ID, OrderType
from solvent.domain.labels import ExpiryReason, SystemOrder
from solvent.domain.parameters import USDC
from solvent.history.tables import rows as r
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.objects.enums import OrderExpiryReason, SystemOrderType
from solvent.service.api.objects.history import FillsQuery, Order, OrderFill, OrdersHistoryQuery
from solvent.service.api.pages import page_headers
from solvent.service.api.shapes import (
    EXPIRIES,
    PREVENTIONS,
    STATUSES,
    TIMES,
    TYPES,
    condition_of,
    failure_reason,
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
    r.FillKind.BOOK: SystemOrderType.LIQUIDATE_POSITION_ON_BOOK,
    r.FillKind.BACKSTOP: SystemOrderType.LIQUIDATE_POSITION_ON_BACKSTOP,
    r.FillKind.ADL: SystemOrderType.LIQUIDATE_POSITION_ON_ADL,
}
_REASONS = EXPIRIES | {ExpiryReason.ADL_SETTLEMENT: OrderExpiryReason.LIQUIDATION}


async def orders(call: Call) -> Reply:
    """Every order and what became of it."""
    order, asset = number_of(call, "orderId"), market_of(call)
    parameters = call.node.market.parameters

    def shape(row: r.OrderRow) -> Order:
        condition = condition_of(parameters, row)
        is_limit, is_system = row.order_type is OrderType.LIMIT, row.system is not SystemOrder.USER
        return Order(
            id=str(row.order),
            created_at=naive_time(row.time),
            executed_quantity=quantity_text(parameters, row.asset, row.executed),
            executed_quote_quantity=value_text(row.executed_quote),
            order_type=TYPES[row.order_type],
            self_trade_prevention=PREVENTIONS[row.self_trade_prevention],
            status=STATUSES[row.status],
            side=side_text(row.side),
            symbol=market_symbol(parameters, row.asset),
            time_in_force=TIMES[row.time_in_force],
            quantity=quantity_text(parameters, row.asset, row.quantity or row.executed),
            quote_quantity=value_text(row.quote_quantity) if row.quote_quantity else None,
            price=price_text(row.price) if is_limit else None,
            post_only=row.post_only if is_limit else None,
            client_id=None if row.client_id == NO_CLIENT_ID else row.client_id,
            expiry_reason=_why(row),
            system_order_type=SYSTEM_TYPES[r.FillKind.BOOK] if is_system else None,
            trigger_by=condition.trigger_by,
            trigger_price=condition.trigger_price,
            trigger_quantity=condition.trigger_quantity,
        )

    return await page(
        call,
        lambda views, paging: views.orders(call.account, order=order, asset=asset, paging=paging),
        shape,
    )


def _why(row: r.OrderRow) -> OrderExpiryReason | None:
    if row.refused is not None:
        return failure_reason(row.refused, row.limit)
    return None if row.reason is None else _REASONS[row.reason]


async def fills(call: Call) -> Reply:
    """Every fill, people's and the three stages'."""
    order, asset = number_of(call, "orderId"), market_of(call)
    kinds = one_of(call, "fillType", _FILL_TYPES)
    if kinds == ():
        return json_reply([], page_headers(call.params, 0))
    first, end = times_of(call)
    parameters = call.node.market.parameters

    def shape(row: r.Fill) -> OrderFill:
        return OrderFill(
            fee=value_text(row.fee),
            fee_symbol=parameters.assets[USDC].symbol,
            is_maker=row.is_maker,
            order_id=str(row.order),
            price=price_text(row.price),
            quantity=quantity_text(parameters, row.asset, row.quantity),
            side=side_text(row.side),
            symbol=market_symbol(parameters, row.asset),
            timestamp=naive_time(row.time),
            trade_id=row.trade or None,
            client_id=None if row.client_id == NO_CLIENT_ID else str(row.client_id),
            system_order_type=SYSTEM_TYPES.get(row.kind),
        )

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
        OrdersHistoryQuery,
        Order,
    ),
    history_endpoint(
        "Orders",
        "history/fills",
        fills,
        "fillHistoryQueryAll",
        FillsQuery,
        OrderFill,
    ),
]
