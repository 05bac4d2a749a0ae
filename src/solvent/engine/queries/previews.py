"""Previews: the largest amounts that commands may ask for now, and what refuses more.

As `reference.queries` has them, to the atom: each asks the command's own refusal again and again.
`refusal` and `bound` say which limit it is that binds. Nothing is changed by asking (I37).
"""

from dataclasses import replace
from typing import NamedTuple

from solvent.domain.commands import (
    Borrow,
    Lend,
    OrderType,
    PlaceOrder,
    Redeem,
    Repay,
    Side,
    TimeInForce,
    Withdraw,
)
from solvent.domain.parameters import USDC
from solvent.domain.rejections import Limit, Refusal, RejectionCode
from solvent.domain.units import divide_up
from solvent.engine.engine import FastEngine, encode_batch
from solvent.engine.memory import layout as at
from solvent.engine.refusals import refusal_code, refusal_limit

PoolCommand = Lend | Redeem | Borrow | Repay
AmountCommand = PoolCommand | Withdraw | PlaceOrder


class Bound(NamedTuple):
    """The most that may be asked for, and what refuses more; None where more is merely not done.

    A market order ends where the book's impact band does, a repayment with the debt.
    """

    largest: int
    refusal: Refusal | None


class Previews:
    """Asks an engine what it would accept; an account or asset that there is not: LookupError."""

    def __init__(self, engine: FastEngine) -> None:
        self._engine = engine

    def accounts(self) -> int:
        """How many accounts there are; they are numbered from 0."""
        return int(self._engine.columns["globals"][at.ACCOUNTS])

    def max_lend(self, account: int, asset: int) -> int:
        """The most that a `Lend` may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_lend", account, asset)

    def max_redeem(self, account: int, asset: int) -> int:
        """The most that a `Redeem` may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_redeem", account, asset)

    def max_borrow(self, account: int, asset: int) -> int:
        """The most that a `Borrow` may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_borrow", account, asset)

    def max_repay(self, account: int, asset: int) -> int:
        """The most that a `Repay` takes now, as far as it buys back a share."""
        self._check(account, asset)
        return self._engine.read("max_repay", account, asset)

    def max_withdraw(
        self, account: int, asset: int, *, auto_lend_redeem: bool, auto_borrow: bool
    ) -> int:
        """The most that a `Withdraw` with these flags may ask for now; 0 when none passes."""
        self._check(account, asset)
        return self._engine.read("max_withdraw", account, asset, auto_lend_redeem, auto_borrow)

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

    def max_order_like(self, command: PlaceOrder) -> int:
        """The largest quantity with which the order may be placed now; 0 when none passes.

        For a market order, which fills what there is, the largest that the impact band holds.
        """
        self._check(command.account, command.asset)
        row = encode_batch([command])
        return self._engine.read("max_order", row.ctypes.data)

    def refusal(self, command: AmountCommand) -> Refusal | None:
        """Why the command would be refused now, its largest amount left out; None: it would not."""
        self._check(command.account, command.asset)
        row = encode_batch([command])
        refusal = self._engine.read("refusal_now", row.ctypes.data)
        if not refusal:
            return None
        return Refusal(RejectionCode(refusal_code(refusal)), Limit(refusal_limit(refusal)))

    def bound(self, command: AmountCommand) -> Bound:
        """The most that a command like this may ask for now, and why the next amount may not.

        The command's own quantity does not count.
        """
        largest, step = self._largest(command), 1
        if isinstance(command, PlaceOrder):
            self._check_market(command.asset)
            market = self._engine.parameters.assets[command.asset].market
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

    def _check(self, account: int, asset: int) -> None:
        """Kernels do not look whether a row is there."""
        if not 0 <= account < self.accounts():
            raise LookupError(f"there is no account {account}")
        if not 0 <= asset < len(self._engine.parameters.assets):
            raise LookupError(f"there is no asset {asset}")

    def _check_market(self, asset: int) -> None:
        self._check(0, asset)
        if asset == USDC:
            raise LookupError("USDC has no market")
