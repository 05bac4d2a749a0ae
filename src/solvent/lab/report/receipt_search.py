"""Receipts made again from a run's log: those of one round, one fill, one account, or all.

A receipt follows from the events, so a run need not have written it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from solvent.domain.codec.encoded_events import EncodedEvents
from solvent.journal.run_log import RunLogReader
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.form import Receipt
from solvent.receipts.settlements import NOBODY, events_of, fill_or_round, settlements_in

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
    for number, group in enumerate(reader.encoded_events()):
        with reader.naming(number):
            yield from _of_command(builder, number, EncodedEvents(group), wanted)
        if progress is not None:
            progress(number + 1, commands)


def _of_command(
    builder: ReceiptBuilder, number: int, events: EncodedEvents, wanted: Wanted
) -> Iterator[Receipt]:
    account = NOBODY if wanted.account is None else wanted.account
    settlements = {
        settlement
        for settlement, found in settlements_in(events, account).items()
        if wanted == ALL
        or found.concerns
        or (settlement.is_round and settlement.number == wanted.adl_round)
        or wanted.fill in found.fills
    }
    for receipt in builder.feed(number, list(events_of(events, frozenset(settlements)))):
        is_round, number = fill_or_round(receipt)
        if is_round or wanted.fill in (None, number):
            yield receipt
