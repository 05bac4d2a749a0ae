"""Policies: what is allotted is exact, within caps, and independent of order, size and splitting.

Splitting and merging are Chitra's Sybil resistance (arXiv 2512.01112), scale invariance his second
axiom; that draining the most levered minimises the maximum leverage is arXiv 2603.15963.
"""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from solvent.domain.parameters import Policy
from solvent.domain.units import RATIO
from solvent.reference.waterfall.policies import (
    Candidate,
    Demand,
    allot,
    apportion,
    greedy,
    most_levered_first,
)
from tests.proof import proves
from tests.reference.candidates import candidates, exact_drain, exact_pro_rata, populations

FAIR = (Policy.LEVERAGE, Policy.PRO_RATA)
fractions = st.integers(0, 1200)


def demand_for(people: list[Candidate], permille: int) -> Demand:
    """A demand for so much of what can be reached; an atom is worth one unit of value."""
    quantity = sum(each.cap for each in people) * permille // 1000
    return Demand(quantity, quantity)


@proves("I22", "A11")
@given(st.sampled_from(Policy), populations(), fractions)
def test_sums_are_exact_and_within_caps(
    policy: Policy, people: list[Candidate], permille: int
) -> None:
    demand = demand_for(people, permille)
    parts = allot(policy, people, demand)
    assert sum(parts) == min(demand.quantity, sum(each.cap for each in people))
    assert all(0 <= part <= each.cap for part, each in zip(parts, people, strict=True))


@proves("I22")
@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 10**6)), min_size=1, max_size=9),
)
@example(5, [(0, 3), (1, 1)])
@example(3, [(1, 5), (1, 5)])
@example(0, [(1, 1)])
def test_apportion_is_exact_and_within_an_atom_of_the_share(
    total: int, pairs: list[tuple[int, int]]
) -> None:
    weights, caps = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    parts = apportion(total, weights, caps)
    assert sum(parts) == min(total, sum(caps))
    assert all(0 <= part <= cap for part, cap in zip(parts, caps, strict=True))
    reachable = sum(cap for weight, cap in pairs if weight)
    if total <= reachable:
        exact = exact_pro_rata(weights, caps, total)
        assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))


def test_the_largest_remainders_get_what_rounding_left_and_ties_go_by_account() -> None:
    assert apportion(10, [1, 1, 1], [9, 9, 9]) == [4, 3, 3]
    assert apportion(11, [1, 1, 1], [9, 9, 9]) == [4, 4, 3]
    assert apportion(10, [33, 33, 34], [9, 9, 9]) == [3, 3, 4]
    assert apportion(7, [1, 2, 4], [9, 1, 9]) == [1, 1, 5]
    assert apportion(4, [0, 0, 5], [1, 2, 2]) == [1, 1, 2]


@proves("I27")
@given(st.sampled_from(Policy), populations(least=2), fractions)
def test_who_gets_what_depends_on_the_accounts_alone(
    policy: Policy, people: list[Candidate], permille: int
) -> None:
    demand = demand_for(people, permille)
    parts = allot(policy, people, demand)
    assert parts == allot(policy, list(people), demand)
    # Twins differ by what rounding leaves, and the earlier account takes that first.
    twin = people[0]._replace(account=1)
    both = [twin, *people]
    first, second, *_ = allot(policy, both, demand_for(both, permille))
    if policy in (Policy.PRO_RATA, Policy.RISK_WEIGHTED, Policy.LEVERAGE):
        assert 0 <= first - second <= len(both)
    else:
        assert first == twin.cap or second == 0


@proves("I27")
@given(st.sampled_from(Policy), st.permutations(range(6)), st.data())
def test_other_account_numbers_for_the_same_people_change_no_share(
    policy: Policy, order: list[int], data: st.DataObject
) -> None:
    people = [data.draw(candidates(account)) for account in range(6)]
    demand = demand_for(people, data.draw(fractions))
    parts = allot(policy, people, demand)
    renamed = [people[old]._replace(account=new) for new, old in enumerate(order)]
    moved = allot(policy, renamed, demand)
    shares = {(each.position, each.cap, each.assets_value, each.total_value) for each in people}
    if len(shares) == len(people):
        atoms = 1 if policy in (*FAIR, Policy.RISK_WEIGHTED) else 0
        ranks = {Fraction(each.assets_value, each.total_value) for each in people}
        sizes = {each.position for each in people}
        if len(ranks) == len(sizes) == len(people):
            assert all(abs(moved[new] - parts[old]) <= atoms for new, old in enumerate(order))


@proves("I28")
@given(populations(), fractions, st.data())
def test_splitting_an_account_changes_nobodys_total_under_pro_rata(
    people: list[Candidate], permille: int, data: st.DataObject
) -> None:
    demand = demand_for(people, permille)
    whole = allot(Policy.PRO_RATA, people, demand)
    victim = people[-1]
    share = data.draw(st.integers(0, 100))
    one = Candidate(victim.account, victim.position * share // 100, victim.cap * share // 100, 1, 1)
    two = Candidate(victim.account + 1, victim.position - one.position, victim.cap - one.cap, 1, 1)
    # A cap in proportion to the position is what splitting an account really gives.
    if one.cap * victim.position == one.position * victim.cap:
        split = allot(Policy.PRO_RATA, [*people[:-1], one, two], demand)
        assert abs(sum(split[-2:]) - whole[-1]) <= 2
        rest = zip(split[:-2], whole[:-1], strict=True)
        assert all(abs(left - right) <= 1 for left, right in rest)


@proves("I28")
@given(populations(), fractions, st.integers(1, 4))
def test_splitting_an_account_into_equals_changes_nobodys_total(
    people: list[Candidate], permille: int, pieces: int
) -> None:
    scaled = [_scaled(each, pieces) for each in people]
    demand = demand_for(scaled, permille)
    for policy in FAIR:
        whole = allot(policy, scaled, demand)
        parts = [people[-1]._replace(account=1000 + piece) for piece in range(pieces)]
        split = allot(policy, [*scaled[:-1], *parts], demand)
        assert abs(sum(split[-pieces:]) - whole[-1]) <= len(people) + pieces
        rest = zip(split[:-pieces], whole[:-1], strict=True)
        assert all(abs(left - right) <= len(people) + pieces for left, right in rest)


def _scaled(each: Candidate, factor: int) -> Candidate:
    return Candidate(
        each.account,
        each.position * factor,
        each.cap * factor,
        each.assets_value * factor,
        each.total_value * factor,
    )


@proves("I28")
@given(st.sampled_from(Policy), populations(), fractions, st.integers(1, 1000))
def test_scaling_everything_scales_the_shares(
    policy: Policy, people: list[Candidate], permille: int, factor: int
) -> None:
    demand = demand_for(people, permille)
    parts = allot(policy, people, demand)
    larger = allot(
        policy,
        [_scaled(each, factor) for each in people],
        Demand(demand.quantity * factor, demand.value * factor),
    )
    atoms = factor * (2 + len(people))
    assert all(abs(big - part * factor) <= atoms for big, part in zip(larger, parts, strict=True))


@proves("I28")
@given(populations(), st.integers(1, 500))
def test_two_rounds_of_pro_rata_are_one_round_of_both(
    people: list[Candidate], permille: int
) -> None:
    """Where no cap binds. Positions shrink between the rounds by what the first one took."""
    free = [each._replace(cap=each.position) for each in people]
    demand = demand_for(free, permille)
    once = allot(Policy.PRO_RATA, free, Demand(2 * demand.quantity, 0))
    first = allot(Policy.PRO_RATA, free, demand)
    left = [
        each._replace(position=each.position - part, cap=each.cap - part)
        for each, part in zip(free, first, strict=True)
    ]
    second = allot(Policy.PRO_RATA, left, demand)
    twice = [one + two for one, two in zip(first, second, strict=True)]
    assert all(abs(one - two) <= 2 for one, two in zip(once, twice, strict=True))


@proves("I28")
@given(populations(), st.integers(1, 500))
def test_two_rounds_of_leverage_are_one_round_of_both(
    people: list[Candidate], permille: int
) -> None:
    """Draining is path independent: the level of the second round lies where both would."""
    demand = demand_for(people, permille)
    once = allot(Policy.LEVERAGE, people, Demand(2 * demand.quantity, 2 * demand.value))
    first = allot(Policy.LEVERAGE, people, demand)
    left = [
        each._replace(
            position=each.position - part,
            cap=each.cap - part,
            assets_value=each.assets_value - part,
        )
        for each, part in zip(people, first, strict=True)
    ]
    second = allot(Policy.LEVERAGE, left, demand)
    twice = [one + two for one, two in zip(first, second, strict=True)]
    atoms = 3 * len(people) + 3
    assert all(abs(one - two) <= atoms for one, two in zip(once, twice, strict=True))


@given(populations(), st.integers(1, 999))
def test_leverage_is_water_filling(people: list[Candidate], permille: int) -> None:
    demand = demand_for(people, permille)
    parts = allot(Policy.LEVERAGE, people, demand)
    exact = exact_drain(people, demand.value)
    atoms = len(people) + 1
    assert all(abs(part - share) <= atoms for part, share in zip(parts, exact, strict=True))


small = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 5))


@settings(max_examples=60)
@given(st.lists(small, min_size=1, max_size=4), st.integers(0, 8))
def test_leverage_minimises_the_maximum_leverage(
    rows: list[tuple[int, int, int]], units: int
) -> None:
    """No way to hand out whole units leaves the most levered better off."""
    fine = 10**6
    people = [
        Candidate(account, cap, min(cap, assets + debt), assets + debt, assets)
        for account, (assets, debt, cap) in enumerate(rows)
    ]
    total = min(units, sum(each.cap for each in people))

    def worst(parts: list[int] | tuple[int, ...], unit: int) -> Fraction:
        return max(
            Fraction(each.assets_value * unit - part, each.total_value * unit)
            for each, part in zip(people, parts, strict=True)
        )

    ways = product(*(range(each.cap + 1) for each in people))
    best = min(worst(way, 1) for way in ways if sum(way) == total)
    ours = allot(
        Policy.LEVERAGE,
        [_scaled(each, fine) for each in people],
        Demand(total * fine, total * fine),
    )
    assert worst(ours, fine) <= best + Fraction(len(people) + 1, fine)


def rows_of(*rows: tuple[int, int, int]) -> list[Candidate]:
    """Candidates by (loan, assets, total value), capped by the loan."""
    return [
        Candidate(account, loan, loan, assets, value)
        for account, (loan, assets, value) in enumerate(rows, 2)
    ]


def test_queue_takes_the_most_levered_first() -> None:
    people = rows_of((5, 30, 10), (5, 20, 10), (5, 40, 10))
    assert most_levered_first(people) == [2, 0, 1]
    assert allot(Policy.QUEUE, people, Demand(7, 7)) == [2, 0, 5]
    twins = rows_of((5, 20, 10), (5, 40, 20))
    assert allot(Policy.QUEUE, twins, Demand(6, 6)) == [5, 1]


def test_largest_loan_touches_the_fewest_accounts() -> None:
    people = rows_of((5, 30, 10), (9, 20, 10), (7, 40, 10))
    assert allot(Policy.LARGEST_LOAN, people, Demand(8, 8)) == [0, 8, 0]
    assert allot(Policy.LARGEST_LOAN, people, Demand(12, 12)) == [0, 9, 3]
    twins = rows_of((5, 20, 10), (5, 40, 10))
    assert allot(Policy.LARGEST_LOAN, twins, Demand(5, 5)) == [5, 0]


@given(populations(), st.integers(1, 999))
def test_risk_weighted_is_pro_rata_to_loan_times_leverage(
    people: list[Candidate], permille: int
) -> None:
    demand = demand_for(people, permille)
    weights = [
        each.position * min(1000 * RATIO, each.assets_value * RATIO // each.total_value)
        for each in people
    ]
    if demand.quantity < sum(each.cap for each in people):
        expected = exact_pro_rata(weights, [each.cap for each in people], demand.quantity)
        parts = allot(Policy.RISK_WEIGHTED, people, demand)
        assert all(abs(part - share) < 1 for part, share in zip(parts, expected, strict=True))


def test_greedy_fills_in_order() -> None:
    assert greedy(5, [2, 0, 1], [3, 3, 3]) == [2, 0, 3]
    assert greedy(50, [2, 0, 1], [3, 3, 3]) == [3, 3, 3]


@pytest.mark.parametrize("policy", Policy)
def test_nobody_and_nothing(policy: Policy) -> None:
    assert allot(policy, [], Demand(5, 5)) == []
    assert allot(policy, rows_of((5, 30, 10)), Demand(0, 0)) == [0]
    assert allot(policy, rows_of((5, 30, 10)), Demand(99, 99)) == [5]


def test_the_specifications_example() -> None:
    """11.178773380 SOL at 190 from j1 (60 SOL, 40,000, 28,600) and j2 (40 SOL, 12,000, 4,400)."""
    people = [
        Candidate(4, 60 * 10**9, 60 * 10**9, 40_000 * 10**6, 28_600 * 10**6),
        Candidate(5, 40 * 10**9, 40 * 10**9, 12_000 * 10**6, 4_400 * 10**6),
    ]
    demand = Demand(11_178_773_380, 2_123_966_943)
    expected = {
        Policy.LEVERAGE: [0, 11_178_773_380],
        Policy.QUEUE: [0, 11_178_773_380],
        Policy.PRO_RATA: [6_707_264_028, 4_471_509_352],
        Policy.LARGEST_LOAN: [11_178_773_380, 0],
    }
    for policy, parts in expected.items():
        assert allot(policy, people, demand) == parts
    # j2's leverage falls to 2.245, still above j1's 1.399.
    left = Fraction(12_000 * 10**6 - demand.value, 4_400 * 10**6)
    assert Fraction(2244, 1000) < left < Fraction(2245, 1000)
    assert left > Fraction(40_000, 28_600)
