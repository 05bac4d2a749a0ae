"""`solvent truncate`: the last way past a damaged journal, where there is no copy of it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE
from solvent.domain.errors import InputError

JOURNAL = "journal"


def truncate(
    folder: Annotated[Path, NAMED],
    /,
    *,
    at: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))],
) -> int:
    """Give up the damaged record of a market's journal and all after it; asks twice.

    What is given up was acknowledged once: restore a backup where there is one. All files as they
    were are kept beside the journal. Both answers are read from standard input.

    Parameters
    ----------
    folder
        Folder of the market.
    at
        Number of the record, as the refusal to open the journal says it.
    """
    from solvent.journal.truncation import damage_of
    from solvent.journal.truncation import truncate as give_up

    journal = folder / JOURNAL
    damage = damage_of(journal)
    if damage.sequence != at:
        raise damage
    print(f"{damage.file}: {damage.place}: {damage.reason}")
    print(f"Record {at} and every later one will be given up; they were acknowledged once.")
    _ask(f"Type the number of the record to go on: {at}? ", str(at))
    _ask(f"Type the name of the folder to do it: {folder.name}? ", folder.name)
    kept = give_up(journal, at)
    print(f"the journal ends before record {at}; as it was, it is kept in {kept}")
    return 0


def _ask(question: str, expected: str) -> None:
    """Raise InputError unless the answer is the expected one."""
    try:
        answer = input(question)
    except EOFError:
        answer = ""
    print()
    if answer.strip() != expected:
        raise InputError("truncate", "answer", f"is not {expected}: nothing was changed")
