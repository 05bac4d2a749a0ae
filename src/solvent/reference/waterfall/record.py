"""Records: what a settlement finds and leaves, written down so that a receipt can be recomputed.

Pools and prices as they were, and every party's balances, shares, value and health before and after
each match of an ADL round and each backstop fill. Nothing here changes or decides anything.

Specification: section 8.9.
"""

from typing import NamedTuple

from solvent.domain.labels import Stage
from solvent.domain.waterfall_events import PartyBalance, PartyHealth, PoolRecorded
from solvent.reference.ledger import claim_of, debt_of
from solvent.reference.margin import health_of, portfolio_of
from solvent.reference.state import State


class Record(NamedTuple):
    """What is recorded: the stage, its round or fill, and the match of a round."""

    stage: Stage
    number: int
    match: int = 0


def record_pools(state: State, record: Record) -> None:
    """Write down every pool and mark."""
    for asset, pool in enumerate(state.pools):
        state.emit(
            PoolRecorded(
                stage=record.stage,
                number=record.number,
                asset=asset,
                mark=state.mark(asset),
                stale=int(state.prices[asset].stale),
                lend_shares=pool.lend_shares,
                lend_index=pool.lend_index,
                debt_shares=pool.debt_shares,
                debt_index=pool.debt_index,
                bound=pool.bound,
            )
        )


def touched(state: State, parties: tuple[int, ...]) -> set[tuple[int, int]]:
    """(account, asset) pairs in which a party has anything."""
    pairs = set()
    for account in parties:
        portfolio = portfolio_of(state, account)
        for asset in range(len(state.pools)):
            held = portfolio.quantities[asset] or portfolio.unfunded[asset]
            if held or portfolio.debts[asset]:
                pairs.add((account, asset))
    return pairs


def record_parties(
    state: State,
    record: Record,
    parties: tuple[int, ...],
    pairs: set[tuple[int, int]],
    after: int,
) -> None:
    """Write down balances, value and health of the parties."""
    for account, asset in sorted(pairs):
        holder = state.accounts[account]
        state.emit(
            PartyBalance(
                stage=record.stage,
                number=record.number,
                match=record.match,
                after=after,
                account=account,
                asset=asset,
                available=holder.available[asset],
                locked=holder.locked[asset],
                unfunded=holder.unfunded[asset],
                lent=claim_of(state, account, asset),
                debt=debt_of(state, account, asset),
                lent_shares=holder.lent_shares[asset],
                debt_shares=holder.debt_shares[asset],
            )
        )
    for account in parties:
        values = health_of(state, account).report()
        state.emit(
            PartyHealth(
                stage=record.stage,
                number=record.number,
                match=record.match,
                after=after,
                account=account,
                total_value=values.total_value,
                net_equity=values.net_equity,
                initial=values.initial,
                maintenance=values.maintenance,
            )
        )
