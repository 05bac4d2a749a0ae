"""Who gained and who lost: every party of a run, from what it had to what it has.

A party is a group of the scenario, the accounts of a book, market makers, backstop providers, the
fund or the treasury. Its profit is what its accounts are worth at the end, less what they were
worth at the beginning (when the set-up is done), less what was brought and plus what was taken out
in between, each at the mark of its moment. Worth counts balances and claims less debts at the mark,
without weights.

Nothing is lost between parties: at both ends the tokens of all accounts and pools are counted, and
they differ by deposits and withdrawals alone, to the atom. What pools keep (fees, what is carried
of interest, rounding) is a party of its own, so all profits add up to what marks did to the tokens
that there are. The same accounts are grouped a second time by their role, and each asset with them.

Deliberately absent: what a party would have had without the waterfall, which is another run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Any, NamedTuple

from solvent.domain.events import Borrowed, Deposited, Event, Lent, Withdrawn
from solvent.domain.queries import Queries
from solvent.domain.units import format_decimal
from solvent.foresight.marks import Marks, value_text
from solvent.lab.people.roles import Holding, Role, Roles, asset_rows


class Party(NamedTuple):
    """Accounts that are reported together, what they are called, and what they do if all do it."""

    name: str
    accounts: Sequence[int]
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class _Count:
    """A moment: worth of each account (10^-22 USDC), and atoms of each asset by who has them.

    `held` has what each account has and has lent less what it owes, `rest` what pools keep beside
    what they owe to lenders, `tokens` how many there are.
    """

    worth: list[int]
    held: list[list[int]]
    pools: int
    rest: list[int]
    tokens: list[int]


class Parties:
    """Counts a run's parties; feed it the events of `KINDS` and show it both ends of the run."""

    KINDS = (Deposited, Withdrawn, Lent, Borrowed)

    def __init__(self, marks: Marks, parties: Sequence[Party]) -> None:
        self._marks = marks
        self._parties = parties
        self._flows: dict[int, int] = {}
        self._brought: dict[tuple[int, int], int] = {}
        self._taken: dict[tuple[int, int], int] = {}
        self._roles = Roles()
        self._begun: _Count | None = None
        self._ended: _Count | None = None

    def update(self, event: Event) -> None:
        """Count one event: what came before the beginning is part of it."""
        if self._begun is None:
            return
        assert isinstance(event, Deposited | Withdrawn | Lent | Borrowed)
        account, key = event.account, (event.account, event.asset)
        if isinstance(event, Lent):
            self._roles.lends(account)
        elif isinstance(event, Borrowed):
            self._roles.owes(account)
        else:
            is_brought = isinstance(event, Deposited)
            flows = self._brought if is_brought else self._taken
            flows[key] = flows.get(key, 0) + event.quantity
            value = self._marks.exact(event.asset, event.quantity)
            self._flows[account] = self._flows.get(account, 0) + (value if is_brought else -value)

    def begin(self, queries: Queries) -> None:
        """Count the state in which the run's first step finds everybody."""
        self._begun = self._count(queries)

    def end(self, queries: Queries) -> None:
        """Count the state that the run leaves."""
        assert self._begun is not None
        self._ended = self._count(queries)
        # Who came later had nothing at the beginning.
        later = len(self._ended.worth) - len(self._begun.worth)
        self._begun.worth.extend(0 for _ in range(later))
        self._begun.held.extend([0 for _ in self._marks.symbols] for _ in range(later))

    def _count(self, queries: Queries) -> _Count:
        assets = range(len(self._marks.symbols))
        rest = [queries.pool(asset).cash for asset in assets]
        tokens, worth, held = list(rest), [], []
        for account in range(queries.accounts()):
            value, has = 0, [0 for _ in assets]
            for asset, balance in enumerate(queries.balances(account)):
                kept = balance.available + balance.locked
                owned = balance.lent - balance.debt
                if balance.lent:
                    self._roles.lends(account)
                if balance.debt:
                    self._roles.owes(account)
                if kept or owned:
                    tokens[asset] += kept
                    rest[asset] -= owned
                    has[asset] = kept + owned
                    value += self._marks.exact(asset, has[asset])
            worth.append(value)
            held.append(has)
        pools = sum(self._marks.exact(asset, rest[asset]) for asset in assets)
        return _Count(worth, held, pools, rest, tokens)

    def result(self) -> dict[str, Any]:
        """The record: every party, pools, their sum, the count of tokens, and the same by role."""
        assert self._begun is not None
        assert self._ended is not None
        begun, ended = self._begun, self._ended
        roles = self._roles.grouped((party.role, party.accounts) for party in self._parties)
        pools = ended.pools - begun.pools
        total = pools + sum(ended.worth) - sum(begun.worth) - sum(self._flows.values())
        assets = range(len(self._marks.symbols))
        return {
            "parties": [
                {"party": party.name, **self._row(party.accounts, begun, ended)}
                for party in self._parties
                if party.accounts
            ],
            "pools": value_text(pools),
            "total": value_text(total),
            "tokens": [self._tokens(asset, begun, ended) for asset in assets],
            "roles": [
                {"role": role.value, **self._row(accounts, begun, ended)}
                for role, accounts in roles.items()
            ],
            "holdings": [
                row for asset in assets for row in self._holdings(asset, roles, begun, ended)
            ],
        }

    def _row(self, accounts: Sequence[int], begun: _Count, ended: _Count) -> dict[str, Any]:
        """What accounts had, brought, have and gained, together, and the worst and best of them."""
        starts = {account: begun.worth[account] for account in accounts}
        profits = {
            account: ended.worth[account] - start - self._flows.get(account, 0)
            for account, start in starts.items()
        }
        worst = min(profits, key=lambda account: (profits[account], account))
        best = max(profits, key=lambda account: (profits[account], -account))
        return {
            "accounts": len(accounts),
            "start": value_text(sum(starts.values())),
            "brought": value_text(sum(self._flows.get(each, 0) for each in accounts)),
            "end": value_text(sum(ended.worth[each] for each in accounts)),
            "profit": value_text(sum(profits.values())),
            "worst": value_text(profits[worst]),
            "worst_account": worst,
            "median": value_text(median_low(profits.values())),
            "best": value_text(profits[best]),
        }

    def _tokens(self, asset: int, begun: _Count, ended: _Count) -> dict[str, Any]:
        decimals = self._marks.decimals[asset]
        brought = _sum_of(self._brought, asset) - _sum_of(self._taken, asset)
        lost = begun.tokens[asset] + brought - ended.tokens[asset]
        return {
            "asset": self._marks.symbols[asset],
            "start": format_decimal(begun.tokens[asset], decimals),
            "brought": format_decimal(brought, decimals),
            "end": format_decimal(ended.tokens[asset], decimals),
            "lost_atoms": lost,
        }

    def _holdings(
        self, asset: int, roles: Mapping[Role, Sequence[int]], begun: _Count, ended: _Count
    ) -> Iterator[dict[str, Any]]:
        """One asset by role; see `asset_rows`."""
        held = {
            role.value: [
                Holding(
                    begun.held[account][asset],
                    self._brought.get((account, asset), 0),
                    self._taken.get((account, asset), 0),
                    ended.held[account][asset],
                )
                for account in accounts
            ]
            for role, accounts in roles.items()
        }
        pools = Holding(begun.rest[asset], 0, 0, ended.rest[asset])
        return asset_rows(self._marks.symbols[asset], self._marks.decimals[asset], held, pools)


def _sum_of(flows: Mapping[tuple[int, int], int], asset: int) -> int:
    return sum(quantity for (_, each), quantity in flows.items() if each == asset)
