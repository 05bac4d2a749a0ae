"""Rehearsal: a parameter change on a copy of a book, beside the same book without it.

What it does at once, and how the next hours go under three price paths. Which paths, and what is
left out, is said in docs/decisions/2026-11-30-rehearsals.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from solvent.domain import commands as c
from solvent.domain.codec.events import kind_number
from solvent.domain.errors import InputError
from solvent.domain.events import IndexUpdated, MarkUpdated, Refused
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import RATIO, SECOND
from solvent.domain.waterfall_events import LiquidationStarted
from solvent.engine.engine import FastEngine
from solvent.foresight.marks import Marks
from solvent.foresight.stage_figures import StageFigures

MINUTE = 60 * SECOND
HOURS = 4
PATHS = {"steady": 0, "down 30 %": -3 * RATIO // 10, "up 30 %": 3 * RATIO // 10}
"""By how much all indices move until the end of the hours."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many are in the waterfall, which pools are throttled, and by pool who are trapped."""

    liquidating: int
    throttled: tuple[str, ...]
    trapped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Hours:
    """How some hours went: accounts that began to be liquidated, USDC that each stage cleared."""

    liquidated: int
    stages: Mapping[str, str]
    end: Standing


@dataclass(frozen=True, slots=True)
class AtOnce:
    """A book at one moment, without a change and with it; marks by asset, 10^-10 USDC."""

    time: int
    marks: tuple[int, ...]
    without: Standing
    changed: Standing
    brought_in: tuple[int, ...]
    """Accounts that the change puts into the waterfall."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a change leads to; of a pair of hours the first is without it, the second with it."""

    hours: int
    at_once: AtOnce
    paths: Mapping[str, tuple[Hours, Hours]]


def encode(found: Rehearsal | AtOnce) -> bytes:
    """As bytes."""
    return msgspec.msgpack.encode(found)


def decode_rehearsal(data: bytes) -> Rehearsal:
    """What `encode` was given."""
    return msgspec.msgpack.decode(data, type=Rehearsal)


def decode_at_once(data: bytes) -> AtOnce:
    """What `encode` was given."""
    return msgspec.msgpack.decode(data, type=AtOnce)


def rehearse(state: bytes, changes: Sequence[c.ChangeParameter], hours: int = HOURS) -> Rehearsal:
    """Try changes on copies of an engine's snapshot. InputError where the engine refuses one."""
    without, changed = FastEngine.restore(state), _changed(state, changes)
    begun = changed.snapshot()
    paths = {
        name: (_play(state, move, hours), _play(begun, move, hours)) for name, move in PATHS.items()
    }
    return Rehearsal(hours, _beside(without, changed), paths)


def at_once(state: bytes, changes: Sequence[c.ChangeParameter]) -> AtOnce:
    """What changes do at once to an engine's snapshot. InputError where one is refused."""
    return _beside(FastEngine.restore(state), _changed(state, changes))


def _changed(state: bytes, changes: Sequence[c.ChangeParameter]) -> FastEngine:
    """A copy that has carried the changes out."""
    engine = FastEngine.restore(state)
    for change in changes:
        for event in engine.apply_one(change):
            if isinstance(event, Refused):
                raise InputError("rehearse", change.field.name, f"is refused: {event.code.name}")
    return engine


def _beside(without: FastEngine, changed: FastEngine) -> AtOnce:
    assets = range(len(without.parameters.assets))
    marks = tuple(without.queries.price(asset).mark for asset in assets)
    before = set(without.queries.liquidating())
    brought_in = sorted(set(changed.queries.liquidating()) - before)
    return AtOnce(without.now, marks, _standing(without), _standing(changed), tuple(brought_in))


def _standing(engine: FastEngine) -> Standing:
    queries = engine.queries
    symbols = [about.symbol for about in engine.parameters.assets]
    readings = engine.pool_readings()
    throttled = [
        symbol
        for symbol, pool in zip(symbols, readings, strict=True)
        if pool.utilization > pool.bound
    ]
    trapped = dict.fromkeys(symbols, 0)
    for account in range(queries.accounts()):
        for asset, balance in enumerate(queries.balances(account)):
            if balance.lent and queries.max_redeem(account, asset) < balance.lent:
                trapped[symbols[asset]] += 1
    return Standing(len(queries.liquidating()), tuple(throttled), trapped)


def _play(state: bytes, move: int, hours: int) -> Hours:
    """Let hours go by while all indices move in a straight line."""
    engine = FastEngine.restore(state)
    parameters, queries = engine.parameters, engine.queries
    count = len(parameters.assets)
    start = [queries.price(asset).index for asset in range(count)]
    marks = Marks(parameters)
    marks.begin([queries.price(asset).mark for asset in range(count)])
    figures = StageFigures(marks)
    told = (IndexUpdated, MarkUpdated, LiquidationStarted, *StageFigures.KINDS)
    kinds = {kind_number(kind) for kind in told}
    liquidated: set[int] = set()
    steps = hours * 60
    for step in range(1, steps + 1):
        time = c.TimeStep(engine.now + MINUTE)
        transcript = engine.apply([time, *_quotes(parameters, start, move * step // steps)])
        for event in transcript.of_kinds(kinds):
            if isinstance(event, IndexUpdated | MarkUpdated):
                marks.update(event)
            elif isinstance(event, LiquidationStarted):
                liquidated.add(event.account)
            else:
                figures.update(event)
    stages = {each["stage"]: each["value"] for each in figures.result()}
    return Hours(len(liquidated), stages, _standing(engine))


def _quotes(parameters: EngineParameters, start: Sequence[int], move: int) -> list[c.PriceCommand]:
    """Every source's quote of every asset that had a price, after a move."""
    given: list[c.PriceCommand] = []
    for asset, about in enumerate(parameters.assets):
        if asset != USDC and start[asset]:
            price = max(1, start[asset] * (RATIO + move) // RATIO)
            given += [
                c.UpdatePrice(asset, source, price, price, price)
                for source in range(len(about.price.source_weights))
            ]
    return c.one_moment(given)
