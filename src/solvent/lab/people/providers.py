"""Backstop providers, the fund and the treasury: what each deposits before the first step.

Amounts are the scenario's, scaled with the number of accounts, so that the ratio between the debts
that may fall and the capital behind them does not depend on `--accounts`.
"""

from collections.abc import Collection, Iterator

from solvent.domain.commands import (
    Command,
    Deposit,
    OpenAccount,
    PostBackstop,
    Role,
    WithdrawBackstop,
)
from solvent.domain.parameters import USDC
from solvent.domain.units import quantity_down
from solvent.lab.people.population import Crowd
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

    def open(self) -> Iterator[Command]:
        """Open every provider's account."""
        for account, _ in self.accounts:
            yield OpenAccount(account, Role.BACKSTOP_PROVIDER)

    def leave(self, fired: Collection[Trigger]) -> Iterator[Command]:
        """Notice of everything that was committed, of providers whose trigger just fired."""
        for account, provider in self.accounts:
            if provider.leaves in fired:
                for asset, quantity in self._posted[account]:
                    yield WithdrawBackstop(account, asset, quantity)

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
