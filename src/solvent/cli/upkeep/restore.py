"""`solvent restore`: a market from a copy of its journal."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED


def restore(
    copy: Annotated[Path, NAMED],
    folder: Annotated[Path, NAMED],
    /,
    *,
    archive: Annotated[Path | None, NAMED] = None,
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
    """
    from solvent.journal.copies import copy_journal

    found = copy_journal(copy, folder, archive)
    print(f"{folder}: {found.records:,} records; `solvent up --folder {folder}` serves them")
    return 0
