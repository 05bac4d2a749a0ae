"""Rows of the waterfall: what its stages write down while they work."""

from solvent.domain.labels import AdlCase, LegForm, Tier
from solvent.kernels.rows import Row


class Party(Row):
    """Of a match or fill: an account, and as bits the assets in which it has or had anything."""

    account: int
    assets: int


class Insolvent(Row):
    """An account whose certain loss is booked."""

    account: int
    round: int
    """In which it was found, from 1."""
    lacks: int
    """What an account of the first round lacks, 10^-6 USDC, up."""
    part: int
    """What of that the fund is to give it."""
    fund: int
    """What the fund's tokens for it count for."""


class PoolLoss(Row):
    """What one pool loses and who bears it, in atoms: `loss` is the sum of the four after it."""

    loss: int
    fees: int
    treasury: int
    residue: int
    lenders: int


class Part(Row):
    """Atoms of one asset."""

    asset: int
    quantity: int


class Prospect(Row):
    """What one asset brings on the book now: see `reference.waterfall.sales`."""

    asset: int
    held: int
    ready: int
    """Of those held, what finds USDC or is some."""
    gain: int
    """What a sale of those adds to NE - M, 10^-9 of the value sold."""
    value: int
    """Of all that is held, 10^-6 USDC."""


class Offer(Row):
    """A debt that an account in the backstop stage offers, and at which discount.

    Behind it lies, for n assets, which of them go (n), what the account can hand over (n and a
    copy), a portfolio (3 n and a copy), and n parts: see `offers`.
    """

    account: int
    debt: int
    quantity: int
    discount: int
    count: int
    """How many assets go."""
    provider: int
    """Who is asked."""
    claim: int
    """The claim of the provider who is asked in the debt's asset."""
    taken: int


class Means(Row):
    """What a round is paid in."""

    tier: Tier
    asset: int
    borrowed: int
    """Whether the payer borrows it."""


class Match(Row):
    """What a round asks of one lender and one debtor: see `reference.waterfall.settlement`."""

    round: int
    number: int
    case: AdlCase
    asset: int
    lender: int
    debtor: int
    giver: int
    """Who pays for the debt: the debtor, or the fund."""
    tier: Tier
    paid_in: int
    borrowed: int
    quantity: int
    fee: int
    """The side's, in 10^-6 USDC."""
    value: int
    """What the lender gets, in 10^-6 USDC, and"""
    pay: int
    """in atoms of what the round is paid in."""


class Weight(Row):
    """What a match is worth with its fee, unrounded: 10^-6 USDC times the value's divisor."""

    upper: int
    """In 2^62 of the unit, and"""
    lower: int
    """what is above that."""


class Leg(Row):
    """One thing that is handed over in a match."""

    giver: int
    receiver: int
    asset: int
    form: LegForm
    quantity: int
    shares: int
    """What the atoms cost the giver's claim: 0 but where the form is redeemed or claim."""
    value: int
    """What they count for, 10^-6 USDC."""


class Settlement(Row):
    """The plan of a match: atoms settled at a value, which is the sum of the lender's legs."""

    quantity: int
    value: int
    fee: int
    ends_orders: int
    """Whether the giver's orders that pay with the asset end first."""
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


class RoundSide(Row):
    """A liquidated account of a round."""

    account: int
    needed: int
    """Atoms that are to be settled for it."""
    fee: int
    """What it pays of what is settled, 10^-9."""
    received: int
    """Value (10^-6 USDC) that this step's rounds brought it and that repaid nothing yet."""
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
