"""Buckets: how many requests a caller may make, and when to come again.

A bucket fills at a steady rate up to its size; a request takes one token. It is kept as the one
moment at which it will be full again, so that its level is exact in whole nanoseconds and an idle
bucket needs no upkeep. Requests that can only reduce risk have buckets of their own: who is
throttled can still cancel and repay.

Each kind of caller has a table of its own, so that a flood of addresses pushes out no key's bucket.
A table is bounded: those that were asked longest ago are forgotten and count as full.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from solvent.service.limits import ACCOUNT_RATE, ADDRESS_RATE, BUCKETS, KEY_RATE

_SECOND_NS = 10**9


class Rate(NamedTuple):
    """Tokens a second, and how many a bucket holds."""

    a_second: int
    size: int


RATES = {
    "address": Rate(*ADDRESS_RATE),
    "key": Rate(*KEY_RATE),
    "account": Rate(*ACCOUNT_RATE),
}


class _Kind(NamedTuple):
    """Nanoseconds a token, tokens a bucket, and when each bucket will be full."""

    token: int
    size: int
    full_at: OrderedDict[tuple[str | int, bool], int]


class Buckets:
    """All buckets, by kind, caller and whether it reduces risk. `clock` gives nanoseconds."""

    def __init__(
        self,
        rates: Mapping[str, Rate] | None = None,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        most: int = BUCKETS,
    ) -> None:
        self._clock = clock
        self._most = most
        self._kinds = {
            kind: _Kind(_SECOND_NS // rate.a_second, rate.size, OrderedDict())
            for kind, rate in (RATES if rates is None else rates).items()
        }

    def spend(self, kind: str, name: str | int, *, reduces_risk: bool = False) -> int:
        """Take a token: 0, or in how many whole seconds there is one (Retry-After)."""
        token, size, table = self._kinds[kind]
        now = self._clock()
        full_at = max(now, table.pop((name, reduces_risk), now))
        wait = full_at + token - (now + size * token)
        table[name, reduces_risk] = full_at if wait > 0 else full_at + token
        if len(table) > self._most:
            table.popitem(last=False)
        return -(-wait // _SECOND_NS) if wait > 0 else 0
