"""Databases: SQLite and PostgreSQL behind one small face.

Statements are written once, with `?` for a value and no other question mark, and no percent sign.
Both databases answer with tuples of integers and texts. Between `begin` and `commit` everything
belongs to one transaction; a reader of another connection sees all of it or nothing.

SQLite runs with a write-ahead log and does not wait for the disk at a commit: views can be made
anew from the journal, which does wait. No statement waits for ever: SQLite's not for another
writer, and a PostgreSQL server that says nothing for `STATEMENT_SECONDS` is hung up on.
Deliberately absent: pools of connections, retries, an object mapper.
"""

import importlib
import os
import socket
import sqlite3
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
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


CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
"""How long a server may take to let somebody in, and to answer."""
CACHE_KIB = 65_536
LOCK_SECONDS = 5
"""How long a statement waits for another writer."""


class DatabaseError(Exception):
    """The database refused a statement or is gone; what was not committed is lost there."""


class DatabaseDamagedError(DatabaseError):
    """What is in the database is not what was written: it has to be made anew."""


class UnreachableError(InputError):
    """A database cannot be opened now; later it may."""


class DamagedFileError(InputError):
    """A file is no database, or not any more."""


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
    def interrupt(self) -> None:
        """End the statement in work, from another thread: it raises DatabaseError."""

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
            _make_private(path)
            self._connection = sqlite3.connect(
                path, LOCK_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("PRAGMA wal_autocheckpoint=16384")
            self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        except sqlite3.Error as error:
            reason = f"is no database that can be used ({error}); name another file or remove it"
            kind = DamagedFileError if _is_damage(error) else UnreachableError
            raise kind(path, "views", reason) from error

    def fetch(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """Rows of a query."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _sqlite_error(error) from error

    def execute(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        try:
            self._connection.execute(statement)
        except sqlite3.Error as error:
            raise _sqlite_error(error) from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of values."""
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise _sqlite_error(error) from error
        except OverflowError as error:
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

    def interrupt(self) -> None:
        """End the statement in work."""
        with suppress(sqlite3.Error):
            self._connection.interrupt()

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()


def _make_private(path: str) -> None:
    """Let nobody else read a new file; those beside it get the same permissions from SQLite."""
    if path != MEMORY:
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY = 0xFF
"""The part of SQLite's error numbers that says the kind."""


def _is_damage(error: sqlite3.Error) -> bool:
    if isinstance(error, sqlite3.IntegrityError):
        return True
    code = getattr(error, "sqlite_errorcode", 0)
    # A statement of ours that is an error means tables that are not as they were laid out.
    return code & _PRIMARY in _DAMAGE or code == sqlite3.SQLITE_ERROR


def _sqlite_error(error: sqlite3.Error) -> DatabaseError:
    return (DatabaseDamagedError if _is_damage(error) else DatabaseError)(str(error))


class _Deadline:
    """Hangs up on a server that does not answer in time, from a thread of its own."""

    def __init__(self, owner: "PostgresDatabase") -> None:
        self._owner = weakref.ref(owner)
        self._until = 0.0
        self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
        self._thread.start()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Everything in the block has to be done in time."""
        self._until = time.monotonic() + STATEMENT_SECONDS
        try:
            yield
        finally:
            self._until = 0.0

    def _watch(self) -> None:
        while (owner := self._owner()) is not None and not owner.is_closed:
            if 0 < self._until < time.monotonic():
                owner.interrupt()
            del owner
            time.sleep(_WATCH_SECONDS)


_WATCH_SECONDS = 0.25


class PostgresDatabase(Database):
    """A server's database; tables are in the connection's own schema."""

    whole_number = "BIGINT"
    clustered = ""

    def __init__(self, url: str) -> None:
        self._driver = _driver(url)
        try:
            self._connection: psycopg.Connection[Row] = self._driver.connect(
                url, autocommit=True, **_patience(url)
            )
        except self._driver.Error as error:
            reason = f"cannot be reached ({error}); check the address and that the server runs"
            raise UnreachableError(without_secret(url), "views", reason) from error
        self._deadline = _Deadline(self)
        try:
            self.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
            self.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        except DatabaseError as error:
            raise UnreachableError(without_secret(url), "views", str(error)) from error

    @property
    def is_closed(self) -> bool:
        """Whether the connection was given up, or is broken."""
        return bool(self._connection.closed)

    def fetch(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """Rows of a query."""
        try:
            with self._deadline(), self._connection.cursor() as cursor:
                cursor.execute(_marked(statement), values)
                return cursor.fetchall()
        except self._driver.Error as error:
            raise self._error(error) from error

    def execute(self, statement: str) -> None:
        """Run a statement that gives no rows."""
        try:
            with self._deadline(), self._connection.cursor() as cursor:
                cursor.execute(_marked(statement))
        except self._driver.Error as error:
            raise self._error(error) from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run a statement once for each row of values, in one conversation."""
        try:
            with self._deadline(), self._connection.cursor() as cursor:
                cursor.executemany(_marked(statement), rows)
        except self._driver.Error as error:
            raise self._error(error) from error

    def begin(self) -> None:
        """Begin a transaction."""
        self.execute("BEGIN")

    def commit(self) -> None:
        """Make the transaction's changes visible and durable."""
        self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction."""
        with suppress(self._driver.Error), self._deadline():
            self._connection.rollback()

    def tables(self) -> list[str]:
        """Names of the tables that are there."""
        rows = self.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return [str(name) for (name,) in rows]

    def _error(self, error: Exception) -> DatabaseError:
        errors = self._driver.errors
        damage = (errors.UndefinedTable, errors.UndefinedColumn, errors.IntegrityError)
        return (DatabaseDamagedError if isinstance(error, damage) else DatabaseError)(str(error))

    def interrupt(self) -> None:
        """Hang up: a server that has stopped answers nothing more kindly meant."""
        with suppress(self._driver.Error, OSError):
            number = os.dup(self._connection.pgconn.socket)
            with socket.socket(fileno=number) as line:
                line.shutdown(socket.SHUT_RDWR)

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
    raise InputError(without_secret(url), "views", reason)


def sqlite_path(url: str) -> Path | None:
    """The file of a database that is a file."""
    path = url.removeprefix(SQLITE)
    return Path(path) if url.startswith(SQLITE) and path not in ("", MEMORY) else None


def _patience(url: str) -> dict[str, int]:
    """How long to wait for a server, where its address does not say."""
    return {} if "connect_timeout" in url else {"connect_timeout": CONNECT_SECONDS}


def _marked(statement: str) -> str:
    return statement.replace("?", "%s")


def holds_secret(url: str) -> bool:
    """Whether an address says a password, before its host or among its parameters."""
    named, _, parameters = url.partition("://")[2].partition("?")
    user, at, _ = named.rpartition("@")
    return (bool(at) and ":" in user) or "password=" in parameters


def without_secret(url: str) -> str:
    """The address as it may be shown."""
    shown, mark, _ = url.partition("?") if "password=" in url else (url, "", "")
    scheme, slashes, rest = shown.partition("://")
    shown = f"{scheme}{slashes}...@{rest.rpartition('@')[2]}" if "@" in rest else shown
    return f"{shown}{mark}..." if mark else shown


def _driver(url: str) -> ModuleType:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        reason = "needs a driver that is not installed; install solvent[postgres]"
        raise InputError(without_secret(url), "views", reason) from error
