"""Rows of the waterfall: what its stages write down while they work."""

from solvent.domain.labels import LegForm
from solvent.engine.memory.rows import Pool
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
    provider: int
    """Who is asked."""
    claim: int
    """The claim of the provider who is asked in the debt's asset."""
    taken: int


class Match(Row):
    """What a round asks of one lender and one debtor."""

    round: int
    number: int
    asset: int
    lender: int
    debtor: int
    giver: int
    """Who pays for the debt: the debtor, or the fund."""
    quantity: int
    borrow_allowed: int


class Leg(Row):
    """One thing that the giver of a match hands over."""

    asset: int
    form: LegForm
    quantity: int
    shares: int
    """What the atoms cost the giver's claim: 0 but where the form is redeemed or claim."""
    value: int
    """What they count for, 10^-6 USDC."""
    lighter: int


class Settlement(Row):
    """The plan of a match: atoms settled at a value, which is the sum of its legs."""

    quantity: int
    value: int
    left: int
    """Value for which no leg is found yet."""
    ends_orders: int
    """Whether the giver's orders end first, so that what they lock can pay."""
    legs: int
    lender_shares: int
    """By how many shares the lender's claim falls."""
    debtor_shares: int


class Fill(Row):
    """The plan of one provider's part of an offer."""

    provider: int
    quantity: int
    shares: int
    """Of the debt, that move with it."""
    value: int
    """Of the debt at the mark, up."""
    fund_value: int
    """The fund's part of the discount."""
    legs: int


class FillLeg(Row):
    """One thing that goes with a fill, to the provider or to the fund."""

    receiver: int
    asset: int
    form: LegForm
    quantity: int
    shares: int
    """Of the claim that is handed over, 0 for tokens."""
    value: int
    """At the mark, 10^-6 USDC, down."""


class Lending(Row):
    """A pool as it would be, and how many of its lent shares are the borrower's own."""

    own: int
    pool: Pool


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
