"""Rows of standby: what a relief writes down while it works."""

from solvent.domain.labels import LegForm
from solvent.kernels.rows import Row


class PaidInKind(Row):
    """A lender of a round: what he had before it, then what is left of what it paid him in kind."""

    account: int
    place: int
    """Among those of the round whom it is paid to."""
    tokens: int
    shares: int
    claim: int
    """The claim that is settled, before the round, in atoms."""
    rate: int
    """The largest premium that is borne, 10^-9 of the value."""
    budget: int
    """What is left for premiums, 10^-6 USDC."""
    repaid: int
    """USDC that repaid what he owed of it."""


class Bearing(Row):
    """The question how much one standby bears; behind it lie his portfolio and a copy."""

    standby: int
    asset: int
    funds: int
    slack: int
    """Atoms that share rounding may cost him."""


class Swap(Row):
    """What one standby takes over of one receiver: `value` counts up, `paid` is less `premium`."""

    standby: int
    receiver: int
    asset: int
    form: LegForm
    quantity: int
    shares: int
    value: int
    rate: int
    premium: int
    paid: int
