"""Draws: the engine's only randomness, a hash of the seed, the step and the account.

A draw depends on nothing else, so the order in which accounts are visited changes no outcome (I27)
and a replay draws the same numbers. The mixing function is SplitMix64's finalizer (Steele, Lea and
Flood, 2014), on 64-bit words that wrap by definition.

Specification: sections 7.3, 10.
"""

from solvent.domain.units import RATIO
from solvent.reference.state import State

_WORD = 2**64 - 1
_STEP = 0x9E3779B97F4A7C15
_ACCOUNT = 0xD1B54A32D192ED03


def mix(word: int) -> int:
    """Spread a 64-bit word's bits over another 64-bit word."""
    word &= _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)


def draw_ratio(state: State, account: int) -> int:
    """A number from 0 to RATIO - 1 for this account in this step."""
    word = state.parameters.seed + state.steps * _STEP
    return mix(mix(word) + account * _ACCOUNT) % RATIO
