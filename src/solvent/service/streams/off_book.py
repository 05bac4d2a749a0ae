"""Off the book: what backstop fills and ADL matches exchange, as fills of markets that there are.

A debt that somebody takes over is bought back at the mark, in the market of its asset; what is
given for it is sold, leg by leg, each in the market of its own. USDC has no market, so that a debt
in USDC is seen by the collateral that is sold for it. These are the fills that the views have.

Invariant: what is told of one asset adds up to what changed hands of it. Absent: who listens.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.commands import Side
from solvent.domain.parameters import USDC
from solvent.service.api.objects.streams import Origin
from solvent.service.streams.payloads import SystemFill


class Exchange(NamedTuple):
    """A fill and its two parties.

    `liquidated` are the accounts that the stage is about; `side` is what they did, by themselves or
    by the fund that gave for them.
    """

    fill: SystemFill
    seller: int
    buyer: int
    liquidated: frozenset[int]

    @property
    def side(self) -> Side:
        """What the liquidated account did."""
        return Side.BID if self.buyer in self.liquidated else Side.ASK


KINDS = frozenset(
    {
        w.PoolRecorded,
        w.BackstopOffered,
        w.BackstopFilled,
        w.BackstopLeg,
        w.AdlOpened,
        w.AdlStuck,
        w.AdlLeg,
        w.AdlMatched,
    }
)
"""The events that say something about it."""


class OffBook:
    """Follows the events of one command after another."""

    def __init__(self) -> None:
        self._marks: dict[int, int] = {}
        self._liquidated: frozenset[int] = frozenset()
        self._debtors: dict[int, int] = {}
        self._asset = USDC
        self._exchanged: Counter[str] = Counter()

    def finish(self) -> None:
        """Close a command."""
        self._marks.clear()
        self._liquidated = frozenset()
        self._debtors.clear()
        self._exchanged.clear()

    def follow(self, event: e.Event) -> Iterator[Exchange]:
        """What an event of one of the `KINDS` exchanges in a market, if anything."""
        match event:
            case w.PoolRecorded():
                self._marks[event.asset] = event.mark
            case w.BackstopOffered():
                self._liquidated = frozenset({event.account})
            case w.AdlOpened():
                self._liquidated = frozenset()
                self._asset = event.asset
            case w.AdlStuck():
                self._liquidated |= {event.account}
            case w.BackstopFilled():
                self._debtors[event.fill] = event.account
                name = f"backstop-{event.fill}"
                amounts = event.debt_quantity, event.debt_value
                yield from self._exchange(
                    name, event.debt_asset, amounts, event.provider, event.account
                )
            case w.BackstopLeg():
                giver = self._debtors[event.fill]
                name, amounts = f"backstop-{event.fill}", (event.quantity, event.value)
                yield from self._exchange(name, event.asset, amounts, giver, event.receiver)
            case w.AdlLeg():
                name, amounts = f"adl-{event.round}-{event.match}", (event.quantity, event.value)
                yield from self._exchange(name, event.asset, amounts, event.giver, event.receiver)
            case w.AdlMatched():
                name, amounts = f"adl-{event.round}-{event.match}", (event.quantity, event.value)
                yield from self._exchange(name, self._asset, amounts, event.lender, event.payer)
            case _:
                pass

    def _exchange(
        self, name: str, asset: int, amounts: tuple[int, int], seller: int, buyer: int
    ) -> Iterator[Exchange]:
        """One fill, under a name that no other has."""
        if asset == USDC or seller == buyer:
            return
        self._exchanged[name] += 1
        origin = Origin.ADL if name.startswith("adl") else Origin.BACKSTOP
        order = f"{name}-{self._exchanged[name]}"
        fill = SystemFill(order, origin, asset, self._marks[asset], *amounts)
        yield Exchange(fill, seller, buyer, self._liquidated)
