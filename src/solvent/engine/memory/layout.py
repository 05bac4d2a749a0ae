"""Numbers that columns are read by: what stands for nothing, and how the table of ids is laid out.

What rows hold is in `rows`, which columns there are in `store`.
"""

NONE = -1
"""No slot, no account, no price."""
FUND = 0
"""Account number of the backstop fund."""
TREASURY = 1
"""Account number of the treasury."""
NO_REASON = 0
"""Of an attempt: no stage handed the account over."""
INDEX_BLOCK = 4
"""As many order ids that follow each other lie side by side in the table, in one cache line."""
INDEX_FACTOR = 0x9E3779B97F4A7C15 - 2**64
"""2^64 over the golden ratio: blocks that follow each other land far apart."""
LINES = 8
"""Rows of price levels of a market: bids, asks, and what waits for each price to fall and to rise.

Of an even one the highest price is met first, of an odd one the lowest.
"""
FIRST_WAITING = 2
"""The first line of orders that wait: mark, index and last trade, each falling and rising."""
UNSET = -1
"""The rate of a pool whose shares, curve or hour changed since interest last accrued."""
COPIED = 16
"""Accounts that are copied together: a number of `moved` stands for so many."""
