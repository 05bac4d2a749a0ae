"""Feeds: where prices come from, on their way to the oracle's endpoint.

    recorded     a price file, at its own pace or another
    synthetic    a seeded random walk
    exchanges    live exchanges through ccxt, one source each
    gate         what a reading must pass before it is posted
    poster       signs quotes with the oracle's key and posts them

A feed is read again and again; each reading gives quotes and says when to come back. A quote is
one source's bid, ask and last for one asset; index and mark are made of quotes by the engine. A
feed that knows nothing of an asset posts nothing about it, so that its price grows stale there.

Prices are integers of 10^-10 USDC per whole token, from text without ever being a float.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple, Protocol

from solvent.domain.units import INT64_MAX, PRICE_DECIMALS

_NUMBER = re.compile(r"[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_WIDE = Context(prec=120)


class Quote(NamedTuple):
    """One source's prices for one asset, 10^-10 USDC per whole token."""

    symbol: str
    source: int
    bid: int
    ask: int
    last: int


class Reading(NamedTuple):
    """Quotes, and after how many seconds to read again; None when the feed has ended."""

    quotes: Sequence[Quote]
    wait: float | None


class Feed(Protocol):
    """Where prices come from."""

    def read(self) -> Reading:
        """What is known now; may take as long as the feed's own time limit."""
        ...


def price_from_text(text: str) -> int:
    """The price that `text` states, rounded half to even at the tenth decimal.

    Exponents are understood, since exchanges and float columns write small prices so. ValueError
    for anything else, for what is not above zero, and for more than 64 bits hold.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:50]!r} is no price")
    units = Decimal(text).scaleb(PRICE_DECIMALS, _WIDE)
    price = int(units.to_integral_value(ROUND_HALF_EVEN, _WIDE)) if units <= INT64_MAX else 0
    if price <= 0:
        raise ValueError(f"{text[:50]} is no price between 10^-10 and {INT64_MAX // 10**10} USDC")
    return price


def flat_quote(symbol: str, source: int, price: int) -> Quote:
    """A quote whose bid, ask and last are the same."""
    return Quote(symbol, source, price, price, price)
