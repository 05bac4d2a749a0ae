"""Draws of the simulator: account, asset and amount, biased to where mistakes live.

Quantities are nothing, one atom, all of it, one more than all, or exactly what a preview allows and
one more; values are round or ragged. Everything is drawn from one seeded stream, so a run can be
made again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from solvent.domain import commands as c
from solvent.domain.parameters import MAX_SUPPLY, USDC, MarketParameters
from solvent.domain.units import RATIO, value_divisor
from solvent.reference.engine import ReferenceEngine
from solvent.reference.ledger import claim_of
from solvent.reference.state import FUND, TREASURY, State

FIRST_USER = 2
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """A command, and whether a preview promised that it passes (True) or is refused (False)."""

    command: c.Command
    passes: bool | None = None


Script = Iterator[Plan]
"""Several commands in a row, each planned when the one before it is done."""


class Draws:
    """One run's random choices among accounts from `first` on. Reads the state, changes nothing."""

    def __init__(
        self, rng: Random, engine: ReferenceEngine, anchors: list[int], first: int = FIRST_USER
    ) -> None:
        self.rng = rng
        self.first = first
        self._engine = engine
        self._anchors = anchors
        self._preview_percent = rng.choice((0, 5, 15))

    @property
    def state(self) -> State:
        """The engine's state, to be read."""
        return self._engine.state

    def chance(self, percent: int) -> bool:
        """True that often."""
        return self.rng.randrange(HUNDRED) < percent

    def account(self) -> int:
        """Some user's account; rarely the fund's, the treasury's, or one that is not open."""
        if self.chance(1):
            return self.rng.choice((-1, FUND, TREASURY, len(self.state.accounts)))
        return self.rng.randrange(self.first, len(self.state.accounts))

    def exists(self, account: int) -> bool:
        """Whether there is such an account."""
        return 0 <= account < len(self.state.accounts)

    def provider(self) -> int:
        """A backstop provider, where there is one."""
        providers = [
            number
            for number, holder in enumerate(self.state.accounts)
            if holder.role is c.Role.BACKSTOP_PROVIDER
        ]
        if providers and self.chance(95):
            return self.rng.choice(providers)
        return self.account()

    def asset(self) -> int:
        """Any asset, USDC more often."""
        return USDC if self.chance(30) else self.rng.randrange(len(self.state.pools))

    def token(self) -> int:
        """Any asset but USDC."""
        return self.rng.randrange(1, len(self.state.pools))

    def worth(self, asset: int) -> int:
        """Atoms of some value between a thousandth and ten million USDC, often whole tokens."""
        value = int(10 ** self.rng.randint(3, 13))
        price = max(1, self.state.mark(asset))
        decimals = self.state.asset(asset).decimals
        quantity = value * value_divisor(decimals) // price
        whole = int(10**decimals)
        if quantity > whole and self.chance(50):
            return min(MAX_SUPPLY, quantity // whole * whole)
        return min(MAX_SUPPLY, max(1, quantity * self.rng.randint(1, HUNDRED) // HUNDRED))

    def premium(self) -> int:
        """What somebody asks for standing by, 10^-9."""
        return self.rng.choice((0, 0, 1, RATIO // 1000, RATIO // 100, RATIO // 50, -1))

    def part(self, most: int) -> int:
        """Some quantity up to `most`, or just beyond the edges."""
        edges = (most, most, most, most + 1, 1, 0, most - 1, most // 2, most // 2 + 1)
        kind = self.rng.randrange(len(edges) + 5)
        return edges[kind] if kind < len(edges) else self.rng.randint(1, max(1, most))

    def previewed(
        self, account: int, largest: Callable[[], int], fallback: Callable[[], int], unit: int = 1
    ) -> tuple[int, bool | None]:
        """A quantity, and what a preview says of it where one was asked."""
        if not self.chance(self._preview_percent):
            return self.part(fallback()), None
        most = largest()
        if not self.may_act(account):
            return most, None
        if self.chance(50) and most > 0:
            return most, True
        return most + unit, False

    def may_act(self, account: int) -> bool:
        """Whether an account is a user's and not in the waterfall."""
        usable = self.first <= account < len(self.state.accounts)
        return usable and account not in self.state.liquidating

    def drift(self, asset: int) -> int:
        """Where a price is, pulled back when it went far from where it started."""
        anchor = self._anchors[asset]
        price = self.state.prices[asset].index or anchor
        if not anchor <= price * 20 <= anchor * 400:
            return (price + anchor) // 2
        return price

    def quote(self, asset: int, source: int, price: int, *, sharp: bool = False) -> c.UpdatePrice:
        """A source's quote around a price; a sharp one has no spread."""
        spread = 0 if sharp else price * self.rng.choice((0, 0, 1, 5)) // 1000
        return c.UpdatePrice(asset, source, max(1, price - spread), price + spread, price)

    def quote_all(self, asset: int, price: int, *, sharp: bool = False) -> Script:
        """All sources of an asset agree on a price."""
        for source in range(len(self.state.prices[asset].quotes)):
            yield Plan(self.quote(asset, source, price, sharp=sharp))

    def limit_price(self, asset: int) -> int:
        """A limit near the mark, on a tick."""
        tick = self.market(asset).tick
        percent = self.rng.choice((50, 90, 97, 99, 100, 100, 101, 103, 110, 150))
        return max(1, self.state.mark(asset) * percent // HUNDRED // tick) * tick

    def market(self, asset: int) -> MarketParameters:
        """Filters of an asset's market."""
        market = self.state.asset(asset).market
        if market is None:
            raise AssertionError(f"asset {asset} has no market")
        return market

    def free(self, account: int, asset: int) -> int:
        """Atoms available to an account; none where it is not open."""
        return self.state.accounts[account].available[asset] if self.exists(account) else 0

    def held(self, account: int, asset: int) -> int:
        """Atoms available and lent."""
        if not self.exists(account):
            return 0
        return self.free(account, asset) + claim_of(self.state, account, asset)
