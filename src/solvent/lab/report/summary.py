"""A run's figures as tables of text, the same for the terminal and for the report.

Figures are what `runner.run` returns: money as decimal text in USDC, ratios as numbers. Nothing is
computed here but the rounding for the eye.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solvent.domain.units import VALUE_DECIMALS
from solvent.lab.report.formatting import (
    ABSENT,
    STAGE_TITLES,
    money,
    number,
    percent,
    reasons,
    trimmed,
)

Figures = Mapping[str, Any]

MOST_DEFICITS = 12
PROFIT_HEAD = ("Accounts", "At the end", "Profit", "Worst", "Median", "Best")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first `text_columns` columns are text and the rest numbers.

    `notes` say what a reader would otherwise stumble over.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    notes: Sequence[str] = ()


def sheets(figures: Figures) -> list[Sheet]:
    """All tables of a run, in reading order."""
    return [
        stage_sheet(figures),
        lender_sheet(figures),
        kind_sheet(figures),
        party_sheet(figures),
        role_sheet(figures),
        deficit_sheet(figures),
        pool_sheet(figures),
        conservation_sheet(figures),
        *([step_sheet(figures)] if "step_check" in figures else []),
        *([depths_sheet(figures)] if "depth_check" in figures else []),
    ]


def stage_sheet(figures: Figures) -> Sheet:
    """What each stage of the waterfall cleared, and why the one before had left it."""
    return Sheet(
        "Stages of the waterfall",
        ("Stage", "Why the stage before handed over", "Accounts", "Value, USDC", "Share"),
        [
            (
                STAGE_TITLES[stage["stage"]],
                reasons(stage["reasons"]),
                number(stage["accounts"]),
                money(stage["value"]),
                percent(stage["share"]),
            )
            for stage in figures["stages"]
        ],
        text_columns=2,
        notes=[note for stage in figures["stages"] for note in _reason_notes(stage)],
    )


def _reason_notes(stage: Mapping[str, Any]) -> Iterator[str]:
    """Why the reasons of a stage do not add up to its accounts, where they do not."""
    title, several, none = STAGE_TITLES[stage["stage"]], stage["several"], stage["without"]
    if several:
        more = sum(stage["reasons"].values()) - (stage["accounts"] - none)
        yield (
            f"{title}: {number(several)} accounts came for more than one reason, one after the"
            f" other, and stand under each: {number(more)} more reasons than accounts."
        )
    if none and stage["reasons"]:
        yield f"{title}: {number(none)} accounts came without being handed over before."


def lender_sheet(figures: Figures) -> Sheet:
    """What lenders touched by ADL were owed, and in what form they got it."""
    lenders = figures["lenders"]
    owed, received = ("Value owed", "owed"), ("Value received", "received")
    forms = (
        ("… as the token", "in_token"),
        ("… in USDC", "in_usdc"),
        ("… in kind", "in_kind"),
        ("… as claims on a pool", "as_claims"),
        ("Deficit borne", "deficit"),
    )
    rows = [(title, money(lenders[key])) for title, key in (owed, received, *forms)]
    rows.append(("Recovery", percent(lenders["recovery"], 4)))
    notes = []
    if (lenders["recovery"] or 0) > 1:
        notes.append(
            f"Over 100 %: lenders of a default who were paid in another token than they lent got"
            f" the fee of the liquidated side on top, {money(lenders['fees'])} USDC here; what is"
            " left of the difference is rounding, always in a lender’s favour."
        )
    return Sheet("Lender recovery", ("Lenders settled by ADL", "USDC"), rows, notes=notes)


def kind_sheet(figures: Figures) -> Sheet:
    """What payments in another token were worth later."""
    later = figures["kind_later"]
    rows = [
        (f"{each['hours']} h later", each["paid"], each["worth"])
        for each in later["after"]
        if any(char in "123456789" for char in each["paid"])
    ]
    rows.append(("At the end", later["end"]["paid"], later["end"]["worth"]))
    return Sheet(
        "Payments in kind, then and later",
        ("Valued again", "Paid at, USDC", "Worth then, USDC"),
        [(title, money(paid), money(worth)) for title, paid, worth in rows],
    )


def step_sheet(figures: Figures) -> Sheet:
    """What each stage cleared with half the step."""
    check = figures["step_check"]
    rows = [
        (STAGE_TITLES[each["stage"]], money(each["value"]), money(each["half"]))
        for each in check["stages"]
    ]
    whole, half = map(number, check["liquidated"])
    rows.append(("Accounts liquidated", whole, half))
    rows.append(
        ("Largest difference, of all that was cleared", ABSENT, percent(check["largest"], 2))
    )
    head = (f"Step of {check['step_seconds']:g} s", f"of {check['half_seconds']:g} s")
    return Sheet("With half the step", ("Stage, USDC", *head), rows)


def depths_sheet(figures: Figures) -> Sheet:
    """The result with half and with twice the depth."""
    check = figures["depth_check"]
    rows = [(STAGE_TITLES[each["stage"]], *map(money, each["values"])) for each in check["stages"]]
    rows.append(("Accounts liquidated", *map(number, check["liquidated"])))
    rows.append(
        ("Recovery of lenders settled by ADL", *(percent(each, 2) for each in check["recovery"]))
    )
    return Sheet(
        "The same run with half and with twice the depth",
        ("USDC", "Half", "This run", "Twice"),
        rows,
    )


def party_sheet(figures: Figures) -> Sheet:
    """Who gained and who lost, and that nothing was lost between them."""
    parties = figures["parties"]
    rows = [(party["party"], *_profits(party)) for party in parties["parties"]]
    lost = sum(abs(token["lost_atoms"]) for token in parties["tokens"])
    for title, said in (
        ("pools (fees, rounding)", money(parties["pools"])),
        ("all of them", money(parties["total"])),
        ("tokens created or lost, atoms", number(lost)),
    ):
        rows.append((title, ABSENT, ABSENT, said, ABSENT, ABSENT, ABSENT))
    head = ("Party", *PROFIT_HEAD)
    return Sheet("Who gained and who lost, USDC at the marks", head, rows)


def _profits(row: Mapping[str, Any]) -> tuple[str, ...]:
    said = (money(row[key]) for key in ("end", "profit", "worst", "median", "best"))
    return number(row["accounts"]), *said


def role_sheet(figures: Figures) -> Sheet:
    """The same by what accounts do, whichever party they belong to."""
    return Sheet(
        "Who gained and who lost, by what they do, USDC at the marks",
        ("Role", *PROFIT_HEAD),
        [(each["role"], *_profits(each)) for each in figures["parties"]["roles"]],
        notes=(
            "A borrower owes at some time of the run; a lender has lent at some time and never"
            " owes; a holder does neither.",
        ),
    )


def holdings_sheet(figures: Figures) -> Sheet:
    """What every role had, got and has of every asset, and that it adds up to nothing."""
    return Sheet(
        "What came in, went out and is there, by asset and role, in tokens",
        ("Asset", "Role", "At the start", "Came in", "Went out", "At the end", "Net, atoms"),
        [
            (
                each["asset"],
                each["role"],
                *(trimmed(each[key]) for key in ("start", "came_in", "went_out", "end")),
                number(each["sum_atoms"]),
            )
            for each in figures["parties"]["holdings"]
        ],
        text_columns=2,
        notes=(
            "What an account has of an asset is what it holds and has lent, less what it owes."
            " What comes in to one of these goes out of another: together, the net is zero in every"
            " asset, to the atom. Outside is where deposits come from.",
        ),
    )


def deficit_sheet(figures: Figures) -> Sheet:
    """Debts that were not paid, the first of them where there are many."""
    deficits = figures["deficits"]
    rows = [
        (
            deficit["asset"],
            str(deficit["account"]),
            trimmed(deficit["quantity"]),
            money(deficit["value"]),
        )
        for deficit in deficits[:MOST_DEFICITS]
    ]
    if len(deficits) > MOST_DEFICITS:
        rest = f"and {number(len(deficits) - MOST_DEFICITS)} more"
        rows.append((rest, ABSENT, ABSENT, ABSENT))
    return Sheet("Deficits", ("Asset", "Account", "Quantity", "Value, USDC"), rows)


def pool_sheet(figures: Figures) -> Sheet:
    """How full each pool was, against its throttle."""
    return Sheet(
        "Utilization against throttle",
        ("Pool", "Start", "Peak", "End", "Threshold", "Minutes above", "Minutes full"),
        [
            (
                pool["asset"],
                percent(pool["start_utilization"]),
                percent(pool["peak_utilization"]),
                percent(pool["end_utilization"]),
                percent(pool["threshold"]),
                number(pool["minutes_above_threshold"]),
                number(pool["minutes_full"]),
            )
            for pool in figures["pools"]
        ],
        notes=[
            f"{pool['asset']}, over 100 %: interest is owed that nobody has lent."
            for pool in figures["pools"]
            if pool["peak_utilization"] > 1
        ],
    )


def drift(figures: Figures) -> str:
    """The largest change of any account's total value in an ADL settlement, in USDC."""
    return trimmed(figures["conservation"]["largest_drift_usdc"], VALUE_DECIMALS)


def conservation_sheet(figures: Figures) -> Sheet:
    """The largest change of any account's total value in an ADL settlement."""
    conservation = figures["conservation"]
    account = conservation["largest_drift_account"]
    return Sheet(
        "Conservation in ADL",
        ("Total value of an account, before against after", "Figure"),
        [
            ("Settlements", number(conservation["settlements"])),
            ("Largest drift, USDC", drift(figures)),
            (
                "Largest drift, atoms of the coarsest asset settled",
                trimmed(conservation["largest_drift_atoms"]),
            ),
            ("Account with the largest drift", ABSENT if account is None else str(account)),
        ],
    )
