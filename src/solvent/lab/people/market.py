"""The market as agents find it: its prices, which they move, and what its oracle says of them.

The scenario's prices are where the market would be without these agents. What takers eat of the
makers' ladders moves it from there (`prices.impact`), at once for makers and for whoever acts on a
price, and with the next quotes for the oracle, which may be wrong besides (`prices.oracle`).
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from solvent.domain.commands import UpdatePrice
from solvent.domain.events import Filled
from solvent.domain.units import RATIO, SECOND, format_decimal
from solvent.lab.people.population import Crowd
from solvent.lab.prices.impact import Impact
from solvent.lab.prices.oracle import Oracle
from solvent.lab.scenario.model import Scenario

BASIS_POINT_DECIMALS = 5


class Prices(Protocol):
    """What the agents must know of prices; `feed.Feed` is one."""

    @property
    def start(self) -> int:
        """The moment of the set-up, microseconds UTC."""
        ...

    def price(self, asset: int, time: int) -> int:
        """Price of `asset` in force at `time`, 10^-10 USDC per whole token."""
        ...

    def quoted(self, asset: int, time: int) -> bool:
        """Whether `asset` is quoted at `time`."""
        ...


class Market:
    """Prices of a run that its own trades move; `thinning(after)` is that of the makers' book."""

    def __init__(
        self, scenario: Scenario, prices: Prices, crowd: Crowd, thinning: Callable[[int], int]
    ) -> None:
        self._scenario = scenario
        self._prices = prices
        self._thinning = thinning
        self._impact = _impact(scenario, crowd)
        self._oracle = Oracle(scenario.oracle)
        self._seen = 0

    @property
    def start(self) -> int:
        """The moment of the set-up, microseconds UTC."""
        return self._prices.start

    def follow(self, prices: Prices) -> None:
        """Go on with other prices, which were the same so far."""
        self._prices = prices

    def price(self, asset: int, time: int) -> int:
        """Where the market stands at `time`, which is now, 10^-10 USDC per whole token."""
        price = self._prices.price(asset, time)
        if self._impact is None:
            return price
        return self._impact.moved(asset, price, self._thinning(time - self.start))

    def take_note(self, fill: Filled) -> None:
        """A maker's order was eaten."""
        if self._impact is not None:
            self._impact.take(fill.asset, fill.side, fill.quote)

    def pass_time(self, after: int) -> None:
        """It is `after` microseconds after the start: books fill up again."""
        elapsed, self._seen = after - self._seen, after
        if self._impact is not None:
            self._impact.pass_time(elapsed, self._thinning(after))

    def quotes(self, time: int) -> Iterator[UpdatePrice]:
        """What all sources of all assets quote at `time`."""
        after = time - self.start
        for asset, parameters in enumerate(self._scenario.parameters.assets[1:], start=1):
            if not self._prices.quoted(asset, time):
                continue
            market = self.price(asset, time)
            self._oracle.see(asset, after, market)
            for source in range(len(parameters.price.source_weights)):
                price = self._oracle.quote(asset, source, after, market)
                if price is not None:
                    yield UpdatePrice(asset, source, price, price, price)

    def record(self) -> dict[str, Any] | None:
        """How far agents moved each price at most, in basis points; None where they move none."""
        rules = self._scenario.impact
        if self._impact is None or rules is None:
            return None
        assets = self._scenario.parameters.assets
        return {
            "books": format_decimal(rules.whole, 9),
            "recovery_seconds": rules.recovery // SECOND,
            "lasting": format_decimal(rules.lasting, 9),
            "basis": rules.basis,
            "farthest_bp": {
                assets[asset].symbol: format_decimal(far, BASIS_POINT_DECIMALS)
                for asset, far in self._impact.farthest.items()
            },
        }


def _impact(scenario: Scenario, crowd: Crowd) -> Impact | None:
    """The impact of a scenario that has one, on curves as large as its crowd."""
    rules = scenario.impact
    if rules is None:
        return None
    curves = {
        curve.asset: [
            (distance, crowd.scaled(within * rules.whole // RATIO))
            for distance, within in curve.bands
        ]
        for curve in scenario.depth.curves
    }
    deep = {asset: bands for asset, bands in curves.items() if bands[-1][1]}
    return Impact(deep, rules.recovery, rules.lasting)
