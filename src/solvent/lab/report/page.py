"""The report of a run: one HTML file that opens from disk and loads nothing.

Theory of operation. `render` is a pure function from a run's figures, series and receipts to text:
equal results give equal bytes. Everything that came from files (names, symbols, descriptions) is
escaped by `markup`; the page's own policy forbids any address and any script but its own, which
adds a crosshair, zoom and scrubbing to the charts, and sort, search and filter to the long tables.
Without it, and in print, everything is there to be read. The reader meets one match first (a
lender made whole, a borrower as rich as before), then the waterfall's stages, the charts, who was
liquidated and what lenders got, the tables, and the receipts of the first rounds of each case.

Deliberately absent: rows beyond the first `MOST_ROWS` of a long table, which `solvent export` has.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from string import Template

from solvent.lab.report.drawing.live import chart_data, policy
from solvent.lab.report.drawing.markup import Markup, escaped, facts, join, table, tag
from solvent.lab.report.formatting import money, number, percent, utc
from solvent.lab.report.people_sheets import (
    booking_sheet,
    default_sheet,
    depth_notes,
    depth_sheet,
    liquidated_sheet,
    paid_sheet,
    recovery_notes,
    settled_sheet,
    written_down_sheet,
)
from solvent.lab.report.receipts import Chosen, promise, rounds
from solvent.lab.report.series import Series, all_charts, charts
from solvent.lab.report.summary import (
    Figures,
    Sheet,
    conservation_sheet,
    deficit_sheet,
    depths_sheet,
    drift,
    holdings_sheet,
    kind_sheet,
    lender_sheet,
    party_sheet,
    pool_sheet,
    role_sheet,
    stage_sheet,
    step_sheet,
)

MOST_ROWS = 500
WIDE = 12
"""Columns beyond which a long table is printed on its own pages, lying."""
TEMPLATES = files("solvent.lab") / "templates"


def render(figures: Figures, series: Series, shown: Chosen) -> str:
    """The whole page."""
    drawn = all_charts(figures, series)
    style, script = _text("report.css"), _text("report.js")
    body = join(
        [
            _head(figures),
            _tiles(figures),
            promise(shown),
            _section("The waterfall", _waterfall(figures)),
            _section("What happened", charts(drawn, series)),
            _section("Who was liquidated", _live(liquidated_sheet(figures), (1, 4, 5))),
            *_shortfalls(figures),
            _section("What lenders got", _lenders(figures)),
            _section("In figures", _sheets(figures)),
            _section("Receipts of the first ADL rounds", rounds(shown)),
            _section("What was assumed", _assumed(figures)),
            _section("The run’s settings", _settings(figures)),
            _section("Check it yourself", _checks(figures)),
            tag("footer", "All times are UTC. Values are in USDC at the mark price."),
        ]
    )
    return Template(_text("report.html")).substitute(
        title=escaped(f"Solvent: {figures['scenario']}"),
        policy=policy(style, script),
        style=style,
        script=script,
        data=chart_data(drawn),
        body=body,
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
    files = [prices, *prices["more_files"]]
    return "; ".join(f"{each['file']}, SHA-256 {each['sha256'][:16]}…" for each in files)


def _assumed(figures: Figures) -> Markup:
    """Every note of the run: how prices were read, what was left out, when they were stale."""
    source = f"The scenario says of its data: {figures['source']}"
    notes = (source, *depth_notes(figures), *figures["notes"])
    return join(
        [
            tag("ul", *(tag("li", note) for note in notes), class_="card"),
            *([_card(depth_sheet(figures))] if figures["depth"] else []),
        ]
    )


def _shortfalls(figures: Figures) -> list[Markup]:
    """Who was in default and what was booked, where anybody was or anything."""
    found = []
    if figures["defaults"]:
        found.append(_section("Who was in default", _live(default_sheet(figures), ())))
    if figures["bookings"]:
        found.append(_section("Which losses were booked", _live(booking_sheet(figures), (2,))))
    return found


def _lenders(figures: Figures) -> Markup:
    """By account, by what was paid, and what in kind was worth later."""
    return join(
        [
            _notes(recovery_notes(figures)),
            _live(settled_sheet(figures), ()),
            *([_live(written_down_sheet(figures), ())] if figures["written_down"] else []),
            tag("div", _card(paid_sheet(figures)), _card(kind_sheet(figures)), class_="pair"),
        ]
    )


def _price_files(figures: Figures) -> str:
    prices = figures["prices"]
    files = [each["file"] for each in (prices, *prices["more_files"]) if each["file"]]
    return ", ".join(files) or "a path drawn in the scenario"


def _settings(figures: Figures) -> Markup:
    """The scenario file of the run, as it was read, and what was given beside it."""
    given = [
        ("Seed", str(figures["seed"])),
        ("ADL policy, stuck lenders", str(figures["policy"])),
        ("ADL policy, defaults", str(figures["default_policy"])),
        ("Accounts", number(figures["accounts"])),
        ("Engine", str(figures["engine"])),
    ]
    if figures["settings"] is None:
        said = "A market is served: its parameters in force are at /solvent/v1/ of its service."
        return join([tag("div", facts(given), class_="card facts"), tag("p", said, class_="note")])
    given += [
        ("Step", f"{figures['step_seconds']} s"),
        ("Scale of the depth", f"{figures['depth']['scale']:g}"),
        ("Price file", _price_files(figures)),
        ("Positions", (figures["positions"] or {"file": "the scenario’s groups"})["file"]),
    ]
    return join(
        [
            tag("div", facts(given), class_="card facts"),
            tag(
                "details",
                tag("summary", "The scenario file as it was read"),
                tag("pre", tag("code", figures["settings"])),
            ),
        ]
    )


def _live(sheet: Sheet, filters: Collection[int]) -> Markup:
    """A long table that the script sorts, searches and filters by some of its columns."""
    rows = sheet.rows[:MOST_ROWS]
    hidden = len(sheet.rows) - len(rows)
    more = f"{number(hidden)} more rows are left out here; solvent export has all of them."
    return join(
        [
            tag(
                "div",
                table(sheet.caption, sheet.head, rows, sheet.text_columns, filters),
                class_="card live long" + (" lying" if len(sheet.head) > WIDE else ""),
            ),
            *([tag("p", more, class_="note")] if hidden else []),
            _notes(sheet.notes),
        ]
    )


def _notes(notes: Iterable[str]) -> Markup:
    return join(tag("p", note, class_="note") for note in notes)


def _tiles(figures: Figures) -> Markup:
    lenders = figures["lenders"]
    deficits = sum((Decimal(deficit["value"]) for deficit in figures["deficits"]), Decimal(0))
    pairs = (
        ("Received by lenders settled by ADL, USDC", money(lenders["received"])),
        (
            "of what they were owed"
            + (", with the fees of those in default" if (lenders["recovery"] or 0) > 1 else ""),
            percent(lenders["recovery"], 2),
        ),
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
    return join(
        [
            tag("p", said),
            _card(stage_sheet(figures), "card stages"),
            _notes(depth_notes(figures)[:1]),
            *([_card(depths_sheet(figures))] if "depth_check" in figures else []),
        ]
    )


def _sheets(figures: Figures) -> Markup:
    left, right = lender_sheet(figures), conservation_sheet(figures)
    return join(
        [
            tag("div", _card(left), _card(right), class_="pair"),
            _card(party_sheet(figures)),
            _card(role_sheet(figures)),
            _live(holdings_sheet(figures), (0, 1)),
            _card(pool_sheet(figures)),
            _card(deficit_sheet(figures)),
            _card(step_sheet(figures)) if "step_check" in figures else "",
        ]
    )


def _card(sheet: Sheet, class_: str = "card") -> Markup:
    return tag(
        "div",
        table(sheet.caption, sheet.head, sheet.rows, sheet.text_columns),
        _notes(sheet.notes),
        class_=class_,
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
