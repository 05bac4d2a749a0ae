"""Orders that wait for a price and fire: by index, by mark and by last trade, and one that fails.

One client acts for two accounts and gives the prices of their market, which nobody else does, so
that it is certain which of its requests makes an order fire. Nothing else says that one did: an
order that fires twice, or not at all, shows in fills, balances and open orders.
"""

from collections.abc import Callable, Mapping

from solvent.domain.units import PRICE_DECIMALS, PRICE_SCALE
from solvent.proof.crash.players import HIGH, says_of
from solvent.proof.crash.script import (
    CHEAP,
    CHEAPLY,
    CONSEQUENCE,
    FAILS,
    FIRES,
    PRICE,
    USD,
    Fields,
    Op,
    Place,
    Plan,
    name_of,
)
from solvent.proof.crash.signed import Ask
from solvent.proof.crash.staff import ORACLE
from solvent.service.strict_json import JsonValue
from solvent.service.wire import format_decimal

PRICES = (PRICE, PRICE * 104 // 100)
"""The index is at one and then at the other."""
BETWEEN, LOW = PRICE * 102 // 100, CHEAP * PRICE_SCALE // USD
"""What orders wait for by index and mark; where a sale makes others fire, which wait for PRICE."""
POST_ONLY: Fields = {"postOnly": True}
Turn = Callable[["Conditional", int], Plan]


class Conditional:
    """An offer, an order that waits to take it, and what makes it fire, without end.

    The first request gives the market a price.
    """

    def __init__(self, place: Place, accounts: tuple[int, int]) -> None:
        self._place = place
        self._accounts = accounts

    def plan(self, step: int) -> Plan:
        """The first price, and then one turn after another."""
        if step == 0:
            return self._price(0)
        cycle, at = divmod(step - 1, len(_CYCLE))
        kind, turn = _CYCLE[at]
        return turn(self, cycle * KINDS + kind)

    def _roles(self, number: int) -> tuple[int, int]:
        """Who offers and who waits, so that neither runs out of tokens."""
        first, second = self._accounts
        return (first, second) if (number + number // KINDS) % 2 else (second, first)

    def _order(self, account: int, ops: tuple[Op, ...], fields: Fields) -> Plan:
        """The first op has the order's client id."""
        ask = Ask("POST", "/api/v1/order", "orderExecute", fields)
        return Plan(name_of(account), ask, ops, says_of(ops[0].number))

    def offer(self, number: int) -> Plan:
        """Offer a token."""
        seller, _ = self._roles(number)
        fields = self._place.order("Ask", HIGH, number + 1)
        return self._order(seller, (Op(seller, "order", number + 1),), fields)._replace(
            is_order=True
        )

    def _wait(self, number: int, by: str, price: int, more: Fields) -> Plan:
        _, buyer = self._roles(number)
        trigger: Mapping[str, JsonValue] = {
            "triggerBy": by,
            "triggerPrice": format_decimal(price, PRICE_DECIMALS),
        }
        fields = {**self._place.order("Bid", HIGH, number + 1), **trigger, **more}
        return self._order(buyer, (Op(buyer, "wait", number + 1),), fields)._replace(is_order=True)

    def by_index(self, number: int) -> Plan:
        """Wait for the index."""
        return self._wait(number, "IndexPrice", BETWEEN, {})

    def by_mark(self, number: int) -> Plan:
        """Wait for the mark."""
        return self._wait(number, "MarkPrice", BETWEEN, {})

    def by_last(self, number: int) -> Plan:
        """Wait for a trade."""
        return self._wait(number, "LastPrice", PRICE, {})

    def in_vain(self, number: int) -> Plan:
        """Wait as an order that may not take, and will be refused when it fires."""
        return self._wait(number, "MarkPrice", BETWEEN, POST_ONLY)

    def price_fires(self, number: int) -> Plan:
        """The price that makes an order fire, which buys."""
        seller, buyer = self._roles(number)
        plan = self._price(_posts(number))
        fires = Op(buyer, FIRES, number + 1), Op(seller, CONSEQUENCE, number + 1)
        return plan._replace(ops=(*plan.ops, *fires))

    def price_fails(self, number: int) -> Plan:
        """The price that makes an order fire, which is refused."""
        _, buyer = self._roles(number)
        plan = self._price(_posts(number))
        return plan._replace(ops=(*plan.ops, Op(buyer, FAILS, number + 1)))

    def bid(self, number: int) -> Plan:
        """A bid below, whose number is apart from those of offers."""
        _, buyer = self._roles(number)
        bid = _apart(number)
        fields = self._place.order("Bid", LOW, bid)
        return self._order(buyer, (Op(buyer, "order", bid),), fields)._replace(is_order=True)

    def trade_fires(self, number: int) -> Plan:
        """A sale to the bid, which makes an order fire that buys."""
        seller, buyer = self._roles(number)
        sale = _apart(number)
        fields: Fields = {**self._place.order("Ask", LOW, sale), "timeInForce": "IOC"}
        ops = (
            Op(seller, "sell", sale),
            Op(buyer, CHEAPLY, sale),
            Op(buyer, FIRES, number + 1),
            Op(seller, CONSEQUENCE, number + 1),
        )
        return self._order(seller, ops, fields)

    def withdraw_offer(self, number: int) -> Plan:
        """Cancel what was offered."""
        seller, _ = self._roles(number)
        fields: Fields = {"symbol": self._place.market, "clientId": number + 1}
        ask = Ask("DELETE", "/api/v1/order", "orderCancel", fields)
        return Plan(name_of(seller), ask, (Op(seller, "cancel", number + 1),))

    def _price(self, post: int) -> Plan:
        ask, ops = self._place.quotes(PRICES[post % len(PRICES)])
        return Plan(ORACLE, ask, ops)


_TURNS: tuple[tuple[Turn, ...], ...] = (
    (Conditional.offer, Conditional.by_index, Conditional.price_fires),
    (Conditional.offer, Conditional.by_mark, Conditional.price_fires),
    (
        Conditional.offer,
        Conditional.in_vain,
        Conditional.price_fails,
        Conditional.withdraw_offer,
    ),
    (Conditional.offer, Conditional.by_last, Conditional.bid, Conditional.trade_fires),
)
KINDS = len(_TURNS)
_CYCLE = [(kind, turn) for kind, turns in enumerate(_TURNS) for turn in turns]
_POSTS = KINDS - 1
"""How many prices a cycle has: in all of its turns but the last."""


def _posts(number: int) -> int:
    """Which price the turn of this number posts, counted from 0 for the first request's."""
    cycle, kind = divmod(number, KINDS)
    return 1 + cycle * _POSTS + kind


def _apart(number: int) -> int:
    """A client id that no offer has."""
    return 10**6 + number
