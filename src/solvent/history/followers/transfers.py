"""Transfers off the book: what backstop fills and ADL matches move from one account to another.

A debt that a provider takes over is bought back at the mark, collateral that goes with it is sold,
and in a match a payer buys what a lender gives up. Histories keep them as settlements and fills,
streams tell them as fills; both take them from here.
"""

from typing import NamedTuple

from solvent.domain import waterfall_events as w
from solvent.domain.codec.events import kind_number
from solvent.domain.commands import Side
from solvent.domain.events import Event
from solvent.domain.parameters import USDC
from solvent.domain.units import PRICE_SCALE
from solvent.history.tables.rows import FillKind


class Transfer(NamedTuple):
    """`quantity` atoms of an asset, worth `value` (USDC atoms) at `mark` (10^-10 USDC).

    `number` is the backstop fill or the ADL round, `part` the match of the round; for what a
    standby takes over after it, the number of the swap with its sign turned.
    """

    kind: FillKind
    number: int
    part: int
    seller: int
    buyer: int
    asset: int
    mark: int
    quantity: int
    value: int

    @property
    def is_fill(self) -> bool:
        """Whether it shows in a market: USDC has none, and no account trades with itself."""
        return self.asset != USDC and self.seller != self.buyer


STAGES = (w.BackstopOffered, w.AdlOpened, w.AdlStuck)
"""The events that say which accounts the transfers to come liquidate."""
KINDS = frozenset(
    map(
        kind_number,
        (*STAGES, w.BackstopFilled, w.BackstopLeg, w.AdlLeg, w.AdlMatched, w.StandbySwapped),
    )
)
"""The kinds of events, by number, that say something about transfers."""


def transfer_of(event: Event) -> Transfer | None:
    """What an event moves off the book, if it does."""
    match event:
        case w.BackstopFilled():
            return Transfer(
                FillKind.BACKSTOP,
                event.fill,
                0,
                event.provider,
                event.account,
                event.debt_asset,
                event.mark,
                event.debt_quantity,
                event.debt_value,
            )
        case w.BackstopLeg():
            where = FillKind.BACKSTOP, event.fill, 0
            terms = event.asset, event.mark, event.quantity, event.value
            return Transfer(*where, event.giver, event.receiver, *terms)
        case w.AdlLeg():
            where = FillKind.ADL, event.round, event.match
            terms = event.asset, event.mark, event.quantity, event.value
            return Transfer(*where, event.giver, event.receiver, *terms)
        case w.StandbySwapped():
            where = FillKind.ADL, event.round, -event.swap
            terms = event.asset, event.mark, event.quantity, event.paid
            return Transfer(*where, event.receiver, event.standby, *terms)
        case w.AdlMatched(claim_shares=0):
            # What opposites give up are tokens, which went as a leg.
            return None
        case w.AdlMatched():
            where = FillKind.ADL, event.round, event.match
            terms = event.asset, event.mark, event.quantity, event.value
            return Transfer(*where, event.lender, event.payer, *terms)
        case _:
            return None


def payment_of(event: w.StandbySwapped) -> Transfer:
    """The USDC that a standby pays for what he takes over."""
    where = FillKind.ADL, event.round, -event.swap
    terms = USDC, PRICE_SCALE, event.paid, event.paid
    return Transfer(*where, event.standby, event.receiver, *terms)


def liquidated_after(event: Event, before: frozenset[int]) -> frozenset[int]:
    """The accounts that the transfers to come liquidate; `before` those until this event."""
    match event:
        case w.BackstopOffered():
            return frozenset({event.account})
        case w.AdlOpened():
            return frozenset()
        case w.AdlStuck():
            return before | {event.account}
        case _:
            return before


def side_of(transfer: Transfer, liquidated: frozenset[int]) -> Side:
    """What the liquidated account did, by itself or by the fund that gave for it."""
    return Side.BID if transfer.buyer in liquidated else Side.ASK
