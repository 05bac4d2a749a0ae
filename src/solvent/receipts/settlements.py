"""What receipts need of a command's events, where not all of its settlements are wanted."""

from collections.abc import Collection

from solvent.domain.codec.events import kind_number
from solvent.domain.codec.spans import Span
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from solvent.domain.labels import Stage
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.form import AdlReceipt, BackstopReceipt, Receipt, StandbyReceipt

HEARD = frozenset(map(kind_number, ReceiptBuilder.KINDS))
"""The kinds of events, by number, that receipts are made of."""


def events_for(transcript: Transcript, index: int, unwanted: Collection[Span]) -> list[Event]:
    """The events of a command that receipts of all settlements but some are made of."""
    places = transcript.span(index)
    left: list[int] = []
    start = places.start
    for span in unwanted:
        left += range(start, span.events.start)
        start = span.events.stop
    left += range(start, places.stop)
    return [transcript.event(each) for each in left if transcript.kinds[each] in HEARD]


def stage_and_number(receipt: Receipt) -> tuple[Stage, int]:
    """Whose settlement a receipt is of, and the number of its round, fill or booking."""
    if isinstance(receipt, AdlReceipt):
        return Stage.ADL, receipt.round
    if isinstance(receipt, BackstopReceipt):
        return Stage.BACKSTOP, receipt.fill
    if isinstance(receipt, StandbyReceipt):
        return Stage.STANDBY, receipt.swap
    return Stage.DEFICIT, receipt.booking
