"""The listener: lets each event of a command into every view that it concerns.

Causes come before consequences, so positions change in the order in which events come.
"""

from collections.abc import Callable, Mapping

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.codec.events import event_numbers, kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import ChangeParameter, ParameterField
from solvent.domain.events import Event
from solvent.domain.labels import LegForm
from solvent.domain.parameter_changes import changed_parameters
from solvent.history.followers.candles import Candles
from solvent.history.followers.context import Context
from solvent.history.followers.lending import Lending
from solvent.history.followers.movements import MOVED
from solvent.history.followers.off_book import OffBook
from solvent.history.followers.pools import PoolMirrors
from solvent.history.followers.receipt_rows import ReceiptRows
from solvent.history.followers.trading import Trading
from solvent.history.followers.transfers import STAGES, payment_of, transfer_of
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Database
from solvent.history.tables.memo import Memo
from solvent.history.tables.rows import PriceKind
from solvent.history.tables.schema import DEPOSITS, DUST, STANDBYS, WITHDRAWALS

Handlers = dict[int, Callable[..., object]]
"""What takes an event, by the number of its kind."""


_STEPPED = kind_number(e.Stepped)


class Listener:
    """All views in the making.

    The kinds that come in great numbers are taken as numbers, all others as events.
    """

    def __init__(self, database: Database, batch: Batch, pools: PoolMirrors, time: int) -> None:
        self._batch = batch
        self.receipts = ReceiptRows(database, batch, pools.parameters, time)
        self.pools = pools
        self.lending = Lending(database, batch, pools)
        self._trading = Trading(database, batch)
        self._off_book = OffBook(batch)
        self._candles = Candles(database, batch)
        self._by_numbers: Handlers = _by_kind(
            {
                e.Deposited: self._deposited,
                e.Withdrawn: self._withdrawn,
                e.DustConverted: self._dust,
                e.Lent: self.lending.lent,
                e.Redeemed: self.lending.redeemed,
                e.Borrowed: self.lending.borrowed,
                e.Repaid: self.lending.repaid,
            }
        )
        self._by_event: Handlers = _by_kind(
            {
                e.ClaimVoided: self.lending.voided,
                e.Netted: self.lending.netted,
                e.InterestCharged: self.lending.charged,
                e.InterestAccrued: self.lending.accrued,
                e.SharesRescaled: self.lending.rescaled,
                e.ParameterChanged: self._parameter,
                e.OrderAccepted: self._trading.accepted,
                e.TriggerPlaced: self._trading.accepted,
                e.Triggered: self._trading.triggered,
                e.TriggerFailed: self._trading.follow,
                e.OrderRested: self._trading.follow,
                e.OrderCancelled: self._trading.follow,
                e.OrderExpired: self._trading.follow,
                e.Filled: self._filled,
                e.StandbyPosted: self._stands_by,
                e.IndexUpdated: self._priced,
                e.MarkUpdated: self._priced,
                w.BackstopFilled: self._taken_over,
                w.BackstopLeg: self._leg,
                w.AdlLeg: self._leg,
                w.AdlMatched: self._matched,
                w.StandbySwapped: self._relieved,
                w.DebtWrittenOff: self._written_off,
                w.PoolWrittenDown: self.lending.written_down,
                w.FundPaid: self._off_book.fund_paid,
                **dict.fromkeys(STAGES, Context.staged),
            }
        )
        self._heard = ReceiptRows.KINDS.union(self._by_numbers, self._by_event)

    def hear(self, time: int, transcript: Transcript, memo: Memo | None) -> None:
        """Take the events of commands of one moment."""
        if transcript.present.isdisjoint(self._heard):
            return
        context = Context(time, memo)
        if transcript.present <= MOVED:
            self.lending.moved(context, transcript)
            return
        is_for_receipts = not transcript.present.isdisjoint(ReceiptRows.KINDS)
        start = 0
        for index, end in enumerate(transcript.ends):
            context.begin(transcript.first + index)
            self._hear(context, transcript, start, end)
            if is_for_receipts:
                self.receipts.hear(context, transcript.events(index, ReceiptRows.KINDS))
            start = end

    def _hear(self, context: Context, transcript: Transcript, start: int, end: int) -> None:
        """Take the events of one command, from the one at `start` until before `end`.

        Those of a time step stand at the time of the pass in which they came.
        """
        passes = self._passes(transcript, start, end)
        for each in range(start, end):
            kind = transcript.kinds[each]
            if passes and each > passes[-1][0]:
                passes.pop()
            if passes:
                context.time = passes[-1][1]
            by_numbers = self._by_numbers.get(kind)
            if by_numbers is not None:
                by_numbers(context, *event_numbers(transcript.words, kind, transcript.places[each]))
            elif (by_event := self._by_event.get(kind)) is not None:
                by_event(context, transcript.event(each))

    def _passes(self, transcript: Transcript, start: int, end: int) -> list[tuple[int, int]]:
        """Where each pass of a command ends, and when, the last first; none if it is no step."""
        if _STEPPED not in transcript.present:
            return []
        return [
            (each, event_numbers(transcript.words, _STEPPED, transcript.places[each])[0])
            for each in range(end - 1, start - 1, -1)
            if transcript.kinds[each] == _STEPPED
        ]

    def note_all(self) -> None:
        """Put the newest state of everything that changed into the batch."""
        self.pools.note_all()
        self.lending.note_all()
        self._trading.note_all()
        self._candles.note_all()

    def written(self) -> None:
        """The batch is in the database."""
        self.lending.written()
        self._trading.written()
        self._candles.written()

    # Events that concern more than one view, or none of the others.

    def _deposited(self, context: Context, account: int, asset: int, quantity: int) -> None:
        row = [context.next_place(), context.time, account, asset, quantity]
        self._batch.append(DEPOSITS, [*row])

    def _withdrawn(self, context: Context, account: int, asset: int, quantity: int) -> None:
        memo = context.memo or Memo()
        row = [context.next_place(), context.time, account, asset, quantity]
        self._batch.append(WITHDRAWALS, [*row, *memo])

    def _dust(
        self, context: Context, account: int, asset: int, quantity: int, received: int
    ) -> None:
        row = [context.next_place(), context.time, account, asset, quantity, received]
        self._batch.append(DUST, [*row])

    def _stands_by(self, context: Context, event: e.StandbyPosted) -> None:
        row = [context.next_place(), context.time, event.account, event.posted, event.premium]
        self._batch.append(STANDBYS, [*row, event.leaving, event.leaves_at])

    def _parameter(self, context: Context, event: e.ParameterChanged) -> None:
        change = ChangeParameter(event.asset, ParameterField(event.field), event.value, event.index)
        for asset in range(len(self.pools.parameters.assets)):
            self.pools.change(asset, context.time)
        self.pools.parameters = changed_parameters(self.pools.parameters, change)

    def _filled(self, context: Context, event: e.Filled) -> None:
        self._trading.filled(context, event)
        self._candles.price(
            event.asset, PriceKind.LAST, context.time, event.price, event.quantity, event.quote
        )

    def _priced(self, context: Context, event: e.IndexUpdated | e.MarkUpdated) -> None:
        self._candles.price(event.asset, PriceKind.INDEX, context.time, event.index)
        self._candles.price(event.asset, PriceKind.MARK, context.time, event.mark)

    def _taken_over(self, context: Context, event: w.BackstopFilled) -> None:
        self._transferred(context, event)
        self.lending.taken_over(context, event)

    def _leg(self, context: Context, event: w.BackstopLeg | w.AdlLeg) -> None:
        if event.form is LegForm.CLAIM:
            self.lending.claim_handed(context, event)
        self._transferred(context, event)

    def _matched(self, context: Context, event: w.AdlMatched) -> None:
        if event.claim_shares:
            self.lending.matched(context, event)
        self._transferred(context, event)

    def _relieved(self, context: Context, event: w.StandbySwapped) -> None:
        if event.form is LegForm.CLAIM:
            self.lending.claim_taken_over(context, event)
        self._transferred(context, event)
        self._off_book.transferred(context, payment_of(event))

    def _transferred(self, context: Context, event: Event) -> None:
        transfer = transfer_of(event)
        if transfer is not None:
            self._off_book.transferred(context, transfer)

    def _written_off(self, context: Context, event: w.DebtWrittenOff) -> None:
        self._off_book.written_off(context, event)
        self.lending.written_off(context, event)


def _by_kind(handlers: Mapping[type[Event], Callable[..., object]]) -> Handlers:
    return {kind_number(kind): handler for kind, handler in handlers.items()}
