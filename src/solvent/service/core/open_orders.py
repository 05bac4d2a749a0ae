"""Open orders: every order that has not ended, by number and by account.

What an order is and what becomes of it is in `history.followers.orders`; here are those of which
clients may still ask, with what the engine does not keep: when they came and what they traded.
"""

from collections.abc import Iterable

from solvent.domain.events import Event
from solvent.history.followers.orders import Order, changed


class OpenOrders:
    """All orders that have not ended."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._orders: dict[int, Order] = {}
        self._of_account: dict[int, dict[int, None]] = {}
        for order in orders:
            self._put(order)

    def get(self, order: int) -> Order | None:
        """The order of this number, if it has not ended."""
        return self._orders.get(order)

    def all(self) -> list[Order]:
        """Every order, oldest first."""
        return list(self._orders.values())

    def of(self, account: int) -> list[Order]:
        """The account's orders, oldest first."""
        return [self._orders[order] for order in tuple(self._of_account.get(account, ()))]

    def by_client_id(self, account: int, client_id: int) -> Order | None:
        """The account's latest order with this client id."""
        found = [order for order in self.of(account) if order.client_id == client_id]
        return found[-1] if found else None

    def follow(self, events: Iterable[Event], time: int) -> list[Order]:
        """Let a command's events happen; what became of the orders that it placed or changed."""
        found: dict[int, Order] = {}
        for event in events:
            for order in changed(event, time, self._orders.__getitem__):
                found[order.order] = order
                if order.has_ended:
                    self._drop(order)
                else:
                    self._put(order)
        return list(found.values())

    def _put(self, order: Order) -> None:
        self._orders[order.order] = order
        self._of_account.setdefault(order.account, {})[order.order] = None

    def _drop(self, order: Order) -> None:
        del self._orders[order.order]
        of_account = self._of_account[order.account]
        del of_account[order.order]
        if not of_account:
            del self._of_account[order.account]
