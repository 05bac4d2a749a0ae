"""Sheets of people and of depth: who was liquidated or in default, what lenders got and lost, what
books could take.
"""

from typing import Any

from solvent.lab.report.formatting import (
    ABSENT,
    moment,
    money,
    number,
    percent,
    trimmed,
    utc,
    words,
)
from solvent.lab.report.summary import Figures, Sheet

VISIBLY_OVER = 1.00005
"""What is written as more than 100.00 %."""
SHORT_TITLES = {
    "book": "Book",
    "backstop": "Backstop",
    "adl_opposites": "Opposites",
    "adl_stuck_lender": "Stuck lender",
    "adl_borrower_default": "Default",
    "deficit": "Deficit",
}


def liquidated_sheet(figures: Figures) -> Sheet:
    """Who was liquidated, when, why, by what, and at what cost."""
    return Sheet(
        "Every account that came into the waterfall, most cleared first; USDC at the marks",
        (
            "Account",
            "Party",
            "From",
            "To",
            "Outcome",
            "Handed over for",
            "Debts cleared",
            "Times",
            "Net equity then",
            "Maintenance then",
            "Owed then",
            "Cleared",
            *SHORT_TITLES.values(),
            "Cost",
        ),
        [_liquidated_row(each) for each in figures["liquidated"]],
        text_columns=7,
        notes=(
            "An account comes in when its net equity is at or below its maintenance margin. Its"
            " cost is what the waterfall took beside the debts that it paid: fills away from the"
            " mark and fees, discounts of providers, fees of ADL. A cost below zero is a gain.",
        ),
    )


def _liquidated_row(each: dict[str, Any]) -> tuple[str, ...]:
    return (
        each["name"],
        each["party"],
        _sortable(each["started"]),
        ABSENT if each["ended"] is None else _sortable(each["ended"]),
        each["outcome"],
        ", ".join(map(words, each["reasons"])) or ABSENT,
        ", ".join(each["debts"]) or ABSENT,
        number(each["times"]),
        money(each["net_equity"]),
        money(each["maintenance"]),
        money(each["owed"]),
        money(each["cleared"]),
        *(money(each[stage]) for stage in SHORT_TITLES),
        money(each["cost"]),
    )


def _sortable(text: str) -> str:
    return f"{moment(text):%Y-%m-%d %H:%M:%S}"


def settled_sheet(figures: Figures) -> Sheet:
    """What each lender whom ADL settled was owed and got."""
    return Sheet(
        "Lenders settled by ADL, by account; USDC at the marks of the settlement",
        ("Lender", "Matches", "Owed", "Received", "Difference", "Recovery"),
        [
            (
                each["name"],
                number(each["matches"]),
                money(each["owed"]),
                money(each["received"]),
                money(each["change"]),
                percent(each["recovery"], 2),
            )
            for each in figures["lenders_settled"]
        ],
    )


def written_down_sheet(figures: Figures) -> Sheet:
    """What each lender lost because a deficit was written off the pool that he lent to."""
    return Sheet(
        "Claims written down, by lender, the largest loss first; USDC at the marks of the booking",
        ("Lender", "Pool", "Lost, tokens", "Lost, USDC"),
        [
            (
                each["name"],
                each["asset"],
                trimmed(each["lost"]),
                money(each["value"]),
            )
            for each in figures["written_down"]
        ],
        text_columns=2,
    )


def recovery_notes(figures: Figures) -> list[str]:
    """What the lenders' table leaves out, and why something in it exceeds 100 %."""
    notes = []
    if any(
        each["recovery"] and each["recovery"] > VISIBLY_OVER for each in figures["lenders_settled"]
    ):
        notes.append(
            "A recovery over 100 %: the lender of a default who is paid in another token than he"
            " lent gets the fee of the liquidated side on top."
        )
    if figures["deficits"]:
        notes.append(
            "Deficits are booked before anybody is settled and are borne by all lenders of a pool"
            " alike; what each of them lost is in a table of its own."
        )
    return notes


def paid_sheet(figures: Figures) -> Sheet:
    """What lenders were paid in, and what became of it by the end of the run."""
    return Sheet(
        "What was paid in what, and what became of it",
        ("Asset", "As", "Quantity", "Worth when paid", "Worth at the end", "Change"),
        [
            (
                each["asset"],
                each["form"],
                trimmed(each["quantity"]),
                money(each["paid"]),
                money(each["worth"]),
                _change(each),
            )
            for each in figures["paid_in"]
        ],
        text_columns=2,
    )


def _change(each: dict[str, Any]) -> str:
    paid, worth = float(each["paid"]), float(each["worth"])
    return percent(worth / paid - 1, 2) if paid else ABSENT


def default_sheet(figures: Figures) -> Sheet:
    """Who was in default, and how long after coming into the waterfall."""
    return Sheet(
        "Accounts in default, those who waited least first; USDC at the marks",
        ("Account", "Settled from", "Seconds in the waterfall then", "Worth then", "Settled"),
        [
            (
                each["name"],
                _sortable(each["time"]),
                trimmed(each["after_seconds"]),
                money(each["worth"]),
                money(each["settled"]),
            )
            for each in figures["defaults"]
        ],
        text_columns=2,
        notes=(
            "An account that is worth something is in default when the book’s patience is used up"
            " and neither providers nor opposites took the rest; one worth nothing, at once.",
        ),
    )


def booking_sheet(figures: Figures) -> Sheet:
    """What every booking did to every pool."""
    return Sheet(
        "Losses booked, by pool",
        (
            "Booked",
            "Accounts",
            "Pool",
            "They lacked, USDC",
            "Fund paid, USDC",
            "Claims before",
            "Loss",
            "Loss, USDC",
            "Borne by claims",
            "Of each claim",
        ),
        [
            (
                _sortable(each["time"]),
                ", ".join(each["accounts"]),
                pool["asset"],
                money(each["lacked"]),
                money(each["fund"]),
                trimmed(pool["claims"]),
                trimmed(pool["loss"]),
                money(pool["value"]),
                trimmed(pool["lenders"]),
                percent(pool["fraction"], 4),
            )
            for each in figures["bookings"]
            for pool in each["pools"]
        ],
        text_columns=3,
        notes=(
            "What the accounts lacked and what the fund paid are of the whole booking and stand in"
            " each of its lines. Fees and a pool’s residue bear a loss before claims do.",
        ),
    )


def depth_notes(figures: Figures) -> list[str]:
    """What the depth of the book stands on, for the figures that hang on it."""
    depth = figures["depth"]
    if depth is None:
        return ["The order book is what clients placed; who of them makes a market is not known."]
    if not depth["bands"]:
        return ["There are no market makers: the order book is what members place."]
    thin = f" at its thinnest, {utc(depth['thinnest_at'])}," if depth["thinnest_at"] else ""
    return [
        f"How much the order book clears, and so what is left for every stage after it, hangs on"
        f" its depth: {depth['basis']}.",
        f"Depth is scaled by {depth['scale']:g};{thin} {percent(depth['thinnest'], 0)} of calm is"
        f" quoted, at distances as many times wider. A ladder that was eaten up is whole again"
        f" after {depth['recovery_seconds']:g} s, which is an assumption.",
        *_impact_notes(figures),
    ]


def _impact_notes(figures: Figures) -> list[str]:
    """How far the run's own trades moved the market, where they can."""
    impact = figures.get("impact")
    if impact is None:
        return []
    far = ", ".join(f"{name} {trimmed(bp)}" for name, bp in impact["farthest_bp"].items())
    return [
        f"What makers took from liquidations moved the market itself, at most by so many basis"
        f" points: {far}. All venues together are {impact['books']} such books, all of whose depth"
        f" comes back in {impact['recovery_seconds']} s, and {impact['lasting']} of what was eaten"
        f" never does: {impact['basis']}.",
    ]


def depth_sheet(figures: Figures) -> Sheet:
    """The ladders that makers quote in calm."""
    return Sheet(
        "Depth in calm, a side, with the scenario’s own number of accounts",
        ("Market", "Within, basis points", "USDC"),
        [
            (each["asset"], trimmed(each["basis_points"]), money(each["usdc"]))
            for each in figures["depth"]["bands"]
        ],
    )
