"""The report of a sweep: what a committee signs is in it, and it is a page that loads nothing."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.sweeps.frontier import frontier
from solvent.lab.sweeps.page import render
from solvent.lab.sweeps.plan import Plan
from solvent.lab.sweeps.rows import METRICS, Row
from solvent.lab.sweeps.summary import verdict, worst
from tests.lab.run_helpers import written

POINTS: tuple[dict[str, str], ...] = ({}, {"fund.balance": "5"}, {"fund.balance": "<b>"})


def row(point: int, path: int, deficit: float, error: str = "") -> Row:
    figures = dict.fromkeys(METRICS, "0") | {"deficit": str(deficit)}
    return Row(point, path, {} if error else figures, error)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(str(written(tmp_path)), "r" * 64, "s" * 64, POINTS, 40)


def rows(shift: float) -> list[Row]:
    losses = [float(path % 13) ** 3 for path in range(40)]
    return [
        row(point, path, loss + shift * (point == 1) + 1000 * (point == 2))
        for point in range(3)
        for path, loss in enumerate(losses)
    ]


def page(plan: Plan, table: list[Row]) -> str:
    return render(plan, load_scenario(plan.scenario), table)


def test_the_page_is_well_formed_and_loads_nothing(plan: Plan) -> None:
    text = page(plan, rows(-1))
    assert text == page(plan, rows(-1))
    body = text[text.index("<body>") : text.index('<script type="application/json"')]
    ElementTree.fromstring(body + "</body>")
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "<b>" not in text
    for said in (plan.digest, plan.root, plan.sources, "lab verify", "Horizon", "--path"):
        assert said in text


def test_a_point_is_recommended_only_where_it_is_sure(plan: Plan) -> None:
    assert "surely (95 %): as it is" in verdict(plan, rows(+1))
    varied = [
        row(
            each.point,
            each.path,
            float(each.value("deficit")) + (each.point == 1) * (-1) ** each.path,
        )
        for each in rows(0)
    ]
    assert "No recommendation" in verdict(plan, varied)
    assert "as it is; fund.balance = 5" in verdict(plan, varied)
    assert "nothing to choose" in verdict(Plan("x", "r", "s", ({},), 1), [row(0, 0, 1.0)])


def test_the_worst_paths_are_those_that_lost_most() -> None:
    found = worst(rows(0))
    assert [each.value("deficit") for each in found] == sorted(
        (each.value("deficit") for each in rows(0)), reverse=True
    )[:5]
    assert worst([row(0, 0, 0.0)]) == []
    assert frontier(rows(0), range(3)) == (0, 1)


def test_paths_that_failed_are_told_and_counted(plan: Plan) -> None:
    table = [*rows(0)[:-1], row(2, 39, 0.0, "InputError: <out of range>")]
    text = page(plan, table)
    assert "InputError: &lt;out of range&gt;" in text
    assert '<td class="number">39</td><td class="number">1</td>' in text
