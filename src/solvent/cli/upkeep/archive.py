"""`solvent archive`: what a market's journal no longer needs to open, moved to another folder."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED


def archive(folder: Annotated[Path, NAMED], to: Annotated[Path, NAMED], /) -> int:
    """Move old segments of a market that nobody serves to an archive.

    `up --archive` does it while it serves. What stays suffices to open the market from the older of
    its two newest snapshots. What was moved is needed for an audit from the first record and for
    histories that are made anew: name it then with --archive.

    Parameters
    ----------
    folder
        Folder of the market.
    to
        Folder of the archive, laid out as a market's: `audit`, `backup` and `restore` take it.
    """
    from solvent.journal.durable import Journal

    journal = Journal.open(folder / "journal", archive=to)
    try:
        found = journal.move_to_archive()
    finally:
        journal.close()
    print(f"{to}: {found.segments:,} segments; {folder} begins with record {found.first:,}")
    return 0
