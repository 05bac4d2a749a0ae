"""`solvent lab reproduce`: the published record of ADL, theirs beside ours."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from solvent.cli.options import NAMED

MISMATCH = 1


def reproduce(*, data: Annotated[Path | None, NAMED, Parameter()] = None) -> int:
    """Compute the published figures of auto-deleveraging again and print them beside ours.

    Ends with 1 where one differs and it is not known why.

    Parameters
    ----------
    data
        Folder with the published tables of 10 October 2025; without it only what needs none.
    """
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.record.published import SOURCE, read_published
    from solvent.lab.record.sheets import differing, record

    found = record(None if data is None else read_published(data))
    for sheet in found.sheets:
        print_sheet(sheet)
        for note in sheet.notes:
            print(note)
    print()
    if data is None:
        print(f"The 16 waves need their tables, which Solvent does not ship: {SOURCE}.")
        print("Name their folder with --data.")
    wrong = differing(found)
    known = sum(1 for each in found.figures if not each.same and each.known)
    same = sum(1 for each in found.figures if each.same)
    count = len(found.figures)
    print(f"{same} of {count} figures are as published, {known} differ and it is known why")
    for each in wrong:
        print(f"DIFFERS: {each.name}: published {each.theirs}, here {each.shown}")
    return MISMATCH if wrong else 0
