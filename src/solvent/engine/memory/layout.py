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
UNSET = -1
"""The rate of a pool whose shares, curve or hour changed since interest last accrued."""
COPIED = 16
"""Accounts that are copied together: a number of `moved` stands for so many."""
