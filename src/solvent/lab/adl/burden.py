"""Who bore ADL: how many were asked, how unevenly, and how far from the least that is possible.

A share is what rounds took of one position, all rounds together: atoms taken over the largest that
the position was, with what had been taken already. The least largest share is the common one, what
was taken of an asset over all positions that could be asked; regret is how far the largest lies
above it. Gini's index is over all shares, of those who were not asked too. What was taken out of
order was taken while somebody more levered had more to give. Sybil gain is the part of what the
largest payer of each round gave that the best split of his account would have saved him
(`adl.sybil`), rounds of less than a cent apart, where only rounding decides. Health is by how
much rounds raised what net equity is above maintenance, of payers and lenders together, and hurt by
how much they lowered it for those whom they hurt.

Ratios are computed in whole parts of 10^18 and shown to 10^-9. Deliberately absent: opposites,
which nobody is asked for.
"""

from functools import cmp_to_key
from typing import Any

from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, Stage
from solvent.domain.parameters import USDC, Policy
from solvent.domain.units import value_up
from solvent.domain.waterfall_events import AdlCandidate, AdlOpened, PartyHealth
from solvent.foresight.marks import Marks, value_text
from solvent.lab.adl.sybil import saved
from solvent.reference.waterfall.policies import Candidate, Demand

FINE, SHOWN = 10**18, 10**9
CENT = 10_000
"""10^-6 USDC."""


class Burden:
    """Counts what candidates of rounds gave; feed it the events of `KINDS`."""

    KINDS = (AdlOpened, AdlCandidate, PartyHealth)

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._case, self._asset, self._policy = AdlCase.OPPOSITES, 0, Policy.LEVERAGE
        self._round: list[AdlCandidate] = []
        self._taken: dict[tuple[int, int], int] = {}
        self._most: dict[tuple[int, int], int] = {}
        self._value = self._out_of_order = 0
        self._largest = self._saved = 0
        self._before: dict[tuple[int, int], int] = {}
        self._health = self._hurt = 0

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, AdlOpened):
            self._close()
            self._case, self._asset, self._policy = event.case, event.asset, Policy(event.policy)
        elif self._case is AdlCase.OPPOSITES:
            return
        elif isinstance(event, AdlCandidate):
            self._ask(event)
        else:
            assert isinstance(event, PartyHealth)
            self._judge(event)

    def _ask(self, event: AdlCandidate) -> None:
        self._round.append(event)
        key = self._asset, event.account
        before = self._taken.get(key, 0)
        self._most[key] = max(self._most.get(key, 0), event.position + before)
        self._taken[key] = before + event.allotted

    def _judge(self, event: PartyHealth) -> None:
        """Health of a party before a match, or what the match made of it."""
        if event.stage is not Stage.ADL:
            return
        key, health = (event.match, event.account), event.net_equity - event.maintenance
        if not event.after:
            self._before[key] = health
            return
        change = health - self._before.pop(key)
        self._health += change
        self._hurt += max(0, -change)

    def _close(self) -> None:
        """Judge the order of a round whose candidates are all there, and what a split saves."""
        self._split()
        ranked = sorted(self._round, key=cmp_to_key(_less_levered))
        has_room = False
        for each in ranked:
            worth = self._marks.exact(self._asset, each.allotted)
            self._value += worth
            self._out_of_order += worth if has_room else 0
            has_room = has_room or each.allotted < each.cap
        self._round.clear()

    def _split(self) -> None:
        total = sum(each.allotted for each in self._round)
        if self._marks.value(self._asset, total) < CENT:
            return
        people = [
            Candidate(each.account, each.position, each.cap, each.assets_value, each.total_value)
            for each in self._round
        ]
        mark, decimals = self._marks.mark(self._asset), self._marks.decimals[self._asset]
        asked, less = saved(self._policy, people, Demand(total, value_up(total, mark, decimals)))
        self._largest += self._marks.exact(self._asset, asked)
        self._saved += self._marks.exact(self._asset, less)

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
            "sybil_gain": _shown(FINE * self._saved // self._largest if self._largest else 0),
            "health": value_text(self._marks.exact(USDC, self._health)),
            "hurt": value_text(self._marks.exact(USDC, self._hurt)),
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
