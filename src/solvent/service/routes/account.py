"""Account: settings, and the largest borrow, order and withdrawal that would pass now."""

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, TRADERS, Endpoint
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import Object, quantity_text, ratio_text, side_text, value_text
from solvent.service.core.intents import ConvertAllDust
from solvent.service.routes.orders import SIDES, Side

TAG = "Account"
_BASIS_POINTS = 10_000


async def account(call: Call) -> Reply:
    """Settings, fees in basis points, and whether the account is being liquidated."""
    desk = call.desk
    async with desk.reading():
        queries = desk.market.queries
        settings = queries.settings(call.account)
        parameters = desk.market.parameters
        orders = len(desk.market.orders.of(call.account))
        borrow_limit = queries.max_borrow(call.account, USDC)
    return json_reply(
        {
            "autoBorrowSettlements": bool(settings.auto_borrow_settlements),
            "autoLend": bool(settings.auto_lend),
            "autoRealizePnl": False,
            "autoRepayBorrows": bool(settings.auto_repay_borrows),
            "borrowLimit": value_text(borrow_limit),
            "futuresMakerFee": "0",
            "futuresTakerFee": "0",
            "leverageLimit": ratio_text(settings.leverage_limit or parameters.max_leverage),
            "limitOrders": orders,
            "liquidating": bool(settings.liquidating),
            "positionLimit": "0",
            "spotMakerFee": ratio_text(parameters.maker_fee * _BASIS_POINTS),
            "spotTakerFee": ratio_text(parameters.taker_fee * _BASIS_POINTS),
            "triggerOrders": 0,
        }
    )


async def update(call: Call) -> Reply:
    """Change settings; those that are not named stay."""
    fields = call.params

    def flag(name: str) -> int:
        return int(fields.flag(name)) if fields.has(name) else c.UNCHANGED

    leverage = fields.ratio("leverageLimit") if fields.has("leverageLimit") else c.UNCHANGED
    return await call.carry_out(
        c.UpdateSettings(
            call.account,
            auto_lend=flag("autoLend"),
            auto_repay_borrows=flag("autoRepayBorrows"),
            auto_borrow_settlements=flag("autoBorrowSettlements"),
            leverage_limit=leverage,
        )
    )


async def max_borrow(call: Call) -> Reply:
    """The largest borrow that would pass."""
    asset = call.params.asset()
    desk = call.desk
    async with desk.reading():
        largest = desk.market.queries.max_borrow(call.account, asset)
    text = quantity_text(desk.market.parameters, asset, largest)
    return json_reply({"maxBorrowQuantity": text, "symbol": call.params.text("symbol")})


async def max_order(call: Call) -> Reply:
    """The largest order that would pass."""
    fields = call.params
    command = asked_order(call)
    desk = call.desk
    async with desk.reading():
        largest = desk.market.queries.max_order_like(command)
    shape: Object = {
        "maxOrderQuantity": quantity_text(desk.market.parameters, command.asset, largest),
        "side": side_text(command.side),
        "symbol": fields.text("symbol"),
        **{name: fields.flag(name) for name in _ORDER_FLAGS if fields.has(name)},
    }
    if fields.has("price"):
        shape["price"] = fields.text("price")
    return json_reply(shape)


_ORDER_FLAGS = ("autoBorrow", "autoBorrowRepay", "autoLendRedeem", "reduceOnly")


def asked_order(call: Call) -> c.PlaceOrder:
    """An order of no quantity yet: a market order where there is no price."""
    fields = call.params
    asset = fields.market()
    side = fields.choice("side", Side)
    if side is None:
        raise bad_request("side is missing")
    price = fields.price() if fields.has("price") else 0
    return c.PlaceOrder(
        call.account,
        asset,
        SIDES[side],
        c.OrderType.LIMIT if price else c.OrderType.MARKET,
        price=price,
        reduce_only=fields.flag("reduceOnly"),
        auto_borrow=fields.flag("autoBorrow"),
        auto_borrow_repay=fields.flag("autoBorrowRepay"),
        auto_lend_redeem=fields.flag("autoLendRedeem"),
    )


async def max_withdrawal(call: Call) -> Reply:
    """The largest withdrawal that would pass."""
    fields = call.params
    asset = fields.asset()
    flags = {
        name: fields.flag(name) for name in ("autoBorrow", "autoLendRedeem") if fields.has(name)
    }
    desk = call.desk
    async with desk.reading():
        largest = desk.market.queries.max_withdraw(
            call.account,
            asset,
            auto_lend_redeem=flags.get("autoLendRedeem", False),
            auto_borrow=flags.get("autoBorrow", False),
        )
    text = quantity_text(desk.market.parameters, asset, largest)
    return json_reply({"maxWithdrawalQuantity": text, "symbol": fields.text("symbol"), **flags})


async def convert_dust(call: Call) -> Reply:
    """Sell what is below the smallest order, claims included, to the treasury at the mark."""
    fields = call.params
    if fields.has("symbol"):
        return await call.carry_out(c.ConvertDust(call.account, fields.asset()))
    return await call.intend(ConvertAllDust())


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/api/v1/account",
        account,
        "accountQuery",
        returns="AccountSummary",
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "PATCH",
        "/api/v1/account",
        update,
        "accountUpdate",
        body="autoBorrowSettlements?:bool autoLend?:bool autoRepayBorrows?:bool leverageLimit?:dec",
        roles=TRADERS,
        changes=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/account/limits/borrow",
        max_borrow,
        "maxBorrowQuantity",
        query="symbol:str",
        returns="MaxBorrowQuantity",
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/account/limits/order",
        max_order,
        "maxOrderQuantity",
        query="symbol:str side:Side price?:dec reduceOnly?:bool autoBorrow?:bool "
        "autoBorrowRepay?:bool autoLendRedeem?:bool",
        returns="MaxOrderQuantity",
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/account/limits/withdrawal",
        max_withdrawal,
        "maxWithdrawalQuantity",
        query="symbol:str autoBorrow?:bool autoLendRedeem?:bool",
        returns="MaxWithdrawalQuantity",
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "POST",
        "/api/v1/account/convertDust",
        convert_dust,
        "convertDust",
        body="symbol?:Asset",
        roles=TRADERS,
        changes=True,
    ),
]
