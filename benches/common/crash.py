"""A day of prices with a crash in it: 1,440 minutes, a fall of about 35 % within 45 of them.

All assets follow one market with moves of their own. Within the crash the market falls, its moves
are six times as large, and less liquid assets fall further; then a third of the fall is won back.
Interest runs all day. Prices are drawn once from a seed and are integers from then on.
"""

import numpy as np
import numpy.typing as npt

from benches.common.market import PRICES, prices_of

MINUTES = 1440
CRASH = range(700, 745)
"""Minutes of the crash."""

_MOVE = 0.0006
_OWN_MOVE = 0.0004
_WILDER = 6.0
_FALL = -0.43
_RETRACE = 0.15
_RETRACE_MINUTES = 180
_INTEREST = 2e-7
"""Growth of a debt in a minute: about 10 % a year."""


def crash_day(seed: int = 5, assets: int = len(PRICES)) -> npt.NDArray[np.int64]:
    """Prices by minute and asset, 10^-10 USDC; asset 0 stands still."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, _MOVE, MINUTES)
    own = rng.normal(0.0, _OWN_MOVE, (MINUTES, assets))
    market[CRASH] = market[CRASH] * _WILDER + _FALL / len(CRASH)
    own[CRASH] *= _WILDER
    after = slice(CRASH.stop, CRASH.stop + _RETRACE_MINUTES)
    market[after] += _RETRACE / _RETRACE_MINUTES
    beta = np.linspace(0.9, 1.2, assets)
    logs = np.cumsum(market[:, None] * beta + own, axis=0)
    prices: npt.NDArray[np.int64] = np.rint(np.array(prices_of(assets)) * np.exp(logs)).astype(
        np.int64
    )
    prices[:, 0] = PRICES[0]
    return prices


def grown(index: int, minutes: int) -> int:
    """A debt index after so many minutes of interest."""
    return index + int(index * _INTEREST * minutes)
