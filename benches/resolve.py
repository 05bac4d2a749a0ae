"""Resolve: from a price step that makes one account in a hundred liquidatable to the last of them.

Every token falls at once. The book holds a little of what has to be sold and bought, backstop
providers have room for some, and ADL is left with the rest, so all stages have work. Time steps of
a second follow until no account is in the waterfall; makers fill the book again every few seconds,
since an account that is not far below waits for it. An account's time is the engine's, from the
first command of the price step to the end of the step in which the account was let go; what the
steps wait for in between is the venue's choice and is not counted. It belongs to the last stage
that did anything for it.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benches.common.engines import (
    Words,
    apply_all,
    column,
    engine_over,
    events_by_kind,
    same_as_reference,
)
from benches.common.market import PRICES, START, market
from benches.common.measure import agree, once
from benches.common.population import FIRST, Edge, atoms_per_usdc, populated
from benches.common.rows import Figure, Row, of
from benches.common.stream import Fields, row_of
from solvent.domain import commands as c
from solvent.domain.events import Event, Filled
from solvent.domain.parameters import EngineParameters, Policy, WaterfallParameters
from solvent.domain.units import RATIO, SECOND
from solvent.domain.waterfall_events import (
    AdlMatched,
    BackstopFilled,
    LiquidationEnded,
    LiquidationStarted,
)
from solvent.engine.engine import FastEngine
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.rows import Globals

Mask = npt.NDArray[np.bool_]

NAME = "resolve"
STAGES = ("its own means", "book", "backstop", "ADL")
"""What may have helped an account last: claims it had in what it owed, or a stage."""
_NEAR = 0.012
"""Share of accounts close to liquidation: five in six of them the fall makes liquidatable."""
_FALL = 6
_PERCENT = 100
_MAKERS = 20
_PROVIDERS = 5
_LEVELS = 40
_MOST_STEPS = 400
_ORDERS = 1_000
_LADDER = 2e-4
"""USDC at a price level of a maker, as a part of 2,000 USDC an account."""
_COMMITTED = 4e-3
_USUAL_SIZE = 2_000
_PLENTY = 10**8
"""USDC that each maker and provider has of every asset."""
_REFILL = 5
"""Seconds between two ladders."""


class Resolved(NamedTuple):
    """Accounts liquidated, milliseconds and steps until each was released, and the stage."""

    accounts: Words
    milliseconds: npt.NDArray[np.float64]
    steps: Words
    stages: Words


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Milliseconds to resolve, by stage: median, 99 of 100, the last."""
    few = 150
    steps = [_step(number) for number in range(1, 6)]
    script = [_preparations(few), _fall(), *steps, _ladders(few), _step(6)]
    same_as_reference(_market(few), np.concatenate(script))
    accounts = 5_000 if quick else 1_000_000
    engine = engine_over(_market(accounts))
    apply_all(engine, _preparations(accounts))
    took, parts = _run(engine, accounts)
    resolved = _resolved(took, parts)
    measured = f"{accounts:,} accounts, {len(resolved.accounts):,} breached"
    yield Row(NAME, f"{measured}: prices and watch", _spread([1e3 * took[0]]))
    for number, stage in enumerate(STAGES):
        some = resolved.stages == number
        if some.any():
            yield from _shares(f"{stage}, {int(some.sum()):,} accounts", resolved, some)
    yield from _shares(f"all, {len(took) - 1} steps", resolved, resolved.stages >= 0)


def _market(accounts: int) -> Columns:
    waterfall = WaterfallParameters(
        book_probability=RATIO,
        book_fraction=RATIO // 4,
        lender_policy=Policy.LARGEST_LOAN,
        default_policy=Policy.LARGEST_LOAN,
    )
    edge = Edge(_NEAR, _FALL / _PERCENT / 4)
    return populated(market(waterfall, _ORDERS), accounts, cushion=4 * _FALL / _PERCENT, edge=edge)


def _preparations(accounts: int) -> Words:
    """Makers rest a ladder below and above each price to come; providers commit to debts."""
    parameters = market()
    first = FIRST + accounts
    atoms = atoms_per_usdc(parameters)
    makers = np.arange(first, first + _MAKERS)
    providers = np.arange(first + _MAKERS, first + _MAKERS + _PROVIDERS)
    rows = [
        row_of(_MAKERS, c.OpenAccount, account=makers),
        row_of(_PROVIDERS, c.OpenAccount, account=providers, role=int(c.Role.BACKSTOP_PROVIDER)),
    ]
    everybody = np.concatenate((makers, providers))
    for asset in range(len(PRICES)):
        plenty = int(_PLENTY * atoms[asset])
        rows.append(
            row_of(len(everybody), c.Deposit, account=everybody, asset=asset, quantity=plenty)
        )
    committed = accounts * _USUAL_SIZE * _COMMITTED / _PROVIDERS
    for asset in range(len(PRICES)):
        quantity = int(committed * atoms[asset])
        rows.append(
            row_of(_PROVIDERS, c.PostBackstop, account=providers, asset=asset, quantity=quantity)
        )
    return np.concatenate([*rows, _ladders(accounts)])


def _ladders(accounts: int) -> Words:
    """Every maker's orders below and above the prices to come."""
    parameters = market()
    atoms = atoms_per_usdc(parameters)
    makers = np.arange(FIRST + accounts, FIRST + accounts + _MAKERS)
    value = accounts * _USUAL_SIZE * _LADDER / _MAKERS
    rows = [row_of(len(makers), c.CancelAllOrders, account=makers, asset=c.ANY_ASSET)]
    for asset in range(1, len(PRICES)):
        rows += _ladder(parameters, makers, asset, int(value * atoms[asset]))
    return np.concatenate(rows)


def _ladder(parameters: EngineParameters, makers: Words, asset: int, quantity: int) -> list[Words]:
    listed = parameters.assets[asset].market
    assert listed is not None
    price = _fallen(asset) // listed.tick
    lots = max(1, quantity // _LEVELS // listed.lot)
    order: Fields = {"account": makers, "asset": asset, "quantity": lots * listed.lot}
    rows = []
    for level in range(1, _LEVELS + 1):
        for side, ticks in ((c.Side.BID, price - level), (c.Side.ASK, price + level)):
            at_level = order | {"side": int(side), "price": ticks * listed.tick}
            rows.append(row_of(len(makers), c.PlaceOrder, **at_level))
    return rows


def _fallen(asset: int) -> int:
    return PRICES[asset] * (_PERCENT - _FALL) // _PERCENT


def _fall() -> Words:
    """Every token falls."""
    quotes = []
    for asset in range(1, len(PRICES)):
        price = _fallen(asset)
        quote = {"bid": price, "ask": price, "last": price}
        quotes.append(row_of(1, c.UpdatePrice, asset=asset, source=0, **quote))
    return np.concatenate(quotes)


def _step(number: int) -> Words:
    return row_of(1, c.TimeStep, time=START + number * SECOND)


def _run(engine: FastEngine, accounts: int) -> tuple[list[float], list[Words]]:
    """Seconds and events of the price step and of each time step, until no account is left."""
    took, parts = [], []
    number = 0
    while number == 0 or (
        engine.columns["globals"][Globals.liquidating_count] and number < _MOST_STEPS
    ):
        if number % _REFILL == 1:
            apply_all(engine, _ladders(accounts))
        rows = _step(number) if number else _fall()
        seconds, (events, _) = once(partial(engine.apply_rows, rows))
        took.append(seconds)
        parts.append(events)
        number += 1
    return took, parts


def _resolved(took: list[float], parts: list[Words]) -> Resolved:
    wanted: tuple[type[Event], ...] = (
        LiquidationStarted,
        LiquidationEnded,
        *(kind for kind, _ in _DEEDS),
    )
    tables = [events_by_kind([part], *wanted) for part in parts]
    started = np.unique(_accounts(tables, LiquidationStarted, "account")[0])
    ended, steps = _accounts(tables, LiquidationEnded, "account")
    agree("everybody is let go in the end", np.unique(ended).tolist(), started.tolist())
    last = np.zeros(int(started.max()) + 1, dtype=np.int64)
    np.maximum.at(last, ended, steps)
    stages = np.zeros(len(last), dtype=np.int64)
    for number, (kind, names) in enumerate(_DEEDS, 1):
        for name in names:
            helped = _accounts(tables, kind, name)[0]
            stages[helped[helped < len(last)]] = number
    clock = 1e3 * np.cumsum(took)
    return Resolved(started, clock[last[started]], last[started], stages[started])


_DEEDS: tuple[tuple[type[Event], tuple[str, ...]], ...] = (
    (Filled, ("taker",)),
    (BackstopFilled, ("account",)),
    (AdlMatched, ("lender", "payer")),
)


def _accounts(
    tables: list[dict[type[Event], Words]], kind: type[Event], name: str
) -> tuple[Words, Words]:
    """The accounts that events of a kind are about, and in which step they were."""
    found = [
        (column(table[kind], kind, name), step)
        for step, table in enumerate(tables)
        if kind in table
    ]
    whose = [accounts for accounts, _ in found]
    steps = [np.full(len(accounts), step) for accounts, step in found]
    nothing = np.zeros(0, dtype=np.int64)
    return np.concatenate([nothing, *whose]), np.concatenate([nothing, *steps])


def _shares(measured: str, resolved: Resolved, some: Mask) -> Iterator[Row]:
    """p50, p99 and the last."""
    for name, share in (("p50", 50), ("p99", 99), ("max", 100)):
        times = resolved.milliseconds[some]
        step = int(np.percentile(resolved.steps[some], share))
        figure = _spread([float(np.percentile(times, share))])
        yield Row(NAME, f"{measured}: {name}, step {step}", figure)


def _spread(values: list[float]) -> Figure:
    return of("ms", values)
