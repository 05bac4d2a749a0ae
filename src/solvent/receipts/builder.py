"""Receipts from events: a listener that writes down what happened to whom, and why.

Feed it the events of every command of a run, in order, from the first. It keeps what a receipt
needs and a settlement does not repeat: the parameters in force, the time, when each account became
liquidatable, and what the stages of the running step handed over. It gives one receipt per ADL
round and one per backstop fill; `receipt` documents their fields. What it keeps between two
commands, but for the parameters, is its `past`, with which another one can go on.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from solvent.domain import waterfall_events as w
from solvent.domain.commands import ChangeParameter, ParameterField
from solvent.domain.events import Event, ParameterChanged, Stepped
from solvent.domain.labels import AdlCase, Stage
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import EngineParameters, Policy
from solvent.receipts.form import (
    ADL_FORMAT,
    BACKSTOP_FORMAT,
    VERSION,
    AdlReceipt,
    BackstopReceipt,
    CandidateLine,
    Offer,
    Party,
    ProviderLine,
    Receipt,
    Side,
    Started,
)
from solvent.receipts.lines import AFTER, BEFORE, Exchange
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
class _Round:
    """The events of one ADL round, as they come."""

    opened: w.AdlOpened
    stuck: list[w.AdlStuck] = field(default_factory=list)
    handed_over: dict[int, list[w.HandedOver]] = field(default_factory=dict)
    candidates: list[w.AdlCandidate] = field(default_factory=list)


@dataclass(slots=True)
class _Offered:
    """A backstop offer, as its events come; `opening` is the account before the first fill."""

    event: w.BackstopOffered
    candidates: list[w.BackstopCandidate] = field(default_factory=list)
    handed_over: list[w.HandedOver] = field(default_factory=list)
    opening: Party | None = None


_Key = tuple[Stage, int]
_Record = w.PoolRecorded | w.PartyBalance | w.PartyHealth


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
    )
    """What it needs to be fed; other kinds are passed over."""

    def __init__(self, parameters: EngineParameters, past: Past | None = None) -> None:
        self._parameters = parameters
        self.past = past or Past(parameters.start_time)
        self._command = 0
        self._forget()

    def feed(self, command_index: int, events: Sequence[Event]) -> list[Receipt]:
        """Take in one command's events; return the receipts of what it settled, in order."""
        self._command = command_index
        for event in reversed(events):
            if isinstance(event, Stepped):
                self.past.time = event.time
                break
        self._forget()
        for event in events:
            self._take(event)
        receipts: list[Receipt] = [*self._fills, *map(self._adl_receipt, self._rounds)]
        self._forget()
        return receipts

    def _forget(self) -> None:
        """Drop what belongs to one command only."""
        self._handed_over: defaultdict[int, list[w.HandedOver]] = defaultdict(list)
        self._exchanges: defaultdict[_Key, dict[int, Exchange]] = defaultdict(dict)
        self._pools: defaultdict[_Key, list[w.PoolRecorded]] = defaultdict(list)
        self._rounds: list[_Round] = []
        self._offers: list[_Offered] = []
        self._filling: w.BackstopFilled | None = None
        self._fills: list[BackstopReceipt] = []

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
            case w.HandedOver():
                self._handed_over[event.account].append(event)
            case w.PoolRecorded() | w.PartyBalance() | w.PartyHealth():
                self._record(event)
            case _:
                self._deed(event)

    def _record(self, event: _Record) -> None:
        key = (event.stage, event.number)
        match event:
            case w.PoolRecorded():
                self._pools[key].append(event)
            case w.PartyBalance():
                self._exchange(key, event.match).balances.append(event)
            case w.PartyHealth():
                exchange = self._exchange(key, event.match)
                exchange.health.append(event)
                self._close_fill(key, exchange)

    def _exchange(self, key: _Key, match: int) -> Exchange:
        return self._exchanges[key].setdefault(match, Exchange())

    def _deed(self, event: Event) -> None:
        match event:
            case w.AdlOpened():
                self._rounds.append(_Round(event))
            case w.AdlStuck():
                self._rounds[-1].stuck.append(event)
                before = list(self._handed_over[event.account])
                self._rounds[-1].handed_over[event.account] = before
            case w.AdlCandidate():
                self._rounds[-1].candidates.append(event)
            case w.AdlMatched():
                self._exchange((Stage.ADL, event.round), event.match).matched = event
            case w.AdlLeg():
                self._exchange((Stage.ADL, event.round), event.match).legs.append(event)
            case w.BackstopOffered():
                before = list(self._handed_over[event.account])
                self._offers.append(_Offered(event, handed_over=before))
            case w.BackstopCandidate():
                self._offers[-1].candidates.append(event)
            case w.BackstopFilled():
                self._filling = event
            case w.BackstopLeg():
                self._exchange((Stage.BACKSTOP, event.fill), 0).legs.append(event)

    def _close_fill(self, key: _Key, exchange: Exchange) -> None:
        """Write a fill's receipt once the health of all its parties after it is there."""
        sides = [event.after for event in exchange.health]
        filled = self._filling
        if key[0] is Stage.BACKSTOP and filled and sides.count(AFTER) == sides.count(BEFORE):
            self._fills.append(self._fill_receipt(filled, self._offers[-1], exchange))
            self._filling = None

    def _fill_receipt(
        self, filled: w.BackstopFilled, offered: _Offered, exchange: Exchange
    ) -> BackstopReceipt:
        pools = self._pools[Stage.BACKSTOP, filled.fill]
        words = words_of(self._parameters, pools)
        before = exchange.parties(words, BEFORE)
        if offered.opening is None:
            offered.opening = next(party for party in before if party.account == filled.account)
        opening = {balance.asset for balance in offered.opening.balances}
        touched = touched_assets([exchange]) | {filled.debt_asset}
        touched |= {number for number, symbol in enumerate(words.symbols) if symbol in opening}
        touched |= {event.asset for event in offered.handed_over}
        return BackstopReceipt(
            format=BACKSTOP_FORMAT,
            version=VERSION,
            command=self._command,
            time=self.past.time,
            fill=filled.fill,
            account=filled.account,
            provider=filled.provider,
            asset=words.symbols[filled.debt_asset],
            mark=words.marks[filled.debt_asset],
            quantity=filled.debt_quantity,
            value=filled.debt_value,
            fund_value=filled.fund_value,
            waterfall=waterfall_terms(self._parameters),
            terms=discount_terms(self._parameters),
            assets=asset_terms(self._parameters, pools, touched),
            started=self.past.started[filled.account],
            handed_over=handover_lines(offered.handed_over, words.symbols),
            offer=Offer(
                first_fill=offered.event.fill,
                quantity=offered.event.quantity,
                taken=offered.event.taken,
                discount=offered.event.discount,
                opening=offered.opening,
                providers=tuple(
                    ProviderLine(event.provider, event.committed, event.capacity, event.allotted)
                    for event in offered.candidates
                ),
            ),
            legs=exchange.leg_lines(words),
            rounding=exchange.rounding(
                words, filled.debt_asset, filled.debt_quantity, filled.debt_value
            ),
            before=before,
            after=exchange.parties(words, AFTER),
        )

    def _adl_receipt(self, seen: _Round) -> AdlReceipt:
        opened = seen.opened
        key = (Stage.ADL, opened.round)
        pools = self._pools[key]
        words = words_of(self._parameters, pools)
        exchanges = [one for one in self._exchanges[key].values() if one.matched is not None]
        touched = touched_assets(exchanges) | {opened.asset}
        touched |= {event.asset for events in seen.handed_over.values() for event in events}
        matches = tuple(exchange.match_line(words) for exchange in exchanges)
        borrowing = None
        if any(match.borrows for match in matches):
            borrowing = borrow_terms(self._parameters, pools)
        return AdlReceipt(
            format=ADL_FORMAT,
            version=VERSION,
            command=self._command,
            time=self.past.time,
            round=opened.round,
            case=AdlCase(opened.case),
            policy=Policy(opened.policy),
            asset=words.symbols[opened.asset],
            mark=opened.mark,
            needed=opened.needed,
            allotted=opened.allotted,
            waterfall=waterfall_terms(self._parameters),
            borrowing=borrowing,
            assets=asset_terms(self._parameters, pools, touched),
            sides=tuple(self._side(seen, event, words.symbols) for event in seen.stuck),
            candidates=tuple(map(_candidate, seen.candidates)),
            matches=matches,
        )

    def _side(self, seen: _Round, event: w.AdlStuck, symbols: Sequence[str]) -> Side:
        return Side(
            account=event.account,
            needed=event.needed,
            allotted=event.allotted,
            own=event.own,
            fund=event.fund,
            fund_value=event.fund_value,
            total_value=event.total_value,
            net_equity=event.net_equity,
            maintenance=event.maintenance,
            book_reason=event.book_reason,
            backstop_reason=event.backstop_reason,
            handed_over=handover_lines(seen.handed_over[event.account], symbols),
            started=self.past.started[event.account],
        )


def _candidate(event: w.AdlCandidate) -> CandidateLine:
    return CandidateLine(
        account=event.account,
        position=event.position,
        cap=event.cap,
        assets_value=event.assets_value,
        total_value=event.total_value,
        last=bool(event.last),
        allotted=event.allotted,
    )
