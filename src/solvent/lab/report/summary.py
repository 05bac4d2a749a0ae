"""A run's figures as tables of text, the same for the terminal and for the report.

Figures are what `runner.run` returns: money as decimal text in USDC, ratios as numbers. Nothing is
computed here but the rounding for the eye.
"""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the first `text_columns` columns are text and the rest numbers."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1


def sheets(figures: Figures) -> list[Sheet]:
    """All tables of a run, in reading order."""
    return [
        stage_sheet(figures),
        lender_sheet(figures),
        kind_sheet(figures),
        party_sheet(figures),
        deficit_sheet(figures),
        pool_sheet(figures),
        conservation_sheet(figures),
        *([step_sheet(figures)] if "step_check" in figures else []),
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
    )


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
    return Sheet("Lender recovery", ("Lenders settled by ADL", "USDC"), rows)


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


def party_sheet(figures: Figures) -> Sheet:
    """Who gained and who lost, and that nothing was lost between them."""
    parties = figures["parties"]
    rows = [
        (
            party["party"],
            number(party["accounts"]),
            *(money(party[key]) for key in ("end", "profit", "worst", "median", "best")),
        )
        for party in parties["parties"]
    ]
    lost = sum(abs(token["lost_atoms"]) for token in parties["tokens"])
    for title, said in (
        ("pools (fees, rounding)", money(parties["pools"])),
        ("all of them", money(parties["total"])),
        ("tokens created or lost, atoms", number(lost)),
    ):
        rows.append((title, ABSENT, ABSENT, said, ABSENT, ABSENT, ABSENT))
    head = ("Accounts", "At the end", "Profit", "Worst", "Median", "Best")
    return Sheet("Who gained and who lost, USDC at the marks", ("Party", *head), rows)


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
