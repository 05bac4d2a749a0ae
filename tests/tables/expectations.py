"""What a story can ask of an engine, and amounts in words as the integers they stand for.

    expect alice SOL lent 10              available, locked, lent, owed, committed
    expect alice value >= 1000            value, net_equity, maintenance, initial, assets, debts
    expect alice liquidating 0            or auto_lend, ..., orders (how many are open)
    expect pool SOL utilization 90%       lent, borrowed, cash, fees, bound, borrow_apr, ...
    expect mark SOL 190                   or index, stale, bids, asks
    expect order 3 quantity 5             or locked; 0 when it is gone
    expect max_borrow alice SOL 12        max_redeem, max_lend, max_repay, max_withdraw
    keep before alice value               and later: expect alice value = $before

Between question and amount may stand = != < <= > >= or ~ (within two of the smallest unit).
"""

from collections.abc import Callable
from typing import NamedTuple

from solvent.domain import commands as c
from solvent.domain.decimals import Units
from solvent.domain.queries import Queries
from solvent.domain.units import (
    INDEX_SCALE,
    PRICE_DECIMALS,
    RATIO_DECIMALS,
    VALUE_DECIMALS,
    parse_decimal,
)
from solvent.reference.state import State
from tests.tables.market import number, ratio
from tests.tables.rows import Names

INDEX_DECIMALS = len(str(INDEX_SCALE)) - 1
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "~": lambda left, right: abs(left - right) <= 2,
}
RATIO_FIELDS = {"apr", "utilization", "bound", "discount", "leverage_limit"}
PRICE_FIELDS = {"price", "mark", "index", "reached", "trigger_price"}
HEALTH = {"net_equity", "maintenance", "exposure"}


class Answer(NamedTuple):
    """A number and its decimals."""

    value: int
    decimals: int


class Expectations:
    """Questions to one engine."""

    def __init__(self, queries: Queries, state: State, names: Names) -> None:
        self.queries = queries
        self.state = state
        self.names = names

    def check(self, words: list[str], kept: dict[str, int]) -> None:
        """Compare an answer with the amount at the end of the row."""
        *question, text = words
        comparison = "="
        if question[-1] in COMPARISONS:
            comparison = question.pop()
        value, decimals = self.answer(question)
        expected = kept[text[1:]] if text.startswith("$") else _amount(text, decimals)
        assert COMPARISONS[comparison](value, expected), (
            f"{' '.join(question)} is {value}, expected {comparison} {expected}"
            f" (in units of 10^-{decimals})"
        )

    def answer(self, words: list[str]) -> Answer:
        """The answer to a question without its expected amount."""
        topic, *rest = words
        if topic == "pool":
            return self._pool(self.names.asset(rest[0]), rest[1])
        if topic in ("mark", "index", "stale", "bids", "asks"):
            return self._price(topic, self.names.asset(rest[0]))
        if topic == "order":
            return self._order(int(rest[0]), rest[1])
        if topic.startswith("max_"):
            return self._preview(topic, rest)
        account = self.names.account(topic)
        if len(rest) == 1:
            return self._account(account, rest[0])
        return self._holding(account, self.names.asset(rest[0]), rest[1])

    def _holding(self, account: int, asset: int, what: str) -> Answer:
        balance = self.queries.balances(account)[asset]
        amounts = {
            "available": balance.available,
            "locked": balance.locked,
            "lent": balance.lent,
            "owed": balance.debt,
            "committed": self.queries.committed(account, asset),
        }
        return Answer(amounts[what], self.names.decimals(asset))

    def _account(self, account: int, what: str) -> Answer:
        settings = self.queries.settings(account)
        flags = {
            "liquidating": int(settings.liquidating),
            "orders": len(self.queries.orders_of(account)),
            "auto_lend": int(settings.auto_lend),
        }
        if what in flags:
            return Answer(flags[what], 0)
        health = self.queries.health(account)
        amounts = {
            "value": health.total_value,
            "net_equity": health.net_equity,
            "maintenance": health.maintenance,
            "exposure": health.exposure,
            "assets": health.assets_value,
            "debts": health.debts_value,
        }
        return Answer(amounts[what], VALUE_DECIMALS)

    def _pool(self, asset: int, what: str) -> Answer:
        if what == "bound":
            return Answer(self.state.pools[asset].bound, RATIO_DECIMALS)
        if what.endswith("index"):
            return Answer(getattr(self.state.pools[asset], what), INDEX_DECIMALS)
        report = self.queries.pool(asset)
        ratios = {
            "utilization": report.utilization,
            "bound_in_force": report.bound,
            "borrow_apr": report.borrow_apr,
            "lend_apr": report.lend_apr,
        }
        if what in ratios:
            return Answer(ratios[what], RATIO_DECIMALS)
        return Answer(getattr(report, what), self.names.decimals(asset))

    def _price(self, what: str, asset: int) -> Answer:
        price, book = self.queries.price(asset), self.state.books[asset]
        counts = {"stale": int(price.stale), "bids": len(book.bids), "asks": len(book.asks)}
        if what in counts:
            return Answer(counts[what], 0)
        return Answer(price.mark if what == "mark" else price.index, PRICE_DECIMALS)

    def _order(self, order: int, what: str) -> Answer:
        resting = self.queries.order(order)
        if resting is None:
            return Answer(0, 0)
        if what == "quantity":
            return Answer(resting.quantity, self.names.decimals(resting.asset))
        paid = resting.asset if resting.side is c.Side.ASK else 0
        return Answer(getattr(resting, what), self.names.decimals(paid))

    def _preview(self, topic: str, words: list[str]) -> Answer:
        account, asset = self.names.account(words[0]), self.names.asset(words[1])
        asked = self.queries
        if topic == "max_withdraw":
            largest = asked.max_withdraw(
                account,
                asset,
                auto_lend_redeem="redeem" in words[2:],
                auto_borrow="borrow" in words[2:],
            )
        else:
            previews = {
                "max_borrow": asked.max_borrow,
                "max_redeem": asked.max_redeem,
                "max_lend": asked.max_lend,
                "max_repay": asked.max_repay,
            }
            largest = previews[topic](account, asset)
        return Answer(largest, self.names.decimals(asset))


def _amount(text: str, decimals: int) -> int:
    if text.endswith("%"):
        return ratio(text)
    return number(text, decimals)


def units_of(state: State, record: object, text: str, key: str = "") -> int:
    """The integer that `text` stands for in a field of a command or event.

    `12.5SOL` is atoms of SOL. Without a symbol the field's name says what it measures; a largest
    amount is in the unit of what its command asks for.
    """
    symbol = text.lstrip("-0123456789.,")
    if symbol and symbol != "%":
        asset = Units(state.parameters).number(symbol)
        return number(text.removesuffix(symbol), state.asset(asset).decimals)
    if symbol == "%" or key in RATIO_FIELDS or isinstance(record, c.UpdateSettings):
        return ratio(text)
    if key in PRICE_FIELDS or isinstance(record, c.UpdatePrice):
        return number(text, PRICE_DECIMALS)
    if isinstance(record, c.Command) or key == "quantity":
        asset = getattr(record, "asset", 0)
        known = 0 <= asset < len(state.pools)
        return number(text, state.asset(asset).decimals if known else VALUE_DECIMALS)
    if "." in text or key in HEALTH or key.endswith(("value", "fee", "quote", "received")):
        return number(text, VALUE_DECIMALS)
    return parse_decimal(text, 0, signed=True)
