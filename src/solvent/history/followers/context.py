"""The context of commands: what later events of it take from earlier ones.

Where rows of the command stand in the order of everything, which accounts the waterfall liquidated,
and for which order each account's movements are made.
"""

from solvent.domain.events import Event
from solvent.domain.labels import Source
from solvent.history.followers.transfers import liquidated_after
from solvent.history.tables.memo import Memo
from solvent.history.tables.schema import PLACE_BITS

_BACKSTOP = (int(Source.LIQUIDATION_BACKSTOP), int(Source.BACKSTOP_PROVIDER))
_ADL = (int(Source.LIQUIDATION_ADL), int(Source.ADL_PROVIDER))
_SIDES = {source: sides for sides in (_BACKSTOP, _ADL) for source in sides}
TWO_SIDED = frozenset(_SIDES)
"""Sources that `Context.source_for` tells apart."""


class Context:
    """Commands of one moment, one after another; `begin` is called before each.

    `sequence` is the number of the one in work.

    `orders` says in which order's name each account trades, from its entry or last fill.
    """

    __slots__ = (
        "_place",
        "liquidated",
        "memo",
        "orders",
        "sequence",
        "time",
    )

    def __init__(self, time: int, memo: Memo | None) -> None:
        self.time = time
        self.memo = memo
        self.orders: dict[int, int] = {}
        self.liquidated: frozenset[int] = frozenset()
        self.sequence = self._place = 0

    def begin(self, sequence: int) -> None:
        """Go on with the command of this number, which knows nothing of those before."""
        self.sequence = sequence
        self._place = sequence << PLACE_BITS
        if self.orders or self.liquidated:
            self.orders.clear()
            self.liquidated = frozenset()

    def next_place(self) -> int:
        """A new place, after all before it."""
        place = self._place
        self._place = place + 1
        return place

    def staged(self, event: Event) -> None:
        """An offer, a round, or an account that the round liquidates."""
        self.liquidated = liquidated_after(event, self.liquidated)

    def source_for(self, account: int, source: int) -> int:
        """The source of a movement as it is for `account`: liquidated, or the other side."""
        return _SIDES[source][account not in self.liquidated] if source in _SIDES else source
