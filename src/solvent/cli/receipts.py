"""`solvent receipts`: receipts of a run's settlements, made again from its log."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE
from solvent.domain.errors import InputError

Whole = Annotated[int | None, WHOLE, Parameter(validator=Number(gte=0))]


def receipts(
    directory: Annotated[Path, NAMED],
    /,
    *,
    account: Whole = None,
    adl_round: Whole = None,
    fill: Whole = None,
    booking: Whole = None,
) -> int:
    """Make receipts of a run's settlements from its log and print them, one JSON object a line.

    A run writes those for which there is room: all of them, unless it is a large one.
    `solvent verify` computes them again.

    Parameters
    ----------
    directory
        The folder of a run.
    account
        Only settlements that this account took part in.
    adl_round
        Only this ADL round.
    fill
        Only this backstop fill.
    booking
        Only this booking of losses.
    """
    from solvent.cli.progress import progress
    from solvent.journal.run_log import RunLogReader
    from solvent.lab.report.receipt_search import Wanted, receipts_of
    from solvent.receipts.codec import receipt_line

    if sum(choice is not None for choice in (account, adl_round, fill, booking)) > 1:
        choices = "--account, --adl-round, --fill, --booking"
        raise InputError("receipts", choices, "exclude each other; name one of them")
    reader = RunLogReader(directory)
    wanted = Wanted(adl_round, fill, booking, account)
    found = 0
    with progress(f"reading {directory}", "commands") as report:
        for receipt in receipts_of(reader, wanted, report):
            print(receipt_line(receipt))
            found += 1
    if not found:
        raise InputError(str(directory), "receipts", "the run has none of what was asked for")
    return 0
