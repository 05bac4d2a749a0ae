"""Reports: what is told the moment it happens, each message once: trades, liquidations, orders.

Updates of orders wait for the end of their command, when it is known whether an order by quote has
traded all it could. Absent: whatever is a state and is told by the tick, which `publisher` does.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from solvent.domain import events as e
from solvent.domain.commands import (
    Command,
    OrderType,
    PlaceOrder,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from solvent.domain.labels import SystemOrder
from solvent.domain.parameters import EngineParameters
from solvent.service.api.objects.enums import OrderStatus
from solvent.service.api.objects.streams import OrderFilled, OrderMessage, Origin
from solvent.service.api.shapes import market_symbol
from solvent.service.core.open_orders import OpenOrder, accepted
from solvent.service.streams import payloads
from solvent.service.streams.off_book import Exchange, OffBook
from solvent.service.streams.payloads import Moment, OrderTrade
from solvent.service.streams.subscriptions import LIQUIDATIONS, ORDERS, Subscriptions, Topic

Update = TypeVar("Update", bound=OrderMessage)


def order_of(event: e.OrderAccepted, command: Command, time: int) -> OpenOrder:
    """The order that entered; one of the liquidation engine is immediate or cancel."""
    if event.system_order is SystemOrder.USER:
        assert isinstance(command, PlaceOrder)
        return accepted(command, event.order, time)
    return OpenOrder(
        order=event.order,
        account=event.account,
        asset=event.asset,
        side=event.side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        price=event.price,
        quantity=event.quantity,
        quote_quantity=event.quote_quantity,
        post_only=False,
        reduce_only=False,
        self_trade_prevention=SelfTradePrevention.REJECT_TAKER,
        client_id=event.client_id,
        created=time,
    )


class Reports:
    """Tells subscribers; `when` is the moment of the command in work."""

    def __init__(self, parameters: EngineParameters, subscriptions: Subscriptions) -> None:
        self.when = Moment(0, 0)
        self._parameters = parameters
        self._subscriptions = subscriptions
        self._symbols = [
            market_symbol(parameters, asset) for asset in range(len(parameters.assets))
        ]
        self._updates: list[tuple[int, str, OrderMessage]] = []
        self._last_fills: dict[int, OrderFilled] = {}
        self._system: set[int] = set()
        self._off_book = OffBook()

    def entered(self, order: OpenOrder, system_order: SystemOrder) -> None:
        """An order was accepted."""
        if system_order is not SystemOrder.USER:
            self._system.add(order.order)
        self._update(
            order,
            lambda: payloads.order_accepted(
                self._parameters, order, self._origin(order), self.when
            ),
        )

    def cancelled(self, order: OpenOrder) -> None:
        """An order ended at its owner's wish."""
        self._update(
            order,
            lambda: payloads.order_cancelled(self._parameters, order, self.when),
        )

    def expired(self, order: OpenOrder, event: e.OrderExpired) -> None:
        """An order ended without its owner asking."""
        self._update(
            order,
            lambda: payloads.order_expired(
                self._parameters, order, event.reason, self._origin(order), self.when
            ),
        )

    def filled(self, event: e.Filled, taker: OpenOrder, maker: OpenOrder) -> None:
        """A trade, and what it is to both orders and to the liquidation engine."""
        asset = event.asset
        self._subscriptions.tell(
            Topic(f"trade.{self._symbols[asset]}"),
            lambda: payloads.trade(self._parameters, event, self.when),
        )
        if event.system_order is not SystemOrder.USER:
            self._liquidation(asset, event.side, event.price, event.quantity)
        self._fill(
            taker, OrderTrade(event.trade, event.quantity, event.price, event.taker_fee, False)
        )
        self._fill(
            maker, OrderTrade(event.trade, event.quantity, event.price, event.maker_fee, True)
        )

    def exchanged(self, event: e.Event) -> None:
        """An event of the waterfall, and what changed hands by it off the book."""
        for exchange in self._off_book.follow(event):
            fill = exchange.fill
            self._liquidation(fill.asset, exchange.side, fill.price, fill.quantity)
            self._system_fill(exchange, exchange.buyer, Side.BID)
            self._system_fill(exchange, exchange.seller, Side.ASK)

    def finish(self, traded: Iterable[int]) -> None:
        """Close a command and tell of its orders; `traded` are those at their end by trading."""
        for number in traded:
            if number in self._last_fills:
                self._last_fills[number].state = OrderStatus.FILLED
        for account, symbol, shape in self._updates:
            self._subscriptions.send(Topic(ORDERS, account), shape)
            self._subscriptions.send(Topic(f"{ORDERS}.{symbol}", account), shape)
        self._updates.clear()
        self._last_fills.clear()
        self._system.clear()
        self._off_book.finish()

    def _origin(self, order: OpenOrder) -> Origin:
        return Origin.BOOK if order.order in self._system else Origin.USER

    def _fill(self, order: OpenOrder, fill: OrderTrade) -> None:
        shape = self._update(
            order,
            lambda: payloads.order_fill(
                self._parameters, order, fill, self._origin(order), self.when
            ),
        )
        if shape is not None:
            self._last_fills[order.order] = shape

    def _update(self, order: OpenOrder, payload: Callable[[], Update]) -> Update | None:
        """Keep an update for the end of the command, if anybody listens."""
        return self._keep(order.account, order.asset, payload)

    def _system_fill(self, exchange: Exchange, account: int, side: Side) -> None:
        is_maker = account not in exchange.liquidated
        self._keep(
            account,
            exchange.fill.asset,
            lambda: payloads.system_fill(
                self._parameters, exchange.fill, side, is_maker=is_maker, when=self.when
            ),
        )

    def _keep(self, account: int, asset: int, payload: Callable[[], Update]) -> Update | None:
        symbol = self._symbols[asset]
        if not (
            self._subscriptions.has(Topic(ORDERS, account))
            or self._subscriptions.has(Topic(f"{ORDERS}.{symbol}", account))
        ):
            return None
        shape = payload()
        self._updates.append((account, symbol, shape))
        return shape

    def _liquidation(self, asset: int, side: Side, price: int, quantity: int) -> None:
        self._subscriptions.tell(
            Topic(LIQUIDATIONS),
            lambda: payloads.liquidation(
                self._parameters, asset, side, (price, quantity), self.when
            ),
        )
