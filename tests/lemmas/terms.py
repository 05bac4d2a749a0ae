"""Lemmas: sentences about a few formulas that z3 proves for all integers, and code has to follow.

A lemma is written once and read three times. Its formulas are functions over `Arithmetic`, so they
compute with Python's integers and with z3's alike; its sentence takes the formulas by name, so that
it can be asked of z3's terms (is it true of all integers?), of the formulas (is it true here?) and
of the engine's own functions (does the code do so?). A lemma thus cannot drift from the code, and a
wrong formula is refuted by z3 with numbers that are then played on both.

Integers are unbounded here: what the engine's columns cannot hold it refuses, so overflow is not a
question of these formulas. Real variables stand where only the order of fractions matters: what
holds of all reals holds of all integers.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import z3

Term = Any
"""An integer, or z3's term of one."""
Formula = Callable[..., Term]
"""(arithmetic, *terms) -> a term or several."""
Formulas = Mapping[str, Formula]
Functions = Mapping[str, Callable[..., Term]]
Points = Mapping[str, Sequence[Sequence[int]]]

FIRST_TIMEOUT = 10_000
TIMEOUT = 60_000
"""Milliseconds that one proof may take; most take a hundredth of a second."""


class Arithmetic(Protocol):
    """What formulas need beyond sums, products and comparisons."""

    def down(self, numerator: Term, divisor: Term) -> Term:
        """floor(numerator / divisor), divisor > 0."""
        ...

    def up(self, numerator: Term, divisor: Term) -> Term:
        """ceil(numerator / divisor), divisor > 0."""
        ...

    def least(self, one: Term, two: Term) -> Term:
        """The lesser of two."""
        ...

    def most(self, one: Term, two: Term) -> Term:
        """The greater of two."""
        ...

    def choose(self, condition: Term, one: Term, two: Term) -> Term:
        """One if the condition holds, else the other."""
        ...

    def both(self, *conditions: Term) -> Term:
        """Whether all hold."""
        ...

    def either(self, *conditions: Term) -> Term:
        """Whether one holds at least."""
        ...

    def no(self, condition: Term) -> Term:
        """Whether it does not hold."""
        ...


class Exact:
    """Python's own integers and fractions."""

    @staticmethod
    def down(numerator: Term, divisor: Term) -> Term:
        """As `Arithmetic.down`."""
        return numerator // divisor

    @staticmethod
    def up(numerator: Term, divisor: Term) -> Term:
        """As `Arithmetic.up`."""
        return -(-numerator // divisor)

    @staticmethod
    def least(one: Term, two: Term) -> Term:
        """As `Arithmetic.least`."""
        return min(one, two)

    @staticmethod
    def most(one: Term, two: Term) -> Term:
        """As `Arithmetic.most`."""
        return max(one, two)

    @staticmethod
    def choose(condition: Term, one: Term, two: Term) -> Term:
        """As `Arithmetic.choose`."""
        return one if condition else two

    @staticmethod
    def both(*conditions: Term) -> Term:
        """As `Arithmetic.both`."""
        return all(conditions)

    @staticmethod
    def either(*conditions: Term) -> Term:
        """As `Arithmetic.either`."""
        return any(conditions)

    @staticmethod
    def no(condition: Term) -> Term:
        """As `Arithmetic.no`."""
        return not condition


class Symbols:
    """z3's terms. A quotient is a new integer with what defines it, which z3 finds easier to use
    than its own division: q * divisor <= numerator < (q + 1) * divisor. One that is asked again is
    the same integer, for that two of one definition are equal is hard for z3 to see.
    """

    def __init__(self) -> None:
        self.defined: list[Term] = []
        self._quotients: dict[tuple[Term, Term], Term] = {}

    def down(self, numerator: Term, divisor: Term) -> Term:
        """As `Arithmetic.down`."""
        # Terms are the same key where they are built alike.
        asked = numerator, divisor
        if asked not in self._quotients:
            quotient = z3.Int(f"quotient_{len(self.defined)}")
            rest = numerator - quotient * divisor
            self.defined.append(z3.And(0 <= rest, rest < divisor))
            self._quotients[asked] = quotient
        return self._quotients[asked]

    def up(self, numerator: Term, divisor: Term) -> Term:
        """As `Arithmetic.up`."""
        return -self.down(-numerator, divisor)

    @staticmethod
    def least(one: Term, two: Term) -> Term:
        """As `Arithmetic.least`."""
        return z3.If(one <= two, one, two)

    @staticmethod
    def most(one: Term, two: Term) -> Term:
        """As `Arithmetic.most`."""
        return z3.If(one >= two, one, two)

    @staticmethod
    def choose(condition: Term, one: Term, two: Term) -> Term:
        """As `Arithmetic.choose`."""
        return z3.If(condition, one, two)

    @staticmethod
    def both(*conditions: Term) -> Term:
        """As `Arithmetic.both`."""
        return z3.And(*conditions)

    @staticmethod
    def either(*conditions: Term) -> Term:
        """As `Arithmetic.either`."""
        return z3.Or(*conditions)

    @staticmethod
    def no(condition: Term) -> Term:
        """As `Arithmetic.no`."""
        return z3.Not(condition)


class Claim(NamedTuple):
    """What is given, and what then holds."""

    given: Term
    holds: Term


class Lemma(NamedTuple):
    """One sentence for all values of its variables.

    `says(do, f, *values)` is its claim; `f` has the formulas by name. `about` are the functions of
    the engine that the sentence is about; `real` are variables that need not be whole.
    """

    name: str
    sentence: str
    about: tuple[str, ...]
    variables: tuple[str, ...]
    says: Callable[..., Claim]
    real: bool = False


class Topic(NamedTuple):
    """Lemmas about the same formulas: these, the engine's functions that they stand for, and wrong
    ones, each under the formula that it replaces and with the lemmas that must refute it.

    `points` are values at which formulas and functions are compared, a list a formula: its edges.
    Steps of a loop have no function of their own; `agrees` then plays the loop with them.
    """

    name: str
    formulas: Formulas
    functions: Functions
    points: Points
    lemmas: tuple[Lemma, ...]
    wrong: tuple["Wrong", ...]
    agrees: Callable[["Named"], bool] | None = None


class Wrong(NamedTuple):
    """A formula that somebody might have written, and the lemma that is false of it."""

    instead_of: str
    formula: Formula
    refuted_by: str
    mistake: str


Values = dict[str, int | Fraction]


def counterexample(lemma: Lemma, formulas: Formulas, below: int | None = None) -> Values | None:
    """Values for which the lemma is false; None where z3 proves that there are none.

    With `below`, whole values under it are looked for, such as the engine's columns can hold.
    Raises AssertionError where z3 cannot say.
    """
    do = Symbols()
    make = z3.Real if lemma.real and below is None else z3.Int
    variables = [make(name) for name in lemma.variables]
    claim = lemma.says(do, bound_to(do, formulas), *variables)
    # Some proofs are found at once by z3's one solver and not in a minute by its other.
    answer = z3.unknown
    for solver, limit in ((z3.Solver(), FIRST_TIMEOUT), (z3.SimpleSolver(), TIMEOUT)):
        solver.set("timeout", limit)
        solver.add(*do.defined, claim.given, z3.Not(claim.holds))
        if below is not None:
            solver.add(*(z3.And(variable > -below, variable < below) for variable in variables))
        answer = solver.check()
        if answer != z3.unknown:
            break
    if answer == z3.unsat:
        return None
    assert answer == z3.sat, f"{lemma.name}: z3 cannot say ({solver.reason_unknown()})"
    model = solver.model()
    values = [model.eval(variable, model_completion=True) for variable in variables]
    return {name: _exact(value) for name, value in zip(lemma.variables, values, strict=True)}


def _exact(value: Term) -> int | Fraction:
    exact = Fraction(str(value))
    return int(exact) if exact.denominator == 1 else exact


def holds_at(lemma: Lemma, functions: Functions, values: Sequence[int | Fraction]) -> bool | None:
    """Whether the lemma is true of these values by these functions; None where nothing is given."""
    claim = lemma.says(Exact(), Named(functions), *values)
    return bool(claim.holds) if claim.given else None


class Named:
    """Functions as attributes: `f.debt_worth(shares, index)`."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Callable[..., Term]:
        return self._functions[name]


def bound_to(do: Arithmetic, formulas: Formulas) -> Named:
    """Formulas that compute with `do`."""

    def bind(formula: Formula) -> Callable[..., Term]:
        return lambda *terms: formula(do, *terms)

    return Named({name: bind(formula) for name, formula in formulas.items()})
