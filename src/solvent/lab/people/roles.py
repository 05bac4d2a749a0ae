"""Roles: what lenders, borrowers, makers and everybody else had, got and have, asset by asset.

A role is what an account does, whichever group it belongs to. Makers, providers, the fund and the
treasury are told by their party; any other account is a borrower where it owes at some time of the
run, else a lender where it has lent at some time, else a holder. What pools keep and what lies
outside of the market are roles too, so that every atom that one of them gets, another one gives:
over all roles, what came in less what went out is zero in every asset, exactly.

What an account has in an asset is what it holds and has lent, less what it owes. What came in and
what went out are of single accounts: deposits and withdrawals, and beside them what the account
gained or lost of the asset from the beginning to the end.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from solvent.domain.units import format_decimal


class Role(Enum):
    """What a party, or an account of no such party, does; the value is its name in reports."""

    LENDER = "lenders"
    BORROWER = "borrowers"
    HOLDER = "holders"
    MAKER = "market makers"
    PROVIDER = "backstop providers"
    FUND = "backstop fund"
    TREASURY = "treasury"


POOLS = "pools"
OUTSIDE = "outside"


class Holding(NamedTuple):
    """Atoms of one asset: at the beginning, deposited and withdrawn since, and at the end."""

    start: int
    deposited: int
    withdrawn: int
    end: int

    @property
    def came(self) -> int:
        """What came in: deposits, and what was gained beside them."""
        return self.deposited + max(0, self.gained)

    @property
    def went(self) -> int:
        """What went out: withdrawals, and what was lost beside them."""
        return self.withdrawn + max(0, -self.gained)

    @property
    def gained(self) -> int:
        """What the end has more than the beginning and deposits less withdrawals explain."""
        return self.end - self.start - self.deposited + self.withdrawn


class Roles:
    """Which account has which role; `lends` and `owes` are said as they are seen."""

    def __init__(self) -> None:
        self._lenders: set[int] = set()
        self._borrowers: set[int] = set()

    def lends(self, account: int) -> None:
        """The account has a claim on a pool."""
        self._lenders.add(account)

    def owes(self, account: int) -> None:
        """The account has a debt."""
        self._borrowers.add(account)

    def grouped(
        self, parties: Iterable[tuple[Role | None, Sequence[int]]]
    ) -> dict[Role, list[int]]:
        """The accounts of every role, by the role of their party or by what they did."""
        found: dict[Role, list[int]] = {role: [] for role in Role}
        for role, accounts in parties:
            for account in accounts:
                found[role or self._of_member(account)].append(account)
        return {role: accounts for role, accounts in found.items() if accounts}

    def _of_member(self, account: int) -> Role:
        if account in self._borrowers:
            return Role.BORROWER
        return Role.LENDER if account in self._lenders else Role.HOLDER


def asset_rows(
    symbol: str, decimals: int, roles: Mapping[str, Sequence[Holding]], pools: Holding
) -> Iterator[dict[str, Any]]:
    """One asset's records: every role with any of it, pools, outside, and all of them together.

    `sum_atoms` is what came in less what went out; in the last record it must be zero.
    """
    sums: dict[str, tuple[int, ...]] = {
        name: (
            sum(each.start for each in held),
            sum(each.came for each in held),
            sum(each.went for each in held),
            sum(each.end for each in held),
        )
        for name, held in {**roles, POOLS: [pools]}.items()
    }
    brought = sum(each.deposited for held in roles.values() for each in held)
    taken = sum(each.withdrawn for held in roles.values() for each in held)
    sums[OUTSIDE] = (0, taken, brought, taken - brought)
    sums["together"] = tuple(map(sum, zip(*sums.values(), strict=True)))
    for name, (start, came, went, end) in sums.items():
        if start or came or went or end or name == "together":
            yield {
                "asset": symbol,
                "role": name,
                "start": format_decimal(start, decimals),
                "came_in": format_decimal(came, decimals),
                "went_out": format_decimal(went, decimals),
                "end": format_decimal(end, decimals),
                "sum_atoms": came - went,
            }
