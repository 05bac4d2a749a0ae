"""Counts: how many rows a table has of one owner, kept as rows come and go.

A page says of how many rows it is one. To count them each time costs more the more there are, and
of what everybody may ask that is everybody's time. So what is asked by its owner alone is counted
when it is written.
"""

from collections.abc import Mapping

from solvent.history.tables.database import Database
from solvent.history.tables.schema import COUNTS, FILLS, ORDERS, TRADES, Table

COUNTED: dict[Table, int] = {table: table.columns.index("account") for table in (FILLS, ORDERS)}
COUNTED[TRADES] = TRADES.columns.index("asset")
"""Tables of which rows are counted, and the place of their owner's column."""
_NUMBERS = {table: number for number, table in enumerate(COUNTED)}
_ADD = (
    f"{COUNTS.insert()} ON CONFLICT ({', '.join(COUNTS.key)}) "
    "DO UPDATE SET total = counts.total + excluded.total"
)


def add_counts(database: Database, added: Mapping[tuple[Table, int], int]) -> None:
    """So many rows of a table and owner came, or went where the number is below zero."""
    rows = [(_NUMBERS[table], owner, number) for (table, owner), number in added.items()]
    if rows:
        database.execute_many(_ADD, rows)


def counted(database: Database, table: Table, owner: int) -> int:
    """How many rows there are."""
    rows = database.fetch(
        "SELECT total FROM counts WHERE kind = ? AND owner = ?", [_NUMBERS[table], owner]
    )
    return int(rows[0][0]) if rows else 0
