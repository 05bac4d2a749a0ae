"""How much of a long test runs: little while one works, what CI can bear, or all there is.

    ./run test --quick            small sizes, and without the tests that are marked `slow`
    ./run test --quick -m slow    small sizes of the tests that are marked `slow`
    ./run test                    the usual sizes
    ./run test --full             the largest sizes

A size is how many cases of the same kind are tried: seeds, commands, requests, kills. It never
decides what is compared. Cases are taken from the front, so that a smaller size is the beginning of
a larger one. `slow` is for a test of one size that takes over three seconds, all cases together.
"""

from enum import IntEnum


class Size(IntEnum):
    """What was asked for."""

    QUICK = 0
    USUAL = 1
    FULL = 2


_chosen = [Size.USUAL]


def choose(size: Size) -> None:
    """Take this size, before any test is collected."""
    _chosen[0] = size


def sized(quick: int, usual: int, full: int) -> int:
    """The number of cases, by the size that was chosen."""
    return (quick, usual, full)[_chosen[0]]
