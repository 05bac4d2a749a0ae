"""What the lab's commands print of a sweep: its tables, its verdict, its worst paths."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from solvent.cli.called import called
from solvent.cli.runs.tables import print_sheet
from solvent.lab.models.sheets import headline, tables
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.rows import Row
from solvent.lab.sweeps.summary import replay_words, worst
from solvent.lab.tail.sampling import Asked, LeafRow
from solvent.lab.tail.sheets import cost_words, tail_sheet


def show_tail(asked: Asked, rows: Sequence[LeafRow], out: Path) -> None:
    """Print a sample of the tail that is done."""
    print_sheet(tail_sheet(asked, rows))
    print(cost_words(asked, rows))
    print(f"rows   {out / 'leaves.csv'}")
    print(f"Check  {called()} lab verify {shlex.quote(str(out))}")


def show_sweep(plan: Plan, rows: Sequence[Row], out: Path) -> None:
    """Print a sweep that is done."""
    for sheet in tables(plan, rows):
        print_sheet(sheet)
    print()
    print(headline(plan, rows))
    failed = [row for row in rows if row.error]
    if failed:
        print(f"{len(failed)} paths failed; the first: path {failed[0].path}: {failed[0].error}")
    if losing := worst(rows):
        print()
        print("The worst paths, each by the command that runs it again:")
        for row in losing:
            command = replay_words(plan, row).replace("solvent", called(), 1)
            print(f"  {row.value(LOSS):,.2f} USDC  {command}")
    print()
    print(f"report {out / 'report.html'}")
    print(f"rows   {out / 'rows.csv'}")
    print(f"Check  {called()} lab verify {shlex.quote(str(out))}")
