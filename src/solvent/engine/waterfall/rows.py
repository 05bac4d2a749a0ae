"""Rows of the waterfall: what its stages write down while they work."""

from solvent.kernels.rows import Row


class Party(Row):
    """Of a match or fill: an account, and as bits the assets in which it has or had anything."""

    account: int
    assets: int


class Draw(Row):
    """What is taken of one asset, and what it counts for."""

    asset: int
    quantity: int
    value: int
    """In 10^-6 USDC."""


class Offer(Row):
    """A debt that an account in the backstop stage offers, and at which discount.

    Behind it lies, for n assets, the order of collateral (n), what the account can hand over (n and
    a copy), a portfolio (3 n and a copy), and n draws: see `offers`.
    """

    account: int
    debt: int
    quantity: int
    discount: int
    count: int
    """Of the order."""
    claim: int
    """Claim in the debt's asset of the provider who is asked."""
    taken: int


class Match(Row, width=12):
    """A match of an ADL round."""

    round: int
    number: int
    asset: int
    lender: int
    debtor: int
    giver: int
    """Who pays for the debt: the debtor, or the fund."""
    quantity: int
    value: int
    borrow_allowed: int
    left: int
    """Value still to be paid, 10^-6 USDC."""
    full_value: int


class RoundSide(Row):
    """An account of the waterfall in a round."""

    account: int
    own: int
    """Atoms to be settled out of the account's own claim or assets."""
    fund: int
    """Atoms that the backstop fund pays for."""
    fund_value: int
    attempt: int
    """Place of the account among the step's attempts."""


class Pair(Row):
    """Of two rows that are matched in order: a place in either, and how much."""

    left: int
    right: int
    quantity: int


class Candidate(Row):
    """A counterparty that a round may choose."""

    account: int
    position: int
    """Atoms lent or owed."""
    cap: int
    assets_value: int
    """10^-6 USDC."""
    total_value: int
    """10^-6 USDC, above 0."""
