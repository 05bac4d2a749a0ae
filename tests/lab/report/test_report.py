"""The report: well-formed, closed to the outside, complete, and the same for the same run."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest

from solvent.domain.codec.canonical import strict_json
from solvent.domain.labels import AdlCase
from solvent.domain.units import RATIO
from solvent.engine.engine import FastEngine
from solvent.lab.report.drawing.charts import SPANS, Chart, Line, draw, nice_step, thinned
from solvent.lab.report.drawing.markup import Markup, table, tag
from solvent.lab.report.formatting import STAGE_TITLES, money, number, percent, trimmed, utc, words
from solvent.lab.report.page import render
from solvent.lab.report.receipts import MATCHES_PER_ROUND, chosen
from solvent.lab.report.summary import sheets
from solvent.lab.runner import RunResult, run
from solvent.lab.scenario.catalog import load_scenario
from solvent.receipts.codec import read_receipt
from solvent.receipts.form import AdlReceipt, Receipt
from tests.proof import proves

CRASH = "crash-2025-10-10"
EVIL = "<script>alert(1)</script> & \"quoted\" 'too' \x00"


@cache
def small_run(
    name: str = "crash-2025-10-10", accounts: int = 80
) -> tuple[RunResult, list[Receipt]]:
    """A small real run and its receipts."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        result = run(load_scenario(name), accounts=accounts, out=out)
        lines = (out / "receipts.jsonl").read_text(encoding="utf-8").splitlines()
    return result, [read_receipt(strict_json(line)) for line in lines]


@cache
def page(name: str = CRASH) -> str:
    """The report of that run."""
    result, receipts = small_run(name)
    return render(result.figures, result.series, chosen(receipts))


def parsed(text: str) -> ElementTree.Element:
    """The page as a tree; a page that is not well-formed raises."""
    return ElementTree.fromstring(text)


def texts(tree: ElementTree.Element, name: str) -> list[str]:
    """What every element of a name says."""
    return ["".join(element.itertext()) for element in tree.iter(name)]


@pytest.mark.slow
@pytest.mark.parametrize("name", [CRASH, "quiet"])
def test_a_report_is_well_formed(name: str) -> None:
    """Strictly, as XML; ids are unique and every drawing is named and described."""
    tree = parsed(page(name))
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    drawings = [element for element in tree.iter("svg") if element.get("role") == "img"]
    assert len(drawings) >= 5
    for drawing in drawings:
        labels = str(drawing.get("aria-labelledby")).split()
        assert [child.get("id") for child in drawing][:2] == labels
    assert [element.get("lang") for element in tree.iter("html")] == ["en"]


def test_a_report_loads_nothing_and_runs_no_script_but_its_own() -> None:
    """No address, and a policy that allows one script and one style by their hashes."""
    text = page()
    style, data, script = (
        re.search(pattern, text, re.DOTALL)
        for pattern in (
            r"<style>(.*)</style>",
            r'<script type="application/json" id="chart-data">(.*?)</script>',
            r"<script>(.*)</script>",
        )
    )
    assert style is not None
    assert script is not None
    assert data is not None
    assert text.count("<script") == 2
    outside = text.replace(script[1], "")
    assert not re.search(r"https?:|//\w|url\(|@import|<link|<img|<iframe|\bon\w+=", outside)
    assert re.findall(r"https?:[^\"]*", script[1]) == ["http://www.w3.org/2000/svg"]
    allowed = [
        f"'sha256-{b64encode(sha256(found[1].encode()).digest()).decode()}'"
        for found in (style, script)
    ]
    (policy,) = (
        str(element.get("content"))
        for element in parsed(text).iter("meta")
        if element.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == (
        f"default-src 'none'; style-src {allowed[0]}; script-src {allowed[1]};"
        " base-uri 'none'; form-action 'none'"
    )
    assert "unsafe" not in policy
    assert not any(element.get("style") for element in parsed(text).iter())
    assert not any(element.get("href") or element.get("src") for element in parsed(text).iter())


def test_what_comes_from_outside_is_escaped() -> None:
    """Names, descriptions and symbols cannot become markup."""
    result, _ = small_run()
    figures, series = deepcopy(result.figures), deepcopy(result.series)
    figures |= {"scenario": EVIL, "description": EVIL, "source": EVIL}
    figures["pools"][1]["asset"] = EVIL
    for row in ("marks", "utilization", "bound", "threshold"):
        series[row] = {
            (EVIL if symbol == "BTC" else symbol): values for symbol, values in series[row].items()
        }
    figures["settings"] = EVIL
    for record in (*figures["liquidated"], *figures["lenders_settled"]):
        record["name"] = EVIL
    text = render(figures, series, chosen([]))
    assert "alert(1)" in text
    assert text.count("<script") == 2
    assert "<script>alert" not in text
    assert any("<script>alert(1)</script>" in said for said in texts(parsed(text), "h1"))


@proves("I35")
def test_the_same_result_gives_the_same_bytes(tmp_path: Path) -> None:
    """From a second run too, and in its folder as from memory."""
    result, _ = small_run()
    out = tmp_path / "run"
    again = run(load_scenario(CRASH), accounts=80, out=out)
    assert (out / "report.html").read_bytes() == page().encode()
    assert again.figures == result.figures


@proves("A14")
def test_every_row_of_the_series_is_drawn() -> None:
    """Prices, utilization with bound and threshold, stages, recovery, accounts in liquidation."""
    result, _ = small_run()
    tree = parsed(page())
    titles = texts(tree, "figcaption")
    legends = texts(tree, "li")
    for symbol in result.series["utilization"]:
        assert f"Utilization of the {symbol} pool" in titles
    for symbol in ("BTC", "ETH", "SOL", *STAGE_TITLES.values(), "Owed", "Received"):
        assert symbol in legends
    assert legends.count("Throttle threshold") == len(result.series["utilization"])
    assert legends.count("Throttle bound") == len(result.series["utilization"])
    assert "Accounts in liquidation" in titles
    captions = texts(tree, "caption")
    assert all(title in captions for title in titles)


def test_the_figures_are_in_the_tables() -> None:
    """Hashes, recovery, each stage's value and each pool's peak, as they are written for people."""
    result, _ = small_run()
    figures = result.figures
    cells = texts(parsed(page()), "td") + texts(parsed(page()), "dd")
    for said in (
        figures["state_hash"],
        figures["event_hash"],
        money(figures["lenders"]["owed"]),
        *(money(stage["value"]) for stage in figures["stages"]),
        *(percent(pool["peak_utilization"]) for pool in figures["pools"]),
    ):
        assert said in cells


def rounds_of(receipts: list[Receipt]) -> Iterator[AdlReceipt]:
    """Those of ADL rounds that settled anything."""
    return (one for one in receipts if isinstance(one, AdlReceipt) and one.matches)


@proves("A6", "A10")
def test_the_first_rounds_are_told_from_their_receipts() -> None:
    """Who was stuck, why the stages before failed, each leg, and worth before and after."""
    _, receipts = small_run()
    tree = parsed(page())
    first = next(rounds_of(receipts))
    told = " ".join(texts(tree, "details"))
    assert f"round {first.round}" in told
    for side in first.sides[:1]:
        assert words(side.book_reason.name) in told
        assert words(side.backstop_reason.name) in told
    for match in first.matches[:MATCHES_PER_ROUND]:
        lender = next(party for party in match.before if party.account == match.lender)
        whole, atoms = divmod(lender.total_value, 10**6)
        assert f"{whole:,}.{atoms:06}" in told


@proves("A10")
def test_the_promise_is_shown_by_the_largest_match_of_a_stuck_lender() -> None:
    """A stuck lender first; a default only where nobody was stuck."""
    _, receipts = small_run()
    rounds = list(rounds_of(receipts))
    largest = max(match.value for one in rounds for match in one.matches)
    smallest = min(rounds, key=lambda one: min(match.value for match in one.matches))
    stuck = [replace(smallest, case=AdlCase.STUCK_LENDER)]
    defaults = [replace(one, case=AdlCase.BORROWER_DEFAULT) for one in rounds]
    by_value = chosen(defaults).best
    assert by_value is not None
    assert by_value[1].value == largest
    by_case = chosen([*defaults, *stuck]).best
    assert by_case is not None
    assert by_case[0].case is AdlCase.STUCK_LENDER
    assert "verdict broken" not in page()
    assert page().count('class="verdict"') == 2


def test_a_settlement_that_took_value_would_be_shown_as_broken() -> None:
    """The verdict is read off the receipt, not asserted."""
    result, receipts = small_run()
    first = next(one for one in rounds_of(receipts) if one.case is not AdlCase.OPPOSITES)
    match = first.matches[0]
    robbed = tuple(replace(party, total_value=party.total_value - 10**9) for party in match.after)
    forged = replace(first, matches=(replace(match, after=robbed),))
    text = render(result.figures, result.series, chosen([forged]))
    assert text.count('class="verdict broken"') == 2


def test_a_quiet_run_says_that_nothing_happened() -> None:
    """No empty tables and no promise without a settlement."""
    text = page("quiet")
    assert "no stage had anything to do" in text
    assert "The promise" not in text
    assert "None in this run." in text


def chart(values: list[float], **more: Any) -> Chart:
    """A chart of one line with a value a minute."""
    times = [f"2025-10-10T{at // 60:02}:{at % 60:02}:00+00:00" for at in range(len(values))]
    return Chart("one", "One", "A line.", times, [Line("Line", values, "c1")], str, str, **more)


def test_thinning_keeps_every_peak() -> None:
    """However long the row; first and last stay, and order."""
    values = [0.0] * 10_000
    values[7_777], values[3_333] = 5.0, -5.0
    places = thinned(values)
    assert {0, 3_333, 7_777, 9_999} <= set(places)
    assert places == sorted(set(places))
    assert len(places) <= 4 * SPANS


@pytest.mark.parametrize("values", [[], [1.0], [0.0, 0.0], [1.0, 2.0, 1.5], [-1.0, 1.0]])
def test_short_and_flat_rows_can_be_drawn(values: list[float]) -> None:
    """One value, none, all the same, below zero."""
    for stacked in (False, True):
        drawn = draw(chart(values, stacked=stacked))
        assert "nan" not in drawn
        assert parsed(drawn).tag == "figure"


@pytest.mark.parametrize(
    ("rough", "nice"), [(0.2, 0.2), (0.21, 0.25), (3, 5), (1e6, 1e6), (1.1e6, 2e6)]
)
def test_axis_steps_are_round(rough: float, nice: float) -> None:
    """1, 2, 2.5 or 5 times a power of ten."""
    assert nice_step(rough) == pytest.approx(nice)


def test_markup_is_escaped_once() -> None:
    """Text is escaped, markup is not, attributes are too."""
    assert tag("b", "<i>") == "<b>&lt;i&gt;</b>"
    assert tag("b", tag("i", "&")) == "<b><i>&amp;</i></b>"
    assert tag("b", title='"') == '<b title="&quot;"></b>'
    assert isinstance(table("x", ["a"], []), Markup)


def test_figures_for_people() -> None:
    """Thousands, signs, zeros, percentages and times."""
    assert number("1234567.5") == "1,234,567.5"
    assert number("-0.001", 2) == "0.00"
    assert money("-1234.567") == "−1,234.57"
    assert trimmed("1200.500") == "1,200.5"
    assert trimmed("1200") == "1,200"
    assert percent(0.8312) == "83.1 %"
    assert percent(None) == "–"
    assert words("NO_REDEEMABLE_CASH") == "no redeemable cash"
    assert utc("2025-10-10T21:20:00Z") == "10 Oct 2025 21:20 UTC"
    assert utc("2025-10-10T23:20:05+02:00") == "10 Oct 2025 21:20:05 UTC"


def rows_of(caption: str) -> list[list[str]]:
    """The rows of the table whose caption begins so, cell by cell."""
    (found,) = [
        element
        for element in parsed(page()).iter("table")
        if "".join(element[0].itertext()).startswith(caption)
    ]
    return [["".join(cell.itertext()) for cell in row] for row in found.iter("tr")][1:]


def test_who_was_liquidated_is_told_account_by_account() -> None:
    """As many rows as the headline says, and stages that add up to those of the waterfall."""
    figures = small_run()[0].figures
    records = figures["liquidated"]
    assert len(records) == figures["liquidated_accounts"] > 5
    assert len(rows_of("Every account that came into")) == len(records)
    words_of = [each["outcome"] for each in records]
    assert words_of.count("restored") == figures["restored_accounts"]
    assert words_of.count("closed") == figures["closed_accounts"]
    for stage in figures["stages"]:
        cleared = sum(Decimal(each[stage["stage"]]) for each in records)
        # Every record is rounded to 10^-6 USDC.
        assert abs(cleared - Decimal(stage["value"])) <= Decimal(len(records)) / 10**6
        assert sum(Decimal(each[stage["stage"]]) > 0 for each in records) <= stage["accounts"]
    for each in records:
        assert Decimal(each["net_equity"]) <= Decimal(each["maintenance"])
        assert each["started"] <= (each["ended"] or figures["end"])
    first = rows_of("Every account that came into")[0]
    assert first[0] == records[0]["name"]
    assert money(records[0]["cost"]) == first[-1]


def test_the_stages_reasons_add_up_or_say_why_not() -> None:
    """Accounts = those without a reason, and those with one or more."""
    for stage in small_run()[0].figures["stages"]:
        said = sum(stage["reasons"].values())
        with_reason = stage["accounts"] - stage["without"]
        assert said >= with_reason
        assert (said == with_reason) == (stage["several"] == 0)
        if stage["several"]:
            assert f"{stage['several']} accounts came for more than one reason" in page()


def test_headline_tiles_and_tables_agree() -> None:
    """Recovery, accounts and deficits are the same figures wherever they stand."""
    figures = small_run()[0].figures
    lenders = figures["lenders"]
    tiles = texts(parsed(page()), "dd")
    assert money(lenders["received"]) in tiles
    assert f"{figures['liquidated_accounts']} of {figures['accounts']}" in tiles
    assert money(sum(Decimal(each["value"]) for each in figures["deficits"])) in tiles
    settled = figures["lenders_settled"]
    received = sum(Decimal(each["received"]) for each in settled)
    assert abs(received - Decimal(lenders["received"])) <= Decimal(len(settled)) / 10**6
    paid = sum(Decimal(each["paid"]) for each in figures["paid_in"])
    assert abs(paid - Decimal(lenders["received"])) <= Decimal(len(figures["paid_in"])) / 10**6
    assert dict(row[:2] for row in rows_of("Lender recovery"))["Value received"] == money(
        lenders["received"]
    )
    if lenders["recovery"] > 1:
        assert "Over 100 %" in page()
        over = Decimal(lenders["received"]) - Decimal(lenders["owed"]) - Decimal(lenders["fees"])
        assert abs(over) < Decimal("0.01")


def test_the_scripts_values_are_those_of_the_series() -> None:
    """Every chart that is drawn has its values, first and last among them."""
    result, _ = small_run()
    found = re.search(r'id="chart-data">(.*?)</script>', page(), re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    drawn = [element.get("data-chart") for element in parsed(page()).iter("figure")]
    assert sorted(data["charts"]) == sorted(filter(None, drawn))
    assert {"depth", "borrow-rate", "lend-rate", "mark-0"} <= set(data["charts"])
    for chart in data["charts"].values():
        assert all(len(line) == len(data["times"]) for line in chart["lines"])
        assert chart["low"] < chart["high"]
    marks = result.series["marks"]["BTC"]
    assert data["charts"]["mark-0"]["lines"][0][-1] == pytest.approx(marks[-1], rel=1e-11)
    assert len(data["times"]) <= 1001


def test_the_depth_is_told_beside_what_hangs_on_it() -> None:
    """What was measured and what was assumed, by the stages and among the assumptions."""
    told = texts(parsed(page()), "p")
    assert any("hangs on its depth" in said and "measured are" in said for said in told)
    bands = small_run()[0].figures["depth"]["bands"]
    assert len(rows_of("Depth in calm")) == len(bands) > 5


def test_the_run_is_shown_with_half_and_twice_its_depth() -> None:
    """All three are runs of their own, and the middle one is this one."""
    scenario = load_scenario(CRASH)
    options: dict[str, Any] = {"accounts": 60, "engine_factory": FastEngine}
    figures = run(scenario, check_depth=True, **options).figures
    check = figures["depth_check"]
    for place, depth in enumerate((RATIO // 2, RATIO, 2 * RATIO)):
        other = run(scenario, depth=depth, **options).figures
        assert [each["values"][place] for each in check["stages"]] == [
            each["value"] for each in other["stages"]
        ]
        assert other["depth"]["scale"] == 0.15 * depth / RATIO
    book = [Decimal(value) for value in check["stages"][0]["values"]]
    assert book[0] < book[1] < book[2]
    assert any(sheet.caption.startswith("The same run with half") for sheet in sheets(figures))


def test_the_settings_are_the_scenario_as_it_was_read() -> None:
    """Its whole text, so that the report alone says what was run."""
    text = Path(load_scenario(CRASH).file).read_text(encoding="utf-8")
    assert text in texts(parsed(page()), "code")
