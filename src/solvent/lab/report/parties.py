"""Who gained and who lost: every party of a run, from what it had to what it has.

A party is a group of the scenario, the accounts of a book, market makers, backstop providers, the
fund or the treasury. Its profit is what its accounts are worth at the end, less what they were
worth at the beginning (when the set-up is done), less what was brought and plus what was taken out
in between, each at the mark of its moment. Worth counts balances and claims less debts at the mark,
without weights.

Nothing is lost between parties: at both ends the tokens of all accounts and pools are counted, and
they differ by deposits and withdrawals alone, to the atom. What pools keep (fees, what is carried
of interest, rounding) is a party of its own, so all profits add up to what marks did to the tokens
that there are.

Deliberately absent: what a party would have had without the waterfall, which is another run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any, NamedTuple

from solvent.domain.events import Deposited, Event, Withdrawn
from solvent.domain.queries import Queries
from solvent.domain.units import format_decimal
from solvent.foresight.marks import Marks, value_text


class Party(NamedTuple):
    """Accounts that are reported together, and what they are called."""

    name: str
    accounts: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Count:
    """A moment: worth of each account (10^-22 USDC), and atoms of each asset by who has them."""

    worth: dict[int, int]
    pools: int
    tokens: list[int]


class Parties:
    """Counts a run's parties; feed it the events of `KINDS` and show it both ends of the run."""

    KINDS = (Deposited, Withdrawn)

    def __init__(self, marks: Marks, parties: Sequence[Party]) -> None:
        self._marks = marks
        self._parties = parties
        self._flows: dict[int, int] = {}
        self._brought = [0] * len(marks.symbols)
        self._begun: _Count | None = None
        self._ended: _Count | None = None

    def update(self, event: Event) -> None:
        """Count one event: what came before the beginning is part of it."""
        if self._begun is None:
            return
        assert isinstance(event, Deposited | Withdrawn)
        quantity = event.quantity if isinstance(event, Deposited) else -event.quantity
        self._brought[event.asset] += quantity
        value = self._marks.exact(event.asset, quantity)
        self._flows[event.account] = self._flows.get(event.account, 0) + value

    def begin(self, queries: Queries) -> None:
        """Count the state in which the run's first step finds everybody."""
        self._begun = self._count(queries)

    def end(self, queries: Queries) -> None:
        """Count the state that the run leaves."""
        self._ended = self._count(queries)

    def _count(self, queries: Queries) -> _Count:
        assets = range(len(self._marks.symbols))
        tokens, rest = [0 for _ in assets], [queries.pool(asset).cash for asset in assets]
        for asset in assets:
            tokens[asset] += rest[asset]
        worth = {}
        for account in range(queries.accounts()):
            value = 0
            for asset, balance in enumerate(queries.balances(account)):
                kept = balance.available + balance.locked
                owned = balance.lent - balance.debt
                if kept or owned:
                    tokens[asset] += kept
                    rest[asset] -= owned
                    value += self._marks.exact(asset, kept + owned)
            worth[account] = value
        pools = sum(self._marks.exact(asset, rest[asset]) for asset in assets)
        return _Count(worth, pools, tokens)

    def result(self) -> dict[str, Any]:
        """The record: every party, pools, their sum, and the count of tokens."""
        assert self._begun is not None
        assert self._ended is not None
        begun, ended = self._begun, self._ended
        rows = [self._row(party, begun, ended) for party in self._parties if party.accounts]
        pools = ended.pools - begun.pools
        total = pools + sum(ended.worth.values()) - sum(begun.worth.values())
        total -= sum(self._flows.values())
        return {
            "parties": rows,
            "pools": value_text(pools),
            "total": value_text(total),
            "tokens": [
                self._tokens(asset, begun, ended) for asset in range(len(self._marks.symbols))
            ],
        }

    def _row(self, party: Party, begun: _Count, ended: _Count) -> dict[str, Any]:
        profits = {
            account: ended.worth[account]
            - begun.worth.get(account, 0)
            - self._flows.get(account, 0)
            for account in party.accounts
        }
        worst = min(profits, key=lambda account: (profits[account], account))
        best = max(profits, key=lambda account: (profits[account], -account))
        return {
            "party": party.name,
            "accounts": len(party.accounts),
            "start": value_text(sum(begun.worth.get(each, 0) for each in party.accounts)),
            "brought": value_text(sum(self._flows.get(each, 0) for each in party.accounts)),
            "end": value_text(sum(ended.worth[each] for each in party.accounts)),
            "profit": value_text(sum(profits.values())),
            "worst": value_text(profits[worst]),
            "worst_account": worst,
            "median": value_text(median_low(profits.values())),
            "best": value_text(profits[best]),
        }

    def _tokens(self, asset: int, begun: _Count, ended: _Count) -> dict[str, Any]:
        decimals = self._marks.decimals[asset]
        lost = begun.tokens[asset] + self._brought[asset] - ended.tokens[asset]
        return {
            "asset": self._marks.symbols[asset],
            "start": format_decimal(begun.tokens[asset], decimals),
            "brought": format_decimal(self._brought[asset], decimals),
            "end": format_decimal(ended.tokens[asset], decimals),
            "lost_atoms": lost,
        }
