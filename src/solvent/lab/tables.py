"""A finished run as tables, for those who go on in their own tools.

    assets              number, symbol and decimals of every asset
    EVENT_KIND          one table an event kind that occurred (adl_matched, filled, ...): the number
                        of its command, the market's time, and the event's fields
    figures_NAME        every table of the run's figures (parties, stages, pools, deficits, ...)

Quantities are atoms, prices 10^-10 USDC per whole token, values 10^-6 USDC, times microseconds UTC,
as events have them: integers, which no float has rounded. Labels (a reason, a stage) are names.

Theory of operation. The log is read once, command by command, and every event is written to the
table of its kind as it comes, so that a run of any length needs no memory.
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import fields
from enum import Enum, StrEnum
from itertools import chain
from pathlib import Path
from re import sub
from typing import TYPE_CHECKING, Any

from solvent.domain.commands import TimeStep
from solvent.domain.errors import InputError
from solvent.domain.events import Event
from solvent.journal.run_log import RunLogReader

if TYPE_CHECKING:
    import polars as pl

Cell = int | str | float | bool | None


class TableFormat(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    PARQUET = "parquet"


class RunTables:
    """The tables of a run's folder. Raises InputError where the folder is not as a run left it."""

    def __init__(self, folder: Path) -> None:
        self._reader = RunLogReader(folder)

    def write(self, out: Path, form: TableFormat = TableFormat.CSV) -> list[Path]:
        """Write every table into a folder that is missing or empty; the files, by name.

        InputError where it holds anything, or where Parquet's library is not installed.
        """
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(str(out), "--out", "is not an empty folder; name a new one")
        if form is TableFormat.PARQUET:
            _parquet_library(out)
        # Before the first file: a folder that is no run's leaves nothing behind.
        manifest = self._reader.manifest
        out.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            writers: dict[str, Any] = {}
            for name, row in self._rows(manifest.figures):
                if name not in writers:
                    file = stack.enter_context(
                        (out / f"{name}.csv").open("w", encoding="utf-8", newline="")
                    )
                    writers[name] = csv.DictWriter(file, list(row))
                    writers[name].writeheader()
                writers[name].writerow(row)
        files = sorted(out.glob("*.csv"))
        return files if form is TableFormat.CSV else [_as_parquet(file) for file in files]

    def rows(self, name: str) -> Iterator[dict[str, Cell]]:
        """The rows of one table, in order; none where the run had nothing of the kind."""
        figures = self._reader.manifest.figures
        return (row for table, row in self._rows(figures) if table == name)

    def to_polars(self, name: str) -> "pl.DataFrame":
        """One table as a data frame; `polars` must be installed."""
        try:
            import polars as pl
        except ImportError:
            raise InputError(name, "polars", "is not installed; pip install polars") from None
        return pl.DataFrame(list(self.rows(name)), infer_schema_length=None)

    def _rows(self, figures: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Cell]]]:
        for number, asset in enumerate(self._reader.parameters.assets):
            yield (
                "assets",
                {
                    "number": number,
                    "symbol": asset.symbol,
                    "decimals": asset.decimals,
                },
            )
        yield from _figure_rows(figures)
        time = self._reader.parameters.start_time
        for number, entry in enumerate(chain.from_iterable(self._reader.transcripts())):
            if isinstance(entry.command, TimeStep):
                time = entry.command.time
            for event in entry.events:
                row = {each.name: _cell(getattr(event, each.name)) for each in fields(event)}
                yield _table_of(event), {"command": number, "time": time, **row}


def _table_of(event: Event) -> str:
    return sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def _cell(value: object) -> Cell:
    if isinstance(value, Enum):
        return value.name.lower()
    assert value is None or isinstance(value, int | str)
    return value


def _figure_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Cell]]]:
    """Every list of records in the figures, also one level down."""
    for name, value in figures.items():
        nested = value if isinstance(value, dict) else {"": value}
        for part, records in nested.items():
            if isinstance(records, list) and records and isinstance(records[0], dict):
                table = "_".join(dict.fromkeys(["figures", name, *([part] if part else [])]))
                for record in records:
                    yield table, {key: _flat(each) for key, each in record.items()}


def _flat(value: object) -> Cell:
    if value is None or isinstance(value, int | str | float):
        return value
    if isinstance(value, dict):
        return "; ".join(f"{key}: {each}" for key, each in value.items())
    return str(value)


def _parquet_library(out: Path) -> None:
    try:
        import duckdb  # noqa: F401
    except ImportError:
        reason = (
            "Parquet needs a library: `./run` adds it to a clone when a price file needs it,"
            " elsewhere `pip install 'solvent[parquet]'` does; or export CSV"
        )
        raise InputError(str(out), "--format", reason) from None


def _as_parquet(file: Path) -> Path:
    """The same table as Parquet instead of CSV: whole numbers in 64 bits, all else as text."""
    import duckdb

    target = file.with_suffix(".parquet")
    with duckdb.connect() as base:
        base.execute(
            "COPY (SELECT * FROM read_csv($source, header = true, sample_size = -1,"
            " auto_type_candidates = ['BIGINT', 'VARCHAR'])) TO "
            f"'{str(target).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)",
            {"source": str(file)},
        )
    file.unlink()
    return target
