"""The front door: light to import, whole, and short to use."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import solvent
from solvent import Engine, EngineFace, ReferenceEngine
from solvent.domain.codec.events import EVENT_KINDS
from solvent.domain.commands import COMMAND_KINDS
from solvent.domain.parameters import ParameterRecord
from tests.tables.market import plain_parameters

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "llvmlite", "solvent.engine", "solvent.kernels", "solvent.reference")


def loaded(code: str) -> set[str]:
    """Which of the heavy modules a program loads."""
    told = f"{code}; import sys; print(*(each for each in {HEAVY} if each in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_loads_neither_engine_nor_numpy() -> None:
    assert loaded("import solvent; solvent.Deposit; solvent.Units") == set()
    assert loaded("from solvent import ReferenceEngine") == {"solvent.reference"}
    assert "numpy" in loaded("from solvent import Engine")
    assert "numpy" in loaded("from solvent import Outlook")


def test_every_name_is_there_and_no_other() -> None:
    for name in solvent.__all__:
        assert getattr(solvent, name) is not None
    assert set(solvent.__all__) <= set(dir(solvent))
    with pytest.raises(AttributeError, match="no attribute 'Enginee'"):
        solvent.Enginee  # type: ignore[attr-defined] # noqa: B018


def test_all_commands_events_and_parameters_are_exported() -> None:
    kinds = {*COMMAND_KINDS, *EVENT_KINDS, *ParameterRecord.__args__}
    assert {kind.__name__ for kind in kinds} <= set(solvent.__all__)


def test_readme_needs_under_thirty_lines() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(>>> import solvent.*?)```", text, re.S)
    assert len(block.splitlines()) < 30
    assert "sv.Engine(" in block
    assert "AdlMatched" in block


# A float is refused everywhere, by the name of its field.


def parameter_records() -> Iterator[ParameterRecord]:
    parameters = plain_parameters()
    asset = parameters.assets[2]
    assert asset.market is not None
    yield from (parameters, parameters.waterfall, asset, asset.haircut, asset.initial)
    yield from (asset.pool, asset.market, asset.price)


@pytest.mark.parametrize(
    ("record", "name"),
    [(record, each.name) for record in parameter_records() for each in fields(record)],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_a_parameter_is_no_float(record: Any, name: str) -> None:
    with pytest.raises(solvent.ParameterError, match=f"^{name}: 0.5 is a float: .*`ratio`"):
        replace(record, **{name: 0.5})


def test_a_curves_point_is_no_float() -> None:
    one = solvent.RATIO
    for points, name in (
        (((0.0, 0), (one, 0)), r"points\[0\].utilization"),
        (((0, 0), (one, 0.5)), r"points\[1\].rate"),
    ):
        with pytest.raises(solvent.ParameterError, match=f"^{name}: .* is a float"):
            solvent.Curve(points)  # type: ignore[arg-type]
    with pytest.raises(solvent.ParameterError, match=r"^source_weights\[1\]: .* is a float"):
        solvent.PriceParameters(source_weights=(1, 0.5))  # type: ignore[arg-type]


def test_a_parameter_is_an_integer() -> None:
    with pytest.raises(solvent.ParameterError, match=r"^weight: must be an integer, is '1'"):
        solvent.Haircut(weight="1")  # type: ignore[arg-type]


@pytest.fixture(params=[Engine, ReferenceEngine], ids=["fast", "reference"])
def engine(request: pytest.FixtureRequest) -> EngineFace:
    """An engine of each kind."""
    made: EngineFace = request.param(plain_parameters())
    return made


@pytest.mark.parametrize("kind", COMMAND_KINDS)
def test_a_commands_field_is_no_float(kind: type[solvent.Command], engine: EngineFace) -> None:
    before = engine.state_hash()
    whole = {each.name: 0 for each in fields(kind)}
    for name in whole:
        command = kind(**(whole | {name: 0.5}))
        said = rf"^{kind.__name__}\.{name}: 0.5 is a float: .*`amount`"
        with pytest.raises(solvent.CommandEncodingError, match=said):
            engine.apply_one(command)
    assert engine.state_hash() == before


@pytest.mark.parametrize(
    ("value", "said"), [("1", "'1' is not an integer"), (2**63, "does not fit 64 bits")]
)
def test_a_commands_field_is_a_64_bit_integer(value: int, said: str, engine: EngineFace) -> None:
    with pytest.raises(solvent.CommandEncodingError, match=rf"^Deposit\.quantity: {said}|{said}$"):
        engine.apply_one(solvent.Deposit(0, 0, value))


def test_a_question_is_about_no_float(engine: EngineFace) -> None:
    ask = engine.queries
    with pytest.raises(LookupError, match=r"no account 1\.0"):
        ask.balances(1.0)  # type: ignore[arg-type]
    with pytest.raises(LookupError, match=r"no asset 1\.0"):
        ask.max_borrow(1, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^quantity: 0\.5 is a float"):
        ask.forecast(1, 2, 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^price: 0\.5 is a float"):
        ask.level(2, solvent.Side.BID, 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^order: 1\.0 is a float"):
        ask.order(1.0)  # type: ignore[arg-type]
    order = solvent.PlaceOrder(1, 2, solvent.Side.BID)
    for question in (ask.refusal, ask.bound):
        with pytest.raises(solvent.CommandEncodingError, match=r"^PlaceOrder\.price: 1.5 is"):
            question(replace(order, price=1.5))  # type: ignore[arg-type]
