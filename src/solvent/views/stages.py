"""Why a settlement happened: the trigger, and what the stages before it said."""

from collections.abc import Iterator, Sequence

from solvent.domain.labels import Reason, Stage
from solvent.views.receipt import Handover, Receipt, Started


def trigger_fits(receipt: Receipt, started: Started, place: str) -> Iterator[str]:
    """The account became liquidatable, and not after what was done about it."""
    if started.net_equity > started.maintenance or started.exposure < 1:
        yield f"{place}.started: was not liquidatable"
    if started.maintenance < 0 or started.net_equity > started.total_value:
        yield f"{place}.started: these figures are of no account"
    if not 0 <= started.command <= receipt.command or not 0 <= started.time <= receipt.time:
        yield f"{place}.started: is later than the settlement"


def reasons_in_order(
    handed_over: Sequence[Handover], book: Reason, backstop: Reason, place: str
) -> Iterator[str]:
    """Book, then backstop, then only ADL rounds of the same step; with the reasons acted on."""
    stages = [line.stage for line in handed_over]
    if stages[:2] != [Stage.BOOK, Stage.BACKSTOP] or set(stages[2:]) - {Stage.ADL}:
        yield f"{place}.handed_over: must be book, then backstop, then ADL"
    elif (handed_over[0].reason, handed_over[1].reason) != (book, backstop):
        yield f"{place}.handed_over: its reasons are not those that the round acted on"
    for number, line in enumerate(handed_over):
        if line.value < 1:
            yield f"{place}.handed_over[{number}].value: must be positive"


def book_reason_given(handed_over: Sequence[Handover], place: str) -> Iterator[str]:
    """Before a fill only the book has been at it, and handed over something."""
    if [line.stage for line in handed_over] != [Stage.BOOK]:
        yield f"{place}.handed_over: must be the book's"
    elif handed_over[0].value < 1:
        yield f"{place}.handed_over[0].value: must be positive"
