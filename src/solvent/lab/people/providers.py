"""Backstop providers, the fund and the treasury: what each deposits before the first step.

Amounts are the scenario's, scaled with the number of accounts, so that the ratio between the debts
that may fall and the capital behind them does not depend on `--accounts`.
"""

from collections.abc import Collection, Iterator

from solvent.domain.commands import (
    Command,
    Deposit,
    OpenAccount,
    PlaceOrder,
    PostBackstop,
    Role,
    WithdrawBackstop,
)
from solvent.domain.events import Filled
from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO, quantity_down
from solvent.domain.waterfall_events import BackstopFilled, BackstopLeg
from solvent.lab.people.population import Crowd
from solvent.lab.people.takeovers import Takeovers
from solvent.lab.prices.feed import PriceAt
from solvent.lab.scenario.model import Provider, Scenario, Trigger
from solvent.reference.state import FUND, TREASURY


class Providers:
    """All backstop providers of a scenario, numbered from `first` on."""

    def __init__(self, scenario: Scenario, crowd: Crowd, first: int) -> None:
        self._scenario = scenario
        self._crowd = crowd
        each = [provider for provider in scenario.providers for _ in range(provider.count)]
        self.accounts: tuple[tuple[int, Provider], ...] = tuple(
            (first + place, provider) for place, provider in enumerate(each)
        )
        self._posted: dict[int, list[tuple[int, int]]] = {}
        self._books = {
            account: Takeovers(account, scenario.parameters.assets) for account, _ in self.accounts
        }
        self._gone: set[int] = set()

    def open(self) -> Iterator[Command]:
        """Open every provider's account."""
        for account, _ in self.accounts:
            yield OpenAccount(account, Role.BACKSTOP_PROVIDER)

    def hear(self, event: BackstopFilled | BackstopLeg) -> None:
        """Let those who keep books of it take note of a takeover."""
        for books in self._books.values():
            books.hear(event)

    def leave(self, fired: Collection[Trigger], price: PriceAt) -> Iterator[Command]:
        """Notice of everything that was committed: a trigger just fired, or a limit is reached."""
        for account, provider in self.accounts:
            if account not in self._gone and (
                provider.leaves in fired or self._has_lost(account, provider, price)
            ):
                self._gone.add(account)
                for asset, quantity in self._posted[account]:
                    yield WithdrawBackstop(account, asset, quantity)

    def _has_lost(self, account: int, provider: Provider, price: PriceAt) -> bool:
        if provider.loss_limit is None:
            return False
        allowed = self._crowd.scaled(provider.equity) * provider.loss_limit
        return self._books[account].loss(price) * RATIO > allowed

    def unwind(self, elapsed: int) -> Iterator[PlaceOrder]:
        """What providers who sell again want to trade after so many microseconds more."""
        for account, provider in self.accounts:
            if provider.unwind:
                yield from self._books[account].orders(elapsed, provider.unwind)

    def traded(self, fill: Filled) -> Iterator[Command]:
        """A fill of one of those orders; capacity that it frees, of who has not left."""
        for command in self._books[fill.taker].traded(fill):
            if fill.taker not in self._gone:
                yield command

    def setup(self, price: PriceAt) -> Iterator[Command]:
        """Fill the fund and the treasury, deposit the equity, and commit at these prices."""
        for account, balance in ((FUND, self._scenario.fund), (TREASURY, self._scenario.treasury)):
            if balance:
                yield Deposit(account, USDC, self._crowd.scaled(balance))
        for account, provider in self.accounts:
            yield Deposit(account, USDC, self._crowd.scaled(provider.equity))
            posted = self._posted[account] = []
            for asset, value in provider.commitments:
                decimals = self._scenario.parameters.assets[asset].decimals
                scaled = self._crowd.scaled(value)
                posted.append((asset, quantity_down(scaled, price(asset), decimals)))
                yield PostBackstop(account, *posted[-1])
