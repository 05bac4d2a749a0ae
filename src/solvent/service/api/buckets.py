"""Buckets: how much a caller may ask for, and when to come again.

A bucket fills at a steady rate up to its size; a request takes a token at least. It is kept as the
one moment at which it will be full again, so that its level is exact in whole nanoseconds and an
idle bucket needs no upkeep. What costs more takes more: a token a command of a batch and a KiB of a
body, many for a request that is refused before it is known who sent it. Requests that can only
reduce risk have buckets of their own: who is throttled can still cancel and repay.

Each kind of caller has a table of its own, so that a flood of addresses pushes out no key's bucket.
A table is bounded: those that were asked longest ago are forgotten and count as full.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from solvent.service.limits import ACCOUNT_RATE, ADDRESS_RATE, BUCKETS, JOURNAL_RATE, KEY_RATE

_SECOND_NS = 10**9


class Rate(NamedTuple):
    """Tokens a second, and how many a bucket holds."""

    a_second: int
    size: int


RATES = {
    "address": Rate(*ADDRESS_RATE),
    "key": Rate(*KEY_RATE),
    "account": Rate(*ACCOUNT_RATE),
    "journal": Rate(*JOURNAL_RATE),
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
        self.rates = RATES if rates is None else rates
        self._clock = clock
        self._most = most
        self._kinds = {
            kind: _Kind(_SECOND_NS // rate.a_second, rate.size, OrderedDict())
            for kind, rate in self.rates.items()
        }

    def spend(
        self, kind: str, name: str | int, tokens: int = 1, *, reduces_risk: bool = False
    ) -> int:
        """Take tokens: 0, or in how many whole seconds there are so many (Retry-After).

        What is more than a bucket holds is let through by a full one, which is empty then for as
        long as it takes to make up for it, and for no more than twice as long as it takes to fill:
        others may have the same address.
        """
        token, size, table = self._kinds[kind]
        now = self._clock()
        full_at = max(now, table.pop((name, reduces_risk), now))
        wait = full_at + min(tokens, size) * token - (now + size * token)
        taken = 0 if wait > 0 else tokens * token
        table[name, reduces_risk] = min(full_at + taken, now + 2 * size * token)
        self._forget(table)
        return -(-wait // _SECOND_NS) if wait > 0 else 0

    def charge(self, kind: str, name: str | int, tokens: int) -> None:
        """Take tokens for what was done already, also those that are not there yet."""
        token, size, table = self._kinds[kind]
        now = self._clock()
        full_at = max(now, table.pop((name, False), now)) + tokens * token
        table[name, False] = min(full_at, now + 2 * size * token)
        self._forget(table)

    def take(self, address: str, tokens: int, *, is_done: bool = False) -> bool:
        """Take tokens of an address: whether there were so many, and always for what `is_done`."""
        if is_done:
            self.charge("address", address, tokens)
            return True
        return not self.spend("address", address, tokens)

    def _forget(self, table: OrderedDict[tuple[str | int, bool], int]) -> None:
        if len(table) > self._most:
            table.popitem(last=False)
