"""Shapes: kinds of the classes that numbers in memory are read by: rows, roots and messages."""

from enum import IntEnum
from functools import cache
from inspect import get_annotations
from typing import Any, get_args, get_origin, get_type_hints

from solvent.kernels.kinds import BOOL, INT, MEMORY, Field, Kind, root_of, row_of, rows_of
from solvent.kernels.language import Root
from solvent.kernels.rows import Memory, Row, Rows, field_names


@cache
def row_kind(row: type[Row]) -> Kind:
    """The kind of a class of rows."""
    places = {field.name: Field(field.place, _holds(field.holds)) for field in row.FIELDS}
    return row_of(row.__name__, places, row.WIDTH)


def _holds(holds: Any) -> Kind:
    """The kind of what a field of a row holds."""
    if holds is Memory:
        return MEMORY
    if get_origin(holds) is Rows:
        return rows_of(row_kind(get_args(holds)[0]))
    if issubclass(holds, Row):
        return row_kind(holds)
    return BOOL if holds is bool else INT


@cache
def root_kind(root: Any) -> Kind | None:
    """The kind of all columns of an engine; None for a class with a column that is none."""
    columns = []
    for name, column in column_types(root).items():
        if not (column is Memory or get_origin(column) is Rows or _is_row(column)):
            return None
        columns.append((name, _holds(column)))
    return root_of(root, columns, root.event_kinds)


def column_types(root: type[Root]) -> dict[str, Any]:
    """The columns of a root, in the order of their addresses, each with its type."""
    names = [name for name in get_annotations(root) if name != "event_kinds"]
    hints = get_type_hints(root)
    return {name: hints[name] for name in names}


def column_of(kind: Any, numbers: "memoryview[int]") -> Memory | Row | Rows[Any]:
    """A column of one of those types, over these numbers."""
    if get_origin(kind) is Rows:
        return Rows(get_args(kind)[0], numbers)
    column: Memory | Row = kind(numbers)
    return column


def _is_row(column: Any) -> bool:
    return isinstance(column, type) and issubclass(column, Row)


@cache
def message_kind(message: type) -> Kind | None:
    """The kind of a frozen dataclass of numbers; None for a class that is none."""
    made_by = getattr(message, "__dataclass_params__", None)
    if made_by is None or not made_by.frozen:
        return None
    hints = get_type_hints(message)
    places = {}
    for place, name in enumerate(field_names(message)):
        holds = hints[name]
        if holds is bool:
            places[name] = Field(place, BOOL)
        elif holds is int or (isinstance(holds, type) and issubclass(holds, IntEnum)):
            places[name] = Field(place, INT)
        else:
            return None
    kind = row_of(message.__name__, places, len(places))
    kind.frozen = True
    return kind
