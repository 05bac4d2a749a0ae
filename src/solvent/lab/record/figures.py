"""A published figure and ours beside it, and whether they agree to the places that were printed."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Beside:
    """A figure by name: theirs as it was printed, ours exactly, and what is to be said of both.

    `known` says why they may differ; without it a difference is a failure.
    """

    name: str
    theirs: str
    ours: Fraction
    known: str = ""

    @property
    def shown(self) -> str:
        """Ours in as many places as theirs."""
        return rounded(self.ours, len(self.theirs.partition(".")[2]))

    @property
    def same(self) -> bool:
        """Whether ours, rounded as theirs, is theirs."""
        return Decimal(self.shown) == Decimal(self.theirs)


def rounded(number: Fraction, places: int) -> str:
    """A fraction as decimal text, halves to even."""
    whole = round(number * 10**places)
    return str(_WIDE.scaleb(Decimal(whole), -places))
