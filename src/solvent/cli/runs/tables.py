"""Tables for the terminal."""

import sys
from typing import NoReturn

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solvent.lab.report.summary import Sheet

PIPED_WIDTH = 100


class _Terminal(Console):
    """A console whose reader may leave; the command line decides the exit code then."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise the error that was caught, and not an exit with a code of its own."""
        raise BrokenPipeError


def print_sheet(sheet: Sheet) -> None:
    """Print one table on standard output, as wide as the terminal, or 100 columns into a pipe."""
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    table = Table(title=sheet.caption, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for place, title in enumerate(sheet.head):
        text = place < sheet.text_columns
        table.add_column(Text(title), justify="left" if text else "right", no_wrap=not text)
    for row in sheet.rows:
        table.add_row(*(Text(cell) for cell in row))
    if not sheet.rows:
        table.add_row("none")
    console = _Terminal(width=width, highlight=False)
    console.print()
    console.print(table)
