"""Receipts made again from a run's log: those of one round, one fill, one account, or all.

A receipt follows from the events, so a run need not have written it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from solvent.domain.codec.spans import NOBODY, spans_of
from solvent.domain.codec.transcript import Transcript
from solvent.journal.run_log import RunLogReader
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.form import Receipt
from solvent.receipts.settlements import events_for, fill_or_round

Progress = Callable[[int, int], None]
"""Called with the commands read and all commands."""


class Wanted(NamedTuple):
    """Which receipts: all, or those of an ADL round, of a fill, of what an account took part in."""

    adl_round: int | None = None
    fill: int | None = None
    account: int | None = None


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
        and not (span.is_round and span.number == wanted.adl_round)
        and wanted.fill not in span.fills
    ]
    for receipt in builder.feed(transcript.first, events_for(transcript, 0, unwanted)):
        is_round, number = fill_or_round(receipt)
        if is_round or wanted.fill in (None, number):
            yield receipt
