"""The oracle: what sources quote of the market's price, and what they get wrong.

Without faults every source quotes the market. A fault holds from one moment up to another, for some
of an asset's sources or for all; the market, its makers and everybody who acts on a price go on at
the market's own. Where several faults hold at once they act one after the other, as written.
"""

from bisect import bisect_right
from collections.abc import Sequence

from solvent.domain.units import RATIO
from solvent.lab.scenario.model import Fault, OracleFault


class Oracle:
    """The quotes of all assets; it remembers what it needs of the market to be late."""

    def __init__(self, faults: Sequence[OracleFault]) -> None:
        self._faults = faults
        self._held: dict[tuple[int, int], int] = {}
        self._late = {each.asset for each in faults if each.fault is Fault.LATE}
        self._times: dict[int, list[int]] = {asset: [] for asset in self._late}
        self._prices: dict[int, list[int]] = {asset: [] for asset in self._late}

    def quote(self, asset: int, source: int, after: int, market: int) -> int | None:
        """What a source quotes `after` microseconds from the start, None where it says nothing."""
        price: int | None = market
        for number, each in enumerate(self._faults):
            if each.asset != asset or not each.since <= after < each.until:
                continue
            if each.sources and source not in each.sources:
                continue
            if price is not None:
                price = self._faulty((number, source), each, after, price)
        return price

    def see(self, asset: int, after: int, market: int) -> None:
        """Take note of the market's price, before anything is quoted at that moment."""
        if asset in self._late:
            self._times[asset].append(after)
            self._prices[asset].append(market)

    def _faulty(
        self, held: tuple[int, int], each: OracleFault, after: int, price: int
    ) -> int | None:
        if each.fault is Fault.STOP:
            return None
        if each.fault is Fault.HOLD:
            return self._held.setdefault(held, price)
        if each.fault is Fault.WRONG:
            return max(1, price * each.amount // RATIO)
        if each.fault is Fault.CAP:
            return min(price, each.amount)
        place = bisect_right(self._times[each.asset], after - each.amount)
        return self._prices[each.asset][max(0, place - 1)]
