"""Draws for populations: integers from a seed, the same on every machine.

A draw is a hash of the seed and of labels (group, member, purpose), so adding a member or a group
leaves every other draw alone. Sizes are log-normal: exp(spread * z), with z the sum of twelve
uniforms less six, which has mean 0, variance 1 and no tail beyond 6.

Deliberately absent: floats, and any state between two draws.
"""

from solvent.domain.units import RATIO
from solvent.reference.waterfall.draws import mix

_STRIDE = 0x9E3779B97F4A7C15
_UNIFORMS = 12
_FINE = 10**18
_HALVINGS = 8
_TERMS = 12


def draw_word(seed: int, *labels: int) -> int:
    """A 64-bit word that depends on the seed and the labels, in order."""
    word = mix(seed)
    for label in labels:
        word = mix(word + (label + 1) * _STRIDE)
    return word


def draw_between(low: int, high: int, seed: int, *labels: int) -> int:
    """A number from `low` to `high`, both included, evenly."""
    return low + draw_word(seed, *labels) % (high - low + 1)


def draw_normal(seed: int, *labels: int) -> int:
    """A nearly normal number of mean 0 and variance 1, in 10^-9."""
    uniforms = (draw_word(seed, *labels, place) % RATIO for place in range(_UNIFORMS))
    return sum(uniforms) - _UNIFORMS // 2 * RATIO


def exponential(exponent: int) -> int:
    """e to the power of `exponent`, both in 10^-9, exact to about a part in 10^9.

    The power is halved until it is small, summed as a series, and squared back.
    """
    small = exponent * (_FINE // RATIO) // 2**_HALVINGS
    total = term = _FINE
    for place in range(1, _TERMS):
        term = term * small // (_FINE * place)
        total += term
    for _ in range(_HALVINGS):
        total = total * total // _FINE
    return total * RATIO // _FINE


def draw_size(median: int, spread: int, seed: int, *labels: int) -> int:
    """A log-normal size around `median`; `spread` (10^-9) is the logarithm's deviation."""
    factor = exponential(draw_normal(seed, *labels) * spread // RATIO)
    return max(1, median * factor // RATIO)
