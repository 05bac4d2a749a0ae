"""Rest: a look ahead, in which every account in the waterfall must leave it (I45).

A copy of an engine is quoted every asset again at the index that it has, halts are ended, rates are
zero, and time passes without anybody's commands, for as many intervals as an account's way out
takes at most. At those fixed prices whoever was in the waterfall must have left it: in each attempt
the book closes its chunk, or is short of it until its patience is used up, and then providers or
ADL act: the lenders of a debt can always take it, and an atom of a debt that nobody lent is booked.
Who is left is a breach. The engine that was copied is not touched.

Interest is left out because it is no fixed price of a debt: where it adds more in an interval than
an attempt closes, the need never ends, and neither does the work.

Specification: sections 7.3, 9.
"""

from dataclasses import replace

from solvent.domain.commands import HaltPrice, TimeStep, UpdatePrice
from solvent.domain.parameters import AssetParameters, Curve, WaterfallParameters
from solvent.domain.units import HOUR, RATIO, divide_up
from solvent.domain.waterfall_events import LiquidationEnded
from solvent.proof.invariants.invariants import Breach, breach
from solvent.reference.clock import next_pass
from solvent.reference.engine import ReferenceEngine

OLDEST = 366 * 24 * HOUR
CHUNKS = 43
"""Of so many times a debt, taken in equal fractions of what is left, less than 2^-62 is left."""


def look_ahead(engine: ReferenceEngine) -> list[Breach]:
    """I45: who is in the waterfall now and at fixed prices does not come to rest."""
    if not engine.state.liquidating:
        return []
    ahead = ReferenceEngine.restore(engine.snapshot())
    fix_prices(ahead)
    waterfall = ahead.state.parameters.waterfall
    inside = set(ahead.state.liquidating)
    end = ahead.now + way_out(waterfall) * waterfall.interval
    while inside and ahead.now < end:
        events = ahead.apply_one(TimeStep(next_pass(ahead.state, end)))
        inside -= {event.account for event in events if isinstance(event, LiquidationEnded)}
    left = sorted(inside)
    return [breach("I45", "an account does not come to rest", *left)] if left else []


def way_out(waterfall: WaterfallParameters) -> int:
    """Intervals that an account's way out takes at most: an attempt for each that may be made.

    Some are short of their chunk until patience is used up, others close all of it, or close what
    the target needs and leave a part of the gap: equal ones leave most, and after three times
    patience, or as many as chunks, less than 2^-62 of it.
    """
    longest = divide_up(4 * RATIO, waterfall.book_probability)
    chunks = divide_up(CHUNKS * RATIO, waterfall.book_fraction)
    return longest * (3 * waterfall.patience + chunks + CHUNKS + 1)


def fix_prices(engine: ReferenceEngine) -> None:
    """Quote all assets that have an index again at it, in one moment, to stay so; no rates."""
    state = engine.state
    assets = tuple(map(_without_time, state.parameters.assets))
    state.parameters = replace(state.parameters, assets=assets)
    for pool in state.pools:
        pool.apr = 0
    quoted = [asset for asset, price in enumerate(state.prices) if asset and price.index]
    for asset in quoted:
        price = state.prices[asset]
        engine.apply_one(HaltPrice(asset, halted=False, more=True))
        for source in range(len(price.quotes)):
            last = (asset, source) == (quoted[-1], len(price.quotes) - 1)
            index = price.index
            engine.apply_one(UpdatePrice(asset, source, index, index, index, more=not last))


def _without_time(asset: AssetParameters) -> AssetParameters:
    """An asset whose quotes do not grow old, and whose debts do not grow."""
    still = Curve(((0, 0), (RATIO, 0)))
    return replace(
        asset,
        pool=replace(asset.pool, curve=still),
        price=replace(asset.price, max_age=OLDEST),
    )
