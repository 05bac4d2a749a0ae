"""The receipts that a run writes: those of its settlements for which there is room.

There is room for all of them, unless a run is large: a receipt lists every candidate and every
party, so those of a million accounts would fill a disk. The others can be made from the run's log
at any time. Which are written follows from the events alone, so a reader of the log knows.
"""

from solvent.domain.codec.spans import Span, spans_of
from solvent.domain.codec.transcript import Transcript
from solvent.domain.labels import Stage
from solvent.domain.parameters import EngineParameters
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.form import Receipt
from solvent.receipts.settlements import HEARD, events_for

ROOM = {
    Stage.DEFICIT: 1 << 24,
    Stage.BACKSTOP: 1 << 24,
    Stage.ADL: 1 << 26,
    Stage.STANDBY: 1 << 24,
}
"""Room in bytes for bookings, backstop offers, ADL rounds and reliefs, counted in their events:
every settlement of 10,000 accounts in the crash of the demo."""


class RunReceipts:
    """Feed it all transcripts of a run, in order, from the first."""

    def __init__(self, parameters: EngineParameters) -> None:
        self._builder = ReceiptBuilder(parameters)
        self._commands = 0
        self._room = dict(ROOM)

    def feed(self, transcript: Transcript) -> list[Receipt]:
        """Take in commands with their events; return the receipts that are to be written."""
        found: list[Receipt] = []
        first = self._commands
        self._commands += len(transcript)
        if transcript.present.isdisjoint(HEARD):
            return found
        for index in range(len(transcript)):
            beyond = [span for span in spans_of(transcript, index) if not self._fits(span)]
            events = events_for(transcript, index, beyond)
            if events:
                found += self._builder.feed(first + index, events)
        return found

    def _fits(self, span: Span) -> bool:
        """Whether there is room for a settlement, which is then taken."""
        size = 8 * span.size
        if size > self._room[span.stage]:
            return False
        self._room[span.stage] -= size
        return True
