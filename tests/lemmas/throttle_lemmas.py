"""The throttle: what its bound forbids, and that nothing it lets pass raises it.

Ratios are integers of 10^-9. The pool's full pause (an update fraction of 0) and its creeping bound
obey different sentences: with a fraction above 0 the bound in force may rise, up to the stored one,
with a utilization that it let pass.
"""

from itertools import product

from solvent.domain.parameters import Curve, PoolParameters
from solvent.domain.units import INDEX_SCALE, RATIO
from solvent.reference.lending import rates, throttle
from solvent.reference.state import Pool
from tests.lemmas.terms import Arithmetic, Claim, Lemma, Named, Term, Topic, Wrong


def _rule(
    do: Arithmetic, threshold: Term, highest: Term, fraction: Term, utilization: Term
) -> Term:
    target = utilization + do.down(fraction * (highest - utilization), RATIO)
    return do.most(threshold, do.least(target, highest))


def _in_force(
    do: Arithmetic, threshold: Term, highest: Term, fraction: Term, stored: Term, level: Term
) -> Term:
    return do.least(stored, _rule(do, threshold, highest, fraction, level))


def _within(do: Arithmetic, borrowed: Term, lent: Term, bound: Term) -> Term:
    return do.either(borrowed == 0, borrowed * RATIO <= bound * lent)


def _utilization(do: Arithmetic, borrowed: Term, lent: Term) -> Term:
    return do.up(borrowed * RATIO, lent)


def _pool(threshold: int, highest: int, fraction: int) -> PoolParameters:
    return PoolParameters(Curve(((0, 0), (RATIO, 0))), 0, 0, highest, threshold, fraction)


def _in_force_of(threshold: int, highest: int, fraction: int, stored: int, level: int) -> int:
    # A pool of RATIO atoms lent, so that its utilization is what is borrowed.
    pool = Pool(lend_shares=RATIO, debt_shares=level, bound=stored, lend_index=INDEX_SCALE)
    return throttle.bound_in_force(_pool(threshold, highest, fraction), pool)


LEVELS = (0, 1, RATIO // 2, RATIO * 9 // 10, RATIO * 9 // 10 + 1, RATIO - 1, RATIO)
BOUNDS = [
    (threshold, highest, fraction)
    for threshold, highest, fraction in product(LEVELS, LEVELS, (0, 1, RATIO // 3, RATIO))
    if threshold <= highest
]


def _between(do: Arithmetic, f: Named, t: Term, top: Term, fraction: Term, level: Term) -> Claim:
    bound = f.rule(t, top, fraction, level)
    return Claim(
        do.both(0 <= t, t <= top, top <= RATIO, 0 <= fraction, fraction <= RATIO, level >= 0),
        do.both(t <= bound, bound <= top),
    )


def _steady(
    do: Arithmetic, f: Named, t: Term, top: Term, fraction: Term, lower: Term, higher: Term
) -> Claim:
    rise = f.rule(t, top, fraction, higher) - f.rule(t, top, fraction, lower)
    return Claim(
        do.both(
            0 <= t,
            t <= top,
            top <= RATIO,
            0 <= fraction,
            fraction <= RATIO,
            0 <= lower,
            lower <= higher,
        ),
        # An atom of a ratio more, where the product rounds.
        do.both(rise >= 0, rise <= higher - lower + 1),
    )


def _pause(do: Arithmetic, f: Named, t: Term, top: Term, stored: Term, at: Term, to: Term) -> Claim:
    allowed = f.in_force(t, top, 0, stored, at)
    return Claim(
        do.both(0 <= t, t <= top, top <= RATIO, t <= stored, 0 <= at, 0 <= to, to <= allowed),
        do.both(do.either(to <= t, to <= at), f.in_force(t, top, 0, stored, to) <= allowed),
    )


def _creep(
    do: Arithmetic,
    f: Named,
    t: Term,
    top: Term,
    fraction: Term,
    stored: Term,
    at: Term,
    to: Term,
) -> Claim:
    allowed = f.in_force(t, top, fraction, stored, at)
    after = f.in_force(t, top, fraction, stored, to)
    return Claim(
        do.both(
            0 <= t,
            t <= top,
            top <= RATIO,
            0 <= fraction,
            fraction <= RATIO,
            t <= stored,
            stored <= top,
            0 <= at,
            0 <= to,
            to <= allowed,
        ),
        do.both(to <= stored, after <= stored, stored <= top),
    )


def _no_division(do: Arithmetic, f: Named, borrowed: Term, lent: Term, bound: Term) -> Claim:
    level = f.utilization(borrowed, lent)
    passes = f.within(borrowed, lent, bound)
    return Claim(
        do.both(borrowed >= 0, lent >= 1, bound >= 0),
        do.either(
            do.both(passes, level <= bound), do.both(level > bound, borrowed * RATIO > bound * lent)
        ),
    )


THROTTLE = Topic(
    "throttle",
    {"rule": _rule, "in_force": _in_force, "within": _within, "utilization": _utilization},
    {
        "rule": lambda t, top, fraction, level: throttle.bound_by_rule(
            _pool(t, top, fraction), level
        ),
        "in_force": _in_force_of,
        "within": throttle.within,
        "utilization": rates.utilization_up,
    },
    {
        "rule": [(*each, level) for each in BOUNDS for level in (*LEVELS, RATIO + 1)],
        "in_force": [
            (*each, stored, at) for each in BOUNDS for stored, at in product(LEVELS, LEVELS)
        ],
        "within": list(product((0, 1, 9, 10**12), (1, 10, 10**12 + 1), LEVELS)),
        "utilization": list(product((0, 1, 9, 10**9 + 1), (1, 3, 10**12 + 1))),
    },
    (
        Lemma(
            "between",
            "The bound lies between threshold and maximum.",
            ("lending.throttle.bound_by_rule",),
            ("t", "top", "fraction", "level"),
            _between,
        ),
        Lemma(
            "steady",
            "The bound never falls with utilization, and rises by no more than it.",
            ("lending.throttle.bound_by_rule",),
            ("t", "top", "fraction", "lower", "higher"),
            _steady,
        ),
        Lemma(
            "pause",
            "In a full pause nothing passes that raises utilization above the threshold, and what "
            "passes does not raise the bound in force.",
            ("lending.throttle.bound_in_force",),
            ("t", "top", "stored", "at", "to"),
            _pause,
        ),
        Lemma(
            "creep",
            "However much of it passes, nothing gets past the stored bound between two steps.",
            ("lending.throttle.bound_in_force",),
            ("t", "top", "fraction", "stored", "at", "to"),
            _creep,
        ),
        Lemma(
            "no division",
            "Comparing without dividing is comparing utilization, rounded up, with the bound.",
            ("lending.throttle.within", "lending.rates.utilization_up"),
            ("borrowed", "lent", "bound"),
            _no_division,
        ),
    ),
    (
        Wrong(
            "rule",
            lambda do, t, top, fraction, level: do.most(
                t, level + do.down(fraction * (top - level), RATIO)
            ),
            "between",
            "the maximum is forgotten",
        ),
        Wrong(
            "rule",
            lambda do, t, top, fraction, level: do.most(
                t, do.least(level + do.down(2 * fraction * (top - level), RATIO), top)
            ),
            "steady",
            "the bound moves twice as fast",
        ),
        Wrong(
            "in_force",
            lambda do, t, top, fraction, stored, level: stored,
            "pause",
            "the stored bound alone counts",
        ),
        Wrong(
            "in_force",
            lambda do, t, top, fraction, stored, level: do.most(
                stored, _rule(do, t, top, fraction, level)
            ),
            "creep",
            "the higher of both bounds counts",
        ),
        Wrong(
            "utilization",
            lambda do, borrowed, lent: do.down(borrowed * RATIO, lent),
            "no division",
            "utilization rounded down",
        ),
    ),
)
