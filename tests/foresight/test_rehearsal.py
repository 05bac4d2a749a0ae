"""Rehearsals: what is foretold is what happens when the change is carried out and prices come."""

from functools import cache
from pathlib import Path

import pytest

from solvent.cli.ahead.books import book_of, came_after
from solvent.cli.ahead.changes import read_changes
from solvent.domain import commands as c
from solvent.domain.errors import InputError
from solvent.domain.events import IndexUpdated, MarkUpdated
from solvent.domain.units import HOUR, RATIO
from solvent.domain.waterfall_events import LiquidationStarted
from solvent.foresight import rehearsal as rehearsals
from solvent.foresight.marks import Marks
from solvent.foresight.rehearsal import (
    CAME,
    PATHS,
    Rehearsal,
    at_once,
    decode_at_once,
    decode_rehearsal,
    encode,
    rehearse,
)
from solvent.foresight.stage_figures import StageFigures
from solvent.reference.engine import ReferenceEngine
from tests.cli.helpers import solvent
from tests.lab.run_helpers import packaged
from tests.proof import proves

SOL = 3
LIGHTER = c.ChangeParameter(SOL, c.ParameterField.COLLATERAL_WEIGHT, RATIO // 2)


@cache
def book() -> bytes:
    """A market after a crash."""
    return packaged("crash-2025-10-10", 60).engine.snapshot()


@cache
def rehearsed() -> Rehearsal:
    """A change that makes collateral lighter, an hour of it."""
    return rehearse(book(), [LIGHTER], hours=1)


@proves("A13", "I37")
def test_what_a_change_does_at_once_is_what_it_does() -> None:
    engine = ReferenceEngine.restore(book())
    found = rehearsed().at_once
    assert found == at_once(book(), [LIGHTER])
    before, after = found.without, found.changed
    first = engine.queries.liquidating()
    assert before.liquidating == len(first)
    engine.apply_one(LIGHTER)
    then = engine.queries.liquidating()
    assert after.liquidating == len(then)
    assert found.brought_in == tuple(account for account in then if account not in first)
    assert found.brought_in
    for symbol, asset in (("USDC", 0), ("SOL", SOL)):
        queries = engine.queries
        trapped = sum(
            queries.max_redeem(account, asset) < queries.balances(account)[asset].lent
            for account in range(queries.accounts())
        )
        assert after.trapped[symbol] == trapped


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_hours_that_are_played_are_the_hours_that_come(path: str) -> None:
    for changes, hours in zip(([], [LIGHTER]), rehearsed().paths[path], strict=True):
        engine = ReferenceEngine.restore(book())
        queries = engine.queries
        engine.apply(changes)
        assets = range(len(engine.parameters.assets))
        marks = Marks(engine.parameters)
        marks.begin([queries.price(asset).mark for asset in assets])
        figures, liquidated = StageFigures(marks), set()
        start = [queries.price(asset).index for asset in assets]
        for minute in range(1, 61):
            quotes = rehearsals._quotes(engine.parameters, start, PATHS[path] * minute // 60)
            step = c.TimeStep(engine.now + rehearsals.MINUTE)
            for one in engine.apply([step, *quotes]):
                for event in one.events:
                    if isinstance(event, IndexUpdated | MarkUpdated):
                        marks.update(event)
                    elif isinstance(event, LiquidationStarted):
                        liquidated.add(event.account)
                    elif isinstance(event, StageFigures.KINDS):
                        figures.update(event)
        assert hours.stages == {one["stage"]: one["value"] for one in figures.result()}
        assert hours.liquidated == len(liquidated)
        assert hours.end.liquidating == len(queries.liquidating())


@pytest.mark.parametrize("path", PATHS)
def test_hours_that_came_as_a_path_says_are_that_path(path: str) -> None:
    """What comes after the hours is not theirs."""
    engine = ReferenceEngine.restore(book())
    start = [engine.queries.price(asset).index for asset in range(len(engine.parameters.assets))]
    came: list[c.Command] = []
    for minute in range(1, 61):
        came.append(c.TimeStep(engine.now + minute * rehearsals.MINUTE))
        came += rehearsals._quotes(engine.parameters, start, PATHS[path] * minute // 60)
    came.append(c.TimeStep(engine.now + 61 * rehearsals.MINUTE))
    came += rehearsals._quotes(engine.parameters, start, -9 * RATIO // 10)
    found = rehearse(book(), [LIGHTER], hours=1, came=came)
    assert found.paths[CAME] == found.paths[path] == rehearsed().paths[path]


@pytest.mark.slow
@proves("A13")
def test_hours_of_a_log_are_relived_as_they_were(tmp_path: Path) -> None:
    folder, known = tmp_path / "crash", 9_000
    done = solvent("run", "crash-2025-10-10", "--accounts", "60", "--out", folder)
    assert done.returncode == 0, done.stderr
    taken = book_of(folder, known).snapshot()
    came = came_after(folder, known)
    without, changed = rehearse(taken, [LIGHTER], hours=1, came=came).paths[CAME]
    for changes, hours in (([], without), ([LIGHTER], changed)):
        engine = ReferenceEngine.restore(taken)
        engine.apply(changes)
        end, liquidated = engine.now + HOUR, set()
        for command in came:
            if isinstance(command, c.TimeStep) and command.time > end:
                break
            liquidated |= {
                event.account
                for event in engine.apply_one(command)
                if isinstance(event, LiquidationStarted)
            }
        assert hours.liquidated == len(liquidated) > 0
        assert hours.end.liquidating == len(engine.queries.liquidating())
    assert without != changed


def test_a_rehearsal_as_bytes_is_the_rehearsal() -> None:
    assert decode_rehearsal(encode(rehearsed())) == rehearsed()
    assert decode_at_once(encode(rehearsed().at_once)) == rehearsed().at_once


def test_a_change_that_changes_nothing_differs_in_nothing() -> None:
    weight = ReferenceEngine.restore(book()).parameters.assets[SOL].haircut.weight
    same = c.ChangeParameter(SOL, c.ParameterField.COLLATERAL_WEIGHT, weight)
    found = rehearse(book(), [same], hours=1)
    at_first = found.at_once.without, found.at_once.changed
    for before, after in (at_first, *found.paths.values()):
        assert before == after
    changed = rehearsed()
    assert any(before != after for before, after in changed.paths.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write [[change]] tables alone"),
        ("x = 1", "write [[change]] tables alone"),
        ("[[change]", "cannot be read"),
        ('[[change]]\nfield = "POOL_FEE"', "has field and value"),
        ('[[change]]\nfield = "POOL_FEE"\nvalue = 1\nnote = 2', "has field and value"),
        ('[[change]]\nfield = "NONE"\nvalue = 1', "field is not one of POOL_STATE"),
        ('[[change]]\nasset = "X"\nfield = "POOL_FEE"\nvalue = 1', "asset is not one of USDC"),
        ('[[change]]\nfield = "POOL_FEE"\nvalue = 0.5', "whole numbers"),
        ('[[change]]\nasset = "SOL"\nfield = "POOL_FEE"\nvalue = -1', "change 1"),
    ],
)
def test_a_file_that_is_no_change_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "change.toml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_changes(path, ReferenceEngine.restore(book()).parameters)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_folder_that_is_no_book_is_refused(tmp_path: Path) -> None:
    change = tmp_path / "change.toml"
    change.write_text('[[change]]\nfield = "PATIENCE"\nvalue = 2\n')
    done = solvent("rehearse", change, "--journal", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert str(tmp_path) in done.stderr
