"""The examples of arXiv 2512.01112 that need no data: five accounts, survivor gap, five positions.

Two of the printed numbers do not follow from what is printed beside them; ours say what does.
"""

from dataclasses import dataclass
from fractions import Fraction

from solvent.domain.parameters import Policy
from solvent.lab.record.figures import Beside
from solvent.reference.waterfall.policies import Candidate, Demand, allot

TENTHS = 10
BUDGET = Demand(75, 75)
"""A deficit of 15 at severity 1/2, in tenths."""
CASH = (20, 10, 5)
WINNERS = (
    Candidate(1, 80, 80, 200, 100),
    Candidate(2, 40, 40, 150, 50),
    Candidate(3, 5, 5, 10, 10),
)
"""Profits 8, 4 and 0.5; leverages such that the queue is 2, 1, 3."""
MAINTENANCE = Fraction(1, 10)


def five_accounts() -> list[Beside]:
    """What queue and pro rata seize of the three winners, and what they leave."""
    said = {
        Policy.QUEUE: (("3.5", "4", "0"), ("6.5", "1", "1")),
        Policy.PRO_RATA: (("4.8", "2.4", "0.3"), ("5.2", "2.6", "0.7")),
    }
    found = []
    for policy, (seized, left) in said.items():
        parts = allot(policy, WINNERS, BUDGET)
        name = policy.name.lower().replace("_", " ")
        for winner, part, cash, taken, kept in zip(WINNERS, parts, CASH, seized, left, strict=True):
            rest = Fraction(cash + winner.position - part, TENTHS)
            who = f"{name}, account {winner.account}"
            found += [
                Beside(f"{who}, seized", taken, Fraction(part, TENTHS)),
                Beside(f"{who}, left", kept, rest),
            ]
    return found


def survivor_gap() -> tuple[Fraction, Fraction]:
    """What pro rata leaves the top winner more than a queue that he leads, and H (1 - w1 / U)."""
    people = [WINNERS[0]._replace(assets_value=900), *WINNERS[1:]]
    queue = allot(Policy.QUEUE, people, BUDGET)[0]
    fair = allot(Policy.PRO_RATA, people, BUDGET)[0]
    whole = sum(each.position for each in people)
    return Fraction(queue - fair), BUDGET.quantity * (1 - Fraction(people[0].position, whole))


@dataclass(frozen=True, slots=True)
class _Position:
    """A position by the price at which it is worth nothing, and its printed liquidation price."""

    bankruptcy: Fraction
    long: bool
    liquidation: str
    known: str = ""


_POSITIONS = (
    _Position(Fraction(0), True, "0"),
    _Position(Fraction(1, 3), True, "0.3704"),
    _Position(Fraction(5, 3), False, "1.5152"),
    _Position(Fraction(17, 19), True, "0.9942"),
    _Position(Fraction(109, 99), False, "1.0010", "109/99 over 1.1 is 1.000918: their last digits"),
)


def five_positions() -> list[Beside]:
    """Liquidation prices at a maintenance of 10 %, and a forced sale under linear impact."""
    found = []
    for number, each in enumerate(_POSITIONS, start=1):
        side = 1 - MAINTENANCE if each.long else 1 + MAINTENANCE
        name = f"position {number}, liquidated at"
        found.append(Beside(name, each.liquidation, each.bankruptcy / side, each.known))
    price, slice_, impact = Fraction(98, 100), Fraction(4, 10), 1
    average = price - impact * slice_ / 2
    known = "they take 0.8747 for a bankruptcy price of 17/19, which is 0.8947"
    return [
        *found,
        Beside("position 4, sold at", "0.78", average),
        Beside(
            "position 4, short by, from 0.8747", "0.0379", (Fraction("0.8747") - average) * slice_
        ),
        Beside(
            "position 4, short by, from 17/19",
            "0.0379",
            (Fraction(17, 19) - average) * slice_,
            known,
        ),
    ]
