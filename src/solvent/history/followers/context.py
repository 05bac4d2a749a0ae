"""The context of commands: what later events of it take from earlier ones.

Where rows of the command stand in the order of everything, at which marks the waterfall settled,
which accounts it liquidated, and which movements wait for the order that they were made for.
"""

from typing import NamedTuple

from solvent.domain import waterfall_events as w
from solvent.domain.codec.transcript import Transcript
from solvent.domain.commands import Command
from solvent.domain.labels import Source
from solvent.history.tables.database import Value
from solvent.history.tables.memo import Memo
from solvent.history.tables.schema import MOVEMENTS, PLACE_BITS

_ORDER = MOVEMENTS.columns.index("order_id")
_BACKSTOP = (int(Source.LIQUIDATION_BACKSTOP), int(Source.BACKSTOP_PROVIDER))
_ADL = (int(Source.LIQUIDATION_ADL), int(Source.ADL_PROVIDER))
_SIDES = {source: sides for sides in (_BACKSTOP, _ADL) for source in sides}
TWO_SIDED = frozenset(_SIDES)
"""Sources that `Context.source_for` tells apart."""


class Round(NamedTuple):
    """An ADL round: what it settles."""

    asset: int
    mark: int


class Context:
    """Commands of one moment, one after another; `begin` is called before each.

    `sequence` is the number of the one in work.

    `consequences` counts the events held back for the one in work.
    """

    __slots__ = (
        "_margin",
        "_place",
        "_transcript",
        "consequences",
        "fills",
        "liquidated",
        "marks",
        "memo",
        "rounds",
        "sequence",
        "time",
    )

    def __init__(self, time: int, transcript: Transcript, memo: Memo | None) -> None:
        self._transcript = transcript
        self.time = time
        self.memo = memo
        self.consequences = 0
        self._margin: list[tuple[int, list[Value]]] = []
        self.marks: dict[int, int] = {}
        self.rounds: dict[int, Round] = {}
        self.fills: dict[int, w.BackstopFilled] = {}
        self.liquidated: set[int] = set()
        self.sequence = self._place = 0

    def begin(self, sequence: int) -> None:
        """Go on with the command of this number, which knows nothing of those before."""
        self.sequence = sequence
        self._place = sequence << PLACE_BITS
        if self._margin or self.marks or self.rounds or self.fills or self.liquidated:
            for gathered in (self._margin, self.marks, self.rounds, self.fills, self.liquidated):
                gathered.clear()

    @property
    def command(self) -> Command:
        """The command in work."""
        return self._transcript.commands[self.sequence - self._transcript.first]

    def next_place(self) -> int:
        """A new place, after all before it."""
        place = self._place
        self._place = place + 1
        return place

    def pool_recorded(self, event: w.PoolRecorded) -> None:
        """A mark at which things settle."""
        self.marks[event.asset] = event.mark

    def offered(self, event: w.BackstopOffered) -> None:
        """The fills that follow are for this account."""
        self.liquidated = {event.account}

    def round_opened(self, event: w.AdlOpened) -> None:
        """The matches that follow are of this round."""
        self.rounds[event.round] = Round(event.asset, event.mark)
        self.liquidated = set()

    def stuck(self, event: w.AdlStuck) -> None:
        """An account that the round liquidates."""
        self.liquidated.add(event.account)

    def source_for(self, account: int, source: int) -> int:
        """The source of a movement as it is for `account`: liquidated, or the other side."""
        return _SIDES[source][account not in self.liquidated] if source in _SIDES else source

    def note_margin(self, account: int, movement: list[Value]) -> None:
        """A movement of a spot trade, whose order a later event names."""
        self._margin.append((account, movement))

    def name_order(self, account: int, order: int) -> None:
        """The order that this account's movements so far were made for."""
        if self._margin:
            left = []
            for waiting, movement in self._margin:
                if waiting == account:
                    movement[_ORDER] = order
                else:
                    left.append((waiting, movement))
            self._margin = left
