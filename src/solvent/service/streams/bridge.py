"""The bridge of the waterfall: of all debts that ended in it, which stage ended how much.

    owed = book + backstop + opposites + ADL + deficit        received = owed - deficit

Each debt counts at the mark at which it ended, rounded up to 10^-6 USDC a settlement, so that the
parts add up to the unit. On the book it ends where what was bought back, or USDC that came in, is
repaid; in a match it is the payer's. What the fund pays for an account ends no debt by itself: the
account repays with it, and only what it did not reach is a deficit.

It begins where the service was started, as the steps that may be asked for do.
"""

from collections import Counter
from enum import StrEnum

from solvent.domain import waterfall_events as w
from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event, IndexUpdated, MarkUpdated, Repaid
from solvent.domain.labels import AdlCase, Reason, Source, Stage
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import value_up


class Ended(StrEnum):
    """Where debts end, in the order of the stages."""

    BOOK = "BOOK"
    BACKSTOP = "BACKSTOP"
    OPPOSITES = "OPPOSITES"
    ADL = "ADL"
    DEFICIT = "DEFICIT"


_KINDS = frozenset(
    map(
        kind_number,
        (
            IndexUpdated,
            MarkUpdated,
            Repaid,
            w.HandedOver,
            w.BackstopFilled,
            w.AdlOpened,
            w.AdlMatched,
            w.FundPaid,
            w.DebtWrittenOff,
            w.StandbySwapped,
        ),
    )
)
_HANDED = {Stage.BOOK: Ended.BOOK, Stage.BACKSTOP: Ended.BACKSTOP, Stage.ADL: Ended.ADL}


class Bridge:
    """Sums of a market's waterfall, values in 10^-6 USDC."""

    def __init__(self, parameters: EngineParameters) -> None:
        self.since = self.until = parameters.start_time
        self.ended: Counter[Ended] = Counter()
        self.settlements: Counter[Ended] = Counter()
        self.reasons: dict[Ended, Counter[Reason]] = {each: Counter() for each in Ended}
        self.fund_paid = 0
        self.taken_over = 0
        self._decimals = [about.decimals for about in parameters.assets]
        self._marks = [0] * len(self._decimals)
        self._case = AdlCase.STUCK_LENDER

    @property
    def owed(self) -> int:
        """All that ended."""
        return self.ended.total()

    def restore(self, marks: list[int]) -> None:
        """Begin with a market whose marks, by asset, are these."""
        self._marks = list(marks)

    def recall(self, now: int) -> None:
        """Begin at this time."""
        self.since = self.until = now

    def follow(self, now: int, transcript: Transcript) -> None:
        """Take what happened."""
        self.until = max(self.until, now)
        if transcript.present.isdisjoint(_KINDS):
            return
        for _, events in transcript.by_command(_KINDS):
            for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case IndexUpdated() | MarkUpdated():
                self._marks[event.asset] = event.mark
            case Repaid() if event.source is Source.LIQUIDATION:
                self._end(Ended.BOOK, self._worth(event.asset, event.quantity))
            case w.BackstopFilled():
                self._end(Ended.BACKSTOP, event.debt_value)
            case w.AdlOpened():
                self._case = event.case
            case w.AdlMatched():
                is_opposite = self._case is AdlCase.OPPOSITES
                stage = Ended.OPPOSITES if is_opposite else Ended.ADL
                self._end(stage, self._worth(event.asset, event.quantity))
            case w.DebtWrittenOff():
                self._end(Ended.DEFICIT, event.value)
            case w.FundPaid():
                self.fund_paid += event.value
            case w.StandbySwapped():
                self.taken_over += event.value
            case w.HandedOver():
                self.reasons[_HANDED[event.stage]][event.reason] += 1

    def _worth(self, asset: int, quantity: int) -> int:
        return value_up(quantity, self._marks[asset], self._decimals[asset])

    def _end(self, stage: Ended, value: int) -> None:
        self.ended[stage] += value
        self.settlements[stage] += 1
