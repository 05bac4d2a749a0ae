"""Queries: what every engine answers between two commands, as the records of `readings`.

Asking changes nothing (I37). Each engine answers what depends on how it keeps its state; what can
be said from those answers is said here, once for all engines. Quantities are atoms, prices 10^-10
USDC, values 10^-6 USDC, ratios 10^-9.

Deliberately absent: locks. A thread that asks sees to it that no command is being carried out.
"""

from abc import ABC, abstractmethod
from dataclasses import replace

from solvent.domain.commands import (
    Borrow,
    Lend,
    OrderType,
    PlaceOrder,
    Redeem,
    Repay,
    Role,
    Side,
    TimeInForce,
)
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.readings import (
    AccountFractions,
    AccountHealth,
    AccountSettings,
    AdlForecast,
    AfterTrade,
    AmountCommand,
    Balance,
    Bound,
    CollateralValue,
    DebtMargin,
    Depth,
    LiquidationPrices,
    OracleReading,
    OrderReading,
    PoolCommand,
    PoolReport,
    PriceReading,
    StandingBy,
    Trade,
    nearest,
)
from solvent.domain.rejections import Refusal
from solvent.domain.units import divide_up, unfit


class Queries(ABC):
    """What every engine answers between two commands.

    An account, asset or market that there is not raises LookupError, and what is no 64-bit
    integer ValueError.
    """

    @property
    @abstractmethod
    def parameters(self) -> EngineParameters:
        """Parameters in force."""

    # Accounts.

    @abstractmethod
    def accounts(self) -> int:
        """How many accounts there are; they are numbered from 0."""

    @abstractmethod
    def role(self, account: int) -> Role:
        """What kind of account it is."""

    @abstractmethod
    def settings(self, account: int) -> AccountSettings:
        """What the account has chosen, and whether it is in the waterfall."""

    @abstractmethod
    def liquidating(self) -> list[int]:
        """Accounts in the waterfall, ascending."""

    @abstractmethod
    def balances(self, account: int) -> list[Balance]:
        """What the account has and owes, by asset number."""

    @abstractmethod
    def committed(self, provider: int, asset: int) -> int:
        """Atoms of debts in the asset that the provider still offers to take over."""

    @abstractmethod
    def committed_in_all(self) -> list[int]:
        """The same of all providers together, by asset number."""

    @abstractmethod
    def standing_by(self) -> list[StandingBy]:
        """Who stands by, the first to be called first."""

    @abstractmethod
    def health(self, account: int) -> AccountHealth:
        """The account's margin, rounded against it."""

    @abstractmethod
    def fractions(self, account: int) -> AccountFractions:
        """The account's margin as fractions, from the sums before rounding."""

    @abstractmethod
    def collateral_values(self, account: int) -> list[CollateralValue]:
        """What the account's holdings are worth and count for, by asset number, rounded down."""

    @abstractmethod
    def debt_margins(self, account: int) -> list[DebtMargin]:
        """The account's debts and their margin fractions, by asset number, rounded up."""

    # What could happen to an account.

    @abstractmethod
    def liquidation_prices(self, account: int, asset: int) -> LiquidationPrices:
        """Marks of one asset, all else equal, at which the account is liquidatable.

        The present mark itself counts on both sides when the account is liquidatable now. Prices
        at which its part of the asset is worth more than columns hold are not looked at.
        """

    @abstractmethod
    def liquidation_prices_after(self, command: PoolCommand) -> LiquidationPrices:
        """The same of the command's asset, once the command was carried out.

        Nothing may refuse it now.
        """

    @abstractmethod
    def after_trade(self, trade: Trade, asset: int) -> AfterTrade:
        """How an account would stand after a trade, and which marks of `asset` liquidate it then.

        What it lacks of what it gives it owes. Fees are left out.
        """

    def liquidation_price(self, account: int, asset: int) -> int | None:
        """The nearer of the two liquidation prices to the mark; None if there is none."""
        return nearest(self.liquidation_prices(account, asset), self.price(asset).mark)

    def forecast(self, account: int, asset: int, quantity: int | None = None) -> AdlForecast | None:
        """How a case L round of `quantity` atoms would treat the account; None if not at all.

        Without a quantity it is a round of everything lent that redemptions could not take now.
        """
        self._check(account, asset)
        if quantity is None:
            pool = self.pool(asset)
            quantity = pool.lent - pool.redeemable
        self._check_number("quantity", quantity)
        return self._forecast(account, asset, quantity)

    @abstractmethod
    def _forecast(self, account: int, asset: int, quantity: int) -> AdlForecast | None: ...

    # Pools, prices, books.

    @abstractmethod
    def pool(self, asset: int) -> PoolReport:
        """What there is to know about one pool."""

    @abstractmethod
    def price(self, asset: int) -> PriceReading:
        """The asset's index and mark."""

    @abstractmethod
    def oracle(self, asset: int) -> OracleReading:
        """What the sources of the asset's price last said, and whether they are enough."""

    @abstractmethod
    def order(self, order: int) -> OrderReading | None:
        """The resting order of this number."""

    @abstractmethod
    def orders_of(self, account: int) -> list[OrderReading]:
        """The account's resting orders, oldest first."""

    @abstractmethod
    def depth(self, asset: int, levels: int | None = None) -> Depth:
        """The best `levels` price levels of both sides, or all of them, best first."""

    @abstractmethod
    def level(self, asset: int, side: Side, price: int) -> int:
        """All that rests at one price, as an update of a book says it: 0 where nothing does."""

    # Previews: each asks the command's own refusal, so that it cannot disagree with the command.

    @abstractmethod
    def max_lend(self, account: int, asset: int) -> int:
        """The most that a `Lend` may ask for now; 0 when none passes."""

    @abstractmethod
    def max_redeem(self, account: int, asset: int) -> int:
        """The most that a `Redeem` may ask for now; 0 when none passes."""

    @abstractmethod
    def max_borrow(self, account: int, asset: int) -> int:
        """The most that a `Borrow` may ask for now; 0 when none passes."""

    @abstractmethod
    def max_repay(self, account: int, asset: int) -> int:
        """The most that a `Repay` takes now, as far as it buys a share; in the waterfall too."""

    @abstractmethod
    def max_withdraw(
        self, account: int, asset: int, *, auto_lend_redeem: bool, auto_borrow: bool
    ) -> int:
        """The most that a `Withdraw` with these flags may ask for now; 0 when none passes."""

    @abstractmethod
    def max_order_like(self, command: PlaceOrder) -> int:
        """The largest quantity with which the order may be placed now; 0 when none passes.

        For a market order, which fills what there is, the largest that the impact band holds.
        """

    def max_order(
        self,
        account: int,
        asset: int,
        side: Side,
        price: int = 0,
        *,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        auto_borrow: bool = False,
        auto_borrow_repay: bool = False,
        auto_lend_redeem: bool = False,
    ) -> int:
        """The largest quantity of an order, a market order where there is no price."""
        return self.max_order_like(
            PlaceOrder(
                account,
                asset,
                side,
                OrderType.LIMIT if price else OrderType.MARKET,
                time_in_force,
                price,
                post_only=post_only,
                reduce_only=reduce_only,
                auto_borrow=auto_borrow,
                auto_borrow_repay=auto_borrow_repay,
                auto_lend_redeem=auto_lend_redeem,
            )
        )

    @abstractmethod
    def refusal(self, command: AmountCommand) -> Refusal | None:
        """Why the command would be refused now, its largest amount left out; None: it would not."""

    def bound(self, command: AmountCommand) -> Bound:
        """The most that a command like this may ask for now, and why the next amount may not.

        The command's own quantity does not count.
        """
        largest, step = self._largest(command), 1
        if isinstance(command, PlaceOrder):
            self._check_market(command.asset)
            market = self.parameters.assets[command.asset].market
            assert market is not None
            step = (
                market.lot if largest else divide_up(market.min_quantity, market.lot) * market.lot
            )
        return Bound(largest, self.refusal(replace(command, quantity=largest + step)))

    def _largest(self, command: AmountCommand) -> int:
        account, asset = command.account, command.asset
        match command:
            case Lend():
                return self.max_lend(account, asset)
            case Redeem():
                return self.max_redeem(account, asset)
            case Borrow():
                return self.max_borrow(account, asset)
            case Repay():
                return self.max_repay(account, asset)
            case PlaceOrder():
                return self.max_order_like(command)
        return self.max_withdraw(
            account,
            asset,
            auto_lend_redeem=command.auto_lend_redeem,
            auto_borrow=command.auto_borrow,
        )

    # What there is.

    def _check(self, account: int, asset: int) -> None:
        if not _counts(account, self.accounts()):
            raise LookupError(f"there is no account {account}")
        if not _counts(asset, len(self.parameters.assets)):
            raise LookupError(f"there is no asset {asset}")

    @staticmethod
    def _check_number(name: str, value: int) -> None:
        reason = unfit(name, value)
        if reason is not None:
            raise ValueError(reason)

    def _check_market(self, asset: int) -> None:
        self._check(USDC, asset)
        if asset == USDC:
            raise LookupError("USDC has no market")


def _counts(number: object, count: int) -> bool:
    """Whether it is a number, no float among them, of `count` numbers from 0."""
    return isinstance(number, int) and 0 <= number < count
