"""The axioms of ADL for every policy: which keep them on any crowd, and which fail them on one.

An axiom is a function that finds whether a policy breaks it on a crowd. A policy that keeps it is
asked for crowds that Hypothesis draws; one that fails it must break it on a crowd that stands here,
so the table (`KEEPS`, and that of docs/concepts/policies.md) claims nothing in either direction
that is not shown. Names and axioms: arXiv 2512.01112 and 2603.15963, in the words of lending.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.parameters import Policy
from solvent.reference.waterfall.policies import Candidate, Demand, allot
from tests.proof import proves
from tests.reference.candidates import exact_drain, populations

PAGE = Path(__file__).resolve().parents[3] / "docs" / "concepts" / "policies.md"
MILLE = 1000

Breaks = Callable[[Policy, list[Candidate], int, int], bool]
"""(policy, crowd, part of what can be reached in thousandths, another part) -> broken or not."""


def reach(people: list[Candidate], permille: int) -> Demand:
    """A demand for so much of all caps; an atom is worth one unit of value."""
    quantity = sum(each.cap for each in people) * permille // MILLE
    return Demand(quantity, quantity)


def uncapped(people: list[Candidate]) -> list[Candidate]:
    """Those who can be asked for their whole position."""
    return [each._replace(position=each.cap) for each in people if each.cap]


def atoms(people: list[Candidate]) -> int:
    """How far whole atoms may lie from the exact shares of a crowd."""
    return 3 * len(people) + 3


def more_is_less(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """A larger demand takes less from somebody."""
    less = allot(policy, people, reach(people, permille * part // MILLE))
    more = allot(policy, people, reach(people, permille))
    return any(one - two > atoms(people) for one, two in zip(less, more, strict=True))


def company_costs(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """Somebody pays more because another one is there too."""
    assert 0 < part < MILLE
    demand = reach(people[:-1], permille)
    alone = allot(policy, people[:-1], demand)
    joined = allot(policy, people, demand)
    return any(two - one > atoms(people) for one, two in zip(alone, joined[:-1], strict=True))


def size_matters(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """The same crowd, larger, is asked for other shares."""
    demand = reach(people, permille)
    factor = part + 1
    large = [Candidate(each.account, *(factor * each[k] for k in range(1, 5))) for each in people]
    parts = allot(policy, people, demand)
    larger = allot(policy, large, Demand(factor * demand.quantity, factor * demand.value))
    allowed = factor * atoms(people)
    return any(abs(two - factor * one) > allowed for one, two in zip(parts, larger, strict=True))


def halves_pay_else(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """One who splits into two equal accounts pays another sum."""
    assert 0 < part < MILLE
    twice = [Candidate(each.account, *(2 * each[k] for k in range(1, 5))) for each in people]
    demand = reach(twice, permille)
    half = people[-1]
    split = [*twice[:-1], half, half._replace(account=half.account + 1)]
    return abs(sum(allot(policy, split, demand)[-2:]) - allot(policy, twice, demand)[-1]) > atoms(
        split
    )


def splits_pay_else(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """One who splits in any way, loans to one side and assets to the other, pays another sum."""
    crowd = uncapped(people)
    if not crowd:
        return False
    whole = crowd[-1]
    loan = whole.position * part // MILLE
    assets = whole.assets_value * (MILLE - part) // MILLE
    worth = min(assets, whole.total_value * part // MILLE)
    if not (0 < loan < whole.position and 0 < worth < whole.total_value):
        return False
    one = Candidate(whole.account, loan, loan, assets, worth)
    two = Candidate(
        whole.account + 1,
        whole.position - loan,
        whole.position - loan,
        whole.assets_value - assets,
        min(whole.assets_value - assets, whole.total_value - worth) or 1,
    )
    demand = reach(crowd, permille)
    split = [*crowd[:-1], one, two]
    return abs(sum(allot(policy, split, demand)[-2:]) - allot(policy, crowd, demand)[-1]) > atoms(
        split
    )


def rounds_matter(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """Two rounds ask for other sums than one round of both."""
    crowd = uncapped(people)
    whole = reach(crowd, permille)
    begun = whole.quantity * part // MILLE
    first = allot(policy, crowd, Demand(begun, begun))
    left = [
        each._replace(
            position=each.position - taken,
            cap=each.cap - taken,
            assets_value=each.assets_value - taken,
        )
        for each, taken in zip(crowd, first, strict=True)
    ]
    rest = whole.quantity - begun
    second = allot(policy, left, Demand(rest, rest))
    once = allot(policy, crowd, whole)
    both = zip(once, first, second, strict=True)
    return any(abs(one - two - three) > 2 * atoms(crowd) for one, two, three in both)


def sizes_change_order(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """Of two positions the larger one pays less, or is the smaller one afterwards."""
    assert 0 < part < MILLE
    crowd = uncapped(people)
    parts = allot(policy, crowd, reach(crowd, permille))
    for one, two in combinations(range(len(crowd)), 2):
        big, small = (one, two) if crowd[one].position >= crowd[two].position else (two, one)
        left = [crowd[each].position - parts[each] for each in (big, small)]
        if parts[small] - parts[big] > atoms(crowd) or left[1] - left[0] > atoms(crowd):
            return True
    return False


def leverage_changes_order(
    policy: Policy, people: list[Candidate], permille: int, part: int
) -> bool:
    """Of two who have more to give, the more levered one ends less levered."""
    assert 0 < part < MILLE
    parts = allot(policy, people, reach(people, permille))
    free = [(each, taken) for each, taken in zip(people, parts, strict=True) if taken < each.cap]
    for pair in combinations(free, 2):
        (high, high_taken), (low, low_taken) = sorted(
            pair, key=lambda both: -Fraction(both[0].assets_value, both[0].total_value)
        )
        after = (low.assets_value - low_taken) * high.total_value
        before = (high.assets_value - high_taken) * low.total_value
        if after - before > atoms(people) * (high.total_value + low.total_value):
            return True
    return False


def share_is_not_least(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """The largest share taken of a position is larger than it need be."""
    assert 0 < part < MILLE
    crowd = uncapped(people)
    demand = reach(crowd, permille)
    whole = sum(each.position for each in crowd)
    parts = allot(policy, crowd, demand)
    return any(
        (taken - atoms(crowd)) * whole > each.position * demand.quantity
        for each, taken in zip(crowd, parts, strict=True)
    )


def leverage_is_not_least(
    policy: Policy, people: list[Candidate], permille: int, part: int
) -> bool:
    """The largest leverage afterwards is larger than it need be."""
    assert 0 < part < MILLE
    demand = reach(people, permille)
    best = exact_drain(people, demand.value)
    level = max(
        (each.assets_value - taken) / each.total_value
        for each, taken in zip(people, best, strict=True)
    )
    parts = allot(policy, people, demand)
    return any(
        each.assets_value - taken - atoms(people) > level * each.total_value
        for each, taken in zip(people, parts, strict=True)
    )


def more_are_asked(policy: Policy, people: list[Candidate], permille: int, part: int) -> bool:
    """More accounts are asked than need be."""
    assert 0 < part < MILLE
    crowd = uncapped(people)
    demand = reach(crowd, permille)
    left, fewest = demand.quantity, 0
    for cap in sorted((each.cap for each in crowd), reverse=True):
        if left <= 0:
            break
        left, fewest = left - cap, fewest + 1
    return sum(1 for taken in allot(policy, crowd, demand) if taken) > fewest


EVERY = frozenset(Policy)
LEVERAGE, PRO_RATA, RISK = Policy.LEVERAGE, Policy.PRO_RATA, Policy.RISK_WEIGHTED
KEEPS: dict[str, tuple[Breaks, frozenset[Policy]]] = {
    "a larger demand takes no less of anybody": (more_is_less, EVERY),
    "nobody pays more for more company": (company_costs, EVERY),
    "size does not matter": (size_matters, EVERY),
    "splitting into equals changes nothing": (halves_pay_else, EVERY - {Policy.LARGEST_LOAN}),
    "splitting in any way changes nothing": (splits_pay_else, frozenset({PRO_RATA})),
    "two rounds are one": (rounds_matter, frozenset({LEVERAGE, PRO_RATA})),
    "sizes keep their order": (sizes_change_order, frozenset({PRO_RATA})),
    "leverages keep their order": (leverage_changes_order, frozenset({LEVERAGE})),
    "the largest share is least": (share_is_not_least, frozenset({PRO_RATA})),
    "the largest leverage is least": (leverage_is_not_least, frozenset({LEVERAGE})),
    "the fewest are asked": (more_are_asked, frozenset({Policy.LARGEST_LOAN})),
}

CROWDS = [
    [
        Candidate(2, 6 * 10**6, 6 * 10**6, 40 * 10**6, 30 * 10**6),
        Candidate(3, 2 * 10**6, 2 * 10**6, 30 * 10**6, 10 * 10**6),
        Candidate(4, 9 * 10**6, 9 * 10**6, 50 * 10**6, 20 * 10**6),
    ],
    [
        Candidate(2, 9 * 10**6, 9 * 10**6, 20 * 10**6, 2 * 10**6),
        Candidate(3, 8 * 10**6, 8 * 10**6, 20 * 10**6, 10 * 10**6),
        Candidate(4, 7 * 10**6, 7 * 10**6, 18 * 10**6, 4 * 10**6),
    ],
    [
        Candidate(2, 20 * 10**6, 20 * 10**6, 30 * 10**6, 10 * 10**6),
        Candidate(3, 8 * 10**6, 8 * 10**6, 28 * 10**6, 10 * 10**6),
        Candidate(4, 9 * 10**6, 9 * 10**6, 26 * 10**6, 10 * 10**6),
    ],
]
"""On one of them every axiom is broken by each policy that does not keep it."""


def both(kept: bool) -> list[tuple[str, Policy]]:
    """The pairs of the table that are kept, or those that fail."""
    return [
        (name, policy)
        for name, (_, policies) in KEEPS.items()
        for policy in Policy
        if (policy in policies) is kept
    ]


@proves("I22", "I28")
@pytest.mark.parametrize(("axiom", "policy"), both(kept=True))
@given(populations(least=2), st.integers(1, 999), st.integers(1, 999))
def test_a_policy_keeps_its_axioms(
    axiom: str, policy: Policy, people: list[Candidate], permille: int, part: int
) -> None:
    assert not KEEPS[axiom][0](policy, people, permille, part)


@pytest.mark.parametrize(("axiom", "policy"), both(kept=False))
def test_a_policy_that_fails_an_axiom_breaks_it_here(axiom: str, policy: Policy) -> None:
    breaks = KEEPS[axiom][0]
    tries = [
        (crowd, whole, part)
        for crowd in CROWDS
        for whole in (100, 400, 700)
        for part in (250, 500, 900)
    ]
    assert any(breaks(policy, *each) for each in tries)


def test_the_page_says_who_keeps_what() -> None:
    """Rows of the table in docs/concepts/policies.md are those of `KEEPS`, a yes a policy."""
    rows = dict(
        re.findall(
            r"^\| ([a-z ]+) \| ((?:yes|no)(?: \| (?:yes|no)){4}) \|$",
            PAGE.read_text(),
            re.MULTILINE,
        )
    )
    said = {
        name: " | ".join("yes" if policy in policies else "no" for policy in Policy)
        for name, (_, policies) in KEEPS.items()
    }
    assert rows == said
