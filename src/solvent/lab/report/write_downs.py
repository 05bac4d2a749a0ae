"""What each lender lost by write-downs: his part of every loss that a booking put on a pool.

A booking lowers the index of a pool, so every share of it loses the same. The shares of each lender
are followed through the events, and what a share lost is summed up for each pool, in atoms and at
the mark of the booking; a lender's part is the shares that he held meanwhile times that. Nothing is
rounded before the record, so the parts of all lenders differ from what the pools' claims fell by as
the pools' own rounding does: by an atom a booking at most.

Deliberately absent: what a lender was paid in a settlement, which is in `recovery`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solvent.domain.events import (
    ClaimVoided,
    Event,
    InterestAccrued,
    InterestCharged,
    Lent,
    Netted,
    Redeemed,
    SharesRescaled,
)
from solvent.domain.labels import LegForm
from solvent.domain.units import INDEX_SCALE, format_decimal
from solvent.domain.waterfall_events import AdlLeg, AdlMatched, BackstopLeg, PoolWrittenDown
from solvent.foresight.marks import Marks, value_text


@dataclass(slots=True)
class _Pool:
    """What a share is worth, and what one lost so far: in 10^-18 atoms, and at the marks."""

    index: int = INDEX_SCALE
    lost: int = 0
    worth: int = 0


@dataclass(slots=True)
class _Claim:
    """A lender's shares, what shares had lost when they were last looked at, and his own losses."""

    shares: int = 0
    seen: int = 0
    seen_worth: int = 0
    lost: int = 0
    worth: int = 0

    def settle(self, pool: _Pool) -> None:
        """Take in what shares lost since."""
        self.lost += self.shares * (pool.lost - self.seen)
        self.worth += self.shares * (pool.worth - self.seen_worth)
        self.seen, self.seen_worth = pool.lost, pool.worth


class WriteDowns:
    """Every lender's losses; feed it all events of `KINDS` from a market's first on."""

    KINDS = (
        Lent,
        Redeemed,
        Netted,
        ClaimVoided,
        AdlLeg,
        BackstopLeg,
        AdlMatched,
        InterestCharged,
        InterestAccrued,
        SharesRescaled,
        PoolWrittenDown,
    )

    def __init__(self, marks: Marks, names: Mapping[int, str]) -> None:
        self._marks = marks
        self._names = names
        self._pools = [_Pool() for _ in marks.symbols]
        self._claims: list[dict[int, _Claim]] = [{} for _ in marks.symbols]

    def update(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Lent):
            self._move(event.account, event.asset, event.shares)
        elif isinstance(event, Redeemed | ClaimVoided):
            self._move(event.account, event.asset, -event.shares)
        elif isinstance(event, Netted):
            self._move(event.account, event.asset, -event.claim_shares)
        elif isinstance(event, AdlMatched):
            self._move(event.lender, event.asset, -event.claim_shares)
        elif isinstance(event, AdlLeg | BackstopLeg):
            if event.form is LegForm.CLAIM:
                self._move(event.giver, event.asset, -event.shares)
                self._move(event.receiver, event.asset, event.shares)
        else:
            self._index(event)

    def _index(self, event: Event) -> None:
        if isinstance(event, InterestCharged | InterestAccrued):
            self._pools[event.asset].index = event.lend_index
        elif isinstance(event, SharesRescaled):
            if not event.of_debts:
                self._rescale(event)
        elif isinstance(event, PoolWrittenDown):
            pool = self._pools[event.asset]
            fell = pool.index - (0 if event.restarted else event.lend_index)
            pool.lost += fell
            pool.worth += self._marks.exact(event.asset, fell)
            pool.index = event.lend_index

    def _rescale(self, event: SharesRescaled) -> None:
        pool = self._pools[event.asset]
        for claim in self._claims[event.asset].values():
            claim.settle(pool)
            claim.shares = claim.shares * event.multiplier // event.divisor
        pool.index = event.index

    def _move(self, account: int, asset: int, shares: int) -> None:
        claim = self._claims[asset].setdefault(account, _Claim())
        claim.settle(self._pools[asset])
        claim.shares += shares

    def result(self) -> list[dict[str, Any]]:
        """A record a lender and pool that lost anything, the largest loss first."""
        found = []
        for asset, claims in enumerate(self._claims):
            pool = self._pools[asset]
            for account, claim in claims.items():
                claim.settle(pool)
                if claim.lost:
                    found.append((-claim.worth, account, asset, claim))
        return [
            {
                "account": account,
                "name": self._names.get(account, str(account)),
                "asset": self._marks.symbols[asset],
                "lost": format_decimal(claim.lost // INDEX_SCALE, self._marks.decimals[asset]),
                "value": value_text(claim.worth // INDEX_SCALE),
            }
            for _, account, asset, claim in sorted(found, key=lambda row: row[:3])
        ]
