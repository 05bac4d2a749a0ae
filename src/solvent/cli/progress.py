"""How far a command is, on standard error: a bar on a terminal, else one line at start and end.

Nothing is shown before the first report, so that bad input is said in one line and no more.
Standard output is left to the result, so that it can be piped.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from solvent.lab.report.formatting import number

Report = Callable[[int, int], None]
"""Called with what is done and the whole, in the unit of the bar."""


def say(text: str) -> None:
    """Write one line on standard error, where there is one, behind all that was printed before."""
    if sys.stdout is not None:
        sys.stdout.flush()
    if sys.stderr is not None:
        print(f"solvent: {text}", file=sys.stderr, flush=True)


@contextmanager
def progress(title: str, unit: str) -> Iterator[Report]:
    """Show `title` and give the function to report with."""
    if sys.stderr is not None and sys.stderr.isatty():
        with _bar(title, unit) as report:
            yield report
        return
    whole: int | None = None

    def remember(_done: int, total: int) -> None:
        nonlocal whole
        if whole is None:
            say(f"{title} ...")
        whole = total

    started = time.monotonic()
    yield remember
    say(f"{title}: {number(whole or 0)} {unit} in {time.monotonic() - started:.1f} s")


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        Remaining(),
    )
    shown = Progress(*columns, console=Console(stderr=True))
    task = shown.add_task(title, total=None)

    def update(done: int, total: int) -> None:
        shown.start()
        shown.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        shown.stop()
