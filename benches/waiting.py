"""Waiting orders: what orders that wait for a price cost everybody else, and what one costs itself.

The same trades and quotes go through an engine in which nothing waits and through one in which so
many orders wait, in equal parts for mark, index and last trade, above and below, at prices that
nothing reaches; every trade and every quote prints a price that is looked at. Then a quote reaches
all that wait below the mark or the index, and each is carried out.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from benches.common.engines import BATCH, Words, apply_all, copy_of, engine_over, events_by_kind
from benches.common.market import PRICES, START, market
from benches.common.measure import agree, repeat
from benches.common.population import FIRST, endowed
from benches.common.rows import TIMES, Figure, Row, Target, each, rate
from benches.common.stream import row_of
from solvent.domain import commands as c
from solvent.domain.events import Filled, Triggered, TriggerPlaced
from solvent.domain.parameters import USDC
from solvent.domain.units import SECOND
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import Columns

NAME = "waiting"
ASSET = 1
AN_ACCOUNT = 1_000
"""Orders that an account may have."""
QUOTE_EVERY = 10
WITHIN = 0.9
"""How many times as fast it is at least, beside them, as where nothing waits."""
NEAR, FAR = 10, 2_000
"""Ticks from the market's price between which they wait."""
BELOW = 1
_USDC_ATOMS = 10**13
_TOKEN_ATOMS = 10**10


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Commands a second beside waiting orders; what placing and firing one takes."""
    counts, pairs, times = ((600,), 500, 2) if quick else ((10_000, 1_000_000), 100_000, 5)
    rows = _trades(pairs)
    alone = _rate(_market(0), rows, times)
    for count in counts:
        start = _market(count)
        placing = _placed(start, count)
        name = f"{len(rows):,} trades and quotes, {count:,} orders wait"
        beside = _rate(start, rows, times)
        yield Row(NAME, name, beside, "none waits", alone, Target(TIMES, WITHIN))
        yield Row(NAME, f"placing each of {count:,} that wait", placing)
    yield from _fired(counts[0], times)


def _market(waiting: int) -> Columns:
    """Traders, and those whose orders wait, before any is placed; quoted and traded once."""
    accounts = 2 + -(-waiting // AN_ACCOUNT)
    parameters = market(orders_per_account=AN_ACCOUNT)
    atoms = {USDC: _USDC_ATOMS, ASSET: _TOKEN_ATOMS}
    engine = engine_over(endowed(parameters, accounts, atoms))
    apply_all(engine, np.concatenate((_quotes(PRICES), _trades(1))))
    return engine.columns


def _quotes(prices: tuple[int, ...]) -> Words:
    """A quote of every token, and a second."""
    quotes = [
        row_of(1, c.UpdatePrice, asset=asset, bid=price, ask=price, last=price)
        for asset, price in enumerate(prices)
        if asset != USDC
    ]
    return np.concatenate((*quotes, row_of(1, c.TimeStep, time=START + SECOND)))


def _trades(pairs: int) -> Words:
    """Pairs of orders that meet, and a quote after each tenth."""
    about = market().assets[ASSET].market
    assert about is not None
    order = {"asset": ASSET, "price": PRICES[ASSET], "quantity": about.lot, "client_id": -1}
    offer = row_of(1, c.PlaceOrder, account=FIRST, side=c.Side.ASK, **order)
    force = c.TimeInForce.IOC
    bid = row_of(1, c.PlaceOrder, account=FIRST + 1, side=c.Side.BID, time_in_force=force, **order)
    quote = _quotes(PRICES)[ASSET - 1 : ASSET]
    both = np.concatenate((offer, bid))
    part = np.concatenate((*[both] * min(pairs, QUOTE_EVERY), quote))
    return np.tile(part, (-(-pairs // QUOTE_EVERY), 1))


def _waiting(count: int) -> Words:
    """So many that wait, market orders of one lot, in all six rows of levels."""
    about = market().assets[ASSET].market
    assert about is not None
    number = np.arange(count)
    sides = np.array([(by, way) for by, way in product(c.TriggerBy, (-BELOW, BELOW))])
    by, way = sides[number % len(sides)].T
    distance = (NEAR + number // len(sides) % (FAR - NEAR)) * about.tick
    return row_of(
        count,
        c.PlaceTrigger,
        account=FIRST + 2 + number // AN_ACCOUNT,
        asset=ASSET,
        side=c.Side.ASK,
        order_type=c.OrderType.MARKET,
        time_in_force=c.TimeInForce.IOC,
        quantity=about.lot,
        client_id=-1,
        trigger_price=PRICES[ASSET] + way * distance,
        trigger_by=by,
    )


def _placed(start: Columns, count: int) -> Figure:
    """What placing each takes; they wait in `start` afterwards."""
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [engine_over(copy_of(start))]

    timing, parts = repeat(lambda: apply_all(engines[0], _waiting(count)), 2, fresh)
    agree("orders that wait", len(events_by_kind(parts, TriggerPlaced)[TriggerPlaced]), count)
    start.by_name = engines[0].columns.by_name
    return each(timing, count)


def _rate(start: Columns, rows: Words, times: int) -> Figure:
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [engine_over(copy_of(start))]

    timing, parts = repeat(lambda: apply_all(engines[0], rows), times, fresh)
    happened = events_by_kind(parts, Filled, Triggered)
    quotes = len(rows) // (2 * QUOTE_EVERY + 1)
    agree("trades", len(happened[Filled]), (len(rows) - quotes) // 2)
    agree("what fired", len(happened.get(Triggered, ())), 0)
    return rate(timing, len(rows), "commands")


def _fired(count: int, times: int) -> Iterator[Row]:
    """A quote that reaches what waits below mark or index."""
    start = _market(count)
    _placed(start, count)
    about = market().assets[ASSET].market
    assert about is not None
    low = PRICES[ASSET] - FAR * about.tick
    fall = row_of(1, c.UpdatePrice, asset=ASSET, bid=low, ask=low, last=low)
    rows = np.concatenate((fall, row_of(1, c.TimeStep, time=START + 2 * SECOND)))
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [engine_over(copy_of(start))]

    timing, parts = repeat(lambda: apply_all(engines[0], rows, BATCH), times, fresh)
    fired = len(events_by_kind(parts, Triggered).get(Triggered, ()))
    agree("whether a price fires them", fired > count // 8, True)
    yield Row(NAME, f"a quote that fires {fired:,} of {count:,}, each", each(timing, fired))
