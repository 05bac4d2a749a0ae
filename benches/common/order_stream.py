"""A stream of orders for one market: most of them are cancelled, one in ten crosses.

The middle walks by ticks. Nine in ten orders rest some ticks away from it, more of them near it;
the others reach across. Seven in ten are cancelled a while after, so that two in five events are
cancels, also of orders that were filled before: those do nothing.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.int64]

ADD, CANCEL = 0, 1
_CROSSING = 0.1
_CANCELLED = 0.72
_LIFE = 5_000.0
_NEAR = 0.08
_MOVES = 0.1
_REACH = 6
_MOST_LOTS = 100


class Orders(NamedTuple):
    """Events in order: what, which order (from 1), its side (0 bids), its price in ticks from the
    first middle, its lots. A cancel has the order's number only.
    """

    what: Words
    order: Words
    side: Words
    ticks: Words
    lots: Words
    crossing: npt.NDArray[np.bool_]


def order_stream(count: int, seed: int = 3) -> Orders:
    """About `count` events."""
    rng = np.random.default_rng(seed)
    adds = int(count / (1 + _CANCELLED))
    middle = np.cumsum(rng.choice((-1, 0, 1), adds, p=(_MOVES / 2, 1 - _MOVES, _MOVES / 2)))
    side = rng.integers(0, 2, adds)
    crossing = rng.random(adds) < _CROSSING
    away = np.where(crossing, -rng.integers(1, _REACH, adds), rng.geometric(_NEAR, adds))
    ticks = middle + np.where(side == 0, -away, away)
    lots = rng.integers(1, _MOST_LOTS + 1, adds)
    when = np.arange(adds, dtype=np.float64)
    cancelled = np.flatnonzero(rng.random(adds) < _CANCELLED)
    later = when[cancelled] + 0.5 + rng.exponential(_LIFE, len(cancelled))
    order = np.argsort(np.concatenate((when, later)), kind="stable")
    number = np.concatenate((np.arange(adds), cancelled))[order]
    what = np.concatenate((np.full(adds, ADD), np.full(len(cancelled), CANCEL)))[order]
    is_add = what == ADD
    return Orders(
        what,
        number + 1,
        np.where(is_add, side[number], 0),
        np.where(is_add, ticks[number], 0),
        np.where(is_add, lots[number], 0),
        crossing[number] & is_add,
    )
