"""Events of one match or one fill, turned into the lines of a receipt that stand for them.

The builder does it with the engine's events, the verifier with those of its own recomputation, so
that both come to the same words. `Words` says what the numbers in the events are called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solvent.domain.labels import LegForm
from solvent.domain.settlements import Transfer
from solvent.domain.units import FINE_PER_VALUE, fine_down
from solvent.domain.waterfall_events import (
    AdlLeg,
)
from solvent.receipts.form import Balance, Drift, Leg, MatchLine, Party, Rounding

BEFORE, AFTER = 0, 1


@dataclass(frozen=True, slots=True)
class Words:
    """Symbol, decimals and mark of each asset number, and the receipt's number of each account."""

    symbols: Sequence[str]
    decimals: Sequence[int]
    marks: Sequence[int]
    accounts: Mapping[int, int] | None = None

    def account(self, number: int) -> int:
        """What the receipt calls account `number`."""
        return number if self.accounts is None else self.accounts[number]


def parties(transfer: Transfer, words: Words, after: int) -> tuple[Party, ...]:
    """All parties before (0) or after (1)."""
    return tuple(
        Party(
            account=words.account(health.account),
            total_value=health.total_value,
            net_equity=health.net_equity,
            initial=health.initial,
            maintenance=health.maintenance,
            balances=_balances(transfer, words, after, health.account),
        )
        for health in transfer.health
        if health.after == after
    )


def _balances(transfer: Transfer, words: Words, after: int, account: int) -> tuple[Balance, ...]:
    return tuple(
        Balance(
            asset=words.symbols[event.asset],
            available=event.available,
            locked=event.locked,
            unfunded=event.unfunded,
            lent=event.lent,
            debt=event.debt,
            lent_shares=event.lent_shares,
            debt_shares=event.debt_shares,
        )
        for event in transfer.balances
        if (event.after, event.account) == (after, account)
    )


def leg_lines(transfer: Transfer, words: Words) -> tuple[Leg, ...]:
    """The legs in order; a backstop's are of no tier."""
    return tuple(
        Leg(
            giver=words.account(event.giver),
            receiver=words.account(event.receiver),
            asset=words.symbols[event.asset],
            form=LegForm(event.form),
            quantity=event.quantity,
            value=event.value,
            tier=event.tier if isinstance(event, AdlLeg) else None,
        )
        for event in transfer.legs
    )


def rounding(transfer: Transfer, words: Words, asset: int, quantity: int, value: int) -> Rounding:
    """What rounding did to `quantity` of `asset` settled at `value`, and to the parties."""
    exact = fine_down(quantity, words.marks[asset], words.decimals[asset])
    handed = sum(
        fine_down(leg.quantity, words.marks[leg.asset], words.decimals[leg.asset])
        - leg.value * FINE_PER_VALUE
        for leg in transfer.legs
    )
    old = {event.account: event.total_value for event in transfer.health if event.after == BEFORE}
    drifts = tuple(
        Drift(words.account(event.account), event.total_value - old[event.account])
        for event in transfer.health
        if event.after == AFTER
    )
    return Rounding(value * FINE_PER_VALUE - exact, handed, drifts)


def match_line(transfer: Transfer, words: Words) -> MatchLine:
    """The line of a match that was carried out."""
    matched = transfer.matched
    assert matched is not None
    return MatchLine(
        number=matched.match,
        lender=words.account(matched.lender),
        payer=words.account(matched.payer),
        giver=words.account(matched.giver),
        quantity=matched.quantity,
        value=matched.value,
        fee=matched.fee,
        claim_shares=matched.claim_shares,
        debt_shares=matched.debt_shares,
        legs=leg_lines(transfer, words),
        rounding=rounding(transfer, words, matched.asset, matched.quantity, matched.value),
        before=parties(transfer, words, BEFORE),
        after=parties(transfer, words, AFTER),
    )
