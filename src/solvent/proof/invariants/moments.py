"""Moments: what price commands and books may do to indices and marks, between two states.

Prices given together take effect together (I41), and a book that does not hold the impact notional
moves no mark (I39). Both are computed from columns and events, without the engine.
"""

from collections import Counter
from collections.abc import Iterator

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.events import Event
from solvent.domain.units import PRICE_DECIMALS, VALUE_DECIMALS
from solvent.proof.invariants.invariants import ASSET, QUANTITY, SIDE, UNFUNDED, Breach, breach
from solvent.proof.invariants.state_view import StateView


def check_moment(
    before: StateView,
    after: StateView,
    command: c.UpdatePrice | c.HaltPrice,
    events: tuple[Event, ...],
) -> Iterator[Breach]:
    """I41: nothing happens within a moment; at its end prices move once, and before any account."""
    if command.more:
        moved = [
            asset
            for asset, (old, new) in enumerate(zip(before.prices, after.prices, strict=True))
            if (old.index_price, old.mark, old.stale) != (new.index_price, new.mark, new.stale)
        ]
        if events or moved or before.liquidating != after.liquidating:
            yield breach("I41", "something took effect before its moment was over", *moved)
        return
    if any(price.given for price in after.prices):
        yield breach("I41", "a moment is over and something of it still waits", command.asset)
    updates = Counter(event.asset for event in events if isinstance(event, e.IndexUpdated))
    for asset, count in updates.items():
        if count > 1:
            yield breach("I41", "an index moved twice in one moment", asset, count)
    kinds = [isinstance(event, e.IndexUpdated | e.PriceStaleness) for event in events]
    started = [isinstance(event, w.LiquidationStarted) for event in events]
    if True in started and any(kinds[started.index(True) :]):
        yield breach("I41", "an account was judged before all prices had moved", command.asset)


def check_waiting(before: StateView, after: StateView) -> Iterator[Breach]:
    """I41: only a price command or a time step lets take effect what waits for its moment's end."""
    for asset, (old, new) in enumerate(zip(before.prices, after.prices, strict=True)):
        if old.given and old != new:
            yield breach("I41", "something took effect before its moment was over", asset)


def check_premiums(before: StateView, after: StateView) -> Iterator[Breach]:
    """I39: a book without the impact notional on both sides draws the mark to the index alone.

    Prices in doubt, or given and not yet in effect, have another index when the sample is taken.
    """
    for asset, (old, new) in enumerate(zip(before.prices, after.prices, strict=True)):
        if not asset or old.updated < 0 or old.in_doubt or old.given:
            continue
        parameters = before.parameters.assets[asset]
        divisor = 10 ** (parameters.decimals + PRICE_DECIMALS - VALUE_DECIMALS)
        depth = Counter[int]()
        for order in before.orders:
            if order[ASSET] == asset and not order[UNFUNDED]:
                depth[order[SIDE]] += order[QUANTITY]
        wanted = parameters.price.impact_notional * divisor
        thin = any(depth[side] * old.index_price < wanted for side in c.Side)
        if thin and abs(new.premium) > abs(old.premium):
            yield breach("I39", "a thin book moved a mark", asset, old.premium, new.premium)
