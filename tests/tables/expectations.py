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
from solvent.domain.units import (
    INDEX_SCALE,
    PRICE_DECIMALS,
    RATIO_DECIMALS,
    VALUE_DECIMALS,
    parse_decimal,
)
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import borrowed_total, claim_of, debt_of, lent_total
from solvent.reference.lending import wallet
from solvent.reference.lending.pool import redeemable
from solvent.reference.lending.rates import borrow_apr, lend_apr, utilization
from solvent.reference.lending.throttle import bound_in_force
from solvent.reference.margin import health_of
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
PRICE_FIELDS = {"price", "mark", "index"}
HEALTH = {"net_equity", "maintenance", "exposure"}


class Answer(NamedTuple):
    """A number and its decimals."""

    value: int
    decimals: int


class Expectations:
    """Questions to one engine."""

    def __init__(self, engine: ReferenceEngine, names: Names) -> None:
        self.state = engine.state
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
        holder = self.state.accounts[account]
        amounts = {
            "available": holder.available[asset],
            "locked": holder.locked[asset],
            "lent": claim_of(self.state, account, asset),
            "owed": debt_of(self.state, account, asset),
            "committed": holder.committed[asset],
        }
        return Answer(amounts[what], self.names.decimals(asset))

    def _account(self, account: int, what: str) -> Answer:
        holder = self.state.accounts[account]
        flags = {
            "liquidating": int(account in self.state.liquidating),
            "orders": len(holder.open_orders),
            "auto_lend": int(holder.auto_lend),
        }
        if what in flags:
            return Answer(flags[what], 0)
        report = health_of(self.state, account).report()
        amounts = {
            "value": report.total_value,
            "net_equity": report.net_equity,
            "maintenance": report.maintenance,
            "exposure": report.exposure,
            "assets": report.assets_value,
            "debts": report.debts_value,
        }
        return Answer(amounts[what], VALUE_DECIMALS)

    def _pool(self, asset: int, what: str) -> Answer:
        pool, parameters = self.state.pools[asset], self.state.asset(asset).pool
        level = utilization(pool)
        ratios = {
            "utilization": level,
            "bound": pool.bound,
            "bound_in_force": bound_in_force(parameters, pool),
            "borrow_apr": borrow_apr(parameters, level),
            "lend_apr": lend_apr(parameters, level),
        }
        if what in ratios:
            return Answer(ratios[what], RATIO_DECIMALS)
        if what.endswith("index"):
            return Answer(getattr(pool, what), INDEX_DECIMALS)
        amounts = {
            "lent": lent_total(pool),
            "borrowed": borrowed_total(pool),
            "cash": pool.cash,
            "redeemable": redeemable(pool),
            "fees": pool.fees,
            "residue": pool.residue,
            "deficit": pool.deficit,
        }
        return Answer(amounts[what], self.names.decimals(asset))

    def _price(self, what: str, asset: int) -> Answer:
        price, book = self.state.prices[asset], self.state.books[asset]
        counts = {"stale": int(price.stale), "bids": len(book.bids), "asks": len(book.asks)}
        if what in counts:
            return Answer(counts[what], 0)
        return Answer(price.mark if what == "mark" else price.index, PRICE_DECIMALS)

    def _order(self, order: int, what: str) -> Answer:
        resting = self.state.orders.get(order)
        if resting is None:
            return Answer(0, 0)
        if what == "quantity":
            return Answer(resting.quantity, self.names.decimals(resting.asset))
        paid = resting.asset if resting.side is c.Side.ASK else 0
        return Answer(getattr(resting, what), self.names.decimals(paid))

    def _preview(self, topic: str, words: list[str]) -> Answer:
        account, asset = self.names.account(words[0]), self.names.asset(words[1])
        flags = words[2:]
        state = self.state
        previews: dict[str, Callable[[], int]] = {
            "max_borrow": lambda: wallet.largest_borrow(state, account, asset),
            "max_redeem": lambda: wallet.largest_redeem(state, account, asset),
            "max_lend": lambda: wallet.largest_lend(state, account, asset),
            "max_repay": lambda: wallet.largest_repay(state, account, asset),
            "max_withdraw": lambda: wallet.largest_withdraw(
                state, account, asset, redeem="redeem" in flags, borrow="borrow" in flags
            ),
        }
        return Answer(previews[topic](), self.names.decimals(asset))


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
        asset = state.parameters.asset_number(symbol)
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
