"""Why a settlement happened: the trigger, and what the stages before it said."""

from collections.abc import Iterator, Sequence

from solvent.domain.labels import Reason, Stage
from solvent.receipts.form import Handover, Party, Settled, Side, Started

REASONS = {
    Stage.BOOK: {
        Reason.NO_LIQUIDITY_IN_BAND,
        Reason.NO_REDEEMABLE_CASH,
        Reason.PRICE_GAP,
        Reason.OVER_BOOK_LIMIT,
        Reason.STALE_PRICE,
        Reason.BELOW_LOT,
    },
    Stage.BACKSTOP: {Reason.NO_BACKSTOP_CAPACITY, Reason.PRICE_GAP},
    Stage.ADL: {Reason.NO_COUNTERPARTY, Reason.PRICE_GAP},
}
"""The reasons that each stage can have."""


def trigger_fits(receipt: Settled, started: Started, place: str) -> Iterator[str]:
    """The account became liquidatable, and not after what was done about it."""
    if started.net_equity > started.maintenance or started.exposure < 1:
        yield f"{place}.started: was not liquidatable"
    if started.maintenance < 0 or started.net_equity > started.total_value:
        yield f"{place}.started: these figures are of no account"
    if not 0 <= started.command <= receipt.command or not 0 <= started.time <= receipt.time:
        yield f"{place}.started: is later than the settlement"


def reasons_in_order(receipt: Settled, side: Side, place: str) -> Iterator[str]:
    """Book, then backstop, then only ADL rounds of the same step; with the reasons acted on."""
    handed_over = side.handed_over
    stages = [line.stage for line in handed_over]
    if stages[:2] != [Stage.BOOK, Stage.BACKSTOP] or set(stages[2:]) - {Stage.ADL}:
        yield f"{place}.handed_over: must be book, then backstop, then ADL"
        return
    acted_on = (side.book_reason, side.backstop_reason)
    if (handed_over[0].reason, handed_over[1].reason) != acted_on:
        yield f"{place}.handed_over: its reasons are not those that the round acted on"
    yield from _lines_fit(receipt, handed_over, place)


def book_reason_given(
    receipt: Settled, handed_over: Sequence[Handover], place: str
) -> Iterator[str]:
    """Before a fill only the book has been at it, and handed over something."""
    if [line.stage for line in handed_over] != [Stage.BOOK]:
        yield f"{place}.handed_over: must be the book's"
        return
    yield from _lines_fit(receipt, handed_over, place)


def _lines_fit(receipt: Settled, handed_over: Sequence[Handover], place: str) -> Iterator[str]:
    symbols = {each.symbol for each in receipt.assets}
    for number, line in enumerate(handed_over):
        name = f"{place}.handed_over[{number}]"
        if line.reason not in REASONS[line.stage]:
            yield f"{name}.reason: {line.stage.name} has no such reason"
        if line.value < 1:
            yield f"{name}.value: must be positive"
        if line.asset not in symbols:
            yield f"{name}.asset: is not among the assets"


def no_orders(party: Party, place: str) -> Iterator[str]:
    """All orders of a liquidated account were cancelled first (I20)."""
    if any(balance.locked or balance.unfunded for balance in party.balances):
        yield f"{place}: is liquidated, but its orders still lock or borrow something"
