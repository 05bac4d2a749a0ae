"""Takeovers: what a backstop provider was handed, what it came to, and how it is sold again.

A provider keeps books of its own, as a desk does: what it took over of debts and collateral, and
what its sales brought. So it knows at the market's prices what its part in the backstop has cost so
far. Interest is not in these books; they are of minutes and hours.

Who unwinds sells what it took evenly over a time of its own, buys back the debts in tokens, and
offers the capacity again that a repaid debt frees. A slow one stands in the way of the next.
"""

from collections import defaultdict
from collections.abc import Iterator

from solvent.domain.commands import Command, OrderType, PlaceOrder, PostBackstop, Side, TimeInForce
from solvent.domain.events import Filled
from solvent.domain.parameters import USDC, AssetParameters
from solvent.domain.units import value_down, value_up
from solvent.domain.waterfall_events import BackstopFilled, BackstopLeg
from solvent.lab.prices.feed import PriceAt


class Takeovers:
    """The books of one provider."""

    def __init__(self, account: int, assets: tuple[AssetParameters, ...]) -> None:
        self._account = account
        self._assets = assets
        self._held: defaultdict[int, int] = defaultdict(int)
        """Atoms taken over and not sold, with the USDC that sales brought."""
        self._owed: defaultdict[int, int] = defaultdict(int)
        self._taken: defaultdict[tuple[int, Side], int] = defaultdict(int)
        """Atoms ever taken over to be sold (ASK), or owed to be bought back (BID)."""
        self._due: defaultdict[tuple[int, Side], int] = defaultdict(int)

    def hear(self, event: BackstopFilled | BackstopLeg) -> None:
        """A fill of the backstop, or a part of the collateral that came with it."""
        if isinstance(event, BackstopFilled):
            if event.provider == self._account:
                self._owed[event.debt_asset] += event.debt_quantity
                self._taken[event.debt_asset, Side.BID] += event.debt_quantity
        elif event.receiver == self._account:
            self._held[event.asset] += event.quantity
            self._taken[event.asset, Side.ASK] += event.quantity

    def loss(self, price: PriceAt) -> int:
        """What all of it has cost so far at these prices, 10^-6 USDC; below zero for a gain."""
        owed = sum(
            value_up(atoms, price(asset), self._assets[asset].decimals)
            for asset, atoms in self._owed.items()
        )
        held = sum(
            value_down(atoms, price(asset), self._assets[asset].decimals)
            if atoms >= 0
            else -value_up(-atoms, price(asset), self._assets[asset].decimals)
            for asset, atoms in self._held.items()
        )
        return owed - held

    def orders(self, elapsed: int, over: int) -> Iterator[PlaceOrder]:
        """What is sold and bought back in `elapsed` of the `over` microseconds that it takes."""
        for (asset, side), taken in self._taken.items():
            market = self._assets[asset].market
            if market is None:
                continue
            left = (self._held if side is Side.ASK else self._owed)[asset]
            self._due[asset, side] = min(left, self._due[asset, side] + taken * elapsed // over)
            quantity = self._due[asset, side] // market.lot * market.lot
            if quantity >= market.min_quantity:
                self._due[asset, side] -= quantity
                yield PlaceOrder(
                    self._account,
                    asset,
                    side,
                    order_type=OrderType.MARKET,
                    time_in_force=TimeInForce.IOC,
                    quantity=quantity,
                    auto_borrow_repay=True,
                    auto_lend_redeem=side is Side.ASK,
                )

    def traded(self, fill: Filled) -> Iterator[Command]:
        """A fill of one of these orders; what is repaid by it is offered again."""
        if fill.side is Side.ASK:
            self._held[fill.asset] -= fill.quantity
            debt, repaid = USDC, min(fill.quote - fill.taker_fee, self._owed[USDC])
            self._held[USDC] += fill.quote - fill.taker_fee - repaid
        else:
            self._held[USDC] -= fill.quote + fill.taker_fee
            debt, repaid = fill.asset, min(fill.quantity, self._owed[fill.asset])
            self._held[fill.asset] += fill.quantity - repaid
        if repaid:
            self._owed[debt] -= repaid
            yield PostBackstop(self._account, debt, repaid)
