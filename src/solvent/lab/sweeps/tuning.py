"""Searching many parameters: points are proposed one by one, each by what came of those before.

A grid of more than six fields has more points than anybody computes. Optuna's sampler proposes
instead; every point is run on the same paths, so two of them differ by their parameters alone. What
it found is a sweep as any other: its points are those that were tried, and it is reported, gone on
with and verified in the same way. Proposals hang on the seed and on the rows, so a search that was
killed asks for the same points again and finds their rows in its log.

Optuna is the extra `tune` and no part of what runs; without it there is a clear error.
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from decimal import Decimal, InvalidOperation
from math import ceil, log10
from pathlib import Path
from typing import TYPE_CHECKING

from solvent.domain.errors import InputError
from solvent.lab.estimate.until import Target, parse_target
from solvent.lab.sweeps.log import RowLog
from solvent.lab.sweeps.plan import PLAN, Plan
from solvent.lab.sweeps.points import DECIMALS, Point, parse_varied, plain
from solvent.lab.sweeps.rows import METRICS, Row
from solvent.lab.sweeps.sweeping import finish, values_of, write_whole
from solvent.lab.sweeps.workers import Pool, Workforce, check

if TYPE_CHECKING:
    import optuna

ASKED = "tune.json"
FINE = 6
_RANGE = re.compile(r"([^:]+?)\.\.([^:]+)")


@dataclass(frozen=True, slots=True)
class Span:
    """A field and where its value may lie: between two ends, or one of several."""

    field: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    def text(self, value: float) -> str:
        """A value of the range as a scenario has it, to about a millionth of the range."""
        decimals = FINE - ceil(log10(self.high - self.low))
        return plain(Decimal(f"{value:.{min(DECIMALS, max(0, decimals))}f}"))

    @property
    def ends(self) -> tuple[str, str]:
        """Two values that a scenario must take if it is to take all."""
        if self.choices:
            return self.choices[0], self.choices[-1]
        return self.text(self.low), self.text(self.high)


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: the least of a statistic over so many trials of all paths."""

    plan: Plan
    spans: tuple[Span, ...]
    trials: int
    least: str
    seed: int

    def text(self) -> str:
        """What was asked, as its file holds it."""
        return json.dumps(asdict(self), indent=1) + "\n"


def parse_span(text: str) -> Span:
    """A field with its range lo..hi, or with values. InputError where it is neither."""
    field, _, values = text.partition("=")
    found = _RANGE.fullmatch(values.strip())
    if found is None:
        varied = parse_varied(text)
        return Span(varied.field, choices=varied.values)
    try:
        low, high = (float(Decimal(each.replace("_", "").strip())) for each in found.groups())
    except InvalidOperation:
        raise InputError("tune", "--vary", f"{text!r} has ends that are no numbers") from None
    if not (field.strip() and low < high):
        raise InputError(
            "tune", "--vary", f"{text!r} is no range; write it like fund.balance=0..10"
        )
    return Span(field.strip(), low, high)


def parse_least(text: str) -> Target:
    """The statistic to make small, like deficit_es99. InputError where it cannot be read."""
    try:
        return parse_target(f"{text} ± 1", METRICS)
    except InputError:
        reason = f"{text!r} is no statistic; write it like deficit_mean or deficit_es99"
        raise InputError("tune", "--least", reason) from None


def tune(folder: Path, search: Search, pool: Pool, progress: Callable[[int, int], None]) -> Plan:
    """Carry a search out, or go on with it; the plan of all points that were tried.

    InputError where Optuna is not installed, or the folder holds something else.
    """
    study, trial_state = _study(search.seed)
    _begin(folder, search)
    plan, target = search.plan, parse_least(search.least)
    check(plan.scenario, plan.root, plan.sources)
    with closing(RowLog(folder)) as log:
        for number in range(search.trials + 1):
            trial = None
            if number:
                trial = study.ask()
                plan = replace(plan, points=(*plan.points, _proposed(trial, search.spans)))
            rows = _tried(plan, log, number, pool)
            values = values_of(rows, number, target.metric)
            if trial is not None:
                if values:
                    study.tell(trial, target.estimate(values, 1).value)
                else:
                    study.tell(trial, state=trial_state.FAIL)
            progress(number + 1, search.trials + 1)
        every = [log.rows[key] for key in sorted(log.rows)]
    write_whole(folder / PLAN, plan.text())
    finish(folder, plan, every)
    return plan


def _study(seed: int) -> "tuple[optuna.Study, type[optuna.trial.TrialState]]":
    try:
        import optuna
    except ImportError:
        reason = "needs Optuna; pip install 'solvent[tune]'"
        raise InputError("tune", "optuna", reason) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    return optuna.create_study(sampler=sampler), optuna.trial.TrialState


def _begin(folder: Path, search: Search) -> None:
    if (folder / ASKED).exists():
        if (folder / ASKED).read_text(encoding="utf-8") != search.text():
            raise InputError(str(folder), "--out", "holds another search; name a new folder")
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(str(folder), "--out", "holds what no search wrote; name an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / ASKED, search.text())


def _proposed(trial: "optuna.Trial", spans: Sequence[Span]) -> Point:
    point = {}
    for span in spans:
        if span.choices:
            point[span.field] = str(trial.suggest_categorical(span.field, span.choices))
        else:
            value = trial.suggest_float(span.field, span.low, span.high)
            point[span.field] = span.text(value)
    return point


def _tried(plan: Plan, log: RowLog, point: int, pool: Pool) -> list[Row]:
    keys = [(point, path) for path in range(plan.paths)]
    missing = [key for key in keys if key not in log.rows]
    if missing:
        with closing(Workforce(plan, pool)) as force:
            for rows in force.rows(missing):
                log.append(rows)
    return [log.rows[key] for key in keys]
