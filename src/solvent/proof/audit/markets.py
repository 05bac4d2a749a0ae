"""Audit of a market's folder: the chain of its journal, and what the engine makes of it today.

The whole journal is checked byte by byte, then every record happens again, from the head on and
not from a snapshot; where the first records are in an archive that is not named, from the oldest
snapshot on. Every state hash that the journal has must come out, and every snapshot must hold
what the records before it lead to. Nothing in the folder is changed, also not a torn end.

Views beside the journal are written after it: where they know of more commands than it has, records
that were acknowledged are lost.

The engine's invariants are not checked here: an audit of a run does that.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from solvent.domain.codec.transcript import Transcript
from solvent.domain.parameters import EngineParameters
from solvent.engine.engine import FastEngine
from solvent.journal.archive import first_header, segment_file
from solvent.journal.disk import OsFiles
from solvent.journal.durable import JournalDamageError, JournalError, Verified, verify
from solvent.journal.segments import (
    FlawError,
    decode_frame,
    decode_header,
    split_records,
)
from solvent.journal.snapshots import decode_snapshot, snapshot_path
from solvent.service.core.market import Market, MarketError, Outcome, head_parameters
from solvent.service.core.opening import VIEWS
from solvent.service.core.records import Record, RecordError, RecordKind, records_in

BATCH = 512

Progress = Callable[[int, int], None]
"""Called with the number of records replayed and the number there are."""


@dataclass(frozen=True, slots=True)
class MarketAudit:
    """What an audit found.

    `checks` state hashes and `snapshots` were compared; `torn` bytes at the end are no whole batch
    and are cut when the market is opened: of one that was never acknowledged or, which the journal
    cannot tell, of the last one that was. The records before number `first` are in an archive that
    was not named, and did not happen again. `problem` is the first thing wrong, in one line, or
    None.
    """

    records: int = 0
    first: int = 0
    commands: int = 0
    checks: int = 0
    snapshots: int = 0
    torn: int = 0
    digest: str = ""
    state_hash: str = ""
    problem: str | None = None


def audit_market(
    folder: Path, progress: Progress | None = None, archive: Path | None = None
) -> MarketAudit:
    """Audit the journal in `folder`, with what left it for its `archive`.

    Damage is reported, not raised. Raises JournalError where there is none or it is in use.
    """
    try:
        verified = verify(folder, archive)
    except JournalDamageError as error:
        return MarketAudit(problem=str(error))
    replay = _Replay(folder, archive, verified)
    first, problem = replay.records, None
    try:
        for batch in replay.batches():
            replay.carry_out(batch)
            if progress is not None:
                progress(replay.records, verified.records)
    except (MarketError, RecordError, ArithmeticError, LookupError, ValueError) as error:
        problem = f"{folder}: {replay.place}: {error}"
    seen = _commands_of_views(folder.with_name(VIEWS))
    if problem is None and seen > replay.market.commands:
        problem = (
            f"{folder}: the histories know of {seen} commands, the journal has "
            f"{replay.market.commands}: acknowledged records are lost; restore a copy"
        )
    return MarketAudit(
        replay.records,
        first,
        replay.market.commands,
        replay.checks,
        replay.snapshots,
        verified.torn,
        verified.digest.hex(),
        replay.market.engine.state_hash(),
        problem,
    )


def market_head(folder: Path, archive: Path | None = None) -> EngineParameters:
    """The parameters with which the market of the journal in `folder` began.

    JournalError where its first records are in an archive that was not named.
    """
    if archive is None and verify(folder).first:
        reason = "its first records are in an archive; name that with --archive"
        raise JournalError(folder, "folder", reason)
    files = OsFiles()
    return head_parameters(first_header(files, folder, files.names(folder)).head)


def market_transcripts(
    folder: Path, archive: Path | None = None, progress: Progress | None = None
) -> Iterator[tuple[Market, Transcript]]:
    """Every record of the journal in `folder` carried out again, one by one, with its market.

    Raises JournalError where there is none, it is damaged or in use.
    """
    verified = verify(folder, archive)
    replay = _Replay(folder, archive, verified)
    for batch in replay.batches():
        for record in batch:
            for outcome in replay.carry_out([record]):
                yield replay.market, outcome.transcript
        if progress is not None:
            progress(replay.records, verified.records)


def _commands_of_views(path: Path) -> int:
    """How many commands the views of a market have seen; 0 where they cannot be read."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as views:
            rows = views.execute("SELECT value FROM meta WHERE name = 'applied'").fetchall()
        return int(rows[0][0]) if rows else 0
    except (sqlite3.Error, ValueError):
        return 0


class _Replay:
    """One replay and how far it got. Without the archive's records it begins at a snapshot."""

    def __init__(self, folder: Path, archive: Path | None, verified: Verified) -> None:
        self._folder, self._archive = folder, archive
        self._open_snapshots = set(verified.snapshots)
        files = OsFiles()
        header = first_header(files, folder, files.names(folder))
        self._head, self._marker = header.head, header.marker
        self._begin = 1 if archive is not None else header.number
        self.records = self.checks = self.snapshots = 0
        self._reached: deque[int] = deque()
        self.place = "head"
        self.market = Market(self._head, FastEngine)
        if verified.first:
            self._begin_at_a_snapshot()

    def _begin_at_a_snapshot(self) -> None:
        if not self._open_snapshots:
            reason = "has no snapshot to begin at; name the archive with --archive"
            raise JournalError(self._folder, "folder", reason)
        self.records = min(self._open_snapshots)
        self._open_snapshots.remove(self.records)
        self.market = Market(self._head, FastEngine, self._snapshot(self.records))

    def batches(self) -> Iterator[list[Record]]:
        """Records in batches; one ends at each check and where there is a snapshot."""
        batch: list[Record] = []
        for number, data in self._all_records():
            self.place = f"record {number}"
            found = records_in(data)
            batch += found
            self._reached += [number] * len(found)
            if not batch:
                self.records = number + 1
                continue
            # A frame of a cluster's log has any number of requests; the last one ends it.
            self._reached[-1] = number + 1
            is_end = batch[-1].kind == RecordKind.CHECK or number + 1 in self._open_snapshots
            if is_end or len(batch) >= BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def carry_out(self, batch: list[Record]) -> list[Outcome]:
        """Let records happen and compare what is there to be compared."""
        last = self.records + len(batch) - 1
        self.place = f"records {self.records} to {last}" if len(batch) > 1 else f"record {last}"
        outcomes = self.market.carry_out(batch)
        self.records = [self._reached.popleft() for _ in batch][-1]
        self.checks += batch[-1].kind == RecordKind.CHECK
        if self.records in self._open_snapshots:
            self._compare_snapshot()
        return outcomes

    def _compare_snapshot(self) -> None:
        self.place = snapshot_path(self._folder, self.records).name
        data = self._snapshot(self.records)
        if Market(self._head, FastEngine, data).save() != self.market.save():
            raise MarketError("is not what the records before it lead to")
        self.snapshots += 1

    def _snapshot(self, records: int) -> bytes:
        content = snapshot_path(self._folder, records).read_bytes()
        return decode_snapshot(content, self._marker, records)

    def _all_records(self) -> Iterator[tuple[int, bytes]]:
        """Every record of a journal that was verified, from where the replay begins."""
        begin = self.records
        for number in count(self._begin):
            try:
                _, data = segment_file(OsFiles(), self._folder, self._archive, number)
            except FileNotFoundError:
                return
            offset = decode_header(data).end
            while True:
                try:
                    frame = decode_frame(data, offset, self._marker)
                except FlawError:
                    break
                for each, record in enumerate(split_records(frame), frame.first):
                    if each >= begin:
                        yield each, record
                offset = frame.end
