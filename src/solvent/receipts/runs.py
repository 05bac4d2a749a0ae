"""The receipts that a run writes: those of its settlements for which there is room.

There is room for all of them, unless a run is large: a receipt lists every candidate and every
party, so those of a million accounts would fill a disk. The others can be made from the run's log
at any time. Which are written follows from the events alone, so whoever has the log knows.
"""

from solvent.domain.codec.encoded_events import EncodedEvents
from solvent.domain.parameters import EngineParameters
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.form import Receipt
from solvent.receipts.settlements import Settlement, events_of, settlements_in

ROUND_BYTES, OFFER_BYTES = 1 << 26, 1 << 24
"""Room for ADL rounds and for backstop offers, counted in their events: every settlement of 10,000
accounts in the crash of the demo."""


class RunReceipts:
    """Feed it the events of every command of a run, in order, from the first."""

    def __init__(self, parameters: EngineParameters) -> None:
        self._builder = ReceiptBuilder(parameters)
        self._commands = 0
        self._room = {True: ROUND_BYTES, False: OFFER_BYTES}

    def feed(self, events: EncodedEvents) -> list[Receipt]:
        """Take in the next command's events; return the receipts that are to be written."""
        wanted = set[Settlement]()
        for settlement, found in settlements_in(events).items():
            size = 8 * found.size
            if size <= self._room[settlement.is_round]:
                self._room[settlement.is_round] -= size
                wanted.add(settlement)
        receipts = self._builder.feed(self._commands, list(events_of(events, frozenset(wanted))))
        self._commands += 1
        return receipts
