"""Rehearsal: a parameter change on a copy of a book, beside the same book without it.

What it does at once, and how the next hours go under three price paths. Which paths, and what is
left out, is said in docs/decisions/2026-11-30-rehearsals.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import msgspec

from solvent.domain import commands as c
from solvent.domain.codec.events import kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.errors import InputError
from solvent.domain.events import IndexUpdated, MarkUpdated, Refused
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import HOUR, RATIO, SECOND
from solvent.domain.waterfall_events import LiquidationStarted
from solvent.engine.engine import FastEngine
from solvent.foresight.marks import Marks
from solvent.foresight.stage_figures import StageFigures

MINUTE = 60 * SECOND
HOURS = 4
PATHS = {"steady": 0, "down 30 %": -3 * RATIO // 10, "up 30 %": 3 * RATIO // 10}
"""By how much all indices move until the end of the hours."""
CAME = "as they came"
"""The path of what really came, people's commands included."""
_BATCH = 1_000


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


def rehearse(
    state: bytes,
    changes: Sequence[c.ChangeParameter],
    hours: int = HOURS,
    came: Sequence[c.Command] = (),
) -> Rehearsal:
    """Try changes on copies of an engine's snapshot. InputError where the engine refuses one.

    Where it is known what `came` after it, those hours are a path of their own, `CAME`.
    """
    without, changed = FastEngine.restore(state), _changed(state, changes)
    begun = changed.snapshot()
    paths = {
        name: (_play(state, move, hours), _play(begun, move, hours)) for name, move in PATHS.items()
    }
    if came:
        paths[CAME] = _relive(state, came, hours), _relive(begun, came, hours)
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


class _Count:
    """Counts what hours bring to an engine; feed it every transcript."""

    def __init__(self, engine: FastEngine) -> None:
        self._marks = Marks(engine.parameters)
        queries = engine.queries
        self._marks.begin([queries.price(asset).mark for asset in _assets(engine)])
        self._figures = StageFigures(self._marks)
        told = (IndexUpdated, MarkUpdated, LiquidationStarted, *StageFigures.KINDS)
        self._kinds = {kind_number(kind) for kind in told}
        self._liquidated: set[int] = set()

    def hear(self, transcript: Transcript) -> None:
        """Count what a batch brought."""
        for event in transcript.of_kinds(self._kinds):
            if isinstance(event, IndexUpdated | MarkUpdated):
                self._marks.update(event)
            elif isinstance(event, LiquidationStarted):
                self._liquidated.add(event.account)
            else:
                self._figures.update(event)

    def result(self, engine: FastEngine) -> Hours:
        """How the hours went until now."""
        stages = {each["stage"]: each["value"] for each in self._figures.result()}
        return Hours(len(self._liquidated), stages, _standing(engine))


def _play(state: bytes, move: int, hours: int) -> Hours:
    """Let hours go by while all indices move in a straight line."""
    engine = FastEngine.restore(state)
    count = _Count(engine)
    start = [engine.queries.price(asset).index for asset in _assets(engine)]
    steps = hours * 60
    for step in range(1, steps + 1):
        time = c.TimeStep(engine.now + MINUTE)
        quotes = _quotes(engine.parameters, start, move * step // steps)
        count.hear(engine.apply([time, *quotes]))
    return count.result(engine)


def _relive(state: bytes, commands: Iterable[c.Command], hours: int) -> Hours:
    """Let the hours that came go by again: what people did and what was quoted, as it was."""
    engine = FastEngine.restore(state)
    count, end = _Count(engine), engine.now + hours * HOUR
    for batch in _batches(commands, end):
        count.hear(engine.apply(batch))
    return count.result(engine)


def _batches(commands: Iterable[c.Command], end: int) -> Iterator[list[c.Command]]:
    """Commands up to the first time step beyond an end, some at a time."""
    waiting = takewhile(
        lambda command: not isinstance(command, c.TimeStep) or command.time <= end, commands
    )
    while batch := list(islice(waiting, _BATCH)):
        yield batch


def _assets(engine: FastEngine) -> range:
    return range(len(engine.parameters.assets))


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
