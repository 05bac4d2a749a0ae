"""The tables of the views, and the number of their layout.

A row's `place` says where in the order of everything it happened: the command's number and a count
of rows within the command. It is the key of what is only ever appended, so rows of all tables can
be put in one order. Columns are 64-bit integers but for those named as texts: sums that could
outgrow 64 bits are kept as decimal texts.

A change of layout raises VERSION; a database of another version is emptied when it is opened and
made anew from the journal.
"""

from dataclasses import dataclass

from solvent.history.tables.database import Database

VERSION = 9
PLACE_BITS = 24
"""A command makes fewer rows than 2 to this power."""
NEVER = 2**63 - 1
"""The place of an end that has not come."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table: its columns in order, how many are its key, which are texts, its indexes."""

    name: str
    columns: tuple[str, ...]
    keys: int = 1
    texts: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Columns of the key."""
        return self.columns[: self.keys]

    @property
    def listed(self) -> str:
        """All columns, for a SELECT."""
        return ", ".join(self.columns)

    def insert(self, rows: int = 1) -> str:
        """The statement that appends so many rows."""
        row = f"({', '.join('?' * len(self.columns))})"
        return f"INSERT INTO {self.name} ({self.listed}) VALUES {', '.join([row] * rows)}"

    def upsert(self) -> str:
        """The statement that writes a row whether or not its key is there."""
        rest = ", ".join(f"{name} = excluded.{name}" for name in self.columns[self.keys :])
        return f"{self.insert()} ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {rest}"


def _table(
    name: str,
    columns: str,
    keys: int = 1,
    texts: str = "",
    indexes: tuple[str, ...] = (),
) -> Table:
    return Table(
        name,
        tuple(columns.split()),
        keys,
        frozenset(texts.split()),
        indexes,
    )


META = _table("meta", "name value", texts="name value")
POOLS = _table(
    "pools",
    "asset lend_shares debt_shares lend_index debt_index hours borrow_rates lend_rates charged "
    "lend_charged debt_charged noted touched",
)
POSITIONS = _table(
    "positions",
    "id account asset side source opened opened_at closed closed_at shares added removed "
    "settled last hours_before rates_before hours_after rates_after",
    texts="added removed settled",
    indexes=("(account, asset, side, closed)",),
)
MOVEMENTS = _table(
    "movements",
    "place time account asset kind source quantity position side shares held until "
    "order_id net settled closing pays",
    texts="net settled closing",
    indexes=("(account, place)", "(account, place) WHERE pays = 1"),
)
INTEREST = _table(
    "interest",
    "place hour asset borrow_rate lend_rate utilization interest fee previous "
    "lend_previous lend_after debt_previous debt_after",
    indexes=("(asset, place)",),
)
LOSSES = _table(
    "losses",
    "place time asset booking quantity lenders value index_before index_after",
    indexes=("(asset, place)",),
)
DEPOSITS = _table("deposits", "place time account asset quantity", indexes=("(account, place)",))
WITHDRAWALS = _table(
    "withdrawals",
    "place time account asset quantity client_id address blockchain",
    texts="client_id address blockchain",
    indexes=("(account, place)",),
)
DUST = _table("dust", "place time account asset quantity received", indexes=("(account, place)",))
STANDBYS = _table(
    "standbys",
    "place time account posted premium leaving leaves_at",
    indexes=("(account, place)",),
)
SETTLEMENTS = _table(
    "settlements",
    "place time account source asset quantity value number",
    indexes=("(account, place)",),
)
ORDERS = _table(
    "orders",
    "id place time account asset side order_type time_in_force price quantity quote_quantity "
    "post_only reduce_only self_trade_prevention client_id system executed executed_quote status "
    "trigger_price trigger_by triggered refused refused_limit reason ended",
    indexes=("(account, id)",),
)
FILLS = _table(
    "fills",
    "place time account asset order_id trade side price quantity quote fee maker kind number "
    "part client_id",
    indexes=("(account, place)",),
)
TRADES = _table(
    "trades", "id time asset price quantity quote side system", indexes=("(asset, id)",)
)
CANDLES = _table(
    "candles",
    "asset kind span start open high low close volume quote trades",
    keys=4,
    texts="volume quote",
)
POINTS = _table(
    "points", "asset start time lent borrowed utilization borrow_rate lend_rate", keys=2
)

RECEIPTS = _table(
    "receipts",
    "place round fill booking swap size line",
    texts="line",
    indexes=("(round)", "(fill)", "(booking)", "(swap)"),
)
RECEIPT_PARTIES = _table("receipt_parties", "account place", keys=2)
LIQUIDATIONS = _table(
    "liquidations", "account command time net_equity maintenance exposure total_value"
)

COUNTS = _table("counts", "kind owner total", keys=2)

TABLES = (
    META,
    COUNTS,
    POOLS,
    POSITIONS,
    MOVEMENTS,
    INTEREST,
    LOSSES,
    DEPOSITS,
    WITHDRAWALS,
    DUST,
    STANDBYS,
    SETTLEMENTS,
    ORDERS,
    FILLS,
    TRADES,
    CANDLES,
    POINTS,
    RECEIPTS,
    RECEIPT_PARTIES,
    LIQUIDATIONS,
)


def create_tables(database: Database) -> None:
    """Make all tables, empty, in a transaction that the caller began."""
    for table in TABLES:
        columns = [
            f"{name} {'TEXT' if name in table.texts else database.whole_number} NOT NULL"
            for name in table.columns
        ]
        columns.append(f"PRIMARY KEY ({', '.join(table.key)})")
        end = database.clustered if table.keys > 1 else ""
        database.execute(f"CREATE TABLE {table.name} ({', '.join(columns)}){end}")
        for number, index in enumerate(table.indexes):
            name = f"{table.name}_{number}"
            database.execute(f"CREATE INDEX {name} ON {table.name} {index}")


def drop_tables(database: Database) -> None:
    """Remove all tables of the views that are there."""
    present = set(database.tables())
    for table in TABLES:
        if table.name in present:
            database.execute(f"DROP TABLE {table.name}")


def dump(database: Database) -> dict[str, list[tuple[int | str, ...]]]:
    """Every row of every table, in the order of its key: equal views have equal dumps."""
    return {
        table.name: database.fetch(
            f"SELECT {table.listed} FROM {table.name} ORDER BY {', '.join(table.key)}"
        )
        for table in TABLES
    }
