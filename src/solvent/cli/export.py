"""`solvent export`: a run as tables, CSV or Parquet, for one's own tools."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from solvent.cli.options import NAMED
from solvent.lab.tables import TableFormat


def export(
    directory: Annotated[Path, NAMED],
    /,
    *,
    out: Annotated[Path, NAMED],
    form: Annotated[TableFormat, Parameter(name="--format")] = TableFormat.CSV,
) -> None:
    """Write a run's events and figures as tables, one file a kind of event.

    Parameters
    ----------
    directory
        The folder of a run.
    out
        Folder for the tables, missing or empty.
    form
        What they are written as.
    """
    from solvent.cli.progress import say
    from solvent.lab.tables import RunTables

    files = RunTables(directory).write(out, form)
    say(f"wrote {len(files)} tables into {out}")
