"""Numbers beside which arithmetic changes, and what the tests of arithmetic have in common."""

import inspect
from collections.abc import Callable, Iterator
from itertools import product
from random import Random

from solvent.kernels.rows import EngineFault

WORD = 1 << 64
HALF = 1 << 63
"""What a lower word of a long number is kept less of, so that it is signed."""

Exact = Callable[[int, int], int | None]
"""The result, or None where a kernel must stop whatever it would be."""


def edges(width: int) -> list[int]:
    """Numbers of a signed width beside which something changes."""
    powers = [1 << bits for bits in (1, 31, 32, 53, 62, 63, 64, 65, 95, 126, 127, 128, 191, 254)]
    around = [power + change for power in powers for change in (-1, 0, 1)]
    some = [0, 3, 10**9, 10**18, 10**27, 10**38, *around, (1 << (width - 1)) - 1]
    both = {*some, *(-number for number in some), -(1 << (width - 1))}
    return sorted(number for number in both if fits(number, width))


def fits(number: int, width: int) -> bool:
    """Whether a signed number has at most `width` bits."""
    return -(1 << (width - 1)) <= number < 1 << (width - 1)


def outcome(call: Callable[[], int]) -> int | str:
    """What a kernel gives, or how it stopped."""
    try:
        return call()
    except EngineFault as fault:
        return str(fault)


def last_line(function: Callable[..., object]) -> str:
    """How a kernel stops at its last line."""
    lines, first = inspect.getsourcelines(function)
    place = f"{function.__module__}.{function.__name__}, line {first + len(lines) - 1}"
    return f"the engine stopped at {place}; it must not go on"


def pairs(rng: Random, widths: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """All pairs of edges, and numbers of any length."""
    yield from product(*map(edges, widths))
    for _ in range(1000):
        left, right = (rng.randrange(1 << rng.randrange(1, width)) for width in widths)
        yield rng.choice((left, -left)), rng.choice((right, -right))
