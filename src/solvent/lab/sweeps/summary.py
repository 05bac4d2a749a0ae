"""What a sweep comes to: each point's figures with their intervals, differences, and a choice.

Losses are the lenders' deficits, USDC a path, over the scenario's own horizon.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from math import isinf

import numpy as np

from solvent.lab.estimate.choice import Choice, choose, paired
from solvent.lab.estimate.figures import (
    LEVEL,
    Estimate,
    chance,
    expected_shortfall,
    mean,
    value_at_risk,
)
from solvent.lab.estimate.sobol import indices, mean_of, worst_of
from solvent.lab.report.formatting import ABSENT, number
from solvent.lab.report.summary import Sheet
from solvent.lab.sweeps.elimination import HALF, alive
from solvent.lab.sweeps.frontier import FRONTIER, LOSS, frontier
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.points import Point
from solvent.lab.sweeps.rows import Row, figures_by_path

PARTS = (0.95, 0.99, 0.999)
WORST = 5
FEWEST_FIELDS, LEAST_PATHS = 2, 10
"""What the indices of fields need to say anything."""
AS_IT_IS = "as it is"
_KIND = re.compile(r'kind = "(\w+)"')


def point_name(point: Point) -> str:
    """A point in words; of a table only its kind, where it has one."""
    return ", ".join(f"{field} = {_short(value)}" for field, value in point.items()) or AS_IT_IS


def _short(value: str) -> str:
    kind = _KIND.search(value) if value.startswith("{") else None
    return kind[1] if kind else value


def estimates(losses: Sequence[float]) -> Mapping[str, Estimate]:
    """Every figure of a point's losses by its name; none where no path ran."""
    if not losses:
        return {}
    found = {
        "chance": chance(sum(1 for loss in losses if loss > 0.0), len(losses)),
        "mean": mean(losses),
    }
    for part in PARTS:
        name = f"{part * 100:g}"
        found[f"VaR {name}"] = value_at_risk(losses, part)
        found[f"ES {name}"] = expected_shortfall(losses, part)
    return found


def choice_of(plan: Plan, rows: Sequence[Row]) -> Choice | None:
    """The point of the least mean loss, or what overlaps; None for a sweep of one point.

    Where losers were left out it is among those that went on.
    """
    if len(plan.points) == 1:
        return None
    points = alive(rows, len(plan.points))
    level = HALF if plan.drop else LEVEL
    if len(points) == 1:
        return Choice(points[0], ())
    found = choose([figures_by_path(rows, point, LOSS) for point in points], level)
    best = None if found.best is None else points[found.best]
    return Choice(best, tuple(points[place] for place in found.overlapping))


def worst(rows: Sequence[Row]) -> list[Row]:
    """The paths of the largest losses, of any point; none without a loss."""
    lost = [row for row in rows if not row.error and row.value(LOSS) > 0]
    return sorted(lost, key=lambda row: (-row.value(LOSS), row.key))[:WORST]


def sheets(plan: Plan, rows: Sequence[Row]) -> list[Sheet]:
    """The tables of a sweep."""
    found = [_losses(plan, rows), _tails(plan, rows)]
    if len(plan.points) > 1:
        found.append(_differences(plan, rows))
    return found


def _losses(plan: Plan, rows: Sequence[Row]) -> Sheet:
    lines = []
    for place, point in enumerate(plan.points):
        losses = list(figures_by_path(rows, place, LOSS).values())
        failed = sum(1 for row in rows if row.point == place and row.error)
        told = estimates(losses)
        share = told["chance"] if told else None
        shown = ABSENT if share is None else f"{100 * share.value:.2f} % {_percents(share)}"
        average = money(told["mean"]) if told else ABSENT
        lose = number(0 if share is None else share.carried)
        lines.append((point_name(point), number(len(losses)), number(failed), lose, shown, average))
    head = ("", "Paths", "Failed", "That lose", "Chance that a lender loses", "Mean loss")
    return Sheet("Lenders' losses, USDC a path, 95 % intervals in brackets", head, lines)


def _tails(plan: Plan, rows: Sequence[Row]) -> Sheet:
    lines = []
    for place, point in enumerate(plan.points):
        told = estimates(list(figures_by_path(rows, place, LOSS).values()))
        lines += [
            (point_name(point), name, money(each), number(each.carried))
            for name, each in told.items()
            if name.startswith(("VaR", "ES"))
        ]
    return Sheet("In the tail", ("", "Figure", "USDC", "Paths beyond"), lines, text_columns=2)


def _differences(plan: Plan, rows: Sequence[Row]) -> Sheet:
    base, lines = figures_by_path(rows, 0, LOSS), []
    for place, point in enumerate(plan.points[1:], start=1):
        found = paired(figures_by_path(rows, place, LOSS), base)
        shown = ABSENT if found is None else money(found)
        lines.append((point_name(point), shown, number(0 if found is None else found.carried)))
    head = ("", "Mean difference", "Pairs that differ")
    return Sheet("Against the scenario as it is, path by path, USDC", head, lines)


def verdict(plan: Plan, rows: Sequence[Row]) -> str:
    """One sentence: which point is best, or that none can be named."""
    choice = choice_of(plan, rows)
    if choice is None:
        return "One point: nothing to choose among."
    if choice.best is not None:
        return f"Least mean loss, surely (95 %): {point_name(plan.points[choice.best])}."
    names = "; ".join(point_name(plan.points[each]) for each in choice.overlapping)
    return f"No recommendation: these cannot be told apart with so many paths: {names}."


def frontier_sheet(plan: Plan, rows: Sequence[Row]) -> list[Sheet]:
    """The means of `FRONTIER` by point, and which points nothing beats; none for one point."""
    points = alive(rows, len(plan.points))
    kept = frontier(rows, points)
    if len(plan.points) == 1 or not kept:
        return []
    lines = []
    for place, point in enumerate(plan.points):
        columns = [list(figures_by_path(rows, place, metric).values()) for metric in FRONTIER]
        if not columns[0]:
            continue
        loss, share, accounts, rate = map(mean, columns)
        shown = (money(loss), percent(share), money(accounts), percent(rate))
        word = ("yes" if place in kept else "no") if place in points else "left out"
        lines.append((point_name(point), *shown, word))
    head = ("", "Lenders' loss", "ADL's share", "Accounts liquidated", "Lend rate", "On it")
    notes = (
        "By the means alone: two points whose intervals overlap may change places.",
        "ADL's share is its part of what the waterfall cleared; the lend rate is a year's, over all"
        " pools by what is lent there. Of each mean the paths that are not zero carry it.",
    )
    return [Sheet("The frontier: nothing is better in all four", head, lines, notes=notes)]


def sobol_sheet(plan: Plan, rows: Sequence[Row]) -> list[Sheet]:
    """What each field explains of the mean loss and of the worst 5 %; of a grid of fields alone."""
    fields = list(plan.points[-1])
    if any(point.keys() != plan.points[-1].keys() for point in plan.points[1:]):
        return []
    levels = [len({point[field] for point in plan.points[1:]}) for field in fields]
    columns = [figures_by_path(rows, place, LOSS) for place in range(1, len(plan.points))]
    shared = sorted(set.intersection(*map(set, columns))) if columns else []
    if len(fields) < FEWEST_FIELDS or len(shared) < LEAST_PATHS:
        return []
    losses = np.array([[column[path] for path in shared] for column in columns])
    lines = []
    for name, statistic in (("mean loss", mean_of), ("worst 5 %", worst_of(PARTS[0]))):
        found = indices(losses, levels, statistic)
        for field, index in zip(fields, found or (), strict=False):
            lines.append((field, name, _ratio(index.first), _ratio(index.total)))
    head = ("Field", "Of", "Alone", "With others")
    return [Sheet("What of the variation each field explains (Sobol)", head, lines, text_columns=2)]


def replay_words(plan: Plan, row: Row) -> str:
    """The arguments of `solvent` that run a row's path again."""
    point = [f"--set {shlex.quote(f'{k}={v}')}" for k, v in plan.points[row.point].items()]
    accounts = [] if plan.accounts is None else [f"--accounts {plan.accounts}"]
    words = ["solvent lab run", shlex.quote(plan.scenario), f"--path {row.path}"]
    return " ".join([*words, *point, *accounts])


def _ratio(found: Estimate) -> str:
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def percent(found: Estimate) -> str:
    """A ratio in percent with its interval."""
    ends = (ABSENT if isinf(x) else f"{100 * x:.3f}" for x in (found.low, found.high))
    return f"{100 * found.value:.3f} % [{', '.join(ends)}]"


def _percents(found: Estimate) -> str:
    return f"[{100 * found.low:.2f}, {100 * found.high:.2f}]"


def money(found: Estimate) -> str:
    """An amount with its interval."""
    low = ABSENT if isinf(found.low) else f"{found.low:,.2f}"
    high = ABSENT if isinf(found.high) else f"{found.high:,.2f}"
    return f"{found.value:,.2f} [{low}, {high}]"
