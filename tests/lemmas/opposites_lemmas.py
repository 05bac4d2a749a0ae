"""Opposites: the fee that an account in liquidation bears, and how much of a debt it can close.

Who gives up collateral worth v retires v * (1 - fee) of a debt. Its net equity falls by what v
weighed and rises by what is retired; its maintenance falls by what the retired debt required. All
ratios are integers of 10^-9, a weight at most one.
"""

from itertools import product

from solvent.domain.units import RATIO, payable, value_divisor
from solvent.reference.waterfall.sizing import bearable_rate
from tests.lemmas.terms import Arithmetic, Claim, Lemma, Named, Term, Topic, Wrong

DECIMALS = 9
DIVISOR = value_divisor(DECIMALS)


def _rate(do: Arithmetic, weight: Term, freed: Term) -> Term:
    return do.down(do.most(0, RATIO - weight + freed) * RATIO, RATIO + freed)


def _payable(do: Arithmetic, owed: Term, value: Term, price: Term) -> Term:
    whole = do.up(owed * price, DIVISOR)
    return do.choose(whole <= value, owed, do.down(value * DIVISOR, price))


def _ratios(do: Arithmetic, weight: Term, freed: Term) -> Term:
    return do.both(0 <= weight, weight <= RATIO, 0 <= freed, freed <= RATIO)


def _unhurt(do: Arithmetic, f: Named, weight: Term, freed: Term) -> Claim:
    kept = RATIO - f.rate(weight, freed)
    return Claim(_ratios(do, weight, freed), kept * (RATIO + freed) >= weight * RATIO)


def _no_less(do: Arithmetic, f: Named, weight: Term, freed: Term) -> Claim:
    kept = RATIO - f.rate(weight, freed) - 1
    return Claim(_ratios(do, weight, freed), kept * (RATIO + freed) < weight * RATIO)


def _amounts(do: Arithmetic, owed: Term, value: Term, price: Term) -> Term:
    return do.both(owed >= 0, value >= 0, price >= 1)


def _covered(do: Arithmetic, f: Named, owed: Term, value: Term, price: Term) -> Claim:
    closed = f.payable(owed, value, price)
    # The value of what is closed, rounded up, is at most a whole number where the exact one is.
    return Claim(
        _amounts(do, owed, value, price), do.both(closed <= owed, closed * price <= value * DIVISOR)
    )


def _all_of_it(do: Arithmetic, f: Named, owed: Term, value: Term, price: Term) -> Claim:
    closed = f.payable(owed, value, price)
    return Claim(
        _amounts(do, owed, value, price),
        do.either(closed >= owed, (closed + 1) * price > value * DIVISOR),
    )


WEIGHTS = (0, 1, RATIO // 3, RATIO // 2, RATIO - 1, RATIO)
FREED = (0, 1, RATIO // 100, RATIO // 7, RATIO)

OPPOSITES = Topic(
    "opposites",
    {"rate": _rate, "payable": _payable},
    {
        "rate": bearable_rate,
        "payable": lambda owed, value, price: payable(owed, value, price, DECIMALS),
    },
    {
        "rate": list(product(WEIGHTS, FREED)),
        "payable": list(
            product((0, 1, 10**9, 10**18), (0, 1, 999_999, 10**12), (1, 7, 2 * 10**12, 10**13))
        ),
    },
    (
        Lemma(
            "unhurt",
            "No fee that is charged lowers NE - M of who pays it.",
            ("waterfall.sizing.bearable_rate",),
            ("weight", "freed"),
            _unhurt,
        ),
        Lemma(
            "no less",
            "A billionth more would lower it: the fee is cut no further than that.",
            ("waterfall.sizing.bearable_rate",),
            ("weight", "freed"),
            _no_less,
        ),
        Lemma(
            "covered",
            "No more is closed than is owed, nor than what is given up is worth.",
            ("waterfall.opposites.opposite_of",),
            ("owed", "value", "price"),
            _covered,
        ),
        Lemma(
            "all of it",
            "All that is owed is closed, or an atom more would cost more than there is.",
            ("waterfall.opposites.opposite_of",),
            ("owed", "value", "price"),
            _all_of_it,
        ),
    ),
    (
        Wrong(
            "rate",
            lambda do, weight, freed: do.most(0, RATIO - weight + freed),
            "unhurt",
            "what is freed counts on the fee too",
        ),
        Wrong(
            "rate",
            lambda do, weight, freed: do.most(0, RATIO - weight),
            "no less",
            "what is freed is forgotten",
        ),
        Wrong(
            "payable",
            lambda do, owed, value, price: do.choose(
                do.up(owed * price, DIVISOR) <= value, owed, do.up(value * DIVISOR, price)
            ),
            "covered",
            "atoms round up",
        ),
        Wrong(
            "payable",
            lambda do, owed, value, price: do.choose(
                do.up(owed * price, DIVISOR) < value, owed, do.down((value - 1) * DIVISOR, price)
            ),
            "all of it",
            "a unit of value is kept back",
        ),
    ),
)
