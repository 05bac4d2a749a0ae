"""`solvent what-if`: who would be liquidatable at other prices, and what could take it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE, Json
from solvent.domain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from solvent.domain.parameters import EngineParameters
    from solvent.foresight.what_if import Point, WhatIf

_SHOWN = 20


def what_if(
    directory: Annotated[Path, NAMED],
    /,
    *moves: str,
    beta: tuple[str, ...] = (),
    commands: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=1))] = None,
    json: Json = False,
) -> None:
    """Ask the book of a run or a market who would be liquidatable at other prices.

    It says what would be at stake by the stage that could take it, which pools would fill, and what
    lenders would lose. A running market is asked by GET /solvent/v1/what-if, or from a backup.

    Parameters
    ----------
    directory
        The folder of a run or of a market.
    moves
        Moves as parts of the mark, like SOL=-0.3, or of all assets, like all=-0.3. Without any, the
        whole curve from -90 % to +300 % is shown.
    beta
        How much an asset moves where all do, like SOL=1.5; 1 for the others. May be repeated.
    commands
        Ask the book as it was after so many commands of the run.
    json
        Print one JSON object with all figures, and nothing else, on standard output.
    """
    from solvent.cli.ahead.books import book_of
    from solvent.cli.ahead.shares import ALL, Field, shares_of
    from solvent.foresight.moves import CURVE, by_beta
    from solvent.foresight.what_if import Outlook

    engine = book_of(directory, commands)
    parameters = engine.parameters
    asked = shares_of(parameters, moves, Field("what-if", "MOVES", takes_all=True))
    betas = shares_of(parameters, beta, Field("what-if", "--beta"))
    if ALL in asked and len(asked) > 1:
        raise InputError("what-if", "MOVES", "are of all or by asset, and not both")
    outlook = Outlook(engine)
    by_number = {number: share for number, share in asked.items() if isinstance(number, int)}
    if not asked:
        line = {number: share for number, share in betas.items() if isinstance(number, int)}
        points = outlook.curve(CURVE, line)
        _show_curve(parameters, CURVE, points, json=json)
        return
    if ALL in asked:
        line = {number: share for number, share in betas.items() if isinstance(number, int)}
        by_number = by_beta(parameters, outlook.marks, line, asked[ALL])
    _show_move(parameters, outlook.what_if(by_number), json=json)


def _show_curve(
    parameters: "EngineParameters",
    moves: "Sequence[int]",
    points: "Sequence[Point]",
    *,
    json: bool,
) -> None:
    from solvent.cli.runs.tables import print_sheet
    from solvent.lab.report.formatting import number
    from solvent.lab.report.summary import Sheet

    if json:
        rows = zip(moves, points, strict=True)
        _print({"points": [{"move": move, **_object(parameters, each)} for move, each in rows]})
        return
    names = ("Own", "Book", "Providers", "Opposites", "ADL", "Lacking")
    head = ("Move", "Accounts", "Insolvent", *names)
    lines = [
        (
            _percent(move),
            number(each.accounts),
            number(each.insolvent),
            *map(_usdc, _stages(each)),
            _usdc(each.lacking),
        )
        for move, each in zip(moves, points, strict=True)
    ]
    print_sheet(Sheet("If all prices moved", head, lines, text_columns=0))
    print("\nUSDC; what could take it, as the book stands: no forecast of what does")


def _show_move(parameters: "EngineParameters", found: "WhatIf", *, json: bool) -> None:
    from solvent.cli.runs.tables import print_sheet
    from solvent.domain.decimals import Units, price_text
    from solvent.domain.units import INDEX_SCALE
    from solvent.lab.report.formatting import number
    from solvent.lab.report.summary import Sheet

    point = found.point
    assert found.impaired is not None
    if json:
        shown = _object(parameters, point)
        _print({"time": found.time, **shown, "account_ids": found.accounts,
                "impaired": found.impaired})  # fmt: skip
        return
    names = ("own holdings", "book", "providers", "opposites", "ADL")
    lines = [(name, _usdc(value)) for name, value in zip(names, _stages(point), strict=True)]
    print(f"{number(point.accounts)} accounts at or above MMR 100 %, {point.insolvent} insolvent")
    if found.accounts:
        listed = ", ".join(map(str, found.accounts[:_SHOWN]))
        print(f"accounts {listed}{' ...' if len(found.accounts) > _SHOWN else ''}")
    print_sheet(Sheet("At stake", ("", "USDC"), [*lines,
        ("all", _usdc(point.stages.total)), ("lacking", _usdc(point.lacking))]))  # fmt: skip
    units = Units(parameters)
    rows = []
    for asset, (pool, impaired) in enumerate(zip(point.pools, found.impaired, strict=True)):
        rows.append(
            (
                units.symbol(asset),
                price_text(point.marks[asset]),
                units.text(asset, pool.owed),
                units.text(asset, pool.lent),
                units.text(asset, pool.redeemable),
                "yes" if pool.fills else "no",
                f"{100 * impaired / INDEX_SCALE:.4f} %",
            )
        )
    head = ("Pool", "Mark", "They owe", "They lent", "Redeemable", "Fills", "Lenders lose")
    print_sheet(Sheet("Pools", head, rows))


def _stages(point: "Point") -> tuple[int, ...]:
    stages = point.stages
    return stages.own, stages.book, stages.providers, stages.opposites, stages.adl


def _percent(share: int) -> str:
    from solvent.domain.units import RATIO

    return f"{100 * share // RATIO:+d} %"


def _usdc(value: int) -> str:
    from solvent.domain.units import VALUE_SCALE

    return f"{value // VALUE_SCALE:,}"


def _object(parameters: "EngineParameters", point: "Point") -> dict[str, object]:
    """A point as plain numbers, exact."""
    from dataclasses import asdict

    found = asdict(point)
    pools = zip(parameters.assets, found.pop("pools"), found.pop("capacities"), strict=True)
    found["pools"] = {
        about.symbol: {**pool, **capacity, "fills": point.pools[number].fills}
        for number, (about, pool, capacity) in enumerate(pools)
    }
    return found


def _print(shown: dict[str, object]) -> None:
    import json

    print(json.dumps(shown))
