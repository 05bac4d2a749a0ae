"""Live prices: a scenario's prices from another start, and a price that wanders on after them.

A run of a scenario ends with its prices; a market that runs does not. After the last recorded
moment each asset wanders around its last price:

    price(t) = last * (1 + sum over octaves of amplitude * noise(t / period))

where the noise of an octave is drawn evenly at whole multiples of its period, from a hash of seed,
asset, octave and place, and joined by straight lines. It is zero at the beginning, so nothing
jumps; amplitudes grow as the square root of the period, as a price's moves do; and their sum bounds
how far the price can go, so that a demo left alone for a month is still a market. The price at a
moment needs nothing of the moments before: a market that was down goes on as if it had not been.

Deliberately absent: floats, and any state.
"""

from solvent.domain.units import RATIO, SECOND
from solvent.lab.people.sampling import draw_word
from solvent.lab.prices.feed import Feed

OCTAVES: tuple[tuple[int, int], ...] = (
    (4 * SECOND, RATIO * 2 // 10_000),
    (16 * SECOND, RATIO * 4 // 10_000),
    (64 * SECOND, RATIO * 8 // 10_000),
    (256 * SECOND, RATIO * 16 // 10_000),
    (1024 * SECOND, RATIO * 32 // 10_000),
    (4096 * SECOND, RATIO * 64 // 10_000),
)
"""Period and amplitude of each part of the noise."""

FARTHEST = sum(amplitude for _, amplitude in OCTAVES)
"""How far a price can wander from where it began, in 10^-9: some 1.3 %."""


def wander(price: int, after: int, seed: int, asset: int) -> int:
    """The price `after` microseconds of wandering from `price`; at least one unit."""
    moved = sum(
        _noise(after, period, amplitude, seed, asset, octave)
        for octave, (period, amplitude) in enumerate(OCTAVES)
    )
    return max(1, price + price * moved // RATIO)


def _noise(after: int, period: int, amplitude: int, seed: int, asset: int, octave: int) -> int:
    """One octave's part, on the straight line between the corners around `after`."""
    place, since = divmod(after, period)
    left, right = (_corner(amplitude, seed, asset, octave, each) for each in (place, place + 1))
    return left + (right - left) * since // period


def _corner(amplitude: int, seed: int, asset: int, octave: int, place: int) -> int:
    if place == 0:
        return 0
    return draw_word(seed, asset, octave, place) % (2 * amplitude + 1) - amplitude


class LivePrices:
    """A feed's prices as if it began at `start` (microseconds UTC), and a wander after its end."""

    def __init__(self, feed: Feed, start: int, seed: int) -> None:
        self.start = start
        self._feed = feed
        self._shift = feed.start - start
        self._seed = seed

    @property
    def end(self) -> int:
        """The last recorded moment."""
        return self._feed.end - self._shift

    def price(self, asset: int, time: int) -> int:
        """Price of `asset` in force at `time`, 10^-10 USDC per whole token."""
        recorded = self._feed.price(asset, min(time, self.end) + self._shift)
        if time <= self.end:
            return recorded
        return wander(recorded, time - self.end, self._seed, asset)

    def quoted(self, asset: int, time: int) -> bool:
        """Whether `asset` is quoted at `time`; after the end always."""
        return time > self.end or self._feed.quoted(asset, time + self._shift)
