"""`solvent rehearse`: a parameter change tried on a copy of a book."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE

if TYPE_CHECKING:
    from solvent.foresight.rehearsal import Hours, Standing

MOST_HOURS = 168


def rehearse(
    change: Annotated[Path, NAMED],
    /,
    *,
    journal: Annotated[Path, NAMED],
    hours: Annotated[int, WHOLE, Parameter(validator=Number(gte=1, lte=MOST_HOURS))] = 4,
    commands: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=1))] = None,
) -> None:
    """Try a parameter change on a copy of a book, beside the same book without it.

    It says who would be liquidatable, throttled or trapped at once, and how the next hours would go
    under three price paths, nobody acting.

    Parameters
    ----------
    change
        A TOML file of [[change]] tables: field, value, and asset and index where they apply.
    journal
        The folder of a market that is not served, of its backup, or of a run.
    hours
        How many hours are played.
    commands
        Try it on the book as it was after so many commands of the run, and show beside the three
        paths how the hours went that came, people's commands included.
    """
    from solvent.cli.ahead.books import book_of, came_after
    from solvent.cli.ahead.changes import read_changes
    from solvent.cli.runs.tables import print_sheet
    from solvent.foresight.rehearsal import rehearse as play
    from solvent.lab.report.summary import Sheet

    engine = book_of(journal, commands)
    came = [] if commands is None else came_after(journal, commands)
    found = play(engine.snapshot(), read_changes(change, engine.parameters), hours, came)
    first = found.at_once
    lines = [
        (name, _said(before), _said(after))
        for name, before, after in _standings(first.without, first.changed)
    ]
    print_sheet(Sheet("At once", ("", "Without", "With the change"), lines))
    for name, (before, after) in found.paths.items():
        rows = [
            (said, _said(one), _said(other))
            for said, one, other in [
                ("further accounts liquidated", before.liquidated, after.liquidated),
                *_stages(before, after),
                *_standings(before.end, after.end),
            ]
        ]
        title = f"After {hours} h, prices {name}"
        print_sheet(Sheet(title, ("", "Without", "With the change"), rows))


def _standings(before: "Standing", after: "Standing") -> list[tuple[str, object, object]]:
    lines: list[tuple[str, object, object]] = [
        ("in the waterfall", before.liquidating, after.liquidating),
        ("throttled", ", ".join(before.throttled), ", ".join(after.throttled)),
    ]
    for symbol, trapped in before.trapped.items():
        lines.append((f"trapped lenders of {symbol}", trapped, after.trapped[symbol]))
    return lines


def _stages(before: "Hours", after: "Hours") -> list[tuple[str, object, object]]:
    return [
        (f"{stage}, USDC", value, after.stages[stage]) for stage, value in before.stages.items()
    ]


def _said(value: object) -> str:
    return str(value) or "none"
