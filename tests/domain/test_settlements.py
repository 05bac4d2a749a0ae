"""Rounds and offers are gathered once: by their events, and by where these stand."""

from functools import cache

import pytest

from solvent.domain import waterfall_events as w
from solvent.domain.codec.spans import spans_of
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from solvent.domain.labels import Stage
from solvent.domain.settlements import (
    AdlRound,
    BackstopOffer,
    Booking,
    Relief,
    Settlement,
    SettlementError,
    settlements_of,
)
from tests.history.market_records import SEEDS, told
from tests.proof import proves

SETTLING = (
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
    w.PoolRecorded,
    w.PartyBalance,
    w.PartyHealth,
)

STAGES = {AdlRound: Stage.ADL, BackstopOffer: Stage.BACKSTOP, Booking: Stage.DEFICIT}


@cache
def settling() -> list[Transcript]:
    """Transcripts in which something was settled, of a crash and of markets drawn at random."""
    markets = [told(name) for name in ("crash-2025-10-10", *SEEDS[:3])]
    every = [transcript for market in markets for _, transcript, _ in market.records]
    return [each for each in every if spans_of(each, 0)]


def events_in(settlement: Settlement) -> list[Event]:
    """All events of a settlement, whatever their order."""
    if isinstance(settlement, AdlRound):
        transfers = list(settlement.matches.values())
        events: list[Event] = [settlement.opened, *settlement.stuck, *settlement.candidates]
        events += settlement.pools
    elif isinstance(settlement, Booking):
        transfers = list(settlement.parties.values())
        events = [settlement.opened, *settlement.pools, *settlement.reserves]
        events += [*settlement.accounts, *settlement.downs]
        events += [one for each in settlement.paid.values() for one in each]
        events += [one for each in settlement.written.values() for one in each]
    elif isinstance(settlement, Relief):
        transfers = [settlement.parties]
        events = [settlement.swapped, *settlement.pools]
    else:
        transfers = list(settlement.fills.values())
        events = [settlement.offered, *settlement.candidates]
    for each in transfers:
        events += [*each.pools, *each.balances, *each.health, *each.legs]
        events += [one for one in (each.matched, each.filled) if one is not None]
    return events


@pytest.mark.slow
@proves("A14")
def test_every_event_of_a_settlement_is_in_it_once() -> None:
    kinds = set()
    for transcript in settling():
        events = transcript[0].events
        settlements = settlements_of(events)
        gathered = [event for settlement in settlements for event in events_in(settlement)]
        wanted = [event for event in events if isinstance(event, SETTLING)]
        assert sorted(map(repr, gathered)) == sorted(map(repr, wanted))
        kinds |= set(map(type, wanted))
    assert kinds == set(SETTLING)


def test_spans_are_the_settlements() -> None:
    fills = 0
    for transcript in settling():
        events = transcript[0].events
        spans, settlements = spans_of(transcript, 0), settlements_of(events)
        assert len(spans) == len(settlements)
        for span, settlement in zip(spans, settlements, strict=True):
            inside = [transcript.event(each) for each in span.events]
            (alone,) = settlements_of(inside)
            assert events_in(alone) == events_in(settlement)
            assert span.stage is STAGES[type(settlement)]
            if isinstance(settlement, BackstopOffer):
                assert span.number == settlement.offered.fill
                assert span.fills == tuple(settlement.fills)
                fills += len(span.fills)
            elif isinstance(settlement, Booking):
                assert span.number == settlement.opened.booking
            elif isinstance(settlement, Relief):
                assert span.number == settlement.swapped.swap
            else:
                assert span.number == settlement.opened.round
    assert fills


def test_who_took_part_is_marked() -> None:
    for transcript in settling():
        for number, settlement in enumerate(settlements_of(transcript[0].events)):
            parties = _parties(settlement)
            for account in (*parties, 10**9):
                span = spans_of(transcript, 0, account)[number]
                assert span.concerns == (account in parties)


def _parties(settlement: Settlement) -> set[int]:
    found = set()
    if isinstance(settlement, AdlRound):
        found = {side.account for side in settlement.stuck}
        for match in settlement.matches.values():
            if match.matched is not None:
                found |= {match.matched.lender, match.matched.payer, match.matched.giver}
        return found
    if isinstance(settlement, Booking):
        return {booked.account for booked in settlement.accounts}
    if isinstance(settlement, Relief):
        return {settlement.swapped.standby, settlement.swapped.receiver}
    for fill in settlement.fills.values():
        if fill.filled is not None:
            found |= {fill.filled.account, fill.filled.provider}
    return found


def test_a_leg_without_its_settlement_is_refused() -> None:
    (transcript, *_) = settling()
    events = transcript[0].events
    left = [event for event in events if not isinstance(event, w.AdlOpened | w.BackstopOffered)]
    with pytest.raises(SettlementError, match="never opened"):
        settlements_of(left)
