"""Draws in kernels: the engine's only randomness, a hash of the seed, the interval and the account.

As in `reference.waterfall.draws`, on 64-bit words that wrap by definition; a constant above 2^63 is
written as the signed number with the same bits.
"""

from solvent.domain.units import RATIO
from solvent.engine.memory.store import Store
from solvent.engine.units import divide_up
from solvent.kernels.language import (
    kernel,
    shift_right,
    unsigned_remainder,
    wrapping_add,
    wrapping_mul,
)

_WORD = 2**64
_INTERVAL = 0x9E3779B97F4A7C15 - _WORD
_ACCOUNT = 0xD1B54A32D192ED03 - _WORD
_FIRST = 0xBF58476D1CE4E5B9 - _WORD
_SECOND = 0x94D049BB133111EB - _WORD


_WAIT = 4
"""The longest wait for an attempt, in times of the mean one."""


@kernel
def mix(word: int) -> int:
    """Spread a 64-bit word's bits over another 64-bit word."""
    word = wrapping_mul(word ^ shift_right(word, 30), _FIRST)
    word = wrapping_mul(word ^ shift_right(word, 27), _SECOND)
    return word ^ shift_right(word, 31)


@kernel
def interval_of(s: Store) -> int:
    """Number of the waterfall's interval that has begun."""
    return s.globals.now // s.rules.interval


@kernel
def is_drawn(s: Store, account: int, interval: int) -> bool:
    """Whether an interval is one of the book's attempts for an account (7.3)."""
    waited = interval - s.waiting[account].attempted
    if waited <= 0:
        return False
    probability = s.rules.book_probability
    if draw_ratio(s, account, interval) < probability:
        return True
    return waited >= divide_up(_WAIT * RATIO, probability)


@kernel
def next_drawn(s: Store, account: int, last: int) -> int:
    """The next interval after this one that is an attempt for an account; none after `last`."""
    interval = interval_of(s) + 1
    while interval < last and not is_drawn(s, account, interval):
        interval += 1
    return interval


@kernel
def draw_ratio(s: Store, account: int, interval: int) -> int:
    """A number from 0 to RATIO - 1 for an account in an interval."""
    step = wrapping_add(s.rules.seed, wrapping_mul(interval, _INTERVAL))
    word = wrapping_add(mix(step), wrapping_mul(account, _ACCOUNT))
    return unsigned_remainder(mix(word), RATIO)
