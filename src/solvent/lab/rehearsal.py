"""Rehearsal: a parameter change on a copy of a book, beside the same book without it.

What it does at once, and how the next hours go under three price paths. Which paths, and what is
left out, is said in docs/decisions/2026-11-30-rehearsals.md.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solvent.domain import commands as c
from solvent.domain.codec.events import kind_number
from solvent.domain.errors import InputError
from solvent.domain.events import IndexUpdated, MarkUpdated, Refused
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import USDC, EngineParameters, ParameterError
from solvent.domain.units import RATIO, SECOND
from solvent.domain.waterfall_events import LiquidationStarted
from solvent.engine.engine import FastEngine
from solvent.lab.report.marks import Marks
from solvent.lab.report.stage_figures import StageFigures

MINUTE = 60 * SECOND
HOURS = 4
PATHS = {"steady": 0, "down 30 %": -3 * RATIO // 10, "up 30 %": 3 * RATIO // 10}
"""By how much all indices move until the end of the hours."""
_FIELDS = {"asset", "field", "value", "index"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is in the waterfall, which pools are throttled, and by pool how many are trapped."""

    liquidating: tuple[int, ...]
    throttled: tuple[str, ...]
    trapped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Hours:
    """How some hours went: accounts that began to be liquidated, and each stage's figures."""

    liquidated: int
    stages: Sequence[Mapping[str, Any]]
    end: Standing


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A change and what it leads to; of a pair the first is without it, the second with it."""

    changes: tuple[c.ChangeParameter, ...]
    at_once: tuple[Standing, Standing]
    paths: Mapping[str, tuple[Hours, Hours]]


def read_changes(path: Path, parameters: EngineParameters) -> list[c.ChangeParameter]:
    """The changes of a file: [[change]] tables with field, value, and asset and index if any.

    InputError where it is none, or where the parameters that would result are not valid.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(str(path), "file", f"cannot be read: {error}") from None
    tables = document.get("change")
    if set(document) != {"change"} or not isinstance(tables, list) or not tables:
        raise InputError(str(path), "change", "is missing; write [[change]] tables alone")
    found = []
    for number, table in enumerate(tables, 1):
        change = _change(f"{path}", f"change {number}", table, parameters)
        try:
            parameters = changed_parameters(parameters, change)
        except ParameterError as error:
            raise InputError(str(path), f"change {number}", str(error)) from None
        found.append(change)
    return found


def _change(
    file: str, field: str, table: object, parameters: EngineParameters
) -> c.ChangeParameter:
    if not isinstance(table, dict) or not {"field", "value"} <= set(table) <= _FIELDS:
        raise InputError(file, field, "has field and value, and asset and index where they apply")
    symbols = [about.symbol for about in parameters.assets]
    symbol = table.get("asset", symbols[USDC])
    if symbol not in symbols:
        raise InputError(file, field, f"asset is not one of {', '.join(symbols)}")
    names = c.ParameterField.__members__
    if table["field"] not in names:
        raise InputError(file, field, f"field is not one of {', '.join(names)}")
    numbers = (table["value"], table.get("index", 0))
    if any(not isinstance(each, int) or isinstance(each, bool) for each in numbers):
        raise InputError(file, field, "value and index are whole numbers")
    return c.ChangeParameter(symbols.index(symbol), names[table["field"]], *numbers)


def rehearse(state: bytes, changes: Sequence[c.ChangeParameter], hours: int = HOURS) -> Rehearsal:
    """Try changes on copies of an engine's snapshot. InputError where the engine refuses one."""
    without, changed = FastEngine.restore(state), FastEngine.restore(state)
    for change in changes:
        for event in changed.apply_one(change):
            if isinstance(event, Refused):
                raise InputError("rehearse", change.field.name, f"is refused: {event.code.name}")
    begun = changed.snapshot()
    paths = {
        name: (_play(state, move, hours), _play(begun, move, hours)) for name, move in PATHS.items()
    }
    return Rehearsal(tuple(changes), (_standing(without), _standing(changed)), paths)


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
    return Standing(tuple(queries.liquidating()), tuple(throttled), trapped)


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
    return Hours(len(liquidated), figures.result(), _standing(engine))


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
