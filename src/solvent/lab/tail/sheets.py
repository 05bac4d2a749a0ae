"""What a sample of the tail comes to, as a table, and its rows as a file."""

from collections.abc import Sequence
from math import expm1, isinf

from solvent.lab.estimate.figures import LEAST_CARRIED, Estimate
from solvent.lab.report.formatting import ABSENT, number
from solvent.lab.report.summary import Sheet
from solvent.lab.scenario.model import Scenario
from solvent.lab.sweeps.frontier import LOSS
from solvent.lab.sweeps.summary import PARTS
from solvent.lab.tail.reverse import EVENTS, FARTHEST, Found, shortest
from solvent.lab.tail.sampling import Asked, LeafRow, design

FEWEST = 2
"""Paths of a stratum without which nothing can be said."""


def tail_sheet(asked: Asked, rows: Sequence[LeafRow]) -> Sheet:
    """The chance of a loss, its mean and its tail, with what carries each."""
    head = ("", "95 % intervals in brackets", "Carried by paths", "Worth plain paths")
    caption = "What lenders lose, over the scenario's horizon"
    found = design(asked, rows, LOSS)
    if any(len(each.paths) < FEWEST for each in found.strata):
        return Sheet(caption, head, [("no figure: too many paths failed", *(ABSENT,) * 3)])
    share = found.chance()
    shown = f"{100 * share.value:.3f} % [{100 * share.low:.3f}, {100 * share.high:.3f}]"
    hit, lost = (found.effective(of) for of in (lambda x: float(x > 0.0), float))
    lines = [
        ("Chance that a lender loses", shown, number(share.carried), _worth(hit, share)),
        _line("Mean loss, USDC", found.mean(), _worth(lost, found.mean())),
    ]
    for part in PARTS:
        lines.append(_line(f"VaR {part * 100:g}, USDC", found.value_at_risk(part), ABSENT))
        lines.append(_line(f"ES {part * 100:g}, USDC", found.expected_shortfall(part), ABSENT))
    return Sheet(caption, head, lines)


def reverse_sheet(scenario: Scenario, found: Sequence[Found]) -> Sheet:
    """The shortest shock of each event, in standard deviations, and what it is for each asset."""
    symbols = [asset.symbol for asset in scenario.parameters.assets[1:]]
    shown = {each.event: each for each in shortest(found)}
    lines = []
    for event in EVENTS:
        if event in shown:
            moves = (f"{100 * expm1(move):+.1f} %" for move in shown[event].moves)
            lines.append((event, f"{shown[event].distance:.1f}", *moves))
        else:
            lines.append((event, f"over {FARTHEST:g}", *(ABSENT,) * len(symbols)))
    head = ("From when on", "Standard deviations", *symbols)
    return Sheet("The least implausible shock, of the price model's own moves", head, lines)


def cost_words(asked: Asked, rows: Sequence[LeafRow]) -> str:
    """How much was computed, in the time of plain paths."""
    failed = sum(1 for row in rows if row.error)
    whole = max((row.moments for row in rows), default=1)
    plain = sum(row.moments for row in rows) / max(1, whole) if asked.ways > 1 else len(rows)
    begun = len({row.path for row in rows})
    return (
        f"{begun} paths began and {len(rows)} came to an end, in {plain:.0f} paths' time;"
        f" {failed} failed"
    )


def _line(name: str, found: Estimate, worth: str) -> tuple[str, str, str, str]:
    low, high = (ABSENT if isinf(x) else f"{x:,.2f}" for x in (found.low, found.high))
    value = ABSENT if isinf(found.value) else f"{found.value:,.2f}"
    return name, f"{value} [{low}, {high}]", number(found.carried), worth


def _worth(count: float, found: Estimate) -> str:
    """So many plain paths; unsaid where too few carry a figure for its spread to be known."""
    return f"{count:,.0f}" if found.carried >= LEAST_CARRIED else ABSENT
