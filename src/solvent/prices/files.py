"""A price file as a table, by its kind: CSV (plain, .gz or .zip) or Parquet."""

from pathlib import Path

from solvent.domain.errors import InputError
from solvent.prices.columns import Columns
from solvent.prices.csv_files import read_csv
from solvent.prices.table import Table, Wanted

CSV_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".zip")


def read_table(path: str | Path, wanted: Wanted, columns: Columns = ()) -> Table:
    """The table in a file of one of the CSV_ENDINGS or .parquet, its `wanted` columns kept.

    `columns` names or renames the columns first (see `solvent.prices.columns`). Leading lines that
    are blank or begin with # are passed over. InputError where the file is missing, unreadable,
    damaged, of another kind, without a row, or names a column twice, and where a Parquet file's
    reader is not installed.
    """
    file, name = str(path), Path(path).name.lower()
    if not name.endswith((*CSV_ENDINGS, ".parquet")):
        known = ", ".join(CSV_ENDINGS)
        raise InputError(file, "file", f"is of no known kind; use {known} or .parquet")
    try:
        if name.endswith(".parquet"):
            table = _parquet(path, wanted, columns)
        else:
            with Path(path).open("rb") as stream:
                table = read_csv(file, stream, wanted, columns)
    except FileNotFoundError:
        raise InputError(file, "file", "does not exist; check the path") from None
    except OSError as error:
        raise InputError(file, "file", f"cannot be read: {error.strerror}") from None
    if not table.height:
        raise InputError(file, "file", "has no rows; write at least one below the header line")
    return table


def _parquet(path: str | Path, wanted: Wanted, columns: Columns) -> Table:
    """The table of a Parquet file, by the library that is an extra of this package."""
    with Path(path).open("rb") as stream:
        if not stream.read(1):
            raise InputError(str(path), "file", "is empty; fetch or export it again")
    try:
        from solvent.prices.parquet_files import read_parquet
    except ImportError:
        reason = (
            "needs a library to read Parquet: `./run` adds it to a clone, elsewhere"
            " `pip install 'solvent[parquet]'` does; or export the file as CSV"
        )
        raise InputError(str(path), "file", reason) from None
    return read_parquet(str(path), wanted, columns)
