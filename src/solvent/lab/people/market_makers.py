"""Market makers: one account a market that quotes a ladder around the index at every step.

A ladder has a level at each distance of the scenario's depth curve, holding what the curve adds
there. At every step the maker cancels what is left and quotes again around the price of the moment,
at

    quantity = depth * scale * m        distance = distance / m

with m the thinning multiplier of the moment, on straight lines between its points: a book at
m = 0.1 has a tenth of the depth and ten times the spread. Liquidations eat the ladder, from its
nearest level on, and what was eaten of a side comes back evenly: all of a ladder in `recovery`. So
the depth that a second of liquidation finds does not hang on how often the maker is asked. The
maker's means go with what is eaten: when those are used up its quotes are refused and the book
stays empty.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from solvent.domain.commands import (
    CancelAllOrders,
    Command,
    Deposit,
    OpenAccount,
    PlaceOrder,
    Side,
)
from solvent.domain.events import Filled
from solvent.domain.parameters import USDC, AssetParameters, MarketParameters
from solvent.domain.units import RATIO, divide_up, quantity_down
from solvent.lab.people.population import Crowd
from solvent.lab.prices.feed import PriceAt
from solvent.lab.scenario.model import Depth, DepthCurve, Scenario, Trigger

LEAST_LEFT = RATIO // 1000
"""Makers never quote less than this part of a calm ladder."""

NOTHING: Mapping[Side, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Maker:
    """The maker of one market; its curve holds (distance in 10^-9, USDC added there) a level."""

    account: int
    asset: int
    parameters: AssetParameters
    levels: tuple[tuple[int, int], ...]
    inventory: int

    @property
    def market(self) -> MarketParameters:
        """Filters of the market; the scenario's reader refuses bands of an asset without one."""
        assert self.parameters.market is not None
        return self.parameters.market

    @property
    def depth(self) -> int:
        """A calm ladder of one side, 10^-6 USDC."""
        return sum(depth for _, depth in self.levels)

    def setup(self, price: int) -> Iterator[Command]:
        """Deposit so many calm ladders in USDC and in the token."""
        value = self.inventory * self.depth // RATIO
        yield Deposit(self.account, USDC, value)
        yield Deposit(
            self.account, self.asset, quantity_down(value, price, self.parameters.decimals)
        )

    def quotes(
        self, price: int, multiplier: int, eaten: Mapping[Side, int] = NOTHING
    ) -> Iterator[Command]:
        """Cancel everything and quote around `price` at this thinning, less what is `eaten`."""
        yield CancelAllOrders(self.account, self.asset)
        missing = dict(eaten)
        for distance, calm in self.levels:
            away = distance * RATIO // multiplier
            for side, quoted in self._prices(price, away):
                depth = calm * multiplier // RATIO
                lacking = min(depth, missing.get(side, 0))
                missing[side] = missing.get(side, 0) - lacking
                quantity = quantity_down(depth - lacking, price, self.parameters.decimals)
                quantity = quantity // self.market.lot * self.market.lot
                if quantity < self.market.min_quantity:
                    continue
                yield PlaceOrder(
                    self.account,
                    self.asset,
                    side,
                    price=quoted,
                    quantity=quantity,
                    post_only=True,
                )

    def _prices(self, price: int, away: int) -> Iterator[tuple[Side, int]]:
        """Bid and ask so far from `price`, on ticks, rounded away from it."""
        tick = self.market.tick
        bid = price * (RATIO - away) // RATIO // tick * tick
        if bid > 0:
            yield Side.BID, bid
        yield Side.ASK, divide_up(divide_up(price * (RATIO + away), RATIO), tick) * tick


class MarketMakers:
    """All makers of a scenario, numbered from `first` on."""

    def __init__(self, scenario: Scenario, crowd: Crowd, first: int) -> None:
        self._depth = scenario.depth
        self.makers = tuple(
            Maker(
                account=first + place,
                asset=curve.asset,
                parameters=scenario.parameters.assets[curve.asset],
                levels=_levels(scenario.depth, curve, crowd),
                inventory=scenario.depth.inventory,
            )
            for place, curve in enumerate(scenario.depth.curves)
        )
        self._accounts = {maker.account for maker in self.makers}
        self._eaten: dict[tuple[int, Side], int] = {}
        self._quoted: int | None = None
        self._left = RATIO

    def open(self) -> Iterator[Command]:
        """Open every maker's account."""
        for maker in self.makers:
            yield OpenAccount(maker.account)

    def take_note(self, fill: Filled) -> bool:
        """Count what a trade took out of a maker's ladder; whether it was one's."""
        if fill.maker not in self._accounts:
            return False
        side = Side.ASK if fill.side is Side.BID else Side.BID
        key = fill.asset, side
        self._eaten[key] = self._eaten.get(key, 0) + fill.quote
        return True

    def quotes(self, time: int, after: int, price: PriceAt) -> Iterator[Command]:
        """Every maker's ladder at `time`, `after` microseconds from the start."""
        if not self.makers:
            return
        multiplier = self.multiplier(after)
        elapsed, self._quoted = time - (self._quoted or time), time
        for maker in self.makers:
            back = maker.depth * multiplier // RATIO * elapsed // self._depth.recovery
            eaten = {}
            for side in (Side.BID, Side.ASK):
                key = maker.asset, side
                eaten[side] = self._eaten[key] = max(0, self._eaten.get(key, 0) - back)
            yield from maker.quotes(price(maker.asset), multiplier, eaten)

    def leave(self, fired: Collection[Trigger]) -> None:
        """Quote less from now on, where a trigger that just fired says so."""
        for trigger, left in self._depth.leaving:
            if trigger in fired:
                self._left = max(LEAST_LEFT, self._left * left // RATIO)

    def multiplier(self, after: int) -> int:
        """The thinning multiplier `after` microseconds from the start, less what makers left."""
        return max(LEAST_LEFT, self._thinned(after) * self._left // RATIO)

    def _thinned(self, after: int) -> int:
        points = self._depth.thinning
        place = bisect_right(points, after, key=lambda point: point[0])
        if place == 0:
            return points[0][1]
        (since, left) = points[place - 1]
        if place == len(points):
            return left
        (until, right) = points[place]
        return left + (right - left) * (after - since) // (until - since)


def _levels(depth: Depth, curve: DepthCurve, crowd: Crowd) -> tuple[tuple[int, int], ...]:
    """What the cumulative curve adds at each distance, scaled."""
    levels = []
    below = 0
    for distance, cumulative in curve.bands:
        added = crowd.scaled((cumulative - below) * depth.scale // RATIO)
        if added:
            levels.append((distance, added))
        below = cumulative
    return tuple(levels)
