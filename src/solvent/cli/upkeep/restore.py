"""`solvent restore`: a market from a copy of its journal."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE


def restore(
    copy: Annotated[Path, NAMED],
    folder: Annotated[Path, NAMED],
    /,
    *,
    archive: Annotated[Path | None, NAMED] = None,
    at: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=0))] = None,
) -> int:
    """Make a market's folder from a backup; `solvent up` then serves it.

    Parameters
    ----------
    copy
        Folder that `backup` wrote, or a market's folder.
    folder
        A new folder for the market.
    archive
        Folder that older records left for; with it the market has them too, and needs no archive.
    at
        How many records the market is to have: it begins again as it was after so many. What was
        acknowledged later is not in it; `x-solvent-sequence` of an answer is such a number.
    """
    from solvent.journal.copies import copy_journal

    found = copy_journal(copy, folder, archive, at)
    print(f"{folder}: {found.records:,} records; `solvent up --folder {folder}` serves them")
    return 0
