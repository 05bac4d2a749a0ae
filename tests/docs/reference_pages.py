"""Writes the reference pages that follow from the code alone: commands, events, the Python API.

`python -m tests.docs.reference_pages` writes them; tests/docs/test_reference.py fails when one is
stale. What a row says is the first paragraph of the docstring and the names of the fields.
"""

import inspect
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path

from solvent.domain import commands, labels
from solvent.domain.codec.events import EVENT_KINDS, event_fields
from solvent.domain.commands import COMMAND_KINDS, command_fields
from tests.docs import python_api

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"

COMMANDS_HEAD = """\
# Commands

Everything that can be asked of an engine, from `solvent.domain.commands`. A command is a frozen
dataclass of integers: quantities are atoms, prices 10^-10 USDC per whole token, ratios 10^-9, times
microseconds UTC; accounts, assets and orders go by number, and asset 0 is USDC
([units](../concepts/units-and-rounding.md)). Only `TimeStep` carries a time: every other command
happens at the time of the last step. A command is carried out whole or [refused](rejections.md)
whole. `kind` is its number in encoded form: `encode_command` writes kind and fields, in this order,
as little-endian signed 64-bit numbers.

| kind | command | fields | what it asks |
|---|---|---|---|
"""
EVENTS_HEAD = """\
# Events

Everything that happened, in order, as flat records of integers. An engine answers each command with
events, causes before consequences. What people and markets do is in `solvent.domain.events`, what
the waterfall does in `solvent.domain.waterfall_events`. Quantities are atoms, values 10^-6 USDC.
`kind` is the number in encoded form, written by `encode_event` as commands are.

| kind | event | fields | what happened |
|---|---|---|---|
"""
LABELS_HEAD = """
## Labels

The closed lists of words that records carry, with the numbers that stand for them and never change.

| label | what it says | values |
|---|---|---|
"""


def said(thing: type) -> str:
    """A docstring in one line, fit for a table."""
    return " ".join((inspect.getdoc(thing) or "").split()).replace("|", "\\|")


def row(number: int, kind: type, names: Iterable[str]) -> str:
    """One command or event as a row."""
    fields = ", ".join(f"`{name}`" for name in names)
    return f"| {number} | `{kind.__name__}` | {fields} | {said(kind)} |\n"


def enums_of(module: object) -> list[type[IntEnum]]:
    """The enums that a module defines, in order."""
    return [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, IntEnum)
        and thing.__module__ == getattr(module, "__name__", "")
    ]


def label_rows(enums: Iterable[type[IntEnum]]) -> str:
    """Enums as rows: what they say, and every value."""
    rows = ""
    for enum in enums:
        values = ", ".join(f"{value.value} `{value.name}`" for value in enum)
        rows += f"| `{enum.__name__}` | {said(enum)} | {values} |\n"
    return rows


def pages() -> dict[Path, str]:
    """What the generated pages should say."""
    asked = "".join(row(*each, command_fields(each[1])) for each in enumerate(COMMAND_KINDS))
    happened = "".join(row(*each, event_fields(each[1])) for each in enumerate(EVENT_KINDS))
    return {
        FOLDER / "commands.md": COMMANDS_HEAD
        + asked
        + LABELS_HEAD
        + label_rows(enums_of(commands)),
        FOLDER / "python-api.md": python_api.page(),
        FOLDER / "events.md": EVENTS_HEAD + happened + LABELS_HEAD + label_rows(enums_of(labels)),
    }


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
