"""Open orders: every order that has not ended, by number and by account, also while it waits.

What an order is and what becomes of it is in `history.followers.orders`; here are those of which
clients may still ask, with what the engine does not keep: when they came and what they traded.
"""

from collections.abc import Iterable

from solvent.domain.commands import NO_CLIENT_ID
from solvent.domain.events import Event
from solvent.history.followers.orders import Order, changed


class OpenOrders:
    """All orders that have not ended."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._orders: dict[int, Order] = {}
        self._of_account: dict[int, dict[int, None]] = {}
        self._by_client: dict[tuple[int, int], int] = {}
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
        """The account's order with this client id; it has one at most."""
        number = self._by_client.get((account, client_id))
        return None if number is None else self._orders[number]

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
        if order.client_id != NO_CLIENT_ID:
            self._by_client[order.account, order.client_id] = order.order

    def _drop(self, order: Order) -> None:
        del self._orders[order.order]
        self._by_client.pop((order.account, order.client_id), None)
        of_account = self._of_account[order.account]
        del of_account[order.order]
        if not of_account:
            del self._of_account[order.account]
