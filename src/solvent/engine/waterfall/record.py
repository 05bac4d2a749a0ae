"""Records in kernels: what a settlement finds and leaves, for receipts, as in `reference`.

The parties of a match or fill are a row of pairs by account id: an account, and as bits the assets
in which it has or had anything.
"""

from typing import NamedTuple

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
from solvent.engine.memory.layout import (
    ASSETS,
    AVAILABLE,
    BOUND,
    DEBT,
    DEBT_INDEX,
    DEBT_SHARES,
    HELD,
    LEND_INDEX,
    LEND_SHARES,
    LENT,
    LOCKED,
    PARTY_BALANCE,
    PARTY_HEALTH,
    POOL_RECORDED,
    UNFUNDEDS,
)
from solvent.kernels.language import Memory, Store, bit, emit, kernel

PARTY_ACCOUNT = 0
PARTY_ASSETS = 1
PARTY_WIDTH = 2
PARTIES_WIDTH = 3 * PARTY_WIDTH


class Record(NamedTuple):
    """What is recorded: the stage, its round or fill, and the match of a round (0 for fills)."""

    stage: int
    number: int
    match: int


@kernel
def record_pools(s: Store, record: Record) -> None:
    """Write down every pool and mark."""
    for asset in range(s.globals[ASSETS]):
        pool = pool_row(s, asset)
        emit(
            s,
            POOL_RECORDED,
            record.stage,
            record.number,
            asset,
            mark_of(s, asset),
            1 if is_stale(s, asset) else 0,
            pool[LEND_SHARES],
            pool[LEND_INDEX],
            pool[DEBT_SHARES],
            pool[DEBT_INDEX],
            pool[BOUND],
        )


@kernel
def put_parties(parties: Memory, one: int, other: int, third: int) -> int:
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
def _put_party(parties: Memory, count: int, account: int) -> int:
    parties[count * PARTY_WIDTH + PARTY_ACCOUNT] = account
    parties[count * PARTY_WIDTH + PARTY_ASSETS] = 0
    return count + 1


@kernel
def touched(s: Store, parties: Memory, count: int) -> None:
    """Add to each party's assets those in which it has anything now."""
    for place in range(count):
        party = parties.at(place * PARTY_WIDTH)
        account = party[PARTY_ACCOUNT]
        holder = account_row(s, account)
        held = holder[HELD] | holder[UNFUNDEDS]
        for asset in range(s.globals[ASSETS]):
            if held & bit(asset) and _has_any(s, account, asset):
                party[PARTY_ASSETS] = party[PARTY_ASSETS] | bit(asset)


@kernel
def _has_any(s: Store, account: int, asset: int) -> bool:
    row = position(s, account, asset)
    if row[AVAILABLE] or row[LOCKED] or unfunded_of(s, account, asset):
        return True
    return claim_of(s, account, asset) > 0 or debt_of(s, account, asset) > 0


@kernel
def record_parties(s: Store, record: Record, parties: Memory, count: int, after: int) -> None:
    """Write down balances, value and health of the parties."""
    for place in range(count):
        party = parties.at(place * PARTY_WIDTH)
        for asset in range(s.globals[ASSETS]):
            if party[PARTY_ASSETS] & bit(asset):
                _record_balance(s, record, party[PARTY_ACCOUNT], asset, after)
    for place in range(count):
        account = parties[place * PARTY_WIDTH + PARTY_ACCOUNT]
        values = report(health_of(s, account, Doubt.NONE))
        emit(
            s,
            PARTY_HEALTH,
            record.stage,
            record.number,
            record.match,
            after,
            account,
            values.total_value,
            values.net_equity,
            values.initial,
            values.maintenance,
        )


@kernel
def _record_balance(s: Store, record: Record, account: int, asset: int, after: int) -> None:
    row = position(s, account, asset)
    emit(
        s,
        PARTY_BALANCE,
        record.stage,
        record.number,
        record.match,
        after,
        account,
        asset,
        row[AVAILABLE],
        row[LOCKED],
        unfunded_of(s, account, asset),
        claim_of(s, account, asset),
        debt_of(s, account, asset),
        row[LENT],
        row[DEBT],
    )
