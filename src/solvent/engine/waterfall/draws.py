"""Draws in kernels: the engine's only randomness, a hash of the seed, the step and the account.

As in `reference.waterfall.draws`, on 64-bit words that wrap by definition; a constant above 2^63 is
written as the signed number with the same bits.
"""

from solvent.domain.units import RATIO
from solvent.engine.memory.store import Store
from solvent.kernels.language import (
    kernel,
    shift_right,
    unsigned_remainder,
    wrapping_add,
    wrapping_mul,
)

_WORD = 2**64
_STEP = 0x9E3779B97F4A7C15 - _WORD
_ACCOUNT = 0xD1B54A32D192ED03 - _WORD
_FIRST = 0xBF58476D1CE4E5B9 - _WORD
_SECOND = 0x94D049BB133111EB - _WORD


@kernel
def mix(word: int) -> int:
    """Spread a 64-bit word's bits over another 64-bit word."""
    word = wrapping_mul(word ^ shift_right(word, 30), _FIRST)
    word = wrapping_mul(word ^ shift_right(word, 27), _SECOND)
    return word ^ shift_right(word, 31)


@kernel
def draw_ratio(s: Store, account: int) -> int:
    """A number from 0 to RATIO - 1 for this account in this step."""
    step = wrapping_add(s.rules.seed, wrapping_mul(s.globals.steps, _STEP))
    word = wrapping_add(mix(step), wrapping_mul(account, _ACCOUNT))
    return unsigned_remainder(mix(word), RATIO)
