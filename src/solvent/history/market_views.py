"""Market views: what queries of the past need, made from commands and their events alone.

`apply` takes commands in their order and keeps the rows that follow from it;
`commit` writes them in one transaction together with the number of the next command. After a stop
the database knows exactly the commands up to a commit, and the rest is applied again from the
journal. Because nothing but the events goes in, the database is the same whatever the batches were
and however often it is made anew (`rebuild`).

Questions see what was committed. They are in `history` (an account's past), `market_history`
(everybody's) and `receipt_rows` (settlements). Views are used by one thread at a time.

Deliberately absent: balances, open orders and health, which the engine answers; refused commands,
of which nothing happened.
"""

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Self

from solvent.domain.codec.parameters import decode_parameters, encode_parameters
from solvent.domain.codec.transcript import Transcript
from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.history.followers.listener import Listener
from solvent.history.followers.pools import PoolMirrors
from solvent.history.followers.receipt_rows import ReceiptHistory
from solvent.history.questions.accounts import AccountHistory
from solvent.history.questions.market import MarketHistory
from solvent.history.retention import Keep, Retention
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import (
    DamagedFileError,
    Database,
    DatabaseDamagedError,
    DatabaseError,
    UnreachableError,
    Value,
    open_database,
)
from solvent.history.tables.memo import Memo
from solvent.history.tables.schema import META, VERSION, create_tables, drop_tables, dump

REBUILD_BATCH = 10_000
"""Commands of one transaction while views are made anew."""

Applied = tuple[int, Transcript, Memo | None]
"""What `apply` takes: time, commands with their events, memo."""


class ViewsError(Exception):
    """The views were told something that cannot follow what they know."""


class Views(AccountHistory, MarketHistory, ReceiptHistory):
    """The views of one market in one database."""

    def __init__(
        self, database: Database, parameters: EngineParameters, *, anew: bool = False
    ) -> None:
        super().__init__(database)
        self._initial = parameters
        self._applied = self._committed = 0
        self._stored_parameters = parameters
        self._batch = Batch()
        self._retention = Retention(database)
        self._prepare(anew)

    @classmethod
    def open(cls, url: str, parameters: EngineParameters, *, anew: bool = False) -> Self:
        """The views at `url`; `parameters` are those that the market began with.

        Tables that another version laid out are emptied, and `applied` is 0 again; `anew` any.
        Raises InputError, also where the database has the views of another market.
        """
        database = open_database(url)
        try:
            return cls(database, parameters, anew=anew)
        except DatabaseError as error:
            database.close()
            is_damage = isinstance(error, DatabaseDamagedError)
            kind = DamagedFileError if is_damage else UnreachableError
            raise kind("views", "database", f"cannot be used: {error}") from error
        except BaseException:
            database.close()
            raise

    @property
    def applied(self) -> int:
        """Number of the next command: so many were applied."""
        return self._applied

    def apply(self, time_us: int, transcript: Transcript, memo: Memo | None = None) -> None:
        """Take commands of one moment and what the engine answered.

        Raises ViewsError when the first is not the next command.
        """
        if not transcript:
            return
        if transcript.first != self._applied:
            raise ViewsError(f"command {transcript.first} came where {self._applied} is next")
        self._listener.hear(time_us, transcript, memo)
        self._applied = transcript.end

    def commit(self) -> None:
        """Write everything applied since the last commit, in one transaction.

        Raises DatabaseError; nothing is written then, and `commit` may be called again.
        """
        if self._applied == self._committed:
            return
        self._listener.note_all()
        self._note_meta()
        self._database.begin()
        try:
            self._batch.write(self._database)
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise
        self._batch.clear()
        self._listener.written()
        self._stored_parameters = self._listener.pools.parameters
        self._committed = self._applied

    def rebuild(self, records: Iterable[Applied]) -> None:
        """Forget everything and make it anew from all commands, from the first on."""
        self._empty()
        self._start()
        for record in records:
            self.apply(*record)
            if self._applied - self._committed >= REBUILD_BATCH:
                self.commit()
        self.commit()

    def forget(self, keep: Keep) -> None:
        """Remove some of what the rule does not keep; the journal has it. Raises DatabaseError."""
        self._retention.step(keep, self._listener.receipts.time)

    def dump(self) -> dict[str, list[tuple[Value, ...]]]:
        """Everything that was committed: equal views have equal dumps."""
        return dump(self._database)

    def interrupt(self) -> None:
        """End what the database is at, from another thread: DatabaseError is raised there."""
        self._database.interrupt()

    def close(self) -> None:
        """Give the database up; what was not committed is lost."""
        self._database.close()

    # What is there already.

    def _prepare(self, anew: bool) -> None:
        stored = {} if anew else self._stored()
        if stored.get("version") != str(VERSION):
            self._empty()
        elif stored["market"] != _fingerprint(self._initial):
            reason = "has the views of another market; name another database"
            raise InputError("views", "database", reason)
        self._start()

    def _stored(self) -> dict[str, str]:
        if META.name not in self._database.tables():
            return {}
        rows = self._database.fetch(f"SELECT {META.listed} FROM {META.name}")
        return {str(name): str(value) for name, value in rows}

    def _empty(self) -> None:
        """Lay the tables out anew, with nothing in them."""
        first = {
            "version": str(VERSION),
            "market": _fingerprint(self._initial),
            "applied": "0",
            "parameters": json.dumps(encode_parameters(self._initial)),
            "next_position": "1",
            "time": str(self._initial.start_time),
        }
        self._database.begin()
        try:
            drop_tables(self._database)
            create_tables(self._database)
            self._database.execute_many(META.insert(), first.items())
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise

    def _start(self) -> None:
        """Go on from what is in the database."""
        stored = self._stored()
        self._applied = self._committed = int(stored["applied"])
        parameters = decode_parameters(json.loads(stored["parameters"]))
        self._batch = Batch()
        self._retention = Retention(self._database)
        self._stored_parameters = parameters
        pools = PoolMirrors(parameters, self._batch)
        pools.load(self._database)
        self._listener = Listener(self._database, self._batch, pools, int(stored["time"]))
        self._listener.lending.next_position = int(stored["next_position"])
        self._listener.lending.complete = self._applied == 0

    def _note_meta(self) -> None:
        self._batch.put(META, ("applied", str(self._applied)))
        self._batch.put(META, ("next_position", str(self._listener.lending.next_position)))
        self._batch.put(META, ("time", str(self._listener.receipts.time)))
        parameters = self._listener.pools.parameters
        if parameters is not self._stored_parameters:
            self._batch.put(META, ("parameters", json.dumps(encode_parameters(parameters))))


def _fingerprint(parameters: EngineParameters) -> str:
    """What tells one market from another: the parameters that it began with."""
    row = json.dumps(encode_parameters(parameters))
    return blake2b(row.encode(), digest_size=16).hexdigest()
