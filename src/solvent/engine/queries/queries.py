"""Queries: what can be asked of the fast engine between two batches.

Everything is as `reference.queries` has it, to the unit, and nothing is changed by asking (I37).
What a row holds is read where it lies; what needs the engine's arithmetic is one call of a kernel.
Nothing here looks at all accounts but `forecast`, as the round that it foresees would. Quantities
are atoms, prices 10^-10 USDC, values 10^-6 USDC, ratios 10^-9.

A number that no column can hold raises EngineFault and leaves the engine as it was.
"""

import numpy as np

from solvent.domain.commands import Role, SelfTradePrevention, Side
from solvent.domain.parameters import MAX_SOURCES, USDC, PoolState
from solvent.domain.readings import (
    AccountFractions,
    AccountHealth,
    AccountSettings,
    AdlForecast,
    AfterTrade,
    Balance,
    CollateralValue,
    DebtMargin,
    Depth,
    Level,
    LiquidationPrices,
    OracleReading,
    OrderReading,
    PoolCommand,
    PoolReport,
    PriceReading,
    SourceReading,
    StandingBy,
    Trade,
)
from solvent.domain.units import RATIO, divide_up
from solvent.engine.memory.command_rows import Words, encode_batch
from solvent.engine.memory.layout import FIRST_WAITING, LINES, NONE
from solvent.engine.memory.rows import (
    Account,
    Book,
    Commitment,
    Globals,
    Order,
    Price,
    Quote,
    Standby,
)
from solvent.engine.queries.kernels import HALF
from solvent.engine.queries.previews import Previews
from solvent.engine.queries.rows import (
    BalanceRow,
    ForecastRow,
    Halves,
    HealthRow,
    LevelRow,
    MarginRow,
    PoolRow,
)

_HEALTH_NUMBERS = HealthRow.total_value + 1
"""Of a `HealthRow`; its unrounded sums follow."""


class FastQueries(Previews):
    """Reads an engine; see the module."""

    # Accounts.

    def role(self, account: int) -> Role:
        """What kind of account it is."""
        return Role(self._account_row(account)[Account.role])

    def settings(self, account: int) -> AccountSettings:
        """What the account has chosen, and whether it is in the waterfall."""
        row = self._account_row(account)
        return AccountSettings(
            auto_lend=row[Account.auto_lend] != 0,
            auto_repay_borrows=row[Account.auto_repay_borrows] != 0,
            auto_borrow_settlements=row[Account.auto_borrow_settlements] != 0,
            leverage_limit=row[Account.leverage_limit],
            liquidating=row[Account.is_liquidating] != 0,
        )

    def liquidating(self) -> list[int]:
        """Accounts in the waterfall, ascending."""
        columns = self._engine.columns
        found: list[int] = columns["liquidating"][
            : columns["globals"][Globals.liquidating_count]
        ].tolist()
        return sorted(found)

    def balances(self, account: int) -> list[Balance]:
        """What the account has and owes, by asset number."""
        return [Balance(*row) for row in self._account_table("read_balances", account)]

    def committed(self, provider: int, asset: int) -> int:
        """Atoms of debts in the asset that the provider still offers to take over."""
        self._check(provider, asset)
        place = (provider * len(self.parameters.assets) + asset) * Commitment.WIDTH
        return int(self._engine.columns["commitments"][place + Commitment.committed])

    def committed_in_all(self) -> list[int]:
        """The same of all providers together, by asset number."""
        assets = len(self.parameters.assets)
        rows = self._engine.columns["commitments"].reshape(-1, assets, Commitment.WIDTH)
        # As Python's integers: what all offer together may exceed 64 bits.
        offered = rows[:, :, Commitment.committed]
        return [sum(offered[offered[:, each] != 0, each].tolist()) for each in range(assets)]

    def standing_by(self) -> list[StandingBy]:
        """Who stands by, the first to be called first."""
        columns = self._engine.columns
        count = columns["globals"][Globals.standby_count]
        return [
            StandingBy(*row) for row in columns.table("standbys", Standby.WIDTH)[:count].tolist()
        ]

    def health(self, account: int) -> AccountHealth:
        """The account's margin, rounded against it."""
        return AccountHealth(*self._health(account)[:_HEALTH_NUMBERS])

    def fractions(self, account: int) -> AccountFractions:
        """The account's margin as fractions, from the sums before rounding."""
        halves = self._health(account)[_HEALTH_NUMBERS:]
        pairs = zip(halves[::2], halves[1::2], strict=True)
        equity, _, maintenance, exposure = (join(*pair) for pair in pairs)
        row = self._account_row(account)
        positive = equity > 0
        return AccountFractions(
            margin_fraction=equity * RATIO // exposure if exposure else None,
            maintenance_ratio=(
                divide_up(maintenance * RATIO, equity) if exposure and positive else None
            ),
            leverage=divide_up(exposure * RATIO, equity) if positive else None,
            liquidating=row[Account.is_liquidating] != 0,
            over_leverage_limit=exposure * RATIO > row[Account.leverage_limit] * max(0, equity),
        )

    def collateral_values(self, account: int) -> list[CollateralValue]:
        """What the account's holdings are worth and count for, by asset number, rounded down."""
        return [CollateralValue(*row[:2]) for row in self._account_table("read_margins", account)]

    def debt_margins(self, account: int) -> list[DebtMargin]:
        """The account's debts and their margin fractions, by asset number, rounded up."""
        return [DebtMargin(*row[2:]) for row in self._account_table("read_margins", account)]

    def liquidation_prices(self, account: int, asset: int) -> LiquidationPrices:
        """Marks of one asset, all else equal, at which the account is liquidatable."""
        self._check(account, asset)
        return self._liquidating_marks("liquidation_prices", account, asset)

    def liquidation_prices_after(self, command: PoolCommand) -> LiquidationPrices:
        """The same of the command's asset, once the command was carried out.

        Nothing may refuse it now.
        """
        assert self.refusal(command) is None
        row = encode_batch([command])
        return self._liquidating_marks("liquidation_prices_after", row.ctypes.data, command.asset)

    def after_trade(self, trade: Trade, asset: int) -> AfterTrade:
        """How an account would stand after a trade, and the marks of `asset` that liquidate it."""
        self._check(trade.account, asset)
        sums, out = _row(HealthRow.WIDTH), _row(Halves.WIDTH)
        rows = asset, sums.ctypes.data, out.ctypes.data
        prices = self._engine.columns["prices"].copy()
        borrowed = self._engine.read("read_after_trade", *trade, *rows, prices=prices)
        halves = sums.tolist()[_HEALTH_NUMBERS:]
        pairs = zip(halves[::2], halves[1::2], strict=True)
        equity, _, maintenance, exposure = (join(*pair) for pair in pairs)
        counts = exposure > 0 and equity > 0
        return AfterTrade(
            divide_up(maintenance * RATIO, equity) if counts else None,
            LiquidationPrices(*(None if price == NONE else price for price in out.tolist())),
            borrowed,
        )

    def _liquidating_marks(self, kernel: str, of: int, asset: int) -> LiquidationPrices:
        out = _row(Halves.WIDTH)
        prices = self._engine.columns["prices"].copy()
        self._engine.read(kernel, of, asset, out.ctypes.data, prices=prices)
        return LiquidationPrices(*(None if price == NONE else price for price in out.tolist()))

    def _forecast(self, account: int, asset: int, quantity: int) -> AdlForecast | None:
        out = _row(ForecastRow.WIDTH)
        found = self._engine.read("forecast", account, asset, quantity, out.ctypes.data)
        return AdlForecast(*out.tolist()) if found else None

    # Pools, prices, books.

    def pool(self, asset: int) -> PoolReport:
        """What there is to know about one pool."""
        self._check(0, asset)
        out = _row(PoolRow.WIDTH)
        self._engine.read("read_pool", asset, out.ctypes.data)
        report = PoolReport(*out.tolist())
        return report._replace(state=PoolState(report.state), gated=bool(report.gated))

    def oracle(self, asset: int) -> OracleReading:
        """What the sources of the asset's price last said, and whether they are enough."""
        self._check(0, asset)
        columns, parameters = self._engine.columns, self.parameters.assets[asset].price
        now = int(columns["globals"][Globals.now])
        count = len(parameters.source_weights) if asset != USDC else 0
        quotes = columns["quotes"].reshape(-1, MAX_SOURCES, Quote.WIDTH)[asset, :count].tolist()
        return OracleReading(
            tuple(
                SourceReading(bid, ask, last, time, time >= 0 and now - time <= parameters.max_age)
                for bid, ask, last, time in quotes
            ),
            parameters.quorum,
            bool(columns.table("prices", Price.WIDTH)[asset, Price.in_doubt]),
        )

    def price(self, asset: int) -> PriceReading:
        """The asset's index and mark."""
        self._check(0, asset)
        row = self._engine.columns.table("prices", Price.WIDTH)[asset].tolist()
        return PriceReading(
            index=row[Price.index],
            mark=row[Price.mark],
            stale=row[Price.stale] != 0,
            halted=row[Price.halted] != 0,
            updated=row[Price.updated],
        )

    def order(self, order: int) -> OrderReading | None:
        """The resting order of this number."""
        self._check_number("order", order)
        if order <= 0:
            return None
        slot = self._engine.read("find", order)
        orders = self._engine.columns.table("orders", Order.WIDTH)
        if slot == NONE or orders[slot, Order.line] >= FIRST_WAITING:
            return None
        return self._order(slot)

    def orders_of(self, account: int) -> list[OrderReading]:
        """The account's resting orders, oldest first."""
        count = self._account_row(account)[Account.order_count]
        out = _row(count)
        resting = self._engine.read("list_orders", account, out.ctypes.data)
        return [self._order(slot) for slot in out[:resting].tolist()]

    def depth(self, asset: int, levels: int | None = None) -> Depth:
        """The best `levels` price levels of both sides, or all of them, best first."""
        self._check_market(asset)
        return Depth(self._side(asset, Side.BID, levels), self._side(asset, Side.ASK, levels))

    def level(self, asset: int, side: Side, price: int) -> int:
        """All that rests at one price, as an update of a book says it: 0 where nothing does."""
        self._check_number("price", price)
        self._check_market(asset)
        out = _row(Halves.WIDTH)
        self._engine.read("read_level", asset, side, price, out.ctypes.data)
        return join(*out.tolist())

    # How.

    def _account_row(self, account: int) -> list[int]:
        self._check(account, USDC)
        row: list[int] = self._engine.columns.table("accounts", Account.WIDTH)[account].tolist()
        return row

    def _account_table(self, kernel: str, account: int) -> list[list[int]]:
        """What a kernel writes for each asset."""
        self._check(account, USDC)
        width = {"read_balances": BalanceRow.WIDTH, "read_margins": MarginRow.WIDTH}[kernel]
        out = _row(len(self.parameters.assets) * width)
        self._engine.read(kernel, account, out.ctypes.data)
        table: list[list[int]] = out.reshape(-1, width).tolist()
        return table

    def _health(self, account: int) -> list[int]:
        self._check(account, USDC)
        out = _row(HealthRow.WIDTH)
        self._engine.read("read_health", account, out.ctypes.data)
        numbers: list[int] = out.tolist()
        return numbers

    def _order(self, slot: int) -> OrderReading:
        orders = self._engine.columns.table("orders", Order.WIDTH)
        found = OrderReading(*orders[slot, : len(OrderReading._fields)].tolist())
        return found._replace(
            side=Side(found.side),
            reduce_only=bool(found.reduce_only),
            auto_borrow=bool(found.auto_borrow),
            auto_borrow_repay=bool(found.auto_borrow_repay),
            self_trade_prevention=SelfTradePrevention(found.self_trade_prevention),
        )

    def _side(self, asset: int, side: Side, levels: int | None) -> list[Level]:
        books = self._engine.columns.table("books", Book.WIDTH)
        held = int(books[LINES * asset + side, Book.level_count])
        count = held if levels is None else max(0, min(levels, held))
        out = _row(count * LevelRow.WIDTH)
        self._engine.read("read_depth", asset, side, count, out.ctypes.data)
        rows = out.reshape(-1, LevelRow.WIDTH).tolist()
        return [Level(price, join(upper, lower)) for upper, lower, price in rows]


def join(upper: int, lower: int) -> int:
    """A number that a kernel wrote as two."""
    return upper * HALF + lower


def _row(count: int) -> Words:
    return np.zeros(count, dtype=np.int64)
