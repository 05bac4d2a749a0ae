"""Orders: placing, cancelling and looking at resting ones."""

from enum import StrEnum

from solvent.domain import commands as c
from solvent.history.followers.orders import Order
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, TRADERS, Endpoint
from solvent.service.api.params import Params, bad_request, not_served
from solvent.service.api.shapes import order_object
from solvent.service.core.intents import CancelNamed
from solvent.service.limits import BATCH_ORDERS
from solvent.service.strict_json import JsonValue

TAG = "Orders"
U32 = 2**32 - 1
_NO_ORDER = -1
"""The number of an order that no order has."""


class Side(StrEnum):
    """Bid buys, Ask sells."""

    BID = "Bid"
    ASK = "Ask"


class OrderType(StrEnum):
    """Market or limit."""

    LIMIT = "Limit"
    MARKET = "Market"


class TimeInForce(StrEnum):
    """How long an order may rest."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Prevention(StrEnum):
    """Which side of a trade with oneself ends."""

    TAKER = "RejectTaker"
    MAKER = "RejectMaker"
    BOTH = "RejectBoth"


class SlippageType(StrEnum):
    """In what a tolerance is given."""

    TICKS = "TickSize"
    PERCENT = "Percent"


SIDES = {Side.BID: c.Side.BID, Side.ASK: c.Side.ASK}
_TYPES = {OrderType.LIMIT: c.OrderType.LIMIT, OrderType.MARKET: c.OrderType.MARKET}
_TIMES = {kind: c.TimeInForce[kind.name] for kind in TimeInForce}
_PREVENTIONS = {
    Prevention.TAKER: c.SelfTradePrevention.REJECT_TAKER,
    Prevention.MAKER: c.SelfTradePrevention.REJECT_MAKER,
    Prevention.BOTH: c.SelfTradePrevention.REJECT_BOTH,
}
_CONDITIONAL = (
    "stopLossLimitPrice",
    "stopLossTriggerBy",
    "stopLossTriggerPrice",
    "takeProfitLimitPrice",
    "takeProfitTriggerBy",
    "takeProfitTriggerPrice",
    "triggerBy",
    "triggeredBy",
    "triggerPrice",
    "triggerQuantity",
    "slippageTolerance",
    "slippageToleranceType",
)


def place_command(account: int, fields: Params) -> c.PlaceOrder:
    """The command of an OrderExecutePayload."""
    for name in _CONDITIONAL:
        if fields.has(name):
            raise not_served(f"{name}: conditional orders are not served")
    asset = fields.market()
    side = fields.choice("side", Side)
    order_type = fields.choice("orderType", OrderType)
    if side is None or order_type is None:
        raise bad_request("side and orderType must be given")
    prevention = fields.choice("selfTradePrevention", Prevention, Prevention.TAKER)
    time_in_force = fields.choice("timeInForce", TimeInForce, TimeInForce.GTC)
    assert prevention is not None
    assert time_in_force is not None
    if order_type is OrderType.MARKET and time_in_force is TimeInForce.GTC:
        time_in_force = TimeInForce.IOC
    return c.PlaceOrder(
        account,
        asset,
        SIDES[side],
        _TYPES[order_type],
        _TIMES[time_in_force],
        price=fields.price() if fields.has("price") else 0,
        quantity=fields.quantity("quantity", asset) if fields.has("quantity") else 0,
        quote_quantity=fields.quantity("quoteQuantity", 0) if fields.has("quoteQuantity") else 0,
        post_only=fields.flag("postOnly"),
        reduce_only=fields.flag("reduceOnly"),
        auto_borrow=fields.flag("autoBorrow"),
        auto_borrow_repay=fields.flag("autoBorrowRepay"),
        auto_lend_redeem=fields.flag("autoLendRedeem"),
        self_trade_prevention=_PREVENTIONS[prevention],
        client_id=_client_id(fields),
    )


def _client_id(fields: Params) -> int:
    return fields.integer("clientId", 0, 1, U32) if fields.has("clientId") else 0


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


def _shown(call: Call, order: Order) -> JsonValue:
    status = "PartiallyFilled" if order.executed else "New"
    return order_object(call.desk.market.parameters, order, status)


async def query(call: Call) -> Reply:
    """One resting order."""
    named = _named(call)
    async with call.desk.reading():
        return json_reply(_shown(call, named.find(call.account, call.desk.market.orders)))


async def query_all(call: Call) -> Reply:
    """All resting orders, of one market or of all."""
    asset = call.params.market() if call.params.has("symbol") else None
    if call.params.text("marketType", "SPOT") != "SPOT":
        return json_reply([])
    async with call.desk.reading():
        orders = call.desk.market.orders.of(call.account)
        return json_reply(
            [_shown(call, order) for order in orders if asset is None or order.asset == asset]
        )


async def cancel(call: Call) -> Reply:
    """Cancel one order."""
    return await call.intend(_named(call))


async def cancel_all(call: Call) -> Reply:
    """Cancel all orders of a market."""
    if call.params.text("orderType", "RestingLimitOrder") != "RestingLimitOrder":
        return json_reply([])
    return await call.carry_out(c.CancelAllOrders(call.account, call.params.market()))


_ORDER = (
    "autoLend?:bool autoLendRedeem?:bool autoBorrow?:bool autoBorrowRepay?:bool brokerId?:u16 "
    "clientId?:u32 orderType:OrderTypeEnum postOnly?:bool price?:dec quantity?:dec "
    "quoteQuantity?:dec reduceOnly?:bool selfTradePrevention?:SelfTradePrevention side:Side "
    "stopLossLimitPrice?:dec stopLossTriggerBy?:str stopLossTriggerPrice?:str symbol:str "
    "takeProfitLimitPrice?:dec takeProfitTriggerBy?:str takeProfitTriggerPrice?:str "
    "timeInForce?:TimeInForce triggerBy?:str triggerPrice?:str triggerQuantity?:str "
    "slippageTolerance?:dec slippageToleranceType?:SlippageToleranceType"
)
ORDER_FIELDS = frozenset(word.partition(":")[0].removesuffix("?") for word in _ORDER.split())
_LACKS = "no conditional orders (stop loss, take profit, triggers) and no slippage tolerance"

ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/api/v1/order",
        query,
        "orderQuery",
        query="clientId?:u32 orderId?:str symbol:str",
        returns="OrderType",
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "POST",
        "/api/v1/order",
        execute,
        "orderExecute",
        body=_ORDER,
        returns="OrderType",
        roles=TRADERS,
        changes=True,
        lacks=_LACKS,
    ),
    Endpoint(
        TAG,
        "DELETE",
        "/api/v1/order",
        cancel,
        "orderCancel",
        body="clientId?:u32 orderId?:str symbol:str",
        returns="OrderType",
        roles=TRADERS,
        changes=True,
        eases=True,
    ),
    Endpoint(
        TAG,
        "POST",
        "/api/v1/orders",
        execute_batch,
        "orderExecute",
        body=_ORDER,
        returns="[BatchCommandOrderResult]",
        roles=TRADERS,
        changes=True,
        is_batch=True,
        lacks=_LACKS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/orders",
        query_all,
        "orderQueryAll",
        query="marketType?:MarketType symbol?:str",
        returns="[OrderType]",
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "DELETE",
        "/api/v1/orders",
        cancel_all,
        "orderCancelAll",
        body="symbol:str orderType?:CancelOrderTypeEnum",
        returns="[OrderType]",
        roles=TRADERS,
        changes=True,
        eases=True,
    ),
]
