"""Kernels as plain Python beside the reference: same commands, same bytes, no index or width amiss.

Compiled code checks no index; here every one is checked, and every number against its column.
"""

from collections.abc import Callable

import pytest

from solvent.domain.commands import Deposit, OpenAccount
from solvent.engine import ledger
from solvent.engine.lending import pool
from solvent.engine.memory.rows import Position
from solvent.engine.memory.store import Store
from solvent.engine.units import mul_div_down
from solvent.kernels.rows import EngineFault
from solvent.proof.fuzz.comparison import compare
from tests.engine.plain import PlainEngine
from tests.proof import proves
from tests.sizes import sized
from tests.tables.market import plain_parameters

GROUPS = sized(quick=2, usual=20, full=200)
RUN_COMMANDS = 1_000


@pytest.mark.slow
@proves("I35")
@pytest.mark.parametrize("group", range(GROUPS))
def test_twenty_thousand_simulator_commands(group: int) -> None:
    found = compare(900_000 + group, RUN_COMMANDS, engine_factory=PlainEngine)
    assert found.difference is None, str(found.difference)
    assert found.commands == RUN_COMMANDS


def test_another_rounding_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "mul_div_up", mul_div_down)
    assert compare(900_000, RUN_COMMANDS, engine_factory=PlainEngine).difference is not None


@pytest.mark.parametrize("beside", [lambda place: place + 10**6, lambda place: -place - 1])
def test_a_row_beside_its_column_is_found(
    beside: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(s: Store, account: int, asset: int) -> Position:
        return s.positions[beside(account * s.globals.assets + asset)]

    monkeypatch.setattr(ledger, "position", wrong)
    with pytest.raises(IndexError):
        compare(900_000, RUN_COMMANDS, engine_factory=PlainEngine)


def test_a_number_beyond_its_column_is_found() -> None:
    engine = PlainEngine(plain_parameters())
    engine.apply([OpenAccount(2), Deposit(2, 0, 10**9)])
    engine.store.positions[2 * len(engine.parameters.assets)].available = 2**63 - 1
    with pytest.raises(EngineFault, match="does not fit 64 bits"):
        engine.apply([Deposit(2, 0, 1)])
