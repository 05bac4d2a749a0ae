"""Who bore ADL: how many were asked, how unevenly, and how far from the least that is possible.

A share is what rounds took of one position, all rounds together: atoms taken over the largest that
the position was, with what had been taken already. The least largest share is the common one, what
was taken of an asset over all positions that could be asked; regret is how far the largest lies
above it. Gini's index is over all shares, of those who were not asked too. What was taken out of
order was taken while somebody more levered had more to give.

Ratios are computed in whole parts of 10^18 and shown to 10^-9. Deliberately absent: opposites,
which nobody is asked for.
"""

from functools import cmp_to_key
from typing import Any

from solvent.domain.events import Event
from solvent.domain.labels import AdlCase
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened
from solvent.foresight.marks import Marks

FINE, SHOWN = 10**18, 10**9


class Burden:
    """Counts what candidates of rounds gave; feed it the events of `KINDS`."""

    KINDS = (AdlOpened, AdlCandidate)

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._case, self._asset = AdlCase.OPPOSITES, 0
        self._round: list[AdlCandidate] = []
        self._taken: dict[tuple[int, int], int] = {}
        self._most: dict[tuple[int, int], int] = {}
        self._value = self._out_of_order = 0

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, AdlOpened):
            self._close()
            self._case, self._asset = event.case, event.asset
            return
        assert isinstance(event, AdlCandidate)
        if self._case is AdlCase.OPPOSITES:
            return
        self._round.append(event)
        key = self._asset, event.account
        before = self._taken.get(key, 0)
        self._most[key] = max(self._most.get(key, 0), event.position + before)
        self._taken[key] = before + event.allotted

    def _close(self) -> None:
        """Judge the order of a round whose candidates are all there."""
        ranked = sorted(self._round, key=cmp_to_key(_less_levered))
        has_room = False
        for each in ranked:
            worth = self._marks.exact(self._asset, each.allotted)
            self._value += worth
            self._out_of_order += worth if has_room else 0
            has_room = has_room or each.allotted < each.cap
        self._round.clear()

    def result(self) -> dict[str, Any]:
        """The record; all are zero where nobody was asked."""
        self._close()
        shares = sorted(FINE * self._taken[key] // self._most[key] for key in self._most)
        return {
            "asked": sum(1 for taken in self._taken.values() if taken),
            "candidates": len(shares),
            "largest_share": _shown(shares[-1] if shares else 0),
            "regret": _shown(self._regret()),
            "gini": _shown(_gini(shares)),
            "out_of_order": _shown(FINE * self._out_of_order // self._value if self._value else 0),
        }

    def _regret(self) -> int:
        """How far the largest share of an asset lies above the common one, the worst asset."""
        worst = 0
        for asset in {asset for asset, _ in self._most}:
            keys = [key for key in self._most if key[0] == asset]
            taken = sum(self._taken[key] for key in keys)
            common = FINE * taken // sum(self._most[key] for key in keys)
            largest = max(FINE * self._taken[key] // self._most[key] for key in keys)
            worst = max(worst, largest - common)
        return worst


def _less_levered(one: AdlCandidate, two: AdlCandidate) -> int:
    """Whether the first comes after the second when the most levered come first."""
    left, right = one.assets_value * two.total_value, two.assets_value * one.total_value
    return (right > left) - (right < left)


def _gini(ranked: list[int]) -> int:
    """Gini's index of shares that rise, in parts of 10^18; 0 where nothing was taken."""
    count, whole = len(ranked), sum(ranked)
    if not whole:
        return 0
    weighted = sum((2 * place - count + 1) * share for place, share in enumerate(ranked))
    return FINE * weighted // (count * whole)


def _shown(part: int) -> str:
    """A ratio in parts of 10^18 as text to 10^-9, rounded down."""
    whole, rest = divmod(part // (FINE // SHOWN), SHOWN)
    return f"{whole}.{rest:09d}"
