"""Linear systems in kernels: x = b + A x with nothing below zero, in numbers of 128 bits.

They are solved without a subtraction but that of 1 - a, in integers of 2^-80, every operation
rounded up: x is never too small, and off by some 2^-80 of itself a step. A number takes two words.
"""

from typing import NamedTuple

from solvent.engine.memory.store import Store
from solvent.kernels.language import Huge, Wide, bit, huge, kernel, narrow, release, thin, wide
from solvent.kernels.rows import Memory

ONE = 2**80
"""A fraction of one."""
MOST = 2**122
"""Coefficients stop here: what depends on a pool so much is lost as soon as that loses anything."""
_HALF = 62
"""Bits of the lower word of a number of 128 bits that is not negative."""


class System(NamedTuple):
    """x = b + A x: by which fractions (of ONE) of all their claims pools lose more than so far.

    `factors` are A row by row and `more` is b; `rows`, `right` and `x` are room to work in, `gone`
    says which pools lost all. Numbers of 128 bits take two words.
    """

    spreads: bool
    factors: Memory
    more: Memory
    lost: Memory
    rows: Memory
    right: Memory
    x: Memory
    gone: Memory


@kernel
def put(row: Memory, place: int, value: Wide) -> None:
    """Write a number that is not negative."""
    row[2 * place] = narrow(value // bit(_HALF))
    row[2 * place + 1] = narrow(value % bit(_HALF))


@kernel
def get(row: Memory, place: int) -> Wide:
    """The number at a place."""
    return wide(row[2 * place]) * bit(_HALF) + row[2 * place + 1]


@kernel
def capped(value: Huge) -> Wide:
    """A number with 128 bits, at most `MOST`."""
    return thin(min(value, huge(wide(MOST))))


@kernel
def part_up(numerator: Huge, divisor: Wide) -> Huge:
    """A quotient rounded up."""
    return -(-numerator // divisor)


@kernel
def release_system(system: System) -> None:
    """Give back the memory of a system."""
    release(system.factors)
    release(system.more)
    release(system.lost)
    release(system.rows)
    release(system.right)
    release(system.x)
    release(system.gone)


@kernel
def eliminate(s: Store, system: System) -> None:
    """Solve for all pools but those that are gone, which lose what they have left."""
    assets = s.globals.assets
    rows = system.rows
    right = system.right
    for place in range(2 * assets * assets):
        rows[place] = system.factors[place]
    for asset in range(assets):
        put(right, asset, get(system.more, asset))
        if system.gone[asset]:
            put(right, asset, ONE - get(system.lost, asset))
            for column in range(assets):
                put(rows, asset * assets + column, wide(0))
    for place in range(assets):
        rest = max(wide(1), ONE - get(rows, place * assets + place))
        for below in range(place + 1, assets):
            factor = huge(get(rows, below * assets + place))
            if factor:
                for column in range(place + 1, assets):
                    part = part_up(factor * get(rows, place * assets + column), rest)
                    number = below * assets + column
                    put(rows, number, capped(huge(get(rows, number)) + part))
                part = part_up(factor * get(right, place), rest)
                put(right, below, capped(huge(get(right, below)) + part))
    _substitute(s, system)


@kernel
def _substitute(s: Store, system: System) -> None:
    assets = s.globals.assets
    for place in range(assets - 1, -1, -1):
        total = huge(get(system.right, place))
        for column in range(place + 1, assets):
            factor = huge(get(system.rows, place * assets + column))
            total += part_up(factor * get(system.x, column), wide(ONE))
        rest = max(wide(1), ONE - get(system.rows, place * assets + place))
        put(system.x, place, capped(part_up(huge(capped(total)) * ONE, rest)))
