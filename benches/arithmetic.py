"""Arithmetic: exact left * right / divisor with 128 bits between, against Python's integers.

Money widths are what the engine meets all the time: atoms times a price by the value divisor, and
shares times an index by its scale; most products are wider than 64 bits. Random widths are drawn
evenly from 1 to 62 bits with quotients that fit. Terms stay in the processor's cache, so that it is
the arithmetic that is timed and not the memory.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from benches.common.kernels import Words, call, compiled
from benches.common.measure import agree, repeat
from benches.common.rows import AT_MOST, TIMES, Row, Target, each
from solvent.domain import units as exact
from solvent.domain.units import INDEX_SCALE
from solvent.engine.units import mul_div_down, mul_div_up
from solvent.kernels.language import kernel
from solvent.kernels.machine import Machine
from solvent.kernels.rows import Memory

NAME = "arithmetic"
_PEER = "Python integers, range-checked"

Terms = tuple[Words, Words, Words]


@kernel
def divide_all_down(
    left: Memory, right: Memory, divisor: Memory, result: Memory, count: int
) -> None:
    """`result` = floor(left * right / divisor), row by row."""
    for place in range(count):
        result[place] = mul_div_down(left[place], right[place], divisor[place])


@kernel
def divide_all_up(left: Memory, right: Memory, divisor: Memory, result: Memory, count: int) -> None:
    """`result` = ceil(left * right / divisor), row by row."""
    for place in range(count):
        result[place] = mul_div_up(left[place], right[place], divisor[place])


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Time for each, down and up, at money widths and at random ones."""
    count, rounds, times = (1 << 13, 4, 3) if quick else (1 << 13, 200, 9)
    machine = compiled(divide_all_down, divide_all_up)
    rng = np.random.default_rng(1)
    for title, terms, limit in (
        ("atoms x price / divisor", _values(rng, count), 5),
        ("shares x index / 10^18", _claims(rng, count), 5),
        ("random widths", _random(rng, count), 11),
    ):
        for name, plain in (("down", exact.mul_div_down), ("up", exact.mul_div_up)):
            work = partial(_many, machine, f"divide_all_{name}", terms, rounds)
            timing, result = repeat(work, times)
            theirs, expected = repeat(partial(_plainly, plain, terms), times)
            agree(f"{title}, rounded {name}", result.tolist(), expected)
            figure, peer = each(timing, rounds * count), each(theirs, count)
            measured = f"{title}, rounded {name}"
            yield Row(NAME, measured, figure, target=Target(AT_MOST, limit))
            yield Row(NAME, measured, figure, _PEER, peer, Target(TIMES, 50))


def _many(machine: Machine, name: str, terms: Terms, rounds: int) -> Words:
    result = np.empty(len(terms[0]), dtype=np.int64)
    for _ in range(rounds):
        call(machine, name, *terms, result, len(result))
    return result


def _plainly(divide: Callable[[int, int, int], int], terms: Terms) -> list[int]:
    return list(map(divide, *(term.tolist() for term in terms)))


def _values(rng: np.random.Generator, count: int) -> Terms:
    """Up to a million tokens of nine decimals, at 0.01 to 100,000 USDC."""
    atoms = np.exp(rng.uniform(np.log(1e6), np.log(1e15), count)).astype(np.int64)
    price = np.exp(rng.uniform(np.log(1e8), np.log(1e15), count)).astype(np.int64)
    # What is worth more than a column holds is not money.
    atoms = np.minimum(atoms, (2**60 // (price // 10**13 + 1)))
    return atoms, price, np.full(count, exact.value_divisor(9), dtype=np.int64)


def _claims(rng: np.random.Generator, count: int) -> Terms:
    """Shares of any size up to 10^18 at an index from a half to one."""
    shares = np.exp(rng.uniform(np.log(1e4), np.log(1e18), count)).astype(np.int64)
    index = rng.integers(INDEX_SCALE // 2, INDEX_SCALE + 1, count)
    return shares, index, np.full(count, INDEX_SCALE, dtype=np.int64)


def _random(rng: np.random.Generator, count: int) -> Terms:
    """Terms of any width; the divisor is the larger one's, so that the quotient fits."""
    left, right = (rng.integers(0, 2**62, count) >> rng.integers(0, 62, count) for _ in range(2))
    return left, right, np.maximum(np.maximum(left, right), 1)
