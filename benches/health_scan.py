"""Health scan: which of all accounts are liquidatable, exactly, against data frames in floats.

Ours is the engine's own scan over its own columns: a bound for every account that owes something,
and the exact margin of those that the bound does not clear. Peers get their best case: only the
positions of accounts that owe something, one flat table sorted by account, in floats, prices folded
into one factor a kind of position; Polars and DuckDB take all cores. The flagged accounts must be
the same, and those of a small population the same as the reference's.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from benches.common.kernels import Words, call, compiled, root_of
from benches.common.market import market
from benches.common.measure import Timing, agree, repeat
from benches.common.peers import peer
from benches.common.population import BREACHED, Edge, populated
from benches.common.rows import AT_MOST, TIMES, Row, Target, each, of
from solvent.domain.units import INDEX_SCALE, PRICE_SCALE, RATIO
from solvent.engine import margin
from solvent.engine.memory.columns import Columns
from solvent.engine.memory.rows import Account, Globals, Pool, Position, Price
from solvent.engine.memory.snapshot import write_snapshot
from solvent.engine.memory.store import Store
from solvent.engine.watch import scan
from solvent.kernels.language import kernel
from solvent.kernels.rows import Memory
from solvent.reference.margin import liquidatable as reference_liquidatable
from solvent.reference.snapshot import read_snapshot

NAME = "health-scan"
SIZES = (1_000_000, 10_000_000)
CHECKED = 2_000
_TIMES = 7
_CACHE_LINE = 64
_CHUNK = 1 << 18

Floats = npt.NDArray[np.float64]


@kernel
def ask_every_account(s: Store, found: Memory) -> int:
    """As `scan.liquidatable_accounts`, with the exact margin of every account."""
    count = 0
    for account in range(s.globals.accounts):
        if margin.liquidatable(s, account):
            found[count] = account
            count += 1
    return count


class Table(NamedTuple):
    """Positions of accounts that owe something: whose, which kind of position in what, how much.

    Kind a is a balance of asset a, n + a a claim and 2n + a a debt. `factor` is the value of one in
    USDC; for debts the others are the base and the factor of the maintenance.
    """

    account: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int32]
    amount: Floats
    factor: Floats
    weight: Floats
    by_size: Floats
    debts_from: int
    accounts: int


Peer = Callable[[Table], Callable[[], Words]]
"""Takes a table in and gives the function that scans it."""


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Time an account, at two sizes, against every peer that is installed."""
    sizes, times = ((20_000,), 2) if quick else (SIZES, _TIMES)
    _check_small()
    for size in sizes:
        yield from _one_size(size, times)


def _check_small() -> None:
    columns = populated(market(), CHECKED, edge=Edge(0.1, -0.02))
    state = read_snapshot(write_snapshot(columns))
    asked = range(len(state.accounts))
    expected = [account for account in asked if reference_liquidatable(state, account)]
    agree("accounts flagged as by the reference", scanner(columns)().tolist(), expected)


def _one_size(size: int, times: int) -> Iterator[Row]:
    columns = populated(market(), size, edge=BREACHED)
    accounts = int(columns["globals"][Globals.accounts])
    measured = f"{size:,} accounts, one thread"
    timing, found = repeat(scanner(columns), times)
    figure = each(timing, accounts, "ns/account")
    yield Row(NAME, measured, figure, target=Target(AT_MOST, 26))
    yield _limit(columns, measured, timing)
    exact, expected = repeat(scanner(columns, "ask_every_account"), 3)
    agree("accounts flagged by the screen", found.tolist(), expected.tolist())
    plain = each(exact, accounts, "ns/account")
    yield Row(NAME, measured, figure, "exact margin of every account", plain)
    table = table_of(columns)
    del columns
    for name, times_better, peer_of in PEERS:
        work = peer_of(table)
        if work is None:
            yield Row(NAME, measured, figure, name, None, Target(TIMES, times_better))
            continue
        theirs, flagged = repeat(work, 3)
        agree(f"accounts flagged by {name}", found.tolist(), flagged.tolist())
        peer_figure = each(theirs, accounts, "ns/account")
        yield Row(NAME, measured, figure, name, peer_figure, Target(TIMES, times_better))


def scanner(columns: Columns, name: str = "liquidatable_accounts") -> Callable[[], Words]:
    """The function that scans these columns, which must stay."""
    machine = compiled(scan.liquidatable_accounts, ask_every_account)
    root = root_of(columns)
    found = np.empty(int(columns["globals"][Globals.accounts]), dtype=np.int64)

    def scanned() -> Words:
        return found[: call(machine, name, root, found)].copy()

    return scanned


def _limit(columns: Columns, measured: str, timing: Timing) -> Row:
    """Cache lines that must be read, against how fast NumPy reads memory here and now."""
    lines = _lines_read(columns)
    whole = columns["positions"]
    read, _ = repeat(whole.sum, 3)
    possible = of("GB/s", [whole.nbytes / seconds / 1e9 for seconds in read.seconds])
    ours = of("GB/s", [lines * _CACHE_LINE / seconds / 1e9 for seconds in timing.seconds])
    return Row(NAME, f"{measured}, cache lines read", ours, "NumPy sum", possible)


def _lines_read(columns: Columns) -> int:
    """One of every account, and those of its positions where it owes something."""
    accounts, count = (
        int(columns["globals"][number]) for number in (Globals.accounts, Globals.assets)
    )
    table = columns.table("accounts", Account.WIDTH)[:accounts]
    lines = accounts
    for start in range(0, accounts, _CHUNK):
        some = table[start : start + _CHUNK]
        held = np.where(some[:, Account.debts] != 0, some[:, Account.held], 0)
        who, what = np.nonzero(held[:, None] >> np.arange(count) & 1)
        places = ((start + who) * count + what) * Position.WIDTH * 8 // _CACHE_LINE
        lines += int(np.count_nonzero(np.diff(places, prepend=-1)))
    return lines


def table_of(columns: Columns) -> Table:
    """The positions of accounts that owe something, as the peers get them."""
    accounts, count = (
        int(columns["globals"][number]) for number in (Globals.accounts, Globals.assets)
    )
    owing = np.flatnonzero(columns.table("accounts", Account.WIDTH)[:accounts, Account.debts])
    rows = columns["positions"].reshape(-1, count, Position.WIDTH)
    parts = []
    for start in range(0, len(owing), _CHUNK):
        some = owing[start : start + _CHUNK]
        chosen = rows[some][
            :, :, [Position.available, Position.lent_shares, Position.debt_shares]
        ].transpose(0, 2, 1)
        who, what, which = np.nonzero(chosen)
        amounts = chosen[who, what, which].astype(np.float64)
        parts.append((some[who].astype(np.int32), (what * count + which).astype(np.int32), amounts))
    whose, kinds, amounts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Table(whose, kinds, amounts, *_factors(columns), 2 * count, accounts)


def _factors(columns: Columns) -> tuple[Floats, Floats, Floats]:
    assets = columns.parameters.assets
    marks = columns.table("prices", Price.WIDTH)[:, Price.mark]
    pools = columns.table("pools", Pool.WIDTH)
    units = np.array([10.0**asset.decimals for asset in assets])
    value = marks / PRICE_SCALE / units
    lend, debt = (pools[:, number] / INDEX_SCALE for number in (Pool.lend_index, Pool.debt_index))
    weight = np.array([asset.haircut.weight / RATIO for asset in assets])
    penalty = np.array([asset.haircut.penalty / RATIO for asset in assets])
    base = np.array([asset.maintenance.base / RATIO for asset in assets])
    factor = np.array([asset.maintenance.factor / RATIO for asset in assets])
    return (
        np.concatenate((value, value * lend, value * debt)),
        np.concatenate((weight, weight, base)),
        np.concatenate((penalty, penalty, factor)),
    )


def _numpy(table: Table) -> Callable[[], Words]:
    debts = table.kind >= table.debts_from
    held, owed = np.flatnonzero(~debts), np.flatnonzero(debts)
    parts = [(table.account[some], table.kind[some], table.amount[some]) for some in (held, owed)]
    owing = np.zeros(table.accounts, dtype=bool)
    owing[table.account] = True

    def scanned() -> Words:
        surplus = []
        for (whose, kind, amount), is_debt in zip(parts, (False, True), strict=True):
            value = amount * table.factor[kind]
            root = np.sqrt(value)
            by_size = table.by_size[kind] * root
            if is_debt:
                value *= 1.0 + np.maximum(table.weight[kind], by_size)
            else:
                value *= np.minimum(table.weight[kind], 1.0 / (1.0 + by_size))
            surplus.append(np.bincount(whose, weights=value, minlength=table.accounts))
        return np.flatnonzero((surplus[0] <= surplus[1]) & owing)

    return scanned


def _polars(table: Table) -> Callable[[], Words]:
    frame = pl.DataFrame(
        {"account": table.account, "kind": table.kind, "amount": table.amount}
    ).with_columns(pl.col("account").set_sorted())
    factor, weight, by_size = (
        pl.lit(pl.Series(column)) for column in (table.factor, table.weight, table.by_size)
    )
    value = pl.col("amount") * factor.gather(pl.col("kind"))
    size = by_size.gather(pl.col("kind")) * pl.col("value").sqrt()
    share = weight.gather(pl.col("kind"))
    signed = (
        pl.when(pl.col("kind") < table.debts_from)
        .then(pl.col("value") * pl.min_horizontal(share, 1.0 / (1.0 + size)))
        .otherwise(-pl.col("value") * (1.0 + pl.max_horizontal(share, size)))
    )
    plan = (
        frame.lazy()
        .with_columns(value.alias("value"))
        .select("account", signed.alias("surplus"))
        .group_by("account")
        .agg(pl.col("surplus").sum())
        .filter(pl.col("surplus") <= 0)
        .select(pl.col("account").sort().cast(pl.Int64))
    )

    def scanned() -> Words:
        return plan.collect()["account"].to_numpy()

    return scanned


def _duckdb(table: Table) -> Callable[[], Words] | None:
    duckdb = peer("duckdb")
    if duckdb is None or peer("pyarrow") is None:
        return None
    connection = duckdb.connect()
    held = pl.DataFrame({"account": table.account, "kind": table.kind, "amount": table.amount})
    kinds = pl.DataFrame(
        {
            "kind": np.arange(len(table.factor), dtype=np.int32),
            "factor": table.factor,
            "share": table.weight,
            "size": table.by_size,
        }
    )
    for name, frame in (("held", held), ("kinds", kinds)):
        connection.register("given", frame.to_arrow())
        connection.execute(f"create table {name} as select * from given")
        connection.unregister("given")
    query = f"""
        with valued as (
            select account, kind, share, size, amount * factor as value
            from held join kinds using (kind)
        )
        select cast(account as bigint) as account from valued group by account
        having sum(
            case when kind < {table.debts_from}
            then value * least(share, 1 / (1 + size * sqrt(value)))
            else -value * (1 + greatest(share, size * sqrt(value))) end
        ) <= 0
        order by account
    """
    return lambda: np.asarray(connection.execute(query).fetchnumpy()["account"], dtype=np.int64)


PEERS: tuple[tuple[str, float, Callable[[Table], Callable[[], Words] | None]], ...] = (
    ("NumPy, floats", 5, _numpy),
    ("Polars, floats, all cores", 4, _polars),
    ("DuckDB, floats, all cores", 10, _duckdb),
)
"""Name, how many times faster we should be, and the peer."""
