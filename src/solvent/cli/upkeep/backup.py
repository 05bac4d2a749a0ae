"""`solvent backup`: a copy of a market's journal, while it is served."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED


def backup(
    folder: Annotated[Path, NAMED],
    to: Annotated[Path, NAMED],
    /,
    *,
    archive: Annotated[Path | None, NAMED] = None,
) -> int:
    """Copy a market's journal, whether it is served or not, and check every byte of the copy.

    The copy has all that was acknowledged before it began. Histories are not copied: they are made
    anew from the journal.

    Parameters
    ----------
    folder
        Folder of the market.
    to
        A new folder for the copy, which `restore` takes.
    archive
        Folder that older records left for; with it the copy has them too, and needs no archive.
    """
    from solvent.journal.copies import copy_journal

    found = copy_journal(folder, to, archive)
    print(f"{to}: {found.records:,} records, every byte checked")
    print(f"head_digest {found.digest.hex()}")
    return 0
