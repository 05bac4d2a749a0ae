"""The trilemma of static ADL: solvency, fairness and revenue, of which any two and never three.

A thousand winners with a Pareto tail lose a structural deficit to be covered. A static policy is a
severity (the part of the deficit that is taken) and a rule of who pays. It has

    solvency   what is left of the deficit is at most what fees can carry
    fairness   nobody loses more than twice the common share of endowments
    revenue    the fees that leave with the winners are at most what fees can carry, when an account
               that lost a fraction h of its endowment leaves with chance 1 - exp(-8 h)

Fees are the same for each account, and a twentieth of the deficit is what they can carry. Both are
our choices, for the paper (arXiv 2512.01112, appendix J) has its properties as limits: what is
compared is which corners are reached, not where.
"""

from dataclasses import dataclass
from itertools import product
from math import exp, log, sqrt

import numpy as np

from solvent.domain.parameters import Policy
from solvent.lab.paths.streams import Streams
from solvent.reference.waterfall.policies import Candidate, Demand, allot

WINNERS, TAIL = 1_000, 1.5
DEFICIT, CARRIED = 0.3, 0.05
UNFAIR, CHURN = 2.0, 8.0
SEVERITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
PROPERTIES = ("solvency", "fairness", "revenue")
CENTS = 10**6
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Corner:
    """A static policy, and which of `PROPERTIES` it has."""

    policy: Policy
    severity: float
    has: tuple[str, ...]


def corners() -> list[Corner]:
    """Every rule at every severity."""
    people = _people(WINNERS)
    return [_corner(people, policy, part) for policy, part in product(Policy, SEVERITIES)]


def _corner(people: list[Candidate], policy: Policy, severity: float) -> Corner:
    whole = sum(each.cap for each in people)
    deficit = DEFICIT * whole
    taken = round(severity * deficit)
    parts = allot(policy, people, Demand(taken, taken))
    shares = [part / each.cap for part, each in zip(parts, people, strict=True)]
    left = sum(1.0 - exp(-CHURN * share) for share in shares) / len(people)
    kept = (
        deficit - taken <= CARRIED * deficit,
        max(shares) <= UNFAIR * taken / whole + 1 / min(each.cap for each in people),
        left <= CARRIED,
    )
    return Corner(
        policy, severity, tuple(n for n, has in zip(PROPERTIES, kept, strict=True) if has)
    )


def survivor_order(short: int = 250, long: int = 4_000) -> float:
    """The power of n with which the top winner's rest over the deficit falls under pro rata.

    The paper says b_n / n, of which b_n grows like n^(1 / tail): 1 / 1.5 - 1 = -1/3. Medians over
    `DRAWS` crowds, for the mean of the largest of so heavy a tail hangs on few of them.
    """
    return (log(_survivor(long)) - log(_survivor(short))) / log(long / short)


def _survivor(count: int) -> float:
    found = []
    for draw in range(DRAWS):
        chances = Streams("survivor", draw).uniforms(str(count), count)
        largest = float(chances.min()) ** (-1.0 / TAIL)
        found.append((1.0 - DEFICIT) * largest / (DEFICIT * count))
    return float(np.median(found))


def _people(count: int) -> list[Candidate]:
    """Winners with Pareto endowments, whose leverage has nothing to do with them."""
    chances = Streams("trilemma", 0).uniforms("endowments", count)
    levers = Streams("trilemma", 0).uniforms("leverage", count)
    people = []
    for account, (chance, lever) in enumerate(zip(chances, levers, strict=True), start=1):
        endowment = int(CENTS * float(chance) ** (-1.0 / TAIL))
        assets = int(endowment * (1.5 + 4.0 * sqrt(float(lever))))
        people.append(Candidate(account, endowment, endowment, assets, endowment))
    return people
