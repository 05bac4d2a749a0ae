"""Movements: what an event does to a claim or a debt, as numbers.

Most commands of a market with many clients are movements, so their kinds, sides and sources are
plain numbers here, and many of them are read from the bytes of their events at once.
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from solvent.domain import events as e
from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.history.followers.holding import BORROW, LEND
from solvent.history.tables.rows import MovementType
from solvent.history.tables.schema import PLACE_BITS

BORROWED, REPAID = int(MovementType.BORROW), int(MovementType.BORROW_REPAY)
LENT, REDEEMED = int(MovementType.LEND), int(MovementType.LEND_REDEEM)
ADDING = (BORROWED, LENT)
SIDE_OF = {BORROWED: BORROW, REPAID: BORROW, LENT: LEND, REDEEMED: LEND}

Movement = tuple[int, int, int, int, int, int, int]
"""(place, account, asset, kind, quantity, shares, source)."""


class Change(NamedTuple):
    """What is to happen to one position; `kind` is a MovementType, `source` a Source."""

    kind: int
    quantity: int
    shares: int
    source: int


_KIND_OF = {
    kind_number(e.Lent): (LENT, 1),
    kind_number(e.Redeemed): (REDEEMED, -1),
    kind_number(e.Borrowed): (BORROWED, 1),
    kind_number(e.Repaid): (REPAID, -1),
}
"""What kind of movement an event is, and whether shares come or go."""
MOVED = frozenset(_KIND_OF)
"""Kinds of events, by number, that have the same numbers and are one movement each."""
_MOVED_EVENT = Struct("<6q")


def movements_of(transcript: Transcript) -> Iterator[Movement]:
    """The movements of a transcript of nothing but the kinds of MOVED."""
    places: list[int] = []
    start = 0
    for number, end in enumerate(transcript.ends, transcript.first):
        first = number << PLACE_BITS
        places += range(first, first + end - start)
        start = end
    events = _MOVED_EVENT.iter_unpack(transcript.words)
    for place, (kind, account, asset, quantity, shares, source) in zip(places, events, strict=True):
        moved, sign = _KIND_OF[kind]
        yield place, account, asset, moved, quantity, sign * shares, source
