"""The synthetic feed: a seeded random walk, for a market with no network and no file.

At each reading a price moves by at most `step` of itself, evenly either way, and stays between a
quarter and four times where it began. Each source sees it up to `NOISE` beside, with a bid and an
ask around. Steps are integers and the draws are the seed's: the same seed gives the same quotes on
every machine.
"""

from collections.abc import Mapping
from random import Random

from solvent.domain.errors import InputError
from solvent.domain.units import RATIO
from solvent.service.feeds import Quote, Reading

STEP = RATIO * 5 // 10_000
NOISE = RATIO * 1 // 10_000
HALF_SPREAD = RATIO * 1 // 10_000
"""Ratios of the price, 10^-9."""

FARTHEST = 4
LEAST_START = FARTHEST * RATIO // HALF_SPREAD
"""Below it a half spread would round to nothing, 10^-10 USDC."""


class SyntheticFeed:
    """Walks from `start` (10^-10 USDC by symbol), quoted by so many sources."""

    def __init__(
        self,
        start: Mapping[str, int],
        *,
        seed: int = 1,
        sources: int = 1,
        interval: float = 1.0,
        step: int = STEP,
    ) -> None:
        for symbol, price in start.items():
            if price < LEAST_START:
                raise InputError("feed", "start", f"of {symbol} must be at least {LEAST_START}")
        self._random = Random(seed)
        self._start = dict(start)
        self._prices = dict(start)
        self._sources = range(sources)
        self._interval = interval
        self._step = step

    def read(self) -> Reading:
        """The next step of every walk."""
        quotes = []
        for symbol, price in self._prices.items():
            moved = price + self._drawn(price, self._step)
            begun = self._start[symbol]
            moved = max(begun // FARTHEST, min(moved, begun * FARTHEST))
            self._prices[symbol] = moved
            quotes += [self._quote(symbol, source, moved) for source in self._sources]
        return Reading(quotes, self._interval)

    def _quote(self, symbol: str, source: int, price: int) -> Quote:
        last = price + self._drawn(price, NOISE)
        half = price * HALF_SPREAD // RATIO
        return Quote(symbol, source, last - half, last + half, last)

    def _drawn(self, price: int, ratio: int) -> int:
        """Up to `ratio` of the price, either way."""
        most = price * ratio // RATIO
        return self._random.randint(-most, most)
