"""Spans: where in a transcript each settlement of a command stands, and what it is about.

A large step has millions of events, of which a receipt needs those of its own settlement. These
stand together, so they are told apart by their kinds, without being made.
"""

from typing import NamedTuple

from solvent.domain import waterfall_events as w
from solvent.domain.codec.events import event_fields, kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from solvent.domain.labels import Stage
from solvent.domain.settlements import OF_BOOKING, OF_OFFER, OF_ROUND, RECORDS

NOBODY = -1
"""An account that there is not."""


def _place(kind: type[Event], field: str) -> int:
    """How many words behind an event's kind a field stands."""
    return 1 + event_fields(kind).index(field)


_FILLED = kind_number(w.BackstopFilled)
_OPENING = {
    kind_number(w.AdlOpened): (Stage.ADL, _place(w.AdlOpened, "round")),
    kind_number(w.BackstopOffered): (Stage.BACKSTOP, _place(w.BackstopOffered, "fill")),
    kind_number(w.BookingOpened): (Stage.DEFICIT, _place(w.BookingOpened, "booking")),
    kind_number(w.StandbySwapped): (Stage.STANDBY, _place(w.StandbySwapped, "swap")),
}
"""By the kind of event that opens a settlement: its stage, and where its number stands."""
_MEMBERS = frozenset(map(kind_number, (*OF_ROUND, *OF_OFFER, *OF_BOOKING, *RECORDS)))
_FILL = _place(w.BackstopFilled, "fill")
_PARTIES = {
    kind_number(kind): tuple(_place(kind, field) for field in parties)
    for kind, parties in (
        (w.AdlStuck, ("account",)),
        (w.AdlMatched, ("lender", "payer", "giver")),
        (w.BackstopFilled, ("account", "provider")),
        (w.BookedAccount, ("account",)),
        (w.StandbySwapped, ("standby", "receiver")),
    )
}


class Span(NamedTuple):
    """A settlement by its stage: an ADL round, a backstop offer by its first fill, a booking.

    Its events by their numbers, its size in words, its fills, and whether the account asked about
    took part.
    """

    stage: Stage
    number: int
    events: range
    size: int
    fills: tuple[int, ...]
    concerns: bool


def spans_of(transcript: Transcript, index: int, account: int = NOBODY) -> list[Span]:
    """The settlements of a command, in order; those that `account` took part in are marked."""
    if transcript.present.isdisjoint(_OPENING.keys()):
        return []
    kinds = transcript.kinds
    found: list[Span] = []
    first = last = -1
    for each in transcript.span(index):
        kind = kinds[each]
        if kind in _OPENING:
            if first >= 0:
                found.append(_span(transcript, range(first, last + 1), account))
            first = last = each
        elif kind in _MEMBERS:
            last = each
    if first >= 0:
        found.append(_span(transcript, range(first, last + 1), account))
    return found


def _span(transcript: Transcript, events: range, account: int) -> Span:
    words, kinds, places = transcript.words, transcript.kinds, transcript.places
    stage, number_at = _OPENING[kinds[events.start]]
    fills: list[int] = []
    concerns = False
    for each in events:
        parties = _PARTIES.get(kinds[each])
        if parties is None:
            continue
        place = places[each]
        if kinds[each] == _FILLED:
            fills.append(words[place + _FILL])
        concerns = concerns or account in [words[place + party] for party in parties]
    size = places[events.stop - 1] - places[events.start]
    number = words[places[events.start] + number_at]
    return Span(stage, number, events, size, tuple(fills), concerns)
