"""Receipts from events: a listener that writes down what each settlement did, and why.

Feed it the events of every command of a run, in order, from the first. It keeps what a receipt
needs and a settlement does not repeat: the parameters in force, the time, when each account became
liquidatable, and what the stages of the running step handed over. It gives one receipt per
booking, ADL round, backstop fill and relief; `receipt` documents their fields. What it keeps
between two commands, but for the parameters, is its `past`, with which another one can go on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from solvent.domain import waterfall_events as w
from solvent.domain.commands import ChangeParameter, ParameterField
from solvent.domain.events import Event, ParameterChanged, Stepped
from solvent.domain.labels import AdlCase, Tier
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import EngineParameters, Policy
from solvent.domain.settlements import (
    AdlRound,
    BackstopOffer,
    Booking,
    Relief,
    Transfer,
    settlements_of,
)
from solvent.receipts.bookings import booked_lines, pool_loss_lines, reserve_lines
from solvent.receipts.form import (
    ADL_FORMAT,
    BACKSTOP_FORMAT,
    BOOKING_FORMAT,
    VERSION,
    AdlReceipt,
    BackstopReceipt,
    BookingReceipt,
    CandidateLine,
    Offer,
    Party,
    ProviderLine,
    Receipt,
    Side,
    Started,
)
from solvent.receipts.lines import AFTER, BEFORE, Words, leg_lines, match_line, parties, rounding
from solvent.receipts.reliefs import standby_receipt
from solvent.receipts.terms import (
    asset_terms,
    borrow_terms,
    discount_terms,
    handover_lines,
    started_line,
    touched_assets,
    waterfall_terms,
    words_of,
)


@dataclass(slots=True)
class Past:
    """What receipts need of commands before: the time, and when accounts became liquidatable."""

    time: int
    started: dict[int, Started] = field(default_factory=dict)


class ReceiptBuilder:
    """Builds receipts; `parameters` are those in force, at first those that the engine began with.

    `past` is that of all commands before, where the first that it is fed has any before it.
    """

    KINDS: tuple[type[Event], ...] = (
        ParameterChanged,
        Stepped,
        w.LiquidationStarted,
        w.HandedOver,
        w.PoolRecorded,
        w.PartyBalance,
        w.PartyHealth,
        w.AdlOpened,
        w.AdlStuck,
        w.AdlCandidate,
        w.AdlMatched,
        w.AdlLeg,
        w.BackstopOffered,
        w.BackstopCandidate,
        w.BackstopFilled,
        w.BackstopLeg,
        w.BookingOpened,
        w.ReservesRecorded,
        w.BookedAccount,
        w.FundPaid,
        w.DebtWrittenOff,
        w.PoolWrittenDown,
        w.StandbySwapped,
    )
    """What it needs to be fed; other kinds are passed over."""

    def __init__(self, parameters: EngineParameters, past: Past | None = None) -> None:
        self._parameters = parameters
        self.past = past or Past(parameters.start_time)
        self._command = 0
        self._began: dict[int, Started] = {}

    def feed(self, command_index: int, events: Sequence[Event]) -> list[Receipt]:
        """Take in one command's events; return the receipts of what it settled, in order."""
        self._command = command_index
        receipts: list[Receipt] = []
        pass_events: list[Event] = []
        for event in events:
            pass_events.append(event)
            if isinstance(event, Stepped):
                self.past.time = event.time
                receipts += self._feed_pass(pass_events)
                pass_events = []
        return receipts + self._feed_pass(pass_events)

    def _feed_pass(self, events: Sequence[Event]) -> list[Receipt]:
        """The receipts of one pass of a time step, or of another command."""
        self._began = {}
        for event in events:
            self._take(event)
        receipts: list[Receipt] = []
        for settlement in settlements_of(events):
            if isinstance(settlement, AdlRound):
                receipts.append(self._adl_receipt(settlement))
            elif isinstance(settlement, Booking):
                receipts.append(self._booking_receipt(settlement))
            elif isinstance(settlement, Relief):
                receipts.append(
                    standby_receipt(self._parameters, settlement, self._command, self.past.time)
                )
            else:
                receipts += self._fill_receipts(settlement)
        return receipts

    def _take(self, event: Event) -> None:
        match event:
            case ParameterChanged():
                change = ChangeParameter(
                    event.asset, ParameterField(event.field), event.value, event.index
                )
                self._parameters = changed_parameters(self._parameters, change)
            case w.LiquidationStarted():
                line = started_line(self._command, self.past.time, event)
                self.past.started[event.account] = line
            case w.BackstopOffered() | w.AdlStuck():
                self._began[event.account] = self.past.started[event.account]
            case _:
                pass

    def _fill_receipts(self, offer: BackstopOffer) -> Iterator[BackstopReceipt]:
        """The receipts of an offer's fills; the first shows the account as the offer found it."""
        opening: Party | None = None
        for fill in offer.fills.values():
            if fill.filled is None:
                continue
            words = words_of(self._parameters, fill.pools)
            account = fill.filled.account
            if opening is None:
                before = parties(fill, words, BEFORE)
                opening = next(party for party in before if party.account == account)
            yield self._fill_receipt(fill.filled, offer, fill, words, opening)

    def _fill_receipt(
        self,
        filled: w.BackstopFilled,
        offer: BackstopOffer,
        fill: Transfer,
        words: Words,
        opening: Party,
    ) -> BackstopReceipt:
        owned = {balance.asset for balance in opening.balances}
        touched = touched_assets([fill]) | {filled.debt_asset}
        touched |= {number for number, symbol in enumerate(words.symbols) if symbol in owned}
        touched |= {event.asset for event in offer.handed_over}
        return BackstopReceipt(
            format=BACKSTOP_FORMAT,
            version=VERSION,
            command=self._command,
            time=self.past.time,
            fill=filled.fill,
            account=filled.account,
            provider=filled.provider,
            asset=words.symbols[filled.debt_asset],
            mark=filled.mark,
            quantity=filled.debt_quantity,
            value=filled.debt_value,
            fund_value=filled.fund_value,
            waterfall=waterfall_terms(self._parameters),
            terms=discount_terms(self._parameters),
            assets=asset_terms(self._parameters, fill.pools, touched),
            started=self._began[filled.account],
            handed_over=handover_lines(offer.handed_over, words.symbols),
            offer=Offer(
                first_fill=offer.offered.fill,
                quantity=offer.offered.quantity,
                taken=offer.offered.taken,
                discount=offer.offered.discount,
                opening=opening,
                providers=tuple(
                    ProviderLine(
                        event.provider,
                        event.committed,
                        event.leverage_limit,
                        event.capacity,
                        event.allotted,
                    )
                    for event in offer.candidates
                ),
            ),
            legs=leg_lines(fill, words),
            rounding=rounding(
                fill, words, filled.debt_asset, filled.debt_quantity, filled.debt_value
            ),
            before=parties(fill, words, BEFORE),
            after=parties(fill, words, AFTER),
        )

    def _adl_receipt(self, settled: AdlRound) -> AdlReceipt:
        opened, pools = settled.opened, settled.pools
        words = words_of(self._parameters, pools)
        transfers = [one for one in settled.matches.values() if one.matched is not None]
        touched = touched_assets(transfers) | {opened.asset, opened.paid_in}
        touched |= {event.asset for events in settled.handed_over.values() for event in events}
        matches = tuple(match_line(transfer, words) for transfer in transfers)
        borrowing = borrow_terms(self._parameters, pools) if opened.borrowed else None
        return AdlReceipt(
            format=ADL_FORMAT,
            version=VERSION,
            command=self._command,
            time=self.past.time,
            round=opened.round,
            case=AdlCase(opened.case),
            policy=Policy(opened.policy),
            tier=Tier(opened.tier),
            paid_in=words.symbols[opened.paid_in],
            borrowed=bool(opened.borrowed),
            fund=bool(opened.fund),
            asset=words.symbols[opened.asset],
            mark=opened.mark,
            needed=opened.needed,
            allotted=opened.allotted,
            waterfall=waterfall_terms(self._parameters),
            borrowing=borrowing,
            assets=asset_terms(self._parameters, pools, touched),
            sides=tuple(self._side(settled, event, words.symbols) for event in settled.stuck),
            candidates=tuple(map(_candidate, settled.candidates)),
            matches=matches,
        )

    def _booking_receipt(self, settled: Booking) -> BookingReceipt:
        opened, assets = settled.opened, self._parameters.assets
        words = words_of(self._parameters, settled.pools)
        return BookingReceipt(
            format=BOOKING_FORMAT,
            version=VERSION,
            command=self._command,
            time=self.past.time,
            booking=opened.booking,
            rounds=opened.rounds,
            shortfall=opened.shortfall,
            fund_value=opened.fund_value,
            paid=opened.paid,
            stale_doubt=self._parameters.waterfall.stale_doubt,
            assets=asset_terms(self._parameters, settled.pools, range(len(assets))),
            reserves=reserve_lines(settled, words, [asset.pool.fee for asset in assets]),
            accounts=booked_lines(settled, words),
            pools=pool_loss_lines(settled, words),
        )

    def _side(self, settled: AdlRound, event: w.AdlStuck, symbols: Sequence[str]) -> Side:
        return Side(
            account=event.account,
            needed=event.needed,
            allotted=event.allotted,
            fee=event.fee,
            received=event.received,
            total_value=event.total_value,
            net_equity=event.net_equity,
            maintenance=event.maintenance,
            book_reason=event.book_reason,
            backstop_reason=event.backstop_reason,
            handed_over=handover_lines(settled.handed_over[event.account], symbols),
            started=self._began[event.account],
        )


def _candidate(event: w.AdlCandidate) -> CandidateLine:
    return CandidateLine(
        account=event.account,
        position=event.position,
        cap=event.cap,
        assets_value=event.assets_value,
        total_value=event.total_value,
        allotted=event.allotted,
    )
