"""Rate models under attack: each rule of a governor with and without those who park utilization.

The attackers are groups whose actions and later loans move a pool's utilization for a while: a
lender's friend who borrows it full, say, and repays. Their gain is what they are worth at the end
with these, less what they are worth without, all else alike; the run is the engine's in both.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from solvent.domain.units import RATIO
from solvent.lab.driving import EngineFactory
from solvent.lab.report.formatting import money, percent
from solvent.lab.report.summary import Sheet
from solvent.lab.runner import run
from solvent.lab.scenario.model import Rule, Scenario
from solvent.reference.engine import ReferenceEngine


@dataclass(frozen=True, slots=True)
class Course:
    """One run: the pool's mean and last rate, the mean distance from the target, profits (USDC)."""

    rate: float
    last: float
    off: float
    profits: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule without the attack and with it, and who gained by that how much (USDC)."""

    rule: Rule
    calm: Course
    attacked: Course
    attackers: Decimal
    others: Decimal


def tried(
    scenario: Scenario,
    attackers: Sequence[str],
    *,
    accounts: int | None = None,
    engine_factory: EngineFactory = ReferenceEngine,
) -> Iterator[Tried]:
    """Each rule in turn. InputError where the scenario has no governor, or no such group."""
    if not scenario.governors:
        raise scenario.error("governors", "is missing; add [[governors]] of the attacked pool")
    names = [group.name for group in scenario.groups]
    if strange := [name for name in attackers or [""] if name not in names]:
        has = ", ".join(names)
        raise scenario.error("groups", f"{strange[0]!r} is no group; choose attackers from {has}")
    calm = _without(scenario, attackers)
    for rule in Rule:
        before, after = (_course(each, rule, accounts, engine_factory) for each in (calm, scenario))
        gains = {name: after.profits[name] - before.profits[name] for name in names}
        ours = sum((gains[name] for name in attackers), Decimal())
        yield Tried(rule, before, after, ours, sum(gains.values(), Decimal()) - ours)


def rates_sheet(rows: Sequence[Tried]) -> Sheet:
    """A line a figure and a column a rule."""
    figures = (
        ("Attackers' gain, USDC", [money(row.attackers) for row in rows]),
        ("Others' gain, USDC", [money(row.others) for row in rows]),
        ("Mean rate", [percent(row.calm.rate) for row in rows]),
        ("Mean rate, attacked", [percent(row.attacked.rate) for row in rows]),
        ("Last rate", [percent(row.calm.last) for row in rows]),
        ("Last rate, attacked", [percent(row.attacked.last) for row in rows]),
        ("Off target", [percent(row.calm.off) for row in rows]),
        ("Off target, attacked", [percent(row.attacked.off) for row in rows]),
    )
    note = "Off target: the mean distance of utilization from the governor's target."
    head = ("", *(row.rule.name.lower() for row in rows))
    lines = [(name, *shown) for name, shown in figures]
    return Sheet("Rate models, and what parking utilization gains", head, lines, notes=(note,))


def _without(scenario: Scenario, attackers: Sequence[str]) -> Scenario:
    """The scenario in which these groups do nothing after the start, and take no later loan."""
    never = scenario.end - scenario.start + 1
    groups = tuple(
        replace(group, borrow_after=never)
        if group.name in attackers and group.borrow_after
        else group
        for group in scenario.groups
    )
    kept = tuple(action for action in scenario.actions if action.group not in attackers)
    return replace(scenario, groups=groups, actions=kept)


def _course(
    scenario: Scenario, rule: Rule, accounts: int | None, engine_factory: EngineFactory
) -> Course:
    governed = tuple(replace(each, rule=rule) for each in scenario.governors)
    ran = run(
        replace(scenario, governors=governed), accounts=accounts, engine_factory=engine_factory
    )
    symbol = scenario.parameters.assets[governed[0].asset].symbol
    rates, target = ran.series["borrow_rate"][symbol], governed[0].target / RATIO
    return Course(
        _mean(rates),
        rates[-1],
        _mean([abs(level - target) for level in ran.series["utilization"][symbol]]),
        {each["party"]: Decimal(each["profit"]) for each in ran.figures["parties"]["parties"]},
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
