"""Receipts as rows: one line for every settlement, found by account, round, fill, booking or swap.

A settlement of a large market has a receipt of many megabytes, so a page of them ends where its
bytes do. A party is whoever gave, received, owed or was rid of something; who was only looked at as
a candidate is none, nor is a lender whose claim fell with all others of its pool.
"""

from collections.abc import Sequence

from solvent.domain.codec.events import kind_number
from solvent.domain.events import Event
from solvent.domain.labels import Stage
from solvent.domain.parameters import EngineParameters
from solvent.domain.waterfall_events import LiquidationStarted
from solvent.history.followers.context import Context
from solvent.history.questions.pages import Questions, Where, integers
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Database
from solvent.history.tables.rows import NEWEST, Page, Paging
from solvent.history.tables.schema import (
    LIQUIDATIONS,
    RECEIPT_PARTIES,
    RECEIPTS,
)
from solvent.receipts.builder import Past, ReceiptBuilder
from solvent.receipts.codec import receipt_line
from solvent.receipts.form import AdlReceipt, BookingReceipt, Receipt, StandbyReceipt, Started
from solvent.receipts.settlements import stage_and_number

NONE = 0
"""The number of a round, fill, booking or swap that there is not; they count from 1."""


NUMBERED = (Stage.ADL, Stage.BACKSTOP, Stage.DEFICIT, Stage.STANDBY)
"""Whose settlements a row's numbers count, in the order of its columns."""


class ReceiptRows:
    """Receipts in the making; `time` is that of the last step."""

    KINDS = frozenset(map(kind_number, ReceiptBuilder.KINDS))
    """Kinds of events, by number, that it needs to hear."""

    def __init__(
        self, database: Database, batch: Batch, parameters: EngineParameters, time: int
    ) -> None:
        self._batch = batch
        self._builder = ReceiptBuilder(parameters, _past(database, time))

    @property
    def time(self) -> int:
        """Time of the last step."""
        return self._builder.past.time

    def hear(self, context: Context, events: Sequence[Event]) -> None:
        """Take those events of one command that are of the `KINDS`."""
        if not events:
            return
        for receipt in self._builder.feed(context.sequence, events):
            self._keep(context, receipt)
        for event in events:
            self._note(event)

    def _keep(self, context: Context, receipt: Receipt) -> None:
        place = context.next_place()
        line = receipt_line(receipt)
        of, number = stage_and_number(receipt)
        numbers = [number if stage is of else NONE for stage in NUMBERED]
        self._batch.append(RECEIPTS, [place, *numbers, len(line), line])
        for account in sorted(parties(receipt)):
            self._batch.append(RECEIPT_PARTIES, [account, place])

    def _note(self, event: Event) -> None:
        """Keep what later receipts need."""
        if isinstance(event, LiquidationStarted):
            began = self._builder.past.started[event.account]
            sums = began.net_equity, began.maintenance, began.exposure, began.total_value
            row = (event.account, began.command, began.time, *sums)
            self._batch.put(LIQUIDATIONS, row)


def _past(database: Database, time: int) -> Past:
    rows = database.fetch(f"SELECT {LIQUIDATIONS.listed} FROM {LIQUIDATIONS.name}")
    started = {account: Started(*rest) for account, *rest in map(integers, rows)}
    return Past(time, started)


def parties(receipt: Receipt) -> set[int]:
    """Accounts that a settlement changed."""
    if isinstance(receipt, BookingReceipt):
        return {line.account for line in receipt.accounts}
    if isinstance(receipt, StandbyReceipt):
        return {receipt.standby, receipt.receiver}
    if not isinstance(receipt, AdlReceipt):
        return {receipt.account, receipt.provider}
    found = {side.account for side in receipt.sides}
    for match in receipt.matches:
        found |= {match.lender, match.payer, match.giver}
    return found


class ReceiptHistory(Questions):
    """Queries of receipts."""

    def receipts(
        self,
        account: int | None = None,
        *,
        adl_round: int | None = None,
        fill: int | None = None,
        booking: int | None = None,
        swap: int | None = None,
        paging: Paging = NEWEST,
        most_bytes: int,
    ) -> Page[str]:
        """Lines of receipts, of all or of those that `account` is a party of.

        A page ends before `paging.limit` where its lines would exceed `most_bytes`, but has one.
        """
        source = "receipts"
        if account is not None:
            source = "receipts JOIN receipt_parties ON receipt_parties.place = receipts.place"
        where = Where().equal("account", account).equal("round", adl_round).equal("fill", fill)
        where = where.equal("booking", booking).equal("swap", swap)
        found, total = self._read("receipts.place, size", source, where, "receipts.place", paging)
        places = _fitting([integers(row) for row in found], most_bytes)
        lines = Where().among("place", places)
        direction = "ASC" if paging.ascending else "DESC"
        rows = self._database.fetch(
            f"SELECT line FROM receipts {lines} ORDER BY place {direction}", lines.values
        )
        return Page([str(line) for (line,) in rows], total)


def _fitting(rows: Sequence[Sequence[int]], most: int) -> list[int]:
    """Places of the first rows whose sizes together are at most `most`; of one in any case."""
    places: list[int] = []
    for place, size in rows:
        most -= size
        if most < 0 and places:
            break
        places.append(place)
    return places
