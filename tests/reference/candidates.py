"""Counterparties for the tests of policies: drawn by Hypothesis, or written as plain rows."""

from fractions import Fraction

from hypothesis import strategies as st

from solvent.reference.waterfall.policies import Candidate

POSITIONS = 10**12
VALUES = 10**13


@st.composite
def populations(draw: st.DrawFn, least: int = 1, most: int = 8) -> list[Candidate]:
    """Candidates by account id with caps up to their position, worth something."""
    count = draw(st.integers(least, most))
    accounts = sorted(draw(st.sets(st.integers(2, 999), min_size=count, max_size=count)))
    return [draw(candidates(account)) for account in accounts]


@st.composite
def candidates(draw: st.DrawFn, account: int) -> Candidate:
    """One candidate; an atom is worth one unit of value."""
    position = draw(st.integers(1, POSITIONS))
    assets = draw(st.integers(1, VALUES))
    cap = draw(st.integers(0, min(position, assets)))
    total_value = draw(st.integers(1, assets))
    return Candidate(account, position, cap, assets, total_value)


def exact_drain(people: list[Candidate], value: int) -> list[Fraction]:
    """Water-filling by bisection on the breakpoints, in fractions: the textbook, slowly.

    The level is where sum of min(cap, max(0, A - level * TV)) is `value`.
    """
    caps = [Fraction(each.cap) for each in people]

    def taken(level: Fraction) -> list[Fraction]:
        return [
            min(cap, max(Fraction(0), each.assets_value - level * each.total_value))
            for each, cap in zip(people, caps, strict=True)
        ]

    points = sorted(
        {Fraction(each.assets_value, each.total_value) for each in people}
        | {Fraction(each.assets_value - each.cap, each.total_value) for each in people}
    )
    high = points[-1]
    for low in reversed(points[:-1]):
        if sum(taken(low)) >= value:
            one, two = sum(taken(high)), sum(taken(low))
            share = Fraction(value - one, two - one) if two > one else Fraction(0)
            return taken(high - share * (high - low))
        high = low
    return taken(points[0])


def exact_pro_rata(weights: list[int], caps: list[int], total: int) -> list[Fraction]:
    """Capped pro rata in fractions: fix whoever is over his cap, share the rest again."""
    parts: list[Fraction | None] = [Fraction(0) if not weight else None for weight in weights]
    while True:
        left = total - sum(part for part in parts if part is not None)
        open_weight = sum(w for w, part in zip(weights, parts, strict=True) if part is None)
        over = [
            place
            for place, part in enumerate(parts)
            if part is None and left * weights[place] > caps[place] * open_weight
        ]
        if not over:
            return [
                part if part is not None else Fraction(left * weight, open_weight)
                for part, weight in zip(parts, weights, strict=True)
            ]
        for place in over:
            parts[place] = Fraction(caps[place])
