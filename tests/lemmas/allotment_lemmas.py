"""Allotting by policy: two places whole, and the steps of the loops for any number of places.

`apportion` gives those their cap whom the common rate would give more, shares the rest in
proportion, rounded down, and hands out what rounding leaves by largest remainder. `drain_to_level`
lowers a common leverage until enough is drained. Of two places z3 takes the whole computation. For
any number of places each loop is proved by its step: what the step keeps holds after all of them;
the loops, written with the very formulas of the steps, are played against the engine's.
"""

from fractions import Fraction
from itertools import product
from random import Random

from solvent.reference.waterfall.policies import Candidate, apportion, drain_to_level, greedy
from tests.lemmas.terms import Arithmetic, Claim, Lemma, Named, Term, Topic, Wrong


def _capped(do: Arithmetic, left: Term, weight: Term, cap: Term, weights: Term) -> Term:
    return left * weight >= cap * weights


def _first(do: Arithmetic, total: Term, w1: Term, c1: Term, w2: Term, c2: Term) -> Term:
    """The first of two places, which has the lower cap per weight, or the same."""
    weights = w1 + w2
    share = do.down(total * w1, weights)
    # What rounding leaves is one atom or none, and goes to the larger remainder.
    mine, others = total * w1 - share * weights, total * w2 - (total - share) * weights
    leftover = do.choose(mine == 0, 0, 1)
    other_remainder = do.choose(mine == 0, others, others + weights)
    share = share + do.choose(mine >= other_remainder, leftover, 0)
    share = do.choose(_capped(do, total, w1, c1, weights), c1, share)
    return do.choose(total >= c1 + c2, c1, share)


def _second(do: Arithmetic, total: Term, w1: Term, c1: Term, w2: Term, c2: Term) -> Term:
    return do.least(total, c1 + c2) - _first(do, total, w1, c1, w2, c2)


def _part(do: Arithmetic, total: Term, weight: Term, weights: Term) -> Term:
    return do.down(total * weight, weights)


def _filled(do: Arithmetic, total: Term, cap: Term) -> Term:
    return do.least(total, cap)


def _reached(
    do: Arithmetic, total: Term, value: Term, worths: Term, top: Term, bottom: Term
) -> Term:
    """Whether what is above the level top / bottom sums to the value asked for."""
    return (total - value) * bottom >= top * worths


def _drained(
    do: Arithmetic, assets: Term, worth: Term, cap: Term, numerator: Term, denominator: Term
) -> Term:
    above = do.down(assets * denominator - numerator * worth, denominator)
    return do.most(0, do.least(cap, above))


def _two(total: int, w1: int, c1: int, w2: int, c2: int) -> list[int]:
    return apportion(total, [w1, w2], [c1, c2])


SMALL = (1, 2, 3, 7, 10**9)
TWO = [
    (total, w1, c1, w2, c2)
    for total, w1, c1, w2, c2 in product((0, 1, 2, 5, 11, 10**9 + 1), SMALL, SMALL, SMALL, SMALL)
    if c1 * w2 <= c2 * w1
]


def _shares(do: Arithmetic, f: Named, total: Term, w1: Term, c1: Term, w2: Term, c2: Term) -> Claim:
    one, two = f.first(total, w1, c1, w2, c2), f.second(total, w1, c1, w2, c2)
    return Claim(
        do.both(total >= 0, w1 >= 1, w2 >= 1, c1 >= 1, c2 >= 1, c1 * w2 <= c2 * w1),
        do.both(
            one + two == do.least(total, c1 + c2),
            0 <= one,
            one <= c1,
            0 <= two,
            two <= c2,
        ),
    )


def _fair(do: Arithmetic, f: Named, total: Term, w1: Term, c1: Term, w2: Term, c2: Term) -> Claim:
    one, two = f.first(total, w1, c1, w2, c2), f.second(total, w1, c1, w2, c2)
    gap = one * w2 - two * w1
    return Claim(
        do.both(total >= 0, w1 >= 1, w2 >= 1, c1 >= 1, c2 >= 1, c1 * w2 <= c2 * w1),
        # Below their caps both get the same by weight, to less than an atom each; who is at his
        # cap has no more by weight than the other.
        do.both(
            do.either(one == c1, -(w1 + w2) < gap),
            do.either(two == c2, gap < w1 + w2),
        ),
    )


def _level_rises(
    do: Arithmetic, f: Named, left: Term, weight: Term, cap: Term, weights: Term
) -> Claim:
    # Whoever is given the cap leaves at least as much by weight for the others.
    return Claim(
        do.both(left >= 0, 0 < weight, weight <= weights, cap >= 0),
        do.either(
            do.no(f.capped(left, weight, cap, weights)),
            do.both(left - cap >= 0, (left - cap) * weights >= left * (weights - weight)),
        ),
    )


def _nobody_over(
    do: Arithmetic,
    f: Named,
    left: Term,
    weights: Term,
    weight: Term,
    cap: Term,
    later: Term,
    later_cap: Term,
) -> Claim:
    # Where the loop stops at one place, all later ones stay below their caps.
    return Claim(
        do.both(left >= 0, weights > 0, weight > 0, later > 0, cap * later <= later_cap * weight),
        do.either(f.capped(left, weight, cap, weights), left * later < later_cap * weights),
    )


def _remainders(
    do: Arithmetic,
    f: Named,
    spread: Term,
    weights: Term,
    weight: Term,
    given: Term,
    seen: Term,
    count: Term,
) -> Claim:
    # `given` atoms went to `count` places of `seen` weight: under an atom a place is left.
    behind = spread * seen - given * weights
    after = behind + spread * weight - f.part(spread, weight, weights) * weights
    return Claim(
        do.both(
            spread >= 0,
            weights >= 1,
            weight >= 1,
            count >= 0,
            0 <= behind,
            behind <= count * (weights - 1),
        ),
        do.both(0 <= after, after <= (count + 1) * (weights - 1)),
    )


def _in_order(do: Arithmetic, f: Named, total: Term, room: Term, cap: Term) -> Claim:
    # `room` is what the caps of later places hold; all together they take what they can.
    mine = f.in_order(total, cap)
    left = total - mine
    return Claim(
        do.both(total >= 0, room >= 0, cap >= 0),
        do.both(
            0 <= mine,
            mine <= cap,
            left >= 0,
            do.either(mine == cap, left == 0),
            mine + do.least(left, room) == do.least(total, cap + room),
        ),
    )


def _lower_takes_more(
    do: Arithmetic,
    f: Named,
    assets: Term,
    worth: Term,
    cap: Term,
    high: Term,
    low: Term,
    denominator: Term,
) -> Claim:
    before = f.drained(assets, worth, cap, high, denominator)
    after = f.drained(assets, worth, cap, low, denominator)
    return Claim(
        do.both(assets >= 0, worth >= 1, 0 <= cap, cap <= assets, denominator >= 1, low <= high),
        do.both(0 <= before, before <= after, after <= cap),
    )


def _to_the_level(
    do: Arithmetic,
    f: Named,
    assets: Term,
    worth: Term,
    cap: Term,
    numerator: Term,
    denominator: Term,
) -> Claim:
    # Who is above the level before comes down to it, short of it by less than an atom, unless the
    # cap ends it earlier; who is below gives nothing.
    taken = f.drained(assets, worth, cap, numerator, denominator)
    above = assets * denominator - numerator * worth
    rest = above - taken * denominator
    return Claim(
        do.both(assets >= 0, worth >= 1, 0 <= cap, cap <= assets, numerator >= 0, denominator >= 1),
        do.both(
            do.either(taken == 0, rest >= 0),
            do.either(taken == cap, rest < denominator),
        ),
    )


def _segment(
    do: Arithmetic,
    f: Named,
    total: Term,
    worths: Term,
    value: Term,
    assets: Term,
    worth: Term,
) -> Claim:
    # The walk goes on past the level assets / worth; with that place in, the level that solves the
    # segment is not above it. `total` is capped + assets so far.
    return Claim(
        do.both(total >= 0, worths > 0, worth > 0, assets >= 0, value >= 0),
        do.either(
            f.reached(total, value, worths, assets, worth),
            (total + assets - value) * worth <= assets * (worths + worth),
        ),
    )


def _apportioned(f: Named, total: int, weights: list[int], caps: list[int]) -> list[int]:
    """`apportion` by its steps, weights and caps being above zero."""
    places = sorted(range(len(weights)), key=lambda at: (Fraction(caps[at], weights[at]), at))
    parts = [0] * len(weights)
    left, sum_of_weights = min(total, sum(caps)), sum(weights)
    while places and f.capped(left, weights[places[0]], caps[places[0]], sum_of_weights):
        place = places.pop(0)
        parts[place] = caps[place]
        left, sum_of_weights = left - caps[place], sum_of_weights - weights[place]
    for place in places:
        parts[place] = f.part(left, weights[place], sum_of_weights)
    remainders = {at: left * weights[at] - parts[at] * sum_of_weights for at in places}
    for place in sorted(places, key=lambda at: (-remainders[at], at))[
        : left - sum(parts[place] for place in places)
    ]:
        parts[place] += 1
    return parts


def _filled_in_order(f: Named, total: int, caps: list[int]) -> list[int]:
    parts = []
    for cap in caps:
        parts.append(f.in_order(total, cap))
        total -= parts[-1]
    return parts


def _drained_all(f: Named, people: list[Candidate], value: int) -> list[int]:
    """`drain_to_level` by its steps, every cap being above zero."""
    points = sorted(
        [(Fraction(each.assets_value, each.total_value), 0, at) for at, each in enumerate(people)]
        + [
            (Fraction(each.assets_value - each.cap, each.total_value), 1, at)
            for at, each in enumerate(people)
        ],
        key=lambda point: (-point[0], point[1], point[2]),
    )
    total = worths = 0
    for level, leaving, at in points:
        if worths and f.reached(total, value, worths, level.numerator, level.denominator):
            break
        each = people[at]
        total += each.cap - each.assets_value if leaving else each.assets_value
        worths += -each.total_value if leaving else each.total_value
    if worths == 0:
        return [each.cap for each in people]
    return [
        f.drained(each.assets_value, each.total_value, each.cap, total - value, worths)
        for each in people
    ]


def _loops_agree(f: Named) -> bool:
    """Whether the loops, made of these steps, are the engine's."""
    draws = Random(9)
    for _ in range(300):
        count = draws.randint(1, 6)
        size = draws.choice((3, 12, 10**9))
        weights = [draws.randint(1, size) for _ in range(count)]
        caps = [draws.randint(1, size) for _ in range(count)]
        total = draws.randint(0, sum(caps))
        if _apportioned(f, total, weights, caps) != apportion(total, weights, caps):
            return False
        if _filled_in_order(f, total, caps) != greedy(total, list(range(count)), caps):
            return False
        people = [
            Candidate(at, 1, caps[at], caps[at] + draws.randint(0, size), weights[at])
            for at in range(count)
        ]
        if _drained_all(f, people, total) != drain_to_level(people, caps, total):
            return False
    return True


TWO_PLACES = Topic(
    "two places",
    {"first": _first, "second": _second},
    {"first": lambda *terms: _two(*terms)[0], "second": lambda *terms: _two(*terms)[1]},
    {"first": TWO, "second": TWO},
    (
        Lemma(
            "shares",
            "The parts sum to the total, or to the caps, and none is above its cap.",
            ("waterfall.policies.apportion",),
            ("total", "w1", "c1", "w2", "c2"),
            _shares,
        ),
        Lemma(
            "fair",
            "Below their caps both get the same by weight, to less than an atom each.",
            ("waterfall.policies.apportion",),
            ("total", "w1", "c1", "w2", "c2"),
            _fair,
        ),
    ),
    (
        Wrong(
            "first",
            lambda do, total, w1, c1, w2, c2: do.up(total * w1, w1 + w2),
            "shares",
            "caps are forgotten",
        ),
        Wrong(
            "first",
            lambda do, total, w1, c1, w2, c2: do.most(do.least(total, c1), total - c2),
            "fair",
            "one after the other",
        ),
    ),
)

STEPS = Topic(
    "steps",
    {
        "capped": _capped,
        "part": _part,
        "in_order": _filled,
        "drained": _drained,
        "reached": _reached,
    },
    {},
    {},
    (
        Lemma(
            "level rises",
            "Whoever gets the cap leaves at least as much by weight for the others, so the common "
            "rate only rises and who is at the cap stays there.",
            ("waterfall.policies.apportion",),
            ("left", "weight", "cap", "weights"),
            _level_rises,
            real=True,
        ),
        Lemma(
            "nobody over",
            "Where the loop stops at one place, the rate gives no later one its cap: there is room "
            "for an atom more.",
            ("waterfall.policies.apportion",),
            ("left", "weights", "weight", "cap", "later", "later_cap"),
            _nobody_over,
            real=True,
        ),
        Lemma(
            "largest remainder",
            "Parts rounded down leave less than an atom a place, so one atom more each is enough.",
            ("waterfall.policies.apportion",),
            ("spread", "weights", "weight", "given", "seen", "count"),
            _remainders,
        ),
        Lemma(
            "in order",
            "One place after the other takes what it can: together the total, or all caps.",
            ("waterfall.policies.greedy",),
            ("total", "room", "cap"),
            _in_order,
        ),
        Lemma(
            "monotone",
            "A lower level drains nobody less, and nobody beyond the cap.",
            ("waterfall.policies.drain_to_level",),
            ("assets", "worth", "cap", "high", "low", "denominator"),
            _lower_takes_more,
        ),
        Lemma(
            "to the level",
            "Who is above the level comes down to it, to less than an atom, or gives the cap.",
            ("waterfall.policies.drain_to_level",),
            ("assets", "worth", "cap", "numerator", "denominator"),
            _to_the_level,
        ),
        Lemma(
            "segment",
            "Where the walk over breakpoints goes on, the level lies further down.",
            ("waterfall.policies.drain_to_level",),
            ("total", "worths", "value", "assets", "worth"),
            _segment,
            real=True,
        ),
    ),
    (
        Wrong(
            "capped",
            lambda do, left, weight, cap, weights: left >= cap,
            "level rises",
            "the cap is compared with all that is left",
        ),
        Wrong(
            "capped",
            lambda do, left, weight, cap, weights: left * weight >= 2 * cap * weights,
            "nobody over",
            "the loop stops early",
        ),
        Wrong(
            "part",
            lambda do, total, weight, weights: do.up(total * weight, weights),
            "largest remainder",
            "parts rounded up",
        ),
        Wrong(
            "in_order",
            lambda do, total, cap: do.least(do.down(total, 2), cap),
            "in order",
            "each takes half at most",
        ),
        Wrong(
            "drained",
            lambda do, assets, worth, cap, numerator, denominator: do.most(
                0, do.down(assets * denominator - numerator * worth, denominator)
            ),
            "monotone",
            "the cap is forgotten",
        ),
        Wrong(
            "drained",
            lambda do, assets, worth, cap, numerator, denominator: do.most(
                0, do.least(cap, do.up(assets * denominator - numerator * worth, denominator))
            ),
            "to the level",
            "drained values rounded up",
        ),
        Wrong(
            "reached",
            lambda do, total, value, worths, top, bottom: total - value > top * worths,
            "segment",
            "the level is not divided by what it stands on",
        ),
    ),
    _loops_agree,
)
