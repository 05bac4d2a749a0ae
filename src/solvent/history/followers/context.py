"""The context of commands: what later events of it take from earlier ones.

Where rows of the command stand in the order of everything, which accounts the waterfall liquidated,
and for which order each account's movements are made.
"""

from solvent.domain import waterfall_events as w
from solvent.domain.labels import Source
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
        self.liquidated: set[int] = set()
        self.sequence = self._place = 0

    def begin(self, sequence: int) -> None:
        """Go on with the command of this number, which knows nothing of those before."""
        self.sequence = sequence
        self._place = sequence << PLACE_BITS
        if self.orders or self.liquidated:
            self.orders.clear()
            self.liquidated.clear()

    def next_place(self) -> int:
        """A new place, after all before it."""
        place = self._place
        self._place = place + 1
        return place

    def offered(self, event: w.BackstopOffered) -> None:
        """The fills that follow are for this account."""
        self.liquidated = {event.account}

    def round_opened(self, _: w.AdlOpened) -> None:
        """The matches that follow are of this round."""
        self.liquidated = set()

    def stuck(self, event: w.AdlStuck) -> None:
        """An account that the round liquidates."""
        self.liquidated.add(event.account)

    def source_for(self, account: int, source: int) -> int:
        """The source of a movement as it is for `account`: liquidated, or the other side."""
        return _SIDES[source][account not in self.liquidated] if source in _SIDES else source
