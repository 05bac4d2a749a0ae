"""`./run bench`: how fast the fast engine is, beside peers and limits of the same run."""

import sys
from typing import TYPE_CHECKING, Literal

from cyclopts import App, Parameter

from benches.registry import Bench
from solvent.cli import main
from solvent.cli.progress import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benches.common.rows import Row


def bench(name: Bench | Literal["all"], /, *, quick: bool = False, json: bool = False) -> int:
    """Measure how fast the fast engine is, beside peers and limits of the same run.

    Exit code 1 when the engine and a peer disagree. A missed target is said and is no error.

    Parameters
    ----------
    name
        Which bench, or all of them.
    quick
        Sizes that only show that the bench works: nothing can be concluded from its figures.
    json
        Print one JSON object with all figures, and nothing else, on standard output.
    """
    from benches.common.host import describe
    from benches.common.measure import WrongAnswerError
    from benches.registry import run_bench

    machine = describe()
    if not json:
        _show_machine(machine)
    rows: list[Row] = []
    for one in Bench if name == "all" else (Bench(name),):
        say(f"measuring {one} ...")
        try:
            found = list(run_bench(one, quick=quick))
        except WrongAnswerError as error:
            say(f"{one}: {error}")
            return 1
        if not json:
            _show(one, found)
        rows += found
    if json:
        _print_object(machine, rows, quick=quick)
    return 0


def _print_object(machine: dict[str, str], rows: "Sequence[Row]", *, quick: bool) -> None:
    import json

    print(json.dumps({"machine": machine, "quick": quick, "rows": [r.as_object() for r in rows]}))


def _show_machine(machine: dict[str, str]) -> None:
    width = max(map(len, machine))
    for name, value in machine.items():
        print(f"{name:<{width}}  {value}")


def _show(bench: Bench, rows: "Sequence[Row]") -> None:
    """One table; what was measured is not said again where a figure has several peers."""
    from benches.common.rows import NOT_INSTALLED, shown
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.report.formatting import ABSENT
    from solvent.lab.report.summary import Sheet

    lines = []
    before = None
    for row in rows:
        figure, other = row.figure, row.peer_figure
        peer = ABSENT if row.peer is None else f"{row.peer}: {NOT_INSTALLED}"
        if other is not None:
            peer = f"{row.peer}: {shown(other.value)}"
        median = f"{shown(figure.value)} {figure.unit}"
        if figure.repeats > 1:
            median += f", {shown(figure.least)} to {shown(figure.most)}"
        again = before == (row.measured, figure)
        before = row.measured, figure
        lines.append(
            (
                "" if again else row.measured,
                "" if again else median,
                peer,
                ABSENT if row.ratio is None else f"{shown(row.ratio)}x",
                ABSENT if row.target is None else str(row.target),
                row.verdict,
            )
        )
    head = ("Measured", "Median, least to most", "Peer", "Ratio", "Target", "")
    print_sheet(Sheet(bench.value, head, lines, text_columns=3))


if __name__ == "__main__":
    app = App(
        name="./run bench",
        help_format="plaintext",
        version_flags=(),
        default_parameter=Parameter(negative=""),
    )
    app.default(bench)
    sys.exit(main(app=app))
