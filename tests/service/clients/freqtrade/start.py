"""Starts freqtrade's own command line, with one of its checks lifted; run by its own Python.

It wants `fetchOrder` of every exchange, which ccxt has not for this one; `fetchOpenOrder` is there.
"""

import sys

from freqtrade.exchange.common import (  # type: ignore[import-not-found]
    EXCHANGE_HAS_REQUIRED,
)
from freqtrade.main import main  # type: ignore[import-not-found]

EXCHANGE_HAS_REQUIRED.pop("fetchOrder")

if __name__ == "__main__":
    main(sys.argv[1:])
