"""Exits: the line before a pool is served as it says, from what the engine lets go and no more."""

from dataclasses import replace
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.domain.units import RATIO
from solvent.engine.engine import FastEngine
from solvent.lab.exits import EXITS, Gone, exits, exits_sheet
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.model import Trigger
from tests.lab.run_helpers import written

STUCK = "weth-stuck-2026-04"


@pytest.fixture(scope="module")
def gone() -> dict[str, Gone]:
    rows = exits(load_scenario(STUCK), accounts=60, engine_factory=FastEngine)
    return {row.exit.name: row for row in rows}


@pytest.mark.slow
def test_who_gets_out_hangs_on_the_exit(gone: dict[str, Gone]) -> None:
    pause, creeping, race, tickets, rata = (gone[each.name] for each in EXITS)
    assert pause.served < creeping.served < tickets.served
    # What an empty till gives does not hang on who stands first.
    assert race.served == pytest.approx(tickets.served, rel=0.01)
    assert rata.served == pytest.approx(tickets.served, rel=0.01)
    assert all(0.0 <= share <= 1.0 for row in gone.values() for share in row.shares)
    half = len(tickets.shares) // 2
    assert min(tickets.shares[: half // 2]) == 1.0
    assert sum(rata.shares[half:]) > sum(tickets.shares[half:])
    assert min(rata.shares) > min(tickets.shares) == 0.0


@pytest.mark.slow
def test_the_table_has_a_line_an_exit(gone: dict[str, Gone]) -> None:
    sheet = exits_sheet(list(gone.values()))
    assert [line[0] for line in sheet.rows] == [each.name for each in EXITS]
    assert len({len(line) for line in [sheet.head, *sheet.rows]}) == 1


def test_nobody_leaves(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody leaves; add"):
        next(exits(load_scenario(written(tmp_path))))


def test_a_withdrawal_that_waits_for_a_trigger_is_refused() -> None:
    scenario = load_scenario(STUCK)
    trigger = Trigger(asset=1, move=-RATIO // 10)
    waits = tuple(replace(each, trigger=trigger) for each in scenario.actions)
    with pytest.raises(InputError, match="give it a time"):
        next(exits(replace(scenario, actions=waits)))
