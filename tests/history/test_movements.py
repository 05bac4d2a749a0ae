"""Movements: many are read from the bytes of their events at once, as each would be by itself."""

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain.codec.events import EVENT_KINDS, event_fields
from solvent.domain.codec.transcript import Transcript
from solvent.domain.labels import Source
from solvent.history.followers.movements import (
    BORROWED,
    LENT,
    MOVED,
    REDEEMED,
    REPAID,
    movements_of,
)
from solvent.history.market_views import Views
from solvent.history.tables.schema import PLACE_BITS
from tests.tables.market import plain_parameters

MANUAL = Source.MANUAL
STORY: list[tuple[c.Command, list[e.Event]]] = [
    (c.Lend(2, 0, 70), [e.Lent(2, 0, 70, 69, MANUAL)]),
    (c.Lend(9, 0, 1), []),
    (c.Lend(3, 1, 40), [e.Lent(3, 1, 40, 39, MANUAL), e.Redeemed(2, 0, 9, 8, MANUAL)]),
    (c.Redeem(2, 0, 61), [e.Redeemed(2, 0, 61, 61, MANUAL)]),
]


def test_events_that_are_read_alike_have_the_same_fields() -> None:
    fields = {event_fields(EVENT_KINDS[kind]) for kind in MOVED}
    assert fields == {("account", "asset", "quantity", "shares", "source")}
    assert {BORROWED, REPAID, LENT, REDEEMED} == set(range(4))


def test_a_place_names_the_command_and_counts_within_it() -> None:
    found = list(movements_of(Transcript.of(5, STORY)))
    places = [5 << PLACE_BITS, 7 << PLACE_BITS, (7 << PLACE_BITS) + 1, 8 << PLACE_BITS]
    assert found == [
        (places[0], 2, 0, LENT, 70, 69, MANUAL),
        (places[1], 3, 1, LENT, 40, 39, MANUAL),
        (places[2], 2, 0, REDEEMED, 9, -8, MANUAL),
        (places[3], 2, 0, REDEEMED, 61, -61, MANUAL),
    ]


def test_a_position_may_end_and_begin_within_a_batch() -> None:
    """Together, one by one, and each beside an event that is no movement."""
    told = [Transcript.of(0, STORY * 2)]
    alone = [Transcript.of(number, [each]) for number, each in enumerate(STORY * 2)]
    beside: list[tuple[c.Command, list[e.Event]]] = [*STORY * 2, (c.TimeStep(1), [e.Stepped(1, 0)])]
    dumps = []
    for transcripts in (told, alone, [Transcript.of(0, beside)]):
        views = Views.open(":memory:", plain_parameters())
        for transcript in transcripts:
            views.apply(0, transcript)
        views.commit()
        dumps.append({name: rows for name, rows in views.dump().items() if name != "meta"})
    assert dumps[0] == dumps[1] == dumps[2]
    closed = [row[7] for row in dumps[0]["positions"]]
    assert closed == [3 << PLACE_BITS, 2**63 - 1, 7 << PLACE_BITS]
