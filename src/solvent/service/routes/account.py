"""Account: settings, and the largest borrow, order and withdrawal that would pass now."""

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, TRADERS, Endpoint
from solvent.service.api.objects.account import (
    AccountConvertDustPayload,
    AccountSummary,
    MaxBorrowQuantity,
    MaxBorrowQuery,
    MaxOrderQuantity,
    MaxWithdrawalQuantity,
    MaxWithdrawalQuery,
    OrderLimitQuery,
    UpdateAccountSettingsRequest,
)
from solvent.service.api.objects.enums import Side
from solvent.service.api.params import Params, bad_request
from solvent.service.api.shapes import quantity_text, ratio_text, side_text, value_text
from solvent.service.core.intents import ConvertAllDust
from solvent.service.routes.orders import SIDES

TAG = "Account"
_BASIS_POINTS = 10_000


async def account(call: Call) -> Reply:
    """Settings, fees in basis points, and whether the account is being liquidated."""
    node = call.node
    async with node.reading():
        queries = node.market.queries
        settings = queries.settings(call.account)
        parameters = node.market.parameters
        orders = node.market.orders.of(call.account)
        waiting = sum(order.waits for order in orders)
        borrow_limit = queries.max_borrow(call.account, USDC)
    return json_reply(
        AccountSummary(
            auto_borrow_settlements=bool(settings.auto_borrow_settlements),
            auto_lend=bool(settings.auto_lend),
            auto_realize_pnl=False,
            auto_repay_borrows=bool(settings.auto_repay_borrows),
            borrow_limit=value_text(borrow_limit),
            futures_maker_fee="0",
            futures_taker_fee="0",
            leverage_limit=ratio_text(settings.leverage_limit or parameters.max_leverage),
            limit_orders=len(orders) - waiting,
            liquidating=bool(settings.liquidating),
            position_limit="0",
            spot_maker_fee=ratio_text(parameters.maker_fee * _BASIS_POINTS),
            spot_taker_fee=ratio_text(parameters.taker_fee * _BASIS_POINTS),
            trigger_orders=waiting,
        )
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
    node = call.node
    async with node.reading():
        largest = node.market.queries.max_borrow(call.account, asset)
    text = quantity_text(node.market.parameters, asset, largest)
    return json_reply(
        MaxBorrowQuantity(max_borrow_quantity=text, symbol=call.params.text("symbol"))
    )


async def max_order(call: Call) -> Reply:
    """The largest order that would pass."""
    fields = call.params
    command = asked_order(call)
    node = call.node
    async with node.reading():
        largest = node.market.queries.max_order_like(command)
    return json_reply(
        MaxOrderQuantity(
            max_order_quantity=quantity_text(node.market.parameters, command.asset, largest),
            side=side_text(command.side),
            symbol=fields.text("symbol"),
            auto_borrow=_as_asked(fields, "autoBorrow"),
            auto_borrow_repay=_as_asked(fields, "autoBorrowRepay"),
            auto_lend_redeem=_as_asked(fields, "autoLendRedeem"),
            reduce_only=_as_asked(fields, "reduceOnly"),
            price=fields.text("price") if fields.has("price") else None,
        )
    )


def _as_asked(fields: Params, name: str) -> bool | None:
    return fields.flag(name) if fields.has(name) else None


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
    node = call.node
    async with node.reading():
        largest = node.market.queries.max_withdraw(
            call.account,
            asset,
            auto_lend_redeem=fields.flag("autoLendRedeem"),
            auto_borrow=fields.flag("autoBorrow"),
        )
    text = quantity_text(node.market.parameters, asset, largest)
    return json_reply(
        MaxWithdrawalQuantity(
            max_withdrawal_quantity=text,
            symbol=fields.text("symbol"),
            auto_borrow=_as_asked(fields, "autoBorrow"),
            auto_lend_redeem=_as_asked(fields, "autoLendRedeem"),
        )
    )


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
        returns=AccountSummary,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "PATCH",
        "/api/v1/account",
        update,
        "accountUpdate",
        body=UpdateAccountSettingsRequest,
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/account/limits/borrow",
        max_borrow,
        "maxBorrowQuantity",
        query=MaxBorrowQuery,
        returns=MaxBorrowQuantity,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/account/limits/order",
        max_order,
        "maxOrderQuantity",
        query=OrderLimitQuery,
        returns=MaxOrderQuantity,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/account/limits/withdrawal",
        max_withdrawal,
        "maxWithdrawalQuantity",
        query=MaxWithdrawalQuery,
        returns=MaxWithdrawalQuantity,
        roles=READERS,
    ),
    Endpoint(
        TAG,
        "POST",
        "/api/v1/account/convertDust",
        convert_dust,
        "convertDust",
        body=AccountConvertDustPayload,
        roles=TRADERS,
        mutates=True,
        needs_no_market=True,
    ),
]
