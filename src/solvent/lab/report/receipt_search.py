"""Receipts made again from a run's log: of one round, fill, booking or account, or all.

A receipt follows from the events, so a run need not have written it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from solvent.domain.codec.spans import NOBODY, spans_of
from solvent.domain.codec.transcript import Transcript
from solvent.domain.labels import Stage
from solvent.journal.run_log import RunLogReader
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.form import Receipt
from solvent.receipts.settlements import events_for, stage_and_number

Progress = Callable[[int, int], None]
"""Called with the commands read and all commands."""


class Wanted(NamedTuple):
    """Which receipts: all, those of a round, fill or booking, of what an account took part in."""

    adl_round: int | None = None
    fill: int | None = None
    booking: int | None = None
    account: int | None = None

    @property
    def settlements(self) -> tuple[tuple[Stage, int | None], ...]:
        """The round and the booking."""
        return (Stage.ADL, self.adl_round), (Stage.DEFICIT, self.booking)


ALL = Wanted()


def receipts_of(
    reader: RunLogReader, wanted: Wanted = ALL, progress: Progress | None = None
) -> Iterator[Receipt]:
    """Receipts that are wanted, in order. Raises InputError on a bad log."""
    builder = ReceiptBuilder(reader.parameters)
    commands = reader.manifest.commands
    for transcript in reader.transcripts():
        with reader.naming(transcript.first):
            yield from _of_command(builder, transcript, wanted)
        if progress is not None:
            progress(transcript.end, commands)


def _of_command(
    builder: ReceiptBuilder, transcript: Transcript, wanted: Wanted
) -> Iterator[Receipt]:
    account = NOBODY if wanted.account is None else wanted.account
    unwanted = [
        span
        for span in spans_of(transcript, 0, account)
        if wanted != ALL
        and not span.concerns
        and (span.stage, span.number) not in wanted.settlements
        and wanted.fill not in span.fills
    ]
    for receipt in builder.feed(transcript.first, events_for(transcript, 0, unwanted)):
        stage, number = stage_and_number(receipt)
        if stage is not Stage.BACKSTOP or wanted.fill in (None, number):
            yield receipt
