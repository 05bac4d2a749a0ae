"""The report of a run: one HTML file that opens from disk, holds no script and loads nothing.

Theory of operation. `render` is a pure function from a run's figures, series and receipts to text:
equal results give equal bytes. Everything that came from files (names, symbols, descriptions) is
escaped by `report_markup`; the page's own policy forbids scripts and any address. The reader meets
one match first (a lender made whole, a borrower as rich as before), then the waterfall's stages,
the charts, the tables, and the receipts of the first rounds of each case.

Deliberately absent: sorting, filtering and zooming; the receipts and figures are files beside it.
"""

from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from string import Template

from solvent.lab.report.formatting import money, number, percent, utc
from solvent.lab.report.markup import Markup, escaped, facts, join, table, tag
from solvent.lab.report.receipts import Chosen, promise, rounds
from solvent.lab.report.series import Series, charts
from solvent.lab.report.summary import (
    Figures,
    Sheet,
    conservation_sheet,
    deficit_sheet,
    drift,
    kind_sheet,
    lender_sheet,
    party_sheet,
    pool_sheet,
    stage_sheet,
    step_sheet,
)

TEMPLATES = files("solvent.lab") / "templates"


def render(figures: Figures, series: Series, shown: Chosen) -> str:
    """The whole page."""
    body = join(
        [
            _head(figures),
            _tiles(figures),
            promise(shown),
            _section("The waterfall", _waterfall(figures)),
            _section("What happened", charts(figures, series)),
            _section("In figures", _sheets(figures)),
            _section("Receipts of the first ADL rounds", rounds(shown)),
            _section("What was assumed", _assumed(figures)),
            _section("Check it yourself", _checks(figures)),
            tag("footer", "All times are UTC. Values are in USDC at the mark price."),
        ]
    )
    return Template(_text("report.html")).substitute(
        title=escaped(f"Solvent: {figures['scenario']}"), style=_text("report.css"), body=body
    )


def write_report(figures: Figures, series: Series, shown: Chosen, report: Path) -> None:
    """Write the report of a run to a file, from its figures and some of its receipts."""
    report.write_bytes(render(figures, series, shown).encode("utf-8", "replace"))


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _section(title: str, *content: str) -> Markup:
    return tag("section", tag("h2", title), *content)


def _head(figures: Figures) -> Markup:
    run = (
        ("From", utc(figures["start"])),
        ("To", utc(figures["end"])),
        ("Assets", ", ".join(figures["assets"])),
        ("Prices", _prices(figures)),
        ("ADL policy, stuck lenders", str(figures["policy"])),
        ("ADL policy, defaults", str(figures["default_policy"])),
        ("Seed", str(figures["seed"])),
        ("Commands", f"{number(figures['commands'])} ({number(figures['refused'])} refused)"),
        ("Events", number(figures["events"])),
    )
    return tag(
        "header",
        tag("h1", figures["scenario"]),
        tag("p", figures["description"], class_="lede"),
        tag("div", facts(run), class_="card facts"),
    )


def _prices(figures: Figures) -> str:
    """Where the prices of the run came from: another file is not the scenario's own source."""
    prices = figures["prices"]
    if not prices["foreign"]:
        return str(figures["source"])
    return f"{prices['file']}, SHA-256 {prices['sha256'][:16]}…"


def _assumed(figures: Figures) -> Markup:
    """Every note of the run: how prices were read, what was left out, when they were stale."""
    source = f"The scenario says of its data: {figures['source']}"
    return tag("ul", *(tag("li", note) for note in (source, *figures["notes"])), class_="card")


def _tiles(figures: Figures) -> Markup:
    lenders = figures["lenders"]
    deficits = sum((Decimal(deficit["value"]) for deficit in figures["deficits"]), Decimal(0))
    pairs = (
        ("Received by lenders settled by ADL, USDC", money(lenders["received"])),
        ("of what they were owed", percent(lenders["recovery"], 2)),
        (
            "Accounts liquidated",
            f"{number(figures['liquidated_accounts'])} of {number(figures['accounts'])}",
        ),
        ("Deficits, USDC", money(deficits)),
        (
            "Largest change of an account’s value in ADL, USDC",
            drift(figures),
        ),
    )
    tiles = (tag("div", tag("dt", term), tag("dd", said)) for term, said in pairs)
    return tag("dl", *tiles, class_="tiles")


def _waterfall(figures: Figures) -> Markup:
    """The stages, in the words of the run."""
    said = (
        f"{number(figures['liquidated_accounts'])} accounts reached their maintenance margin. "
        f"{number(figures['restored_accounts'])} were restored to health and "
        f"{number(figures['closed_accounts'])} closed. Each stage acts only on what the stages "
        "before it could not clear."
    )
    if not figures["liquidated_accounts"]:
        said = "No account reached its maintenance margin: no stage had anything to do."
    return join([tag("p", said), _card(stage_sheet(figures), "card stages")])


def _sheets(figures: Figures) -> Markup:
    left, right = lender_sheet(figures), conservation_sheet(figures)
    return join(
        [
            tag("div", _card(left), _card(right), class_="pair"),
            _card(party_sheet(figures)),
            _card(kind_sheet(figures)),
            _card(pool_sheet(figures)),
            _card(deficit_sheet(figures)),
            _card(step_sheet(figures)) if "step_check" in figures else "",
        ]
    )


def _card(sheet: Sheet, class_: str = "card") -> Markup:
    return tag(
        "div", table(sheet.caption, sheet.head, sheet.rows, sheet.text_columns), class_=class_
    )


def _checks(figures: Figures) -> Markup:
    commands = "solvent verify receipts.jsonl\nsolvent audit ."
    hashes = (("state_hash", figures["state_hash"]), ("event_hash", figures["event_hash"]))
    return tag(
        "div",
        tag(
            "p",
            "Two runs with the same scenario, prices and seed end in the same two hashes. In the "
            "folder of this report, the first command computes every receipt again and the second "
            "replays the log and checks every invariant (in a clone of the repository, the path of "
            "its run script stands for solvent):",
        ),
        tag("pre", tag("code", commands)),
        facts((name, tag("code", value)) for name, value in hashes),
        class_="card hashes",
    )
