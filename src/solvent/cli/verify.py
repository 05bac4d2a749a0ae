"""`solvent verify`: receipts computed again, offline."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED


def verify(path: Annotated[Path, NAMED], /) -> int:
    """Compute receipts again, offline, and say which were altered. Exit code 1 if any was.

    Parameters
    ----------
    path
        A receipts.jsonl file, one receipt as a .json file, or the folder of a run.
    """
    from solvent.journal.run_log import RunLogReader
    from solvent.lab.report.formatting import number
    from solvent.receipts.verify.check import verify_path

    report = verify_path(path, RunLogReader)
    for problem in report.problems:
        print(problem)
    if not report.good:
        print(
            f"{path}: of {number(report.receipts)} receipts recomputed, not all are as they should "
            f"be: {number(len(report.problems))} differences"
        )
        return 1
    print(f"{path}: {number(report.receipts)} receipts recomputed, every one of them holds")
    return 0
