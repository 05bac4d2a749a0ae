"""The record as tables: waves, policies, examples, regimes, the trilemma, what cannot be had."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from solvent.lab.record.examples import five_accounts, five_positions, survivor_gap
from solvent.lab.record.figures import Beside, rounded
from solvent.lab.record.published import Published, column
from solvent.lab.record.regimes import best_fixed_order, learned_order
from solvent.lab.record.trilemma import PROPERTIES, Corner, corners, survivor_order
from solvent.lab.record.waves import Taken, corrected, ours, theirs
from solvent.lab.report.formatting import ABSENT, number, percent
from solvent.lab.report.summary import Sheet

SHARE_PLACES, ORDER_PLACES = 4, 2
THEIR_MOST_OFF, THEIR_MEAN_SHARE = Fraction("0.0061"), Fraction("0.062")
"""Their best rule in whole contracts: how far off in all, and its mean largest share a wave."""
NOTES = (
    "A dash: the accounts were not published. What our policies take in all holds for any of them;",
    "the largest share of anyone does for pro rata only, which takes the same of everybody.",
    "Not to be had from the sums that were published: who was taken from, regret against the",
    "instance's bound, survivors' profits (PTSR, PMR), the mark's path after a wave.",
)


@dataclass(frozen=True, slots=True)
class Record:
    """All tables, and all figures that have a published one beside them."""

    sheets: list[Sheet]
    figures: list[Beside]


def record(data: Published | None) -> Record:
    """Everything, or without the tables what needs none of them."""
    examples = [*five_accounts(), *five_positions(), _gap()]
    sheets, figures = [], []
    if data is not None:
        figures = corrected(data)
        sheets = [
            _beside("The 16 waves of 10 October 2025", figures),
            _policies([*theirs(data), *ours(data)]),
            _targets(data),
        ]
    sheets += [_beside("Examples of arXiv 2512.01112", examples), _orders(), _corners(corners())]
    return Record(sheets, [*figures, *examples])


def differing(found: Record) -> list[Beside]:
    """The figures that differ without a known reason."""
    return [each for each in found.figures if not (each.same or each.known)]


def _gap() -> Beside:
    gap, formula = survivor_gap()
    return Beside("survivor gap, H (1 - w1 / U), in tenths", str(formula), gap)


def _beside(caption: str, figures: Sequence[Beside]) -> Sheet:
    lines = [
        (
            each.name,
            each.known or ("same" if each.same else "DIFFERS"),
            number(each.theirs),
            number(each.shown),
        )
        for each in figures
    ]
    return Sheet(caption, ("", "", "Theirs", "Ours"), lines, text_columns=2)


def _policies(found: Sequence[Taken]) -> Sheet:
    lines = [
        (
            each.name,
            *(number(rounded(x, 2)) for x in (each.taken, each.signed, each.distance)),
            *(
                ABSENT if x is None else rounded(x, SHARE_PLACES)
                for x in (each.mean_share, each.worst_share)
            ),
        )
        for each in found
    ]
    head = ("", "Taken", "Signed", "Distance", "Mean of largest shares", "Worst")
    return Sheet("What policies take over the 16 waves, USDC", head, lines, notes=NOTES)


def _targets(data: Published) -> Sheet:
    """Their best rule in whole contracts, and ours."""
    needed = sum(column(data.policies, "budget_needed"), Fraction())
    rules = {each.name: each for each in ours(data)}
    fair, whole = rules["our pro rata"], rules["our whole contracts of each coin"]
    assert fair.mean_share is not None
    lines = [
        ("whole contracts, off by", percent(float(THEIR_MOST_OFF), 4), _part(whole.signed, needed)),
        ("the same, distances", ABSENT, _part(whole.distance, needed)),
        (
            "mean of the largest shares (ours in atoms)",
            rounded(THEIR_MEAN_SHARE, SHARE_PLACES),
            rounded(fair.mean_share, SHARE_PLACES),
        ),
    ]
    return Sheet("Against their best rule in whole contracts", ("", "Theirs", "Ours"), lines)


def _part(value: Fraction, whole: Fraction) -> str:
    return percent(float(value / whole), 4)


def _orders() -> Sheet:
    lines = [
        ("regret, best fixed severity, two regimes", "1", f"{best_fixed_order():.{ORDER_PLACES}f}"),
        ("regret, descent, two regimes", "1/2", f"{learned_order():.{ORDER_PLACES}f}"),
        (
            "top winner's rest over the deficit, tail 1.5",
            "-1/3",
            f"{survivor_order():.{ORDER_PLACES}f}",
        ),
    ]
    return Sheet("Powers with which it grows", ("", "Theirs", "Measured"), lines)


def _corners(found: Sequence[Corner]) -> Sheet:
    lines = [
        (
            each.policy.name.lower().replace("_", " "),
            f"{each.severity:.2f}",
            *("yes" if name in each.has else "no" for name in PROPERTIES),
        )
        for each in found
    ]
    head = ("Policy", "Severity", *(name.capitalize() for name in PROPERTIES))
    return Sheet("The trilemma: any two, never three", head, lines)
