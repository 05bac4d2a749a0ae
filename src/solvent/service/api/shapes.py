"""Shapes: domain integers as the objects of the public API, each quantity a decimal string."""

from solvent.domain import commands as c
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import PRICE_DECIMALS, RATIO_DECIMALS, VALUE_DECIMALS
from solvent.history.followers.orders import Order
from solvent.history.tables.rows import OrderStatus
from solvent.service.strict_json import JsonValue
from solvent.service.wire import format_decimal, ms, naive_time

Object = dict[str, JsonValue]

_SIDES = {c.Side.BID: "Bid", c.Side.ASK: "Ask"}
TYPES = {c.OrderType.LIMIT: "Limit", c.OrderType.MARKET: "Market"}
PREVENTIONS = {
    c.SelfTradePrevention.REJECT_TAKER: "RejectTaker",
    c.SelfTradePrevention.REJECT_MAKER: "RejectMaker",
    c.SelfTradePrevention.REJECT_BOTH: "RejectBoth",
}

STATUS_TEXTS = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.EXPIRED: "Expired",
}


def quantity_text(parameters: EngineParameters, asset: int, atoms: int) -> str:
    """Atoms of an asset in tokens."""
    return format_decimal(atoms, parameters.assets[asset].decimals)


def price_text(price: int) -> str:
    """A price in USDC a token."""
    return format_decimal(price, PRICE_DECIMALS)


def value_text(value: int) -> str:
    """A value in USDC."""
    return format_decimal(value, VALUE_DECIMALS)


def ratio_text(ratio: int) -> str:
    """A ratio of 10^-9."""
    return format_decimal(ratio, RATIO_DECIMALS)


def market_symbol(parameters: EngineParameters, asset: int) -> str:
    """Name of an asset's market."""
    return f"{parameters.assets[asset].symbol}_{parameters.assets[USDC].symbol}"


def side_text(side: int) -> str:
    """Bid or Ask."""
    return _SIDES[c.Side(side)]


def order_object(parameters: EngineParameters, order: Order, status: str) -> Object:
    """An order as `OrderType` of the public API."""
    shape: Object = {
        "id": str(order.order),
        "createdAt": ms(order.created),
        "executedQuantity": quantity_text(parameters, order.asset, order.executed),
        "executedQuoteQuantity": value_text(order.executed_quote),
        "orderType": TYPES[order.order_type],
        "reduceOnly": order.reduce_only,
        "selfTradePrevention": PREVENTIONS[order.self_trade_prevention],
        "side": side_text(order.side),
        "status": status,
        "symbol": market_symbol(parameters, order.asset),
        "timeInForce": order.time_in_force.name,
    }
    if order.client_id:
        shape["clientId"] = order.client_id
    if order.quantity:
        shape["quantity"] = quantity_text(parameters, order.asset, order.quantity)
    if order.quote_quantity:
        shape["quoteQuantity"] = value_text(order.quote_quantity)
    if order.order_type is c.OrderType.LIMIT:
        shape["postOnly"] = order.post_only
        shape["price"] = price_text(order.price)
    return shape


def withdrawal_object(
    parameters: EngineParameters,
    number: int,
    command: c.Withdraw,
    time: int,
    memo: tuple[str, str, str] | None,
) -> Object:
    """A withdrawal as the public API has it: tokens have left, there is no chain here."""
    client_id, address, blockchain = memo or ("", "", "")
    shape: Object = {
        "id": number,
        "blockchain": blockchain or "Solana",
        "quantity": quantity_text(parameters, command.asset, command.quantity),
        "fee": "0",
        "symbol": parameters.assets[command.asset].symbol,
        "status": "confirmed",
        "toAddress": address,
        "createdAt": naive_time(time),
        "isInternal": False,
    }
    if client_id:
        shape["clientId"] = client_id
    return shape
