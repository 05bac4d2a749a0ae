"""What payments in kind were worth later: an hour on, a day on, and at the end of the run.

A lender who is paid in another token has its price from then on. Each payment is valued at the mark
at which it was made and again at the first step that is an hour, or a day, after it; payments whose
hour the run does not reach are left out of that row, and the row says what the rest was paid at.
"""

from collections import deque
from typing import Any, NamedTuple

from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, LegForm
from solvent.domain.parameters import USDC
from solvent.domain.units import HOUR
from solvent.domain.waterfall_events import AdlLeg, AdlOpened
from solvent.foresight.marks import Marks, value_text

AFTER = (HOUR, 24 * HOUR)


class _Payment(NamedTuple):
    """Atoms of an asset, what they were worth (10^-22 USDC), and when (microseconds UTC)."""

    asset: int
    quantity: int
    worth: int
    time: int


class KindLater:
    """Values payments in kind again; feed it the events of `KINDS` and the time of every step."""

    KINDS = (AdlOpened, AdlLeg)

    def __init__(self, marks: Marks, start: int) -> None:
        self._marks = marks
        self._round_of = 0
        self._is_opposites = False
        self._now = start
        self._waiting: tuple[deque[_Payment], ...] = tuple(deque() for _ in AFTER)
        self._after = [[0, 0] for _ in AFTER]
        self._paid = 0
        self._held = [0 for _ in marks.symbols]

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, AdlOpened):
            self._round_of = event.asset
            self._is_opposites = event.case is AdlCase.OPPOSITES
            return
        assert isinstance(event, AdlLeg)
        in_kind = event.form is not LegForm.CLAIM and event.asset not in (USDC, self._round_of)
        if self._is_opposites or not in_kind:
            return
        worth = self._marks.exact(event.asset, event.quantity)
        payment = _Payment(event.asset, event.quantity, worth, self._now)
        self._paid += worth
        self._held[event.asset] += event.quantity
        for waiting in self._waiting:
            waiting.append(payment)

    def step(self, now: int) -> None:
        """Value what fell due at the marks in force at `now`."""
        self._now = now
        for length, waiting, sums in zip(AFTER, self._waiting, self._after, strict=True):
            while waiting and waiting[0].time + length <= now:
                due = waiting.popleft()
                sums[0] += due.worth
                sums[1] += self._marks.exact(due.asset, due.quantity)

    def result(self) -> dict[str, Any]:
        """The record: what was paid in kind, and its worth after each time and at the end."""
        end = sum(self._marks.exact(asset, held) for asset, held in enumerate(self._held))
        rows = [
            {"hours": length // HOUR, "paid": value_text(paid), "worth": value_text(worth)}
            for length, (paid, worth) in zip(AFTER, self._after, strict=True)
        ]
        return {
            "after": rows,
            "end": {"paid": value_text(self._paid), "worth": value_text(end)},
        }
