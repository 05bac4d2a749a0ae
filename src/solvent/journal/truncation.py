"""Truncation: what follows a damaged record is given up, and kept beside the journal.

This is for an owner without a copy. The journal goes on as it was before the damage; all of its
files as they were, the damaged one too, are in a folder beside it, for whoever can still read them.
"""

import shutil
from pathlib import Path

from solvent.journal.durable import Journal, verify
from solvent.journal.journal_errors import JournalDamageError, JournalError


def damage_of(folder: Path) -> JournalDamageError:
    """What is wrong with a journal. Raises JournalError where it is whole or in use."""
    try:
        verify(folder)
    except JournalDamageError as damage:
        if damage.sequence is None:
            raise
        return damage
    raise JournalError(folder, "folder", "is whole: there is nothing to give up")


def truncate(folder: Path, at: int) -> Path:
    """Give up record `at` and all after it, which must be where the damage begins.

    Returns the folder that has the journal's files as they were. Raises JournalError.
    """
    damage = damage_of(folder)
    if at != damage.sequence:
        raise damage
    number = 1
    while (kept := folder.with_name(f"{folder.name}-cut-at-{at}-{number}")).exists():
        number += 1
    shutil.copytree(folder, kept)
    Journal.open(folder, truncate_at=at).close()
    return kept
