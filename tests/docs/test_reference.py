"""The reference pages name everything there is: a field, code or key that is missing fails here."""

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, fields
from enum import IntEnum
from pathlib import Path

import pytest

import solvent
from solvent.cli import COMMANDS
from solvent.domain import parameters
from solvent.domain.commands import ParameterField
from solvent.domain.parameters import MAX_SUPPLY, MAX_VALUE
from solvent.domain.rejections import Limit, RejectionCode
from solvent.domain.units import RATIO_DECIMALS, format_decimal
from tests.docs import python_api
from tests.docs.reference_pages import pages

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
RECORDS = [
    parameters.EngineParameters,
    parameters.AssetParameters,
    parameters.Haircut,
    parameters.MarginFunction,
    parameters.Curve,
    parameters.PoolParameters,
    parameters.MarketParameters,
    parameters.PriceParameters,
    parameters.WaterfallParameters,
]


def text_of(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows_of(text: str) -> list[list[str]]:
    """Cells of every table row, without heads and rulers."""
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    rulers = [place for place, row in enumerate(rows) if set("".join(row)) <= set("-| ")]
    skipped = {*rulers, *(place - 1 for place in rulers)}
    return [row for place, row in enumerate(rows) if place not in skipped]


def section_of(text: str, title: str) -> str:
    """What stands under a second-level heading; empty without one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.S | re.M)
    return found[1] if found else ""


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Pages that are written by the code.


@pytest.mark.parametrize("name", sorted(path.name for path in pages()))
def test_generated_page_is_fresh(name: str) -> None:
    stale = f"{name} is stale: run `python -m tests.docs.reference_pages`"
    assert text_of(name) == pages()[REFERENCE / name], stale


def test_every_exported_name_is_on_the_page_of_the_python_api() -> None:
    text = text_of("python-api.md")
    assert python_api.explained() == set(solvent.__all__)
    assert [name for name in solvent.__all__ if f"`{name}" not in text] == []


# Parameters.


def shown_default(field: Field[object], unit: str) -> str:
    """A default as the page should show it: in the field's unit."""
    value = field.default
    if field.default_factory is not MISSING:
        return "usual"
    if value is MISSING:
        return "required"
    if value is None or value in (MAX_SUPPLY, MAX_VALUE):
        return "none"
    if value == (1,):
        return "one"
    if isinstance(value, IntEnum):
        return value.name
    assert isinstance(value, int)
    if unit.startswith("ratio"):
        return format_decimal(value, RATIO_DECIMALS)
    return str(value // 10**6) if unit.startswith(("seconds", "value")) else str(value)


def parameter_faults(text: str, records: Iterable[type]) -> list[str]:
    """Fields that the page lacks or has too many, and defaults that it shows wrong."""
    faults = []
    for record in records:
        name = record.__name__
        rows = {names_in(row[0])[0]: row for row in rows_of(section_of(text, name))}
        declared: dict[str, Field[object]] = {each.name: each for each in fields(record)}
        faults += [f"{name}.{each} has no row" for each in declared if each not in rows]
        faults += [f"{name}.{each} is no field" for each in rows if each not in declared]
        for each in declared.keys() & rows.keys():
            expected = shown_default(declared[each], rows[each][1])
            if rows[each][2] != expected:
                faults.append(f"{name}.{each}: default {expected!r}, not {rows[each][2]!r}")
    return faults


def test_every_parameter_has_a_row_with_its_default() -> None:
    assert parameter_faults(text_of("parameters.md"), RECORDS) == []


def test_every_parameter_record_is_listed() -> None:
    defined = [
        thing
        for thing in vars(parameters).values()
        if isinstance(thing, type) and hasattr(thing, "__dataclass_fields__")
        if thing.__module__ == parameters.__name__
    ]
    assert set(defined) == set(RECORDS)


def test_every_changeable_parameter_is_named() -> None:
    rows = rows_of(section_of(text_of("parameters.md"), "While the engine runs"))
    named = [name for row in rows for name in names_in(row[0])]
    assert sorted(named) == sorted(field.name for field in ParameterField)


# Rejections.


def enum_faults(text: str, enum: type[IntEnum]) -> list[str]:
    """Whether a table lists an enum's members, all of them, with their numbers, in order."""
    listed = [(row[0], names_in(row[1])) for row in rows_of(text) if names_in(row[1])]
    expected = [(str(member.value), [member.name]) for member in enum]
    return (
        []
        if any(expected == listed[place : place + len(expected)] for place in range(len(listed)))
        else [enum.__name__]
    )


@pytest.mark.parametrize("enum", [RejectionCode, Limit])
def test_every_code_and_limit_is_listed_in_order(enum: type[IntEnum]) -> None:
    assert enum_faults(text_of("rejections.md"), enum) == []


# The command line: its pages show `--help` and are executed; here, that none is left out.


def test_every_command_has_its_help_on_the_page() -> None:
    shown = re.findall(r"^\$ solvent ([\w-]+) --help$", text_of("command-line.md"), re.M)
    assert shown == list(COMMANDS)


# Scenario files: the keys that the reader asks for are the keys that the page lists.

READERS = [
    "scenario/file.py",
    "scenario/assets.py",
    "scenario/governor_tables.py",
    "scenario/market_tables.py",
    "scenario/price_models.py",
    "scenario/triggers.py",
]
ASKING = {
    *("text", "texts", "number", "counts", "ratio", "value", "flag", "choice", "pairs", "span"),
    *("seconds", "time", "step", "table", "tables", "has", "skip", "asset", "after", "fund"),
    *("_holdings", "_when", "prices", "ratios"),
}


def keys_asked(source: str) -> set[str]:
    """Literal keys that a reader asks a table for."""
    keys = set()
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in ASKING:
            keys |= {
                argument.value
                for argument in node.args[:2]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                if re.fullmatch(r"[a-z_][a-z_0-9]*", argument.value)
            }
    return keys


def test_every_key_of_a_scenario_is_listed() -> None:
    folder = ROOT / "src" / "solvent" / "lab"
    asked = set().union(*(keys_asked((folder / name).read_text("utf-8")) for name in READERS))
    listed = {
        part
        for row in rows_of(text_of("scenario-files.md"))
        for name in names_in(row[0])
        for part in name.strip("[]").split(".")
    }
    values = {"low", "high"}  # What `adverse` may say; not keys.
    assert asked - listed - values == set()
    assert listed - asked == set()


# The checks can fail.


PLANTED: dict[str, Callable[[str], str]] = {
    "a field is missing": lambda text: re.sub(r"\| `fee` .*\n", "", text),
    "a field is too many": lambda text: text.replace("| `fee` |", "| `fees` |"),
    "a default is wrong": lambda text: text.replace("| OPEN |", "| CLOSED |"),
    "a section is missing": lambda text: text.replace("## PoolParameters", "## Pools"),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_of_the_parameters_is_found(plant: Callable[[str], str]) -> None:
    text = plant(text_of("parameters.md"))
    assert parameter_faults(text, [parameters.PoolParameters])


def test_a_planted_fault_of_the_codes_is_found() -> None:
    text = text_of("rejections.md")
    assert enum_faults(
        text.replace("| 17 | `INSUFFICIENT_SUPPLY`", "| 17 | `SUPPLY`"), RejectionCode
    )
    assert enum_faults(
        text.replace("| 17 | `INSUFFICIENT_SUPPLY`", "| 18 | `INSUFFICIENT_SUPPLY`"), RejectionCode
    )


def test_a_key_that_is_asked_for_is_seen() -> None:
    source = 'fields.ratio("fee", high=1); fields.table("pool", optional=True); other("no")'
    assert keys_asked(source) == {"fee", "pool"}
