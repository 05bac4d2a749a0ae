"""Opening: from a folder on disk to a node that has all that was acknowledged.

    FOLDER/journal    the truth: records, snapshots, the writer's lock
    FOLDER/audit.jsonl    every act of staff, made anew from the journal when it does not fit
    FOLDER/views.db   what queries of the past need, made anew from the journal when it is missing
                      or damaged; what was damaged is kept as views-damaged.db

An existing journal brings its own parameters; those given are for a new one. What makes a market
new is that its journal has no record, however much of its folder is there.

A market may be set up before it is for others: accounts first, all in one record, and last the key
that says that all is there (`is_set_up`). A set-up that was interrupted is not gone on with.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from solvent.domain.engine_face import EngineFactory
from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.engine.engine import FastEngine
from solvent.history.market_views import Views
from solvent.history.retention import Keep
from solvent.history.tables.database import (
    SQLITE,
    DamagedFileError,
    UnreachableError,
    open_database,
)
from solvent.journal.durable import SEGMENT_BYTES, Journal, holds_journal
from solvent.service.authority.acts import AdmitKey, encode_act
from solvent.service.authority.audit_file import AuditFile
from solvent.service.authority.model import HOUSE, Terms
from solvent.service.core.clock import MarketClock
from solvent.service.core.cluster.replicated import ReplicatedSequencer, Replication
from solvent.service.core.history_writer import ViewsSource, ViewsWriter
from solvent.service.core.idempotency import OK
from solvent.service.core.keys import FIRST_ACCOUNT, WITH_ACCOUNT, Role, parse_public_key
from solvent.service.core.market import (
    FirstKey,
    Market,
    MarketError,
    Outcome,
    encode_head,
    head_parameters,
)
from solvent.service.core.node import Node
from solvent.service.core.records import Record, RecordKind
from solvent.service.core.sequencer import Sequencer, Tail, recover, tell_again
from solvent.service.errors import ApiError, ApiErrorResponse
from solvent.service.limits import VIEWS_RECORDS

JOURNAL = "journal"
VIEWS = "views.db"
ASIDE = "views-damaged.db"
AUDIT = "audit.jsonl"
LOG = logging.getLogger("solvent.opening")
IDENTITY_BYTES = 16
PROGRESS_SECONDS = 2.0
"""How often the log says how far a recovery is."""
Progress = Callable[[int, int], object]


class Start(NamedTuple):
    """What a new journal begins with."""

    parameters: EngineParameters
    terms: Terms = Terms(1, 0)
    keys: Sequence[tuple[Role, str]] = ()
    """Roles and public keys, in base64, of the first staff."""
    identity: bytes = b""
    """What tells the market from every other one; drawn where none is given."""


def open_node(
    folder: Path,
    start: Start | None,
    *,
    views_url: str | None = None,
    clock: MarketClock | None = None,
    is_clock_accepted: bool = False,
    snapshot_every: int = 1_000_000,
    keep: Keep | None = None,
    archive: Path | None = None,
    segment_bytes: int = SEGMENT_BYTES,
    on_progress: Progress | None = None,
    engines: EngineFactory = FastEngine,
    replicate: Callable[[str], Replication] | None = None,
) -> Node:
    """The node of a folder; with `start` a new one where there is no journal yet.

    With `replicate`, which is told the market's identity, it is one of a cluster.

    `engines` is the kind of engine that the market runs on: this is the one place that chooses it.
    `keep` is the rule for what the histories keep, None all of it.
    What the journal no longer needs to open leaves it for the `archive`, where there is one.
    `on_progress` is told how many records have happened again, and of how many.
    The clock goes on from the market's last record; with `is_clock_accepted` however far that is.
    Raises InputError or JournalError, one line that says what to do.
    """
    clock = clock or MarketClock()
    place = folder / JOURNAL
    # Whatever is wrong with what was given is found before a folder is made for it.
    head = None if start is None else head_of(start)
    is_new = not holds_journal(place)
    if is_new:
        if head is None:
            raise InputError(str(folder), "journal", "is missing; name the folder of a market")
        if views_url is not None:
            open_database(views_url).close()
        begin_journal(folder, head)
    journal = Journal.open(place, archive=archive, segment_bytes=segment_bytes)
    views, mended = None, len(journal.notes)
    lately: deque[Outcome] = deque(maxlen=VIEWS_RECORDS)
    try:
        audit = AuditFile(folder / AUDIT)
        source = _views_source(folder, journal, views_url, engines)
        views = _first_views(source, is_new=is_new)
        for note in journal.notes:
            LOG.warning("the journal was mended", extra={"reason": note})
        market, tail = _recover(journal, engines, lately, audit, on_progress)
        for note in journal.notes[mended:]:
            LOG.warning("a snapshot is passed over", extra={"reason": note})
        if market.engine.now > market.parameters.start_time:
            clock.begin(market.engine.now, is_accepted=is_clock_accepted)
    except BaseException as error:
        journal.close()
        if views is not None:
            views.close()
        if isinstance(error, MarketError):
            raise InputError(str(folder), "market", str(error)) from error
        raise
    writer = ViewsWriter(views, source, market.commands, keep)
    writer.put(lately)
    sequencer = _sequencer(journal, market, snapshot_every, tail, replicate)
    return Node(sequencer, writer, clock=clock, audit=audit)


def _sequencer(
    journal: Journal,
    market: Market,
    snapshot_every: int,
    tail: Tail,
    replicate: Callable[[str], Replication] | None,
) -> Sequencer:
    if replicate is None:
        return Sequencer(journal, market, snapshot_every=snapshot_every, tail=tail)
    try:
        return ReplicatedSequencer(
            journal,
            market,
            replicate(market.identity),
            snapshot_every=snapshot_every,
            tail=tail,
        )
    except BaseException:
        journal.close()
        raise


def begin_journal(folder: Path, head: bytes) -> None:
    """A market's folder that begins with a given head, unless a journal is there."""
    if not holds_journal(folder / JOURNAL):
        folder.mkdir(parents=True, exist_ok=True)
        Journal.create(folder / JOURNAL, head).close()


def is_set_up(node: Node, last_key: bytes) -> bool:
    """Whether a market that `last_key` is let into last is set up; False where nothing was begun.

    Raises InputError where its set-up was interrupted, or it was made without one.
    """
    market = node.market
    if market.keys.find(last_key) is not None:
        return True
    if market.queries.accounts() > FIRST_ACCOUNT:
        reason = "was not set up to its end as a demo; begin in an empty folder"
        raise InputError(str(node.sequencer.journal.folder.parent), "market", reason)
    return False


def _first_keys(given: Sequence[tuple[Role, str]]) -> list[FirstKey]:
    """The first keys of a market. Raises InputError."""
    found: list[FirstKey] = []
    for role, text in given:
        key = first_key(role, text)
        if any(each.key == key for each in found):
            raise InputError("market", _option(role), "names a key that has a role already")
        found.append(FirstKey(key, role))
    return found


def first_key(role: Role, text: str) -> bytes:
    """A public key that was given for a role. Raises InputError."""
    if role in WITH_ACCOUNT:
        reason = f"a key of role {role} comes with its account; open that when the market is up"
        raise InputError("market", _option(role), reason)
    try:
        return parse_public_key(text)
    except ApiError as error:
        reason = f"{error.message}; give the public half of an ed25519 key pair in base64"
        raise InputError("market", _option(role), reason) from None


def _option(role: Role) -> str:
    return "--operator-key" if role is Role.OPERATOR else "--first-key"


def readmit(folder: Path, operator_key: str, engines: EngineFactory = FastEngine) -> None:
    """Let an operator's key into a market that nobody serves, by who has its folder.

    It is an act in the journal like any other. Raises InputError or JournalError.
    """
    key = first_key(Role.OPERATOR, operator_key)
    node = open_node(folder, None, engines=engines)
    node.sequencer.start()
    try:
        body = encode_act(AdmitKey(key, Role.OPERATOR))
        record = Record(RecordKind.ACT, node.clock(), body=body, actor=HOUSE)
        outcome = node.sequencer.submit(record).result()
    finally:
        asyncio.run(node.close())
    if outcome.answer.status != OK:
        error = msgspec.json.decode(outcome.answer.body, type=ApiErrorResponse)
        raise InputError(str(folder), "--operator-key", error.message)


def head_of(start: Start) -> bytes:
    """All that a new market begins with. Raises InputError for a key that cannot be used."""
    identity = start.identity or secrets.token_bytes(IDENTITY_BYTES)
    return encode_head(start.parameters, start.terms, _first_keys(start.keys), identity)


def _recover(
    journal: Journal,
    engines: EngineFactory,
    lately: deque[Outcome],
    audit: AuditFile,
    on_progress: Progress | None,
) -> tuple[Market, Tail]:
    """The market and what came after its snapshot; brings the audit file to where it is."""
    done, began = 0, time.monotonic()
    latest = journal.latest_snapshot()
    of = journal.sequence - (latest[0] if latest else 0)
    said = began

    def listen(outcomes: Sequence[Outcome]) -> None:
        nonlocal done, said
        audit.write(each.entry for each in outcomes if each.entry is not None)
        lately.extend(outcomes)
        done += len(outcomes)
        if on_progress is not None:
            on_progress(done, of)
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            LOG.info("recovering", extra={"reason": f"{done:,} of {of:,} records"})

    market = recover(journal, engines, listen)
    tail = Tail(of, time.monotonic() - began if of else 0.0)
    audit.write(market.desk.audit.latest)
    if not audit.agrees(market.desk.audit):
        aside = audit.put_aside()
        LOG.warning("the audit file does not fit the journal", extra={"file": str(aside)})
        lately.clear()
        of = journal.sequence
        market = recover(journal, engines, listen, 0)
    return market, tail


def _views_source(
    folder: Path, journal: Journal, views_url: str | None, engines: EngineFactory
) -> ViewsSource:
    """Where the views of a market come from. A file of its own that cannot be used is put aside."""
    parameters = head_parameters(journal.head)
    own = folder / VIEWS
    url = f"{SQLITE}{own}" if views_url is None else views_url

    def open_views(anew: bool) -> Views:
        if anew and views_url is None:
            _put_aside(own)
        return Views.open(url, parameters, anew=anew)

    return ViewsSource(open_views, partial(tell_again, journal, engines))


def _put_aside(path: Path) -> None:
    """Keep a database under another name, with what SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(FileNotFoundError):
            path.with_name(name).replace(path.with_name(name.replace(VIEWS, ASIDE)))


def _first_views(source: ViewsSource, *, is_new: bool) -> Views | None:
    """The views as they are. None where they cannot be had now, for the market does not need them.

    Raises InputError where they are another market's, or the market is new: then what was asked for
    was hardly meant.
    """
    try:
        return source.open(False)
    except (UnreachableError, DamagedFileError) as error:
        if is_new:
            raise
        LOG.error("the views cannot be opened", extra={"reason": str(error)})
        return None
