"""Exponential, logarithm and normal quantile that are the same to the bit on every machine.

A library's `exp` and `log` may differ in the last bit from one platform to the next, and with them
a drawn price. Here only + - * /, square roots and shifts of the binary exponent are used, which
IEEE 754 rounds in one way. All functions take and give arrays of any shape.

The quantile is Wichura's AS 241 (PPND16, Applied Statistics 37, 1988), right to about 1e-15.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
"""ln 2 in two parts, the first of them short, so that a small multiple of it is exact."""

_EXP_TERMS, _LOG_TERMS = 14, 22
_CENTRE, _SPLIT = 0.425, 5.0

_CENTRAL = (
    (
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
_NEAR = (
    (
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
_FAR = (
    (
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ),
)


def exponential(x: Numbers) -> Numbers:
    """e to the power of x, for |x| up to 700, right to about 1e-15."""
    folds = np.rint(x / (LN2_HIGH + LN2_LOW))
    rest = (x - folds * LN2_HIGH) - folds * LN2_LOW
    total = np.ones_like(rest)
    for place in range(_EXP_TERMS, 0, -1):
        total = 1.0 + rest * total / place
    return np.ldexp(total, folds.astype(np.int64))


def logarithm(x: Numbers) -> Numbers:
    """The natural logarithm of x > 0, right to about 1e-15."""
    part, folds = np.frexp(x)
    low = part < np.sqrt(0.5)
    part, folds = np.where(low, part * 2.0, part), folds - low
    ratio = (part - 1.0) / (part + 1.0)
    square, total = ratio * ratio, np.zeros_like(part)
    for place in range(_LOG_TERMS, -1, -1):
        total = total * square + 1.0 / (2 * place + 1)
    found: Numbers = folds * LN2_HIGH + (folds * LN2_LOW + 2.0 * ratio * total)
    return found


def normal_quantile(chance: Numbers) -> Numbers:
    """The standard normal's quantile at 0 < chance < 1."""
    centred = chance - 0.5
    central = np.abs(centred) <= _CENTRE
    square = np.where(central, _CENTRE * _CENTRE - centred * centred, 0.0)
    middle = centred * _ratio(square, *_CENTRAL)
    tail = np.where(central, 0.25, np.minimum(chance, 1.0 - chance))
    depth = np.sqrt(-logarithm(tail))
    outer = np.where(depth <= _SPLIT, _ratio(depth - 1.6, *_NEAR), _ratio(depth - _SPLIT, *_FAR))
    found: Numbers = np.where(central, middle, np.where(centred < 0.0, -outer, outer))
    return found


def _ratio(x: Numbers, above: tuple[float, ...], below: tuple[float, ...]) -> Numbers:
    return _polynomial(x, above) / _polynomial(x, below)


def _polynomial(x: Numbers, terms: tuple[float, ...]) -> Numbers:
    """The polynomial whose coefficients rise with the power."""
    total = np.full_like(x, terms[-1])
    for term in reversed(terms[:-1]):
        total = total * x + term
    return total
