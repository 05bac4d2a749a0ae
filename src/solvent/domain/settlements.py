"""Settlements: the events of one booking, ADL round or backstop offer, as one thing.

The waterfall says what it settles event by event. Here those of one settlement are gathered once
and in order, for receipts and invariants: what was asked of which account, and transfer by transfer
its parties had, what changed hands, and what they had then.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from solvent.domain import waterfall_events as w
from solvent.domain.events import Event, Stepped
from solvent.domain.labels import Stage


class SettlementError(ValueError):
    """An event belongs to a settlement that was never opened. `str(error)` says which."""


@dataclass(slots=True)
class Transfer:
    """A match of a round, or a fill of an offer; `pools` are those that a fill found.

    `matched` or `filled` is what was carried out: nothing, where parties were recorded only.
    """

    pools: list[w.PoolRecorded] = field(default_factory=list)
    balances: list[w.PartyBalance] = field(default_factory=list)
    health: list[w.PartyHealth] = field(default_factory=list)
    legs: list[w.AdlLeg | w.BackstopLeg] = field(default_factory=list)
    matched: w.AdlMatched | None = None
    filled: w.BackstopFilled | None = None

    def take(self, event: Event) -> None:
        """Add an event of it; others are passed over."""
        match event:
            case w.PoolRecorded():
                self.pools.append(event)
            case w.PartyBalance():
                self.balances.append(event)
            case w.PartyHealth():
                self.health.append(event)
            case w.AdlLeg() | w.BackstopLeg():
                self.legs.append(event)
            case w.AdlMatched():
                self.matched = event
            case w.BackstopFilled():
                self.filled = event
            case _:
                pass


@dataclass(slots=True)
class AdlRound:
    """A round, its matches by number; `handed_over` is what stages left of a side before it."""

    opened: w.AdlOpened
    pools: list[w.PoolRecorded] = field(default_factory=list)
    stuck: list[w.AdlStuck] = field(default_factory=list)
    handed_over: dict[int, tuple[w.HandedOver, ...]] = field(default_factory=dict)
    candidates: list[w.AdlCandidate] = field(default_factory=list)
    matches: defaultdict[int, Transfer] = field(default_factory=lambda: defaultdict(Transfer))

    def take(self, event: Event) -> None:
        """Add an event of it."""
        match event:
            case w.PoolRecorded():
                self.pools.append(event)
            case w.AdlStuck():
                self.stuck.append(event)
            case w.AdlCandidate():
                self.candidates.append(event)
            case w.PartyBalance() | w.PartyHealth() | w.AdlLeg() | w.AdlMatched():
                self.matches[event.match].take(event)
            case _:
                pass


@dataclass(slots=True)
class BackstopOffer:
    """An offer, its fills by number; `handed_over` is what stages left of the account before it."""

    offered: w.BackstopOffered
    handed_over: tuple[w.HandedOver, ...]
    candidates: list[w.BackstopCandidate] = field(default_factory=list)
    fills: defaultdict[int, Transfer] = field(default_factory=lambda: defaultdict(Transfer))

    def take(self, event: Event) -> None:
        """Add an event of it."""
        match event:
            case w.BackstopCandidate():
                self.candidates.append(event)
            case w.PoolRecorded() | w.PartyBalance() | w.PartyHealth():
                self.fills[event.number].take(event)
            case w.BackstopFilled() | w.BackstopLeg():
                self.fills[event.fill].take(event)
            case _:
                pass


@dataclass(slots=True)
class Booking:
    """A booking: pools and what may pay for them by asset; accounts, and what of each, by number.

    `parties` are what the accounts had before and after, by their place in `accounts`.
    """

    opened: w.BookingOpened
    pools: list[w.PoolRecorded] = field(default_factory=list)
    reserves: list[w.ReservesRecorded] = field(default_factory=list)
    accounts: list[w.BookedAccount] = field(default_factory=list)
    parties: defaultdict[int, Transfer] = field(default_factory=lambda: defaultdict(Transfer))
    paid: defaultdict[int, list[w.FundPaid]] = field(default_factory=lambda: defaultdict(list))
    written: defaultdict[int, list[w.DebtWrittenOff]] = field(
        default_factory=lambda: defaultdict(list)
    )
    downs: list[w.PoolWrittenDown] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Add an event of it."""
        match event:
            case w.PoolRecorded():
                self.pools.append(event)
            case w.ReservesRecorded():
                self.reserves.append(event)
            case w.BookedAccount():
                self.accounts.append(event)
            case w.PartyBalance() | w.PartyHealth():
                self.parties[event.match].take(event)
            case w.FundPaid():
                self.paid[event.account].append(event)
            case w.DebtWrittenOff():
                self.written[event.account].append(event)
            case w.PoolWrittenDown():
                self.downs.append(event)
            case _:
                pass


@dataclass(slots=True)
class Relief:
    """What one standby took over of one receiver: `pools` as found, and what both had."""

    swapped: w.StandbySwapped
    pools: list[w.PoolRecorded] = field(default_factory=list)
    parties: Transfer = field(default_factory=Transfer)

    def take(self, event: Event) -> None:
        """Add an event of it."""
        if isinstance(event, w.PoolRecorded):
            self.pools.append(event)
        else:
            self.parties.take(event)


Settlement: TypeAlias = AdlRound | BackstopOffer | Booking | Relief

OF_ROUND = (w.AdlStuck, w.AdlCandidate, w.AdlMatched, w.AdlLeg)
OF_OFFER = (w.BackstopCandidate, w.BackstopFilled, w.BackstopLeg)
OF_BOOKING = (
    w.ReservesRecorded,
    w.BookedAccount,
    w.FundPaid,
    w.DebtWrittenOff,
    w.PoolWrittenDown,
)
RECORDS = (w.PoolRecorded, w.PartyBalance, w.PartyHealth)
"""What all have, each record with its stage."""


def settlements_of(events: Iterable[Event]) -> list[Settlement]:
    """The settlements of one command, in order. Raises SettlementError."""
    found: list[Settlement] = []
    handed_over: defaultdict[int, list[w.HandedOver]] = defaultdict(list)
    current: dict[Stage, Settlement] = {}
    for event in events:
        match event:
            case Stepped():
                # The next pass of a long step begins with the first stage again.
                handed_over.clear()
                continue
            case w.HandedOver():
                handed_over[event.account].append(event)
                continue
        opened = _opened(event, handed_over)
        if opened is not None:
            current[opened[0]] = opened[1]
            found.append(opened[1])
            continue
        stage = _stage_of(event)
        if stage is None:
            continue
        if stage not in current:
            raise SettlementError(f"{type(event).__name__} of a settlement that was never opened")
        settlement = current[stage]
        settlement.take(event)
        if isinstance(event, w.AdlStuck) and isinstance(settlement, AdlRound):
            settlement.handed_over[event.account] = tuple(handed_over[event.account])
    return found


def _opened(
    event: Event, handed_over: Mapping[int, Sequence[w.HandedOver]]
) -> tuple[Stage, Settlement] | None:
    """The settlement that an event opens, and its stage."""
    match event:
        case w.AdlOpened():
            return Stage.ADL, AdlRound(event)
        case w.BookingOpened():
            return Stage.DEFICIT, Booking(event)
        case w.StandbySwapped():
            return Stage.STANDBY, Relief(event)
        case w.BackstopOffered():
            return Stage.BACKSTOP, BackstopOffer(event, tuple(handed_over.get(event.account, ())))
        case _:
            return None


def _stage_of(event: Event) -> Stage | None:
    """The stage whose settlements an event is part of."""
    if isinstance(event, RECORDS):
        return event.stage
    if isinstance(event, OF_BOOKING):
        return Stage.DEFICIT
    if isinstance(event, OF_ROUND):
        return Stage.ADL
    return Stage.BACKSTOP if isinstance(event, OF_OFFER) else None
