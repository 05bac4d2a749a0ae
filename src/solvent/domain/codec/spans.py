"""Spans: where in a transcript each settlement of a command stands, and what it is about.

A large step has millions of events, of which a receipt needs those of its own round or offer. These
stand together, so they are told apart by their kinds, without being made.
"""

from typing import NamedTuple

from solvent.domain import waterfall_events as w
from solvent.domain.codec.events import event_fields, kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from solvent.domain.settlements import OF_OFFER, OF_ROUND, RECORDS

NOBODY = -1
"""An account that there is not."""


def _place(kind: type[Event], field: str) -> int:
    """How many words behind an event's kind a field stands."""
    return 1 + event_fields(kind).index(field)


_OPENED, _OFFERED = kind_number(w.AdlOpened), kind_number(w.BackstopOffered)
_FILLED = kind_number(w.BackstopFilled)
_OPENING = frozenset({_OPENED, _OFFERED})
_MEMBERS = frozenset(map(kind_number, (*OF_ROUND, *OF_OFFER, *RECORDS)))
_ROUND, _OFFER = _place(w.AdlOpened, "round"), _place(w.BackstopOffered, "fill")
_FILL = _place(w.BackstopFilled, "fill")
_PARTIES = {
    kind_number(kind): tuple(_place(kind, field) for field in parties)
    for kind, parties in (
        (w.AdlStuck, ("account",)),
        (w.AdlMatched, ("lender", "payer", "giver")),
        (w.BackstopFilled, ("account", "provider")),
    )
}


class Span(NamedTuple):
    """An ADL round, or a backstop offer by its first fill: its events by their numbers.

    Also its size in words, its fills, and whether the account asked about took part.
    """

    is_round: bool
    number: int
    events: range
    size: int
    fills: tuple[int, ...]
    concerns: bool


def spans_of(transcript: Transcript, index: int, account: int = NOBODY) -> list[Span]:
    """The settlements of a command, in order; those that `account` took part in are marked."""
    if transcript.present.isdisjoint(_OPENING):
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
    is_round = kinds[events.start] == _OPENED
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
    number = words[places[events.start] + (_ROUND if is_round else _OFFER)]
    return Span(is_round, number, events, size, tuple(fills), concerns)
