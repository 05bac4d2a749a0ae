"""The gate: what a source's reading must pass before it is posted.

A book must not be crossed, and its spread must be a spread and not a hole. A price that lies more
than `max_step` from the one posted before is held back until the next reading of that source
confirms it, within `max_step` again: a single wrong reading is never posted, a real move is, one
reading late. The price of a quote is the median of bid, ask and last, as in the engine.

Each source stands for itself here. That sources are held near the median of all of them is the
engine's part.
"""

from typing import NamedTuple

from solvent.domain.units import RATIO
from solvent.service.feeds import Quote

MAX_STEP = RATIO * 5 // 100
MAX_SPREAD = RATIO * 5 // 100
"""Ratios of the price, 10^-9."""


class Verdict(NamedTuple):
    """Whether a quote may be posted, and if not, why."""

    passes: bool
    reason: str = ""


class Gate:
    """Judges quotes one after another."""

    def __init__(self, max_step: int = MAX_STEP, max_spread: int = MAX_SPREAD) -> None:
        self._max_step = max_step
        self._max_spread = max_spread
        self._posted: dict[tuple[str, int], int] = {}
        self._held: dict[tuple[str, int], int] = {}

    def judge(self, quote: Quote) -> Verdict:
        """Whether to post this quote; what it says is remembered."""
        if min(quote.bid, quote.ask, quote.last) <= 0:
            return Verdict(passes=False, reason="a price is not above zero")
        if quote.bid > quote.ask:
            return Verdict(passes=False, reason="the book is crossed")
        if (quote.ask - quote.bid) * RATIO > quote.bid * self._max_spread:
            return Verdict(passes=False, reason="the spread is too wide")
        price = sorted((quote.bid, quote.ask, quote.last))[1]
        key = quote.symbol, quote.source
        before = self._posted.get(key)
        held = self._held.pop(key, None)
        if before is None or self._near(price, before) or self._confirms(price, held):
            self._posted[key] = price
            return Verdict(passes=True)
        self._held[key] = price
        return Verdict(passes=False, reason="the price jumped; it waits for a second reading")

    def _confirms(self, price: int, held: int | None) -> bool:
        return held is not None and self._near(price, held)

    def _near(self, price: int, before: int) -> bool:
        return abs(price - before) * RATIO <= before * self._max_step
