"""Reports: what is told the moment it happens, each message once: trades, liquidations, orders.

Absent: whatever is a state and is told by the tick, which `publisher` does.
"""

from collections.abc import Callable

from solvent.domain import events as e
from solvent.domain.commands import Side
from solvent.domain.labels import SystemOrder
from solvent.domain.parameters import EngineParameters
from solvent.history.followers.orders import Order
from solvent.history.followers.transfers import (
    Transfer,
    liquidated_after,
    side_of,
    transfer_of,
)
from solvent.history.tables.rows import FillKind
from solvent.service.api.objects.streams import OrderMessage
from solvent.service.api.shapes import market_symbol
from solvent.service.streams import payloads
from solvent.service.streams.payloads import Moment, OrderTrade
from solvent.service.streams.subscriptions import LIQUIDATIONS, ORDERS, Subscriptions, Topic

_STAGES = {FillKind.BACKSTOP: "backstop", FillKind.ADL: "adl"}


class Reports:
    """Tells subscribers; `when` is the moment of the command in work."""

    def __init__(self, parameters: EngineParameters, subscriptions: Subscriptions) -> None:
        self.when = Moment(0, 0)
        self._parameters = parameters
        self._subscriptions = subscriptions
        self._symbols = [
            market_symbol(parameters, asset) for asset in range(len(parameters.assets))
        ]
        self._liquidated: frozenset[int] = frozenset()
        self._settlement = ""
        self._transfers = 0

    def entered(self, order: Order) -> None:
        """An order was accepted, or one that waited entered."""
        self._tell(order, lambda: payloads.order_accepted(self._parameters, order, self.when))

    def waits(self, order: Order) -> None:
        """An order began to wait for a price."""
        self._tell(order, lambda: payloads.trigger_placed(self._parameters, order, self.when))

    def failed(self, order: Order) -> None:
        """An order was refused when its price was reached."""
        self._tell(order, lambda: payloads.trigger_failed(self._parameters, order, self.when))

    def cancelled(self, order: Order) -> None:
        """An order ended at its owner's wish."""
        self._tell(order, lambda: payloads.order_cancelled(self._parameters, order, self.when))

    def expired(self, order: Order) -> None:
        """An order ended without its owner asking."""
        self._tell(order, lambda: payloads.order_expired(self._parameters, order, self.when))

    def filled(self, event: e.Filled, taker: Order, maker: Order) -> None:
        """A trade, and what it is to both orders and to the liquidation engine."""
        asset = event.asset
        self._subscriptions.tell(
            Topic(f"trade.{self._symbols[asset]}"),
            lambda: payloads.trade(self._parameters, event, self.when),
        )
        if event.system_order is not SystemOrder.USER:
            self._liquidation(asset, event.side, event.price, event.quantity)
        trade = event.trade, event.quantity, event.price
        self._fill(taker, OrderTrade(*trade, event.taker_fee, False))
        self._fill(maker, OrderTrade(*trade, event.maker_fee, True))

    def transferred(self, event: e.Event) -> None:
        """An event of the waterfall, and what it moves off the book."""
        self._liquidated = liquidated_after(event, self._liquidated)
        transfer = transfer_of(event)
        if transfer is None or not transfer.is_fill:
            return
        name = self._name(transfer)
        side = side_of(transfer, self._liquidated)
        self._liquidation(transfer.asset, side, transfer.mark, transfer.quantity)
        self._system_fill(name, transfer, transfer.buyer, Side.BID)
        self._system_fill(name, transfer, transfer.seller, Side.ASK)

    def _name(self, transfer: Transfer) -> str:
        """A name for a fill that no other has: what moves in one settlement is counted."""
        settlement = f"{_STAGES[transfer.kind]}-{transfer.number}"
        if transfer.kind is FillKind.ADL:
            settlement += f"-{transfer.part}"
        self._transfers = self._transfers + 1 if settlement == self._settlement else 1
        self._settlement = settlement
        return f"{settlement}-{self._transfers}"

    def _fill(self, order: Order, fill: OrderTrade) -> None:
        self._tell(order, lambda: payloads.order_fill(self._parameters, order, fill, self.when))

    def _system_fill(self, name: str, transfer: Transfer, account: int, side: Side) -> None:
        is_maker = account not in self._liquidated
        self._tell_account(
            account,
            transfer.asset,
            lambda: payloads.system_fill(
                self._parameters, name, transfer, side, is_maker=is_maker, when=self.when
            ),
        )

    def _tell(self, order: Order, payload: Callable[[], OrderMessage]) -> None:
        self._tell_account(order.account, order.asset, payload)

    def _tell_account(self, account: int, asset: int, payload: Callable[[], OrderMessage]) -> None:
        """Tell an account of what became of an order, under both names of the stream."""
        for stream in (ORDERS, f"{ORDERS}.{self._symbols[asset]}"):
            self._subscriptions.tell(Topic(stream, account), payload)

    def _liquidation(self, asset: int, side: Side, price: int, quantity: int) -> None:
        self._subscriptions.tell(
            Topic(LIQUIDATIONS),
            lambda: payloads.liquidation(
                self._parameters, asset, side, (price, quantity), self.when
            ),
        )
