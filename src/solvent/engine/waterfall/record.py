"""Records in kernels: what a settlement finds and leaves, for receipts, as in `reference`.

The parties of a match or fill are a row of pairs by account id: an account, and as bits the assets
in which it has or had anything.
"""

from typing import NamedTuple

from solvent.domain.labels import Stage
from solvent.domain.waterfall_events import PartyBalance, PartyHealth, PoolRecorded
from solvent.engine.ledger import (
    account_row,
    claim_of,
    debt_of,
    is_stale,
    mark_of,
    pool_row,
    position,
    unfunded_of,
)
from solvent.engine.margin import Doubt, health_of, report
from solvent.engine.memory.store import Store
from solvent.engine.waterfall.rows import Party
from solvent.kernels.language import bit, emit, kernel
from solvent.kernels.rows import Rows

PARTIES = 3
"""The most that a match or fill has."""


class Record(NamedTuple):
    """What is recorded: the stage, its round or fill, and the match of a round (0 for fills)."""

    stage: Stage
    number: int
    match: int


@kernel
def record_pools(s: Store, record: Record) -> None:
    """Write down every pool and mark."""
    for asset in range(s.globals.assets):
        pool = pool_row(s, asset)
        emit(
            s,
            PoolRecorded(
                stage=record.stage,
                number=record.number,
                asset=asset,
                mark=mark_of(s, asset),
                stale=1 if is_stale(s, asset) else 0,
                lend_shares=pool.lend_shares,
                lend_index=pool.lend_index,
                debt_shares=pool.debt_shares,
                debt_index=pool.debt_index,
                bound=pool.bound,
            ),
        )


@kernel
def put_parties(parties: Rows[Party], one: int, other: int, third: int) -> int:
    """Write three accounts into a row of parties, by id and each once; how many that makes."""
    least = min(one, other, third)
    most = max(one, other, third)
    count = _put_party(parties, 0, least)
    middle = one + other + third - least - most
    if least < middle < most:
        count = _put_party(parties, count, middle)
    if most != least:
        count = _put_party(parties, count, most)
    return count


@kernel
def _put_party(parties: Rows[Party], count: int, account: int) -> int:
    parties[count].account = account
    parties[count].assets = 0
    return count + 1


@kernel
def touched(s: Store, parties: Rows[Party], count: int) -> None:
    """Add to each party's assets those in which it has anything now."""
    for place in range(count):
        party = parties[place]
        account = party.account
        holder = account_row(s, account)
        held = holder.held | holder.unfundeds
        for asset in range(s.globals.assets):
            if held & bit(asset) and _has_any(s, account, asset):
                party.assets = party.assets | bit(asset)


@kernel
def _has_any(s: Store, account: int, asset: int) -> bool:
    row = position(s, account, asset)
    if row.available or row.locked or unfunded_of(s, account, asset):
        return True
    return claim_of(s, account, asset) > 0 or debt_of(s, account, asset) > 0


@kernel
def record_parties(s: Store, record: Record, parties: Rows[Party], count: int, after: int) -> None:
    """Write down balances, value and health of the parties."""
    for place in range(count):
        party = parties[place]
        for asset in range(s.globals.assets):
            if party.assets & bit(asset):
                _record_balance(s, record, party.account, asset, after)
    for place in range(count):
        account = parties[place].account
        values = report(health_of(s, account, Doubt.NONE))
        emit(
            s,
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
            ),
        )


@kernel
def _record_balance(s: Store, record: Record, account: int, asset: int, after: int) -> None:
    row = position(s, account, asset)
    emit(
        s,
        PartyBalance(
            stage=record.stage,
            number=record.number,
            match=record.match,
            after=after,
            account=account,
            asset=asset,
            available=row.available,
            locked=row.locked,
            unfunded=unfunded_of(s, account, asset),
            lent=claim_of(s, account, asset),
            debt=debt_of(s, account, asset),
            lent_shares=row.lent_shares,
            debt_shares=row.debt_shares,
        ),
    )
