"""Parquet through DuckDB, the smallest library that reads it and keeps decimals and floats exact.

Cells become text as the library writes them: decimals with all their digits, floats as the shortest
text that reads back as the same float. Dates and times become microseconds UTC.
"""

import re
from collections.abc import Mapping

import duckdb

from solvent.domain.errors import InputError
from solvent.prices.columns import KNOWN_NAMES, SAMPLE, Columns, name_columns
from solvent.prices.table import Column, Kind, Table, Wanted

_SOURCE = "read_parquet(?, hive_partitioning = false)"
_OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_WHOLE = frozenset(
    sign + size + "INT" + ending
    for sign in ("", "U")
    for size, ending in (("TINY", ""), ("SMALL", ""), ("", "EGER"), ("BIG", ""), ("HUGE", ""))
)
_PATTERN_SIGNS = re.compile(r"([*?\[])")


def read_parquet(file: str, wanted: Wanted, columns: Columns) -> Table:
    """The table in `file`, with the columns whose name is `wanted` once `columns` renamed them.

    Raises InputError for what is damaged or no Parquet, and where two names differ only in case.
    """
    if columns and not isinstance(columns, Mapping):
        reason = "a Parquet file names its columns itself; rename them with `columns` time=NAME"
        raise InputError(file, "columns", reason)
    path = _PATTERN_SIGNS.sub(r"[\1]", file)  # the library takes a path for a pattern
    try:
        with duckdb.connect(config=_OFFLINE) as base:
            described = base.execute(f"DESCRIBE SELECT * FROM {_SOURCE}", [path]).fetchall()
            types = {str(name): str(kind) for name, kind, *_ in described}
            written = base.execute("SELECT name FROM parquet_schema(?)", [path]).fetchall()
            _check_names(file, set(types) - {name for (name,) in written})
            names = name_columns(file, tuple(types), columns) if columns else tuple(types)
            called = dict(zip(types, names, strict=True))
            kept = {name: kind for name, kind in types.items() if wanted(called[name])}
            asked = ", ".join(_expression(name, kind) for name, kind in kept.items()) or "1"
            rows = base.execute(f"SELECT {asked} FROM {_SOURCE}", [path]).fetchall()
            others = [
                name
                for name, kind in types.items()
                if called[name].lower() not in KNOWN_NAMES and _kind(kind) is Kind.TEXT
            ]
            asked = ", ".join(_expression(name, types[name]) for name in others) or "1"
            first = base.execute(f"SELECT {asked} FROM {_SOURCE} LIMIT {SAMPLE}", [path]).fetchall()
    except duckdb.Error as error:
        said = str(error).splitlines()[0].rstrip(".")
        reason = f"is damaged or no Parquet file ({said}); fetch or export it again"
        raise InputError(file, "file", reason) from None
    held = {
        called[name]: Column([row[place] for row in rows], _kind(kind), kind)
        for place, (name, kind) in enumerate(kept.items())
    }
    samples = {called[name]: [row[place] for row in first] for place, name in enumerate(others)}
    return Table(file, names, held, len(rows), None, samples)


def _check_names(file: str, renamed: set[str]) -> None:
    """The library renames a column whose name another one has, in whatever case."""
    for name in sorted(renamed):
        original = name.rpartition("_")[0]
        raise InputError(file, original, "names two columns; rename or remove one")


def _kind(type_name: str) -> Kind:
    if type_name in _WHOLE:
        return Kind.WHOLE
    if type_name.startswith("DECIMAL"):
        return Kind.DECIMAL
    if type_name in ("FLOAT", "DOUBLE"):
        return Kind.FLOAT
    if type_name.startswith(("TIMESTAMP", "DATE")):
        return Kind.MOMENT
    return Kind.TEXT if type_name.startswith(("VARCHAR", "ENUM")) else Kind.OTHER


def _expression(name: str, type_name: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if _kind(type_name) is Kind.MOMENT:
        quoted = f"epoch_us({quoted})"
    return f"CAST({quoted} AS VARCHAR)"
