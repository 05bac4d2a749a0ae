"""Settlements among a command's encoded events: which there are, how large, and what each needs.

A large step has millions of events, of which a receipt needs those of its own round or offer. They
are told apart by their kinds, without being decoded: those of a round stand together, and those of
an offer.
"""

from collections.abc import Iterator
from typing import NamedTuple

from solvent.domain import waterfall_events as w
from solvent.domain.codec.encoded_events import EncodedEvents
from solvent.domain.codec.events import EVENT_WORDS, event_fields, kind_number
from solvent.domain.events import Event
from solvent.domain.labels import Stage
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.form import AdlReceipt, Receipt

NOBODY = -1
"""An account that there is not."""


def _numbers(*kinds: type[Event]) -> frozenset[int]:
    return frozenset(map(kind_number, kinds))


def _place(kind: type[Event], field: str) -> int:
    """How many words behind an event's kind a field stands."""
    return 1 + event_fields(kind).index(field)


_HEARD = _numbers(*ReceiptBuilder.KINDS)
_OPENED, _OFFERED = kind_number(w.AdlOpened), kind_number(w.BackstopOffered)
_FILLED = kind_number(w.BackstopFilled)
_OF_ROUND = _numbers(w.AdlOpened, w.AdlStuck, w.AdlCandidate, w.AdlMatched, w.AdlLeg)
_OF_OFFER = _numbers(w.BackstopOffered, w.BackstopCandidate, w.BackstopFilled, w.BackstopLeg)
_RECORDS = _numbers(w.PoolRecorded, w.PartyBalance, w.PartyHealth)
_ROUND, _FILL = _place(w.AdlOpened, "round"), _place(w.BackstopFilled, "fill")
_OFFER = _place(w.BackstopOffered, "fill")
_STAGE, _ADL = _place(w.PartyBalance, "stage"), int(Stage.ADL)
_PARTIES = {
    kind_number(kind): tuple(_place(kind, field) for field in parties)
    for kind, parties in (
        (w.AdlStuck, ("account",)),
        (w.AdlMatched, ("lender", "payer", "giver")),
        (w.BackstopFilled, ("account", "provider")),
    )
}


class Settlement(NamedTuple):
    """An ADL round, or a backstop offer by the number of its first fill."""

    is_round: bool
    number: int


class Found(NamedTuple):
    """A settlement's size in words of events, its fills, and whether an account took part."""

    size: int
    fills: tuple[int, ...]
    concerns: bool


def _own(events: EncodedEvents) -> Iterator[tuple[int, int, Settlement | None]]:
    """Kind and place of every event a receipt can need, and whose it is; None is everybody's."""
    words = events.words
    current: Settlement | None = None
    offer: Settlement | None = None
    for kind, place in events.places():
        if kind not in _HEARD:
            continue
        if kind == _OPENED:
            current = Settlement(True, words[place + _ROUND])
        elif kind == _OFFERED:
            offer = Settlement(False, words[place + _OFFER])
        if kind in _OF_ROUND:
            yield kind, place, current
        elif kind in _OF_OFFER:
            yield kind, place, offer
        elif kind in _RECORDS:
            yield kind, place, current if words[place + _STAGE] == _ADL else offer
        else:
            yield kind, place, None


def settlements_in(events: EncodedEvents, account: int = NOBODY) -> dict[Settlement, Found]:
    """The settlements of a command, in order; those that `account` took part in are marked."""
    words = events.words
    found: dict[Settlement, Found] = {}
    current: Settlement | None = None
    size, fills, concerns = 0, list[int](), False
    for kind, place, settlement in _own(events):
        if settlement is not current and settlement is not None:
            if current is not None:
                found[current] = Found(size, tuple(fills), concerns)
            current, size, fills, concerns = settlement, 0, [], False
        if settlement is not None:
            size += EVENT_WORDS[kind]
        if kind == _FILLED:
            fills.append(words[place + _FILL])
        if kind in _PARTIES and not concerns:
            concerns = account in [words[place + party] for party in _PARTIES[kind]]
    if current is not None:
        found[current] = Found(size, tuple(fills), concerns)
    return found


def events_of(events: EncodedEvents, wanted: frozenset[Settlement]) -> Iterator[Event]:
    """What receipts of some settlements need of a command's events, and what is everybody's."""
    for _, place, settlement in _own(events):
        if settlement is None or settlement in wanted:
            yield events.at(place)


def fill_or_round(receipt: Receipt) -> tuple[bool, int]:
    """Whether a receipt is of an ADL round, and the number of its round or fill."""
    is_round = isinstance(receipt, AdlReceipt)
    return is_round, receipt.round if isinstance(receipt, AdlReceipt) else receipt.fill
