"""Databases: SQLite and PostgreSQL behind one small face.

Statements are written once, with `?` for a value and no other question mark, and no percent sign.
Both databases answer with tuples of integers and texts. Between `begin` and `commit` everything
belongs to one transaction; a reader of another connection sees all of it or nothing.

SQLite runs with a write-ahead log and does not wait for the disk at a commit: views can be made
anew from the journal, which does wait. Deliberately absent: pools of connections, retries, an
object mapper.
"""

import importlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING

from solvent.domain.errors import InputError

if TYPE_CHECKING:
    import psycopg

Value = int | str
Row = tuple[Value, ...]

SQLITE = "sqlite:///"
MEMORY = ":memory:"
POSTGRESQL = ("postgresql://", "postgres://")


class DatabaseError(Exception):
    """The database refused a statement or is gone; what was not committed is lost there."""


class Database(ABC):
    """One connection. Every method raises DatabaseError."""

    whole_number: str
    """The type of a column of 64-bit integers."""
    clustered: str
    """What a table with a key of several columns is declared with."""

    @abstractmethod
    def fetch(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """Rows of a query."""

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Run a statement that gives no rows."""

    @abstractmethod
    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of values."""

    @abstractmethod
    def begin(self) -> None:
        """Begin a transaction."""

    @abstractmethod
    def commit(self) -> None:
        """Make the transaction's changes visible and durable."""

    @abstractmethod
    def rollback(self) -> None:
        """Undo the transaction; nothing is raised where there is none."""

    @abstractmethod
    def tables(self) -> list[str]:
        """Names of the tables that are there."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection up."""

    def __del__(self) -> None:
        """Close what was forgotten open."""
        if hasattr(self, "_connection"):
            self.close()


class SqliteDatabase(Database):
    """A file, or memory. May be used from any thread, from one at a time."""

    whole_number = "INTEGER"
    clustered = " WITHOUT ROWID"

    def __init__(self, path: str) -> None:
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("PRAGMA wal_autocheckpoint=16384")
            self._connection.execute("PRAGMA cache_size=-65536")
        except sqlite3.Error as error:
            reason = f"is no database that can be used ({error}); name another file or remove it"
            raise InputError(path, "views", reason) from error

    def fetch(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """Rows of a query."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise DatabaseError(str(error)) from error

    def execute(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        try:
            self._connection.execute(statement)
        except sqlite3.Error as error:
            raise DatabaseError(str(error)) from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of values."""
        try:
            self._connection.executemany(statement, rows)
        except (sqlite3.Error, OverflowError) as error:
            raise DatabaseError(str(error)) from error

    def begin(self) -> None:
        """Begin a transaction, as the only writer."""
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction's changes visible."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction."""
        with suppress(sqlite3.Error):
            self._connection.rollback()

    def tables(self) -> list[str]:
        """Names of the tables that are there."""
        rows = self.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        return [str(name) for (name,) in rows]

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()


class PostgresDatabase(Database):
    """A server's database; tables are in the connection's own schema."""

    whole_number = "BIGINT"
    clustered = ""

    def __init__(self, url: str) -> None:
        self._driver = _driver(url)
        try:
            self._connection: psycopg.Connection[Row] = self._driver.connect(url, autocommit=True)
        except self._driver.Error as error:
            reason = f"cannot be reached ({error}); check the address and that the server runs"
            raise InputError(_without_secret(url), "views", reason) from error

    def fetch(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """Rows of a query."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_marked(statement), values)
                return cursor.fetchall()
        except self._driver.Error as error:
            raise DatabaseError(str(error)) from error

    def execute(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_marked(statement))
        except self._driver.Error as error:
            raise DatabaseError(str(error)) from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of values, in one conversation."""
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(_marked(statement), rows)
        except self._driver.Error as error:
            raise DatabaseError(str(error)) from error

    def begin(self) -> None:
        """Begin a transaction."""
        self.execute("BEGIN")

    def commit(self) -> None:
        """Make the transaction's changes visible and durable."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction."""
        with suppress(self._driver.Error):
            self._connection.rollback()

    def tables(self) -> list[str]:
        """Names of the tables that are there."""
        rows = self.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return [str(name) for (name,) in rows]

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()


def open_database(url: str) -> Database:
    """The database at `url`: `sqlite:///PATH`, `:memory:` or `postgresql://...`.

    Raises InputError, which never shows a password.
    """
    if url in (MEMORY, SQLITE + MEMORY):
        return SqliteDatabase(MEMORY)
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        return SqliteDatabase(url.removeprefix(SQLITE))
    if url.startswith(POSTGRESQL):
        return PostgresDatabase(url)
    reason = "is no address of a database; write sqlite:///PATH or postgresql://HOST/NAME"
    raise InputError(_without_secret(url), "views", reason)


def _marked(statement: str) -> str:
    return statement.replace("?", "%s")


def _without_secret(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}...@{rest.rpartition('@')[2]}" if "@" in rest else url


def _driver(url: str) -> ModuleType:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        reason = "needs a driver that is not installed; install solvent[postgres]"
        raise InputError(_without_secret(url), "views", reason) from error
