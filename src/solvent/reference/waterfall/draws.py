"""Draws: the engine's only randomness, a hash of the seed, the interval and the account.

A draw depends on nothing else, so neither the order in which accounts are visited (I27) nor how
time was cut into steps changes an outcome, and a replay draws the same numbers. The mixing function
is SplitMix64's finalizer (Steele, Lea and Flood, 2014), on 64-bit words that wrap by definition.

Specification: sections 7.3, 10.
"""

from solvent.domain.units import RATIO, divide_up
from solvent.reference.state import State

_WORD = 2**64 - 1
_INTERVAL = 0x9E3779B97F4A7C15
_ACCOUNT = 0xD1B54A32D192ED03


def mix(word: int) -> int:
    """Spread a 64-bit word's bits over another 64-bit word."""
    word &= _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)


_WAIT = 4
"""The longest wait for an attempt, in times of the mean one."""


def is_drawn(state: State, account: int, interval: int) -> bool:
    """Whether an interval is one of the book's attempts for an account (7.3).

    Counted from the last one, in which the account had its turn.
    """
    probability = state.parameters.waterfall.book_probability
    waited = interval - state.accounts[account].attempted
    if waited <= 0:
        return False
    longest = divide_up(_WAIT * RATIO, probability)
    return waited >= longest or draw_ratio(state, account, interval) < probability


def next_drawn(state: State, account: int, last: int) -> int:
    """The next interval after this one that is an attempt for an account; none after `last`."""
    interval = state.interval() + 1
    while interval < last and not is_drawn(state, account, interval):
        interval += 1
    return interval


def draw_ratio(state: State, account: int, interval: int) -> int:
    """A number from 0 to RATIO - 1 for an account in an interval."""
    word = state.parameters.seed + interval * _INTERVAL
    return mix(mix(word) + account * _ACCOUNT) % RATIO
