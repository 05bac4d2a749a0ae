"""What accounts ask for: traders each by himself, and a pair that trades with one another."""

from solvent.domain.units import PRICE_SCALE
from solvent.proof.crash.script import (
    CONSEQUENCE,
    PRICE,
    TRADE,
    USD,
    Fields,
    Op,
    Place,
    Plan,
    name_of,
    usd,
)
from solvent.proof.crash.signed import Ask

LEND, REDEEM, WITHDRAWAL = 3 * USD, 2 * USD, USD
LOW, HIGH = PRICE * 90 // 100, TRADE * PRICE_SCALE // USD
"""Where orders rest that are cancelled, and where a pair trades."""
UNREACHED: Fields = {"triggerPrice": "1000000"}
"""A price that an order waits for in vain."""


def says_of(client_id: int) -> bytes:
    """What a right answer about an order has in it."""
    return b'"clientId":%d,' % client_id


class Trader:
    """Orders that rest or wait, their cancellation, lends, withdrawals, and batches of all."""

    def __init__(self, place: Place, account: int) -> None:
        self._place = place
        self._account = account
        self._turns = (
            self._order,
            self._lend,
            self._commands,
            self._cancel,
            self._withdraw,
            self._redeem,
            self._orders,
            self._cancel_all,
        )

    def plan(self, step: int) -> Plan:
        """The turn that it is."""
        return self._turns[step % len(self._turns)](2 * step + 1)

    def _plan(self, ask: Ask, *ops: tuple[str, int], says: bytes = b"") -> Plan:
        account = self._account
        return Plan(name_of(account), ask, tuple(Op(account, *op) for op in ops), says)

    def _order(self, number: int) -> Plan:
        fields = self._place.order("Bid", LOW, number)
        ask = Ask("POST", "/api/v1/order", "orderExecute", fields)
        return self._plan(ask, ("order", number), says=says_of(number))._replace(is_order=True)

    def _cancel(self, number: int) -> Plan:
        """Cancel the order of three turns ago."""
        ordered = number - 6
        fields: Fields = {"symbol": self._place.market, "clientId": ordered}
        ask = Ask("DELETE", "/api/v1/order", "orderCancel", fields)
        return self._plan(ask, ("cancel", ordered), says=says_of(ordered))

    def _cancel_all(self, _: int) -> Plan:
        fields = {"symbol": self._place.market}
        return self._plan(
            Ask("DELETE", "/api/v1/orders", "orderCancelAll", fields), ("cancel all", 0)
        )

    def _lend(self, _: int) -> Plan:
        return self._plan(self._borrow_lend("Lend", LEND), ("lend", LEND))

    def _redeem(self, _: int) -> Plan:
        return self._plan(self._borrow_lend("Borrow", REDEEM), ("redeem", REDEEM))

    def _borrow_lend(self, side: str, atoms: int) -> Ask:
        fields = {"symbol": self._place.usdc, "side": side, "quantity": usd(atoms)}
        return Ask("POST", "/api/v1/borrowLend", "borrowLendExecute", fields)

    def _withdraw(self, number: int) -> Plan:
        fields: Fields = {
            "symbol": self._place.usdc,
            "quantity": usd(WITHDRAWAL),
            "address": "an address",
            "blockchain": "Solana",
            "clientId": str(number),
        }
        ask = Ask("POST", "/wapi/v1/capital/withdrawals", "withdraw", fields)
        return self._plan(ask, ("withdraw", WITHDRAWAL), says=b'"clientId":"%d"' % number)

    def _orders(self, number: int) -> Plan:
        """A list of one order."""
        fields = self._place.order("Bid", LOW, number)
        ask = Ask("POST", "/api/v1/orders", "orderExecute", fields, is_list=True)
        return self._plan(ask, ("order", number), says=says_of(number))

    def _commands(self, number: int) -> Plan:
        lend: Fields = {"verb": "lend", "symbol": self._place.usdc, "quantity": usd(LEND)}
        waits: Fields = {"verb": "order", **self._place.order("Bid", LOW, number), **UNREACHED}
        rests: Fields = {"verb": "order", **self._place.order("Bid", LOW, number + 1)}
        fields: Fields = {"commands": [lend, waits, rests, lend]}
        ask = Ask("POST", "/solvent/v1/batch", "batchExecute", fields, signs_digest=True)
        ops = ("lend", LEND), ("wait", number), ("order", number + 1), ("lend", LEND)
        return self._plan(ask, *ops, says=says_of(number + 1))


class Pair:
    """Two accounts that sell each other a token in turn, all by one client, so in order."""

    def __init__(self, place: Place, accounts: tuple[int, int]) -> None:
        self._place = place
        self._accounts = accounts

    def plan(self, step: int) -> Plan:
        """One offers, the other one takes; then the other way round."""
        turn, is_taken = divmod(step, 2)
        seller, buyer = self._accounts[turn % 2], self._accounts[1 - turn % 2]
        number = turn + 1
        if is_taken:
            fields: Fields = {**self._place.order("Bid", HIGH, number), "timeInForce": "IOC"}
            ops: tuple[Op, ...] = Op(buyer, "buy", number), Op(seller, CONSEQUENCE, number)
            name, says = name_of(buyer), b'"status":"Filled"'
        else:
            fields = self._place.order("Ask", HIGH, number)
            ops = (Op(seller, "order", number),)
            name, says = name_of(seller), b'"status":"New"'
        ask = Ask("POST", "/api/v1/order", "orderExecute", fields)
        return Plan(name, ask, ops, says, is_order=not is_taken)
