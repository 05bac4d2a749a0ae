"""Orders: placing, cancelling and looking at those that rest or wait for a price."""

from solvent.domain import commands as c
from solvent.history.followers.orders import Order
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, TRADERS, Endpoint
from solvent.service.api.objects.base import MOST_CLIENT_ID
from solvent.service.api.objects.enums import (
    OrderTypeEnum,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
)
from solvent.service.api.objects.orders import (
    BatchCommandOrderResult,
    CancelOrderTypeEnum,
    OrderCancelAllPayload,
    OrderCancelPayload,
    OrderExecutePayload,
    OrderQuery,
    OrdersQuery,
    OrderType,
)
from solvent.service.api.params import Params, bad_request, not_served
from solvent.service.api.shapes import STATUSES, TRIGGERS, order_type
from solvent.service.core.idempotency import Placing
from solvent.service.core.intents import CancelKind, CancelNamed
from solvent.service.errors import order_not_found
from solvent.service.limits import BATCH_ORDERS

TAG = "Orders"
_NOT_FOUND = 404
_NO_ORDER = -1
"""The number of an order that no order has."""


SIDES = {Side.BID: c.Side.BID, Side.ASK: c.Side.ASK}
_TYPES = {kind: c.OrderType[kind.name] for kind in OrderTypeEnum}
_TIMES = {kind: c.TimeInForce[kind.name] for kind in TimeInForce}
_PREVENTIONS = {kind: c.SelfTradePrevention[kind.name] for kind in SelfTradePrevention}
_TRIGGERS = {published: by for by, published in TRIGGERS.items()}
_ATTACHED = "no order is attached to another; place one with triggerPrice"
_NOT_SERVED = {
    "stopLossLimitPrice": _ATTACHED,
    "stopLossTriggerBy": _ATTACHED,
    "stopLossTriggerPrice": _ATTACHED,
    "takeProfitLimitPrice": _ATTACHED,
    "takeProfitTriggerBy": _ATTACHED,
    "takeProfitTriggerPrice": _ATTACHED,
    "slippageTolerance": "slippage tolerance is not served",
    "slippageToleranceType": "slippage tolerance is not served",
}


def place_command(account: int, fields: Params) -> Placing:
    """The command of an OrderExecutePayload."""
    for name, why in _NOT_SERVED.items():
        if fields.has(name):
            raise not_served(f"{name}: {why}")
    order = _order(account, fields)
    if not fields.has("triggerPrice"):
        for name in ("triggerBy", "triggerQuantity"):
            if fields.has(name):
                raise bad_request(f"{name} is given without triggerPrice")
        return order
    by = fields.choice("triggerBy", TriggerBy, TriggerBy.MARK_PRICE)
    assert by is not None
    return c.waiting_order(order, fields.price("triggerPrice"), _TRIGGERS[by])


def _order(account: int, fields: Params) -> c.PlaceOrder:
    """The order, with what it waits for passed over."""
    asset = fields.market()
    side = fields.choice("side", Side)
    order_type = fields.choice("orderType", OrderTypeEnum)
    if side is None or order_type is None:
        raise bad_request("side and orderType must be given")
    prevention = fields.choice(
        "selfTradePrevention", SelfTradePrevention, SelfTradePrevention.REJECT_TAKER
    )
    time_in_force = fields.choice("timeInForce", TimeInForce, TimeInForce.GTC)
    assert prevention is not None
    assert time_in_force is not None
    if order_type is OrderTypeEnum.MARKET and time_in_force is TimeInForce.GTC:
        time_in_force = TimeInForce.IOC
    return c.PlaceOrder(
        account,
        asset,
        SIDES[side],
        _TYPES[order_type],
        _TIMES[time_in_force],
        price=fields.price() if fields.has("price") else 0,
        quantity=_quantity(fields, asset),
        quote_quantity=fields.quantity("quoteQuantity", 0) if fields.has("quoteQuantity") else 0,
        post_only=fields.flag("postOnly"),
        reduce_only=fields.flag("reduceOnly"),
        auto_borrow=fields.flag("autoBorrow"),
        auto_borrow_repay=fields.flag("autoBorrowRepay"),
        auto_lend_redeem=fields.flag("autoLendRedeem"),
        self_trade_prevention=_PREVENTIONS[prevention],
        client_id=_client_id(fields),
    )


def _quantity(fields: Params, asset: int) -> int:
    """Base atoms, under either name; 0 where none are given. Raises ApiError."""
    if not fields.has("triggerQuantity"):
        return fields.quantity("quantity", asset) if fields.has("quantity") else 0
    if fields.has("quantity"):
        raise bad_request("give only one of quantity and triggerQuantity")
    if "%" in fields.need("triggerQuantity"):
        raise not_served("triggerQuantity: per cent of a position is not served; give base tokens")
    return fields.quantity("triggerQuantity", asset)


def _client_id(fields: Params) -> int:
    return fields.integer("clientId", c.NO_CLIENT_ID, 0, MOST_CLIENT_ID)


async def execute(call: Call) -> Reply:
    """Place an order."""
    return await call.carry_out(place_command(call.account, call.params))


async def execute_batch(call: Call) -> Reply:
    """Place several orders; each is answered for itself."""
    if not isinstance(call.body, list) or not call.body:
        raise bad_request("the body must be a list of orders")
    if len(call.body) > BATCH_ORDERS:
        raise bad_request(f"at most {BATCH_ORDERS} orders a request")
    commands = [place_command(call.account, call.item(fields)) for fields in call.body]
    return await call.carry_out(*commands, is_batch=True)


def _named(call: Call) -> CancelNamed:
    """The order that a request names by exactly one of its ids."""
    fields = call.params
    asset = fields.market()
    if fields.has("orderId") == fields.has("clientId"):
        raise bad_request("give exactly one of orderId and clientId")
    if not fields.has("orderId"):
        return CancelNamed(asset, client_id=_client_id(fields))
    text = fields.text("orderId")
    is_number = text.isascii() and text.isdigit() and len(text) < 19  # noqa: PLR2004
    return CancelNamed(asset, int(text) if is_number else _NO_ORDER)


def _shown(call: Call, order: Order) -> OrderType:
    return order_type(call.node.market.parameters, order, STATUSES[order.status])


async def query(call: Call) -> Reply:
    """One order that rests or waits."""
    named = _named(call)
    async with call.node.reading():
        found = named.find(call.account, call.node.market.orders)
    if found is None:
        raise order_not_found(_NOT_FOUND)
    return json_reply(_shown(call, found))


async def query_all(call: Call) -> Reply:
    """All orders that rest or wait, of one market or of all."""
    asset = call.params.market() if call.params.has("symbol") else None
    if call.params.text("marketType", "SPOT") != "SPOT":
        return json_reply([])
    async with call.node.reading():
        orders = call.node.market.orders.of(call.account)
        return json_reply(
            [_shown(call, order) for order in orders if asset is None or order.asset == asset]
        )


async def cancel(call: Call) -> Reply:
    """Cancel one order."""
    return await call.intend(_named(call))


async def cancel_all(call: Call) -> Reply:
    """Cancel all orders of a market, or those that rest, or those that wait for a price."""
    asset, kind = call.params.market(), call.params.choice("orderType", CancelOrderTypeEnum)
    if kind is None:
        return await call.carry_out(c.CancelAllOrders(call.account, asset))
    return await call.intend(CancelKind(asset, kind is CancelOrderTypeEnum.CONDITIONAL_ORDER))


_DEVIATIONS = (
    "no stop loss or take profit attached to an order, no `triggerQuantity` in per cent, no "
    "slippage tolerance: refused"
)

ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/api/v1/order",
        query,
        "orderQuery",
        query=OrderQuery,
        returns=OrderType,
        roles=READERS,
        may_be_missing=True,
    ),
    Endpoint(
        TAG,
        "POST",
        "/api/v1/order",
        execute,
        "orderExecute",
        body=OrderExecutePayload,
        returns=OrderType,
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
        deviations=_DEVIATIONS,
    ),
    Endpoint(
        TAG,
        "DELETE",
        "/api/v1/order",
        cancel,
        "orderCancel",
        body=OrderCancelPayload,
        returns=OrderType,
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
        reduces_risk=True,
    ),
    Endpoint(
        TAG,
        "POST",
        "/api/v1/orders",
        execute_batch,
        "orderExecute",
        body=OrderExecutePayload,
        returns=list[BatchCommandOrderResult],
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
        is_batch=True,
        deviations=_DEVIATIONS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/orders",
        query_all,
        "orderQueryAll",
        query=OrdersQuery,
        returns=list[OrderType],
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "DELETE",
        "/api/v1/orders",
        cancel_all,
        "orderCancelAll",
        body=OrderCancelAllPayload,
        returns=list[OrderType],
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
        reduces_risk=True,
    ),
]
