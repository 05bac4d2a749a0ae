"""What a sweep has to show: its tables and its verdict, also where it is under several models.

Points of different models have different weather: they are compared within each model only, and
what is asked is whether the models agree.
"""

from collections.abc import Sequence
from itertools import combinations

from solvent.lab.estimate.choice import Values, paired
from solvent.lab.estimate.figures import LEVEL
from solvent.lab.models.backtest import backtests
from solvent.lab.models.points import model_of, other_fields
from solvent.lab.report.formatting import ABSENT, number
from solvent.lab.report.summary import Sheet
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.rows import Row, figures_by_path
from solvent.lab.sweeps.summary import (
    estimates,
    frontier_sheet,
    money,
    percent,
    point_name,
    sheets,
    sobol_sheet,
    verdict,
)

Orders = dict[str, list[tuple[str, Values]]]
"""By model, its points' names and losses in the order of their mean loss."""


def tables(plan: Plan, rows: Sequence[Row]) -> list[Sheet]:
    """The tables of a sweep."""
    if not any(map(model_of, plan.points)):
        return [*sheets(plan, rows), *frontier_sheet(plan, rows), *sobol_sheet(plan, rows)]
    return [_ranking(plan, rows), _backtests(), *sheets(plan, rows)[:2]]


def headline(plan: Plan, rows: Sequence[Row]) -> str:
    """One sentence: what is recommended, or whether the models rank points alike."""
    orders = _orders(plan, rows)
    if not orders:
        return verdict(plan, rows)
    if any(len(points) == 1 for points in orders.values()):
        return "One point under each model: nothing to rank. Vary a field to see who ranks how."
    if not any(any(losses.values()) for points in orders.values() for _, losses in points):
        return "No lender loses under any model on these paths: there is nothing to rank."
    flips = _flips(orders)
    if flips:
        return f"The ranking flips between models: {'; '.join(flips)}."
    if len({tuple(name for name, _ in points) for points in orders.values()}) == 1:
        return "All models rank the points alike by their mean loss."
    return "The models rank the points otherwise, but within intervals: no two contradict surely."


def _orders(plan: Plan, rows: Sequence[Row]) -> Orders:
    found: Orders = {}
    for place, point in enumerate(plan.points):
        losses = figures_by_path(rows, place, LOSS)
        if (model := model_of(point)) and losses:
            found.setdefault(model, []).append((point_name(other_fields(point)), losses))
    for points in found.values():
        points.sort(key=lambda each: sum(each[1].values()) / len(each[1]))
    return found


def _flips(orders: Orders) -> list[str]:
    """Pairs of points that one model surely ranks one way and another the other way.

    The level is shared among all pairs of all models.
    """
    count = sum(len(points) * (len(points) - 1) // 2 for points in orders.values())
    level = 1.0 - (1.0 - LEVEL) / max(1, count)
    said: dict[tuple[str, str], dict[bool, str]] = {}
    for model, points in orders.items():
        for (left, ours), (right, theirs) in combinations(sorted(points, key=lambda x: x[0]), 2):
            found = paired(ours, theirs, level)
            if found is not None and not found.low <= 0.0 <= found.high:
                said.setdefault((left, right), {})[found.value < 0.0] = model
    return [
        f"{left} surely loses less than {right} under {both[True]} and more under {both[False]}"
        for (left, right), both in said.items()
        if len(both) > 1
    ]


def _ranking(plan: Plan, rows: Sequence[Row]) -> Sheet:
    lines = []
    for model, points in _orders(plan, rows).items():
        for rank, (name, losses) in enumerate(points, start=1):
            told = estimates(list(losses.values()))
            chance, mean = told["chance"], told["mean"]
            shown = (percent(chance), money(mean), number(mean.carried))
            lines.append((model, number(rank), name, *shown))
    head = ("Model", "Rank", "Point", "Chance of a loss", "Mean loss", "Paths that lose")
    note = "Models are fitted to the scenario's own price file; each has weather of its own."
    return Sheet("The same points under each model of prices", head, lines, 3, notes=(note,))


def _backtests() -> Sheet:
    lines = [
        (
            each.day,
            each.model,
            f"VaR {100 * each.part:g}",
            number(each.coverage.count),
            f"{each.coverage.expected:.1f}",
            number(each.coverage.passes),
            f"{each.coverage.kupiec:.4f}",
            ABSENT
            if each.coverage.christoffersen is None
            else f"{each.coverage.christoffersen:.4f}",
        )
        for each in backtests()
    ]
    head = ("Crash", "Model", "Level", "Moves", "Expected", "Passed", "Kupiec", "Christoffersen")
    notes = (
        "Fitted to the first half of each shipped crash and held against the second, a move a"
        " minute of BTC and ETH in equal parts. The last two columns are chances: a small one"
        " speaks against the model. A dash: there was no pass for another to follow.",
        "A shock happens once a path and has no level a move: it cannot be tested so.",
    )
    return Sheet("Coverage on crashes that were", head, lines, 3, notes=notes)


def _chance(found: float | None) -> str:
    return ABSENT if found is None else f"{found:.4f}"
