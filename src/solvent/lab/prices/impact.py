"""Impact: what is eaten of the book here moves the price everywhere.

A maker who bought from a liquidation sells elsewhere: what is eaten here all venues together lack.
With C(x) the depth of all their books within x of the mid, thinned as the makers' own, and E what
sales ate more than purchases did and did not come back yet,

    x = the distance at which C(x) = E        price = the scenario's price * (1 - x)

and the other way round for purchases. Within bands C is a straight line, and beyond the last band
it goes on as in the band before: what was not measured is as deep as the last that was. A part of
E may never come back; of the rest all depth comes back in `recovery`, evenly.

All whole numbers: an impact decides who is liquidated.
"""

from collections.abc import Mapping, Sequence

from solvent.domain.commands import Side
from solvent.domain.units import RATIO, divide_up

FARTHEST = RATIO * 9 // 10
"""No impact moves a price by more."""

Curve = Sequence[tuple[int, int]]
"""Distances (10^-9) and the USDC (10^-6) within them, a side; both rise."""


class Impact:
    """The displacement of every asset's price; `curves` are those of all venues together."""

    def __init__(self, curves: Mapping[int, Curve], recovery: int, lasting: int) -> None:
        self._curves = curves
        self._recovery = recovery
        self._part = lasting
        self._passing = dict.fromkeys(curves, 0)
        self._lasting = dict.fromkeys(curves, 0)
        self.farthest = dict.fromkeys(curves, 0)
        """How far each price was ever moved from the scenario's, 10^-9."""

    def take(self, asset: int, side: Side, value: int) -> None:
        """A taker of this side took `value` (10^-6 USDC) out of the book."""
        stays = value * self._part // RATIO
        sign = 1 if side is Side.BID else -1
        self._lasting[asset] += sign * stays
        self._passing[asset] += sign * (value - stays)

    def pass_time(self, elapsed: int, multiplier: int) -> None:
        """Depth comes back for so many microseconds, in a book thinned by `multiplier` (10^-9)."""
        for asset, eaten in self._passing.items():
            whole = self._curves[asset][-1][1] * multiplier // RATIO
            back = whole * elapsed // self._recovery
            self._passing[asset] = max(0, eaten - back) if eaten > 0 else min(0, eaten + back)

    def moved(self, asset: int, price: int, multiplier: int) -> int:
        """Where `price` stands after what was eaten; one unit at least."""
        eaten = self._passing.get(asset, 0) + self._lasting.get(asset, 0)
        if not eaten:
            return price
        reached = distance(self._curves[asset], divide_up(abs(eaten) * RATIO, multiplier))
        away = min(FARTHEST, reached * RATIO // multiplier)
        self.farthest[asset] = max(self.farthest[asset], away)
        return max(1, price * (RATIO + (away if eaten > 0 else -away)) // RATIO)


def distance(curve: Curve, eaten: int) -> int:
    """How far from the mid (10^-9) a calm curve holds `eaten`, rounded down."""
    near, below = 0, 0
    run, rise = 0, 1
    for far, within in curve:
        if within > below:
            run, rise = far - near, within - below
        if eaten <= within:
            break
        near, below = far, within
    return near + (eaten - below) * run // rise
