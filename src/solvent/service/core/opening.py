"""Opening: from a folder on disk to a node that has all that was acknowledged.

    FOLDER/journal    the truth: records, snapshots, the writer's lock
    FOLDER/views.db   what queries of the past need, made anew from the journal when it is missing

An existing journal brings its own parameters; those given are for a new one. What makes a market
new is that its journal has no record, however much of its folder is there.

A market may be set up before it is for others: accounts first, all in one record, and last the key
that says that all is there (`is_set_up`). A set-up that was interrupted is not gone on with.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from solvent.domain.engine_face import EngineFactory
from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.engine.engine import FastEngine
from solvent.history.market_views import Views
from solvent.history.tables.database import open_database
from solvent.journal.durable import Journal, holds_journal
from solvent.service.core.clock import MarketClock
from solvent.service.core.keys import (
    FIRST_ACCOUNT,
    NO_ACCOUNT,
    Role,
    encode_addition,
    parse_public_key,
)
from solvent.service.core.market import Market, MarketError, Outcome, encode_head, head_parameters
from solvent.service.core.node import Node, apply_to_views
from solvent.service.core.proposals import Terms
from solvent.service.core.sequencer import Sequencer, recover
from solvent.service.errors import ApiError

JOURNAL = "journal"
VIEWS = "views.db"


class Start(NamedTuple):
    """What a new journal begins with."""

    parameters: EngineParameters
    terms: Terms = Terms(1, 0)
    operator_key: str | None = None


def open_node(
    folder: Path,
    start: Start | None,
    *,
    views_url: str | None = None,
    clock: MarketClock | None = None,
    is_clock_accepted: bool = False,
    snapshot_every: int = 1_000_000,
    engines: EngineFactory = FastEngine,
) -> Node:
    """The node of a folder; with `start` a new one where there is no journal yet.

    `engines` is the kind of engine that the market runs on: this is the one place that chooses it.
    The clock goes on from the market's last record; with `is_clock_accepted` however far that is.
    Raises InputError or JournalError, one line that says what to do.
    """
    clock = clock or MarketClock()
    place = folder / JOURNAL
    # Whatever is wrong with what was given is found before a folder is made for it.
    keys = [] if start is None else _first_keys(start.operator_key)
    if not holds_journal(place):
        if start is None:
            raise InputError(str(folder), "journal", "is missing; name the folder of a market")
        if views_url is not None:
            open_database(views_url).close()
        _create(place, start, keys)
    journal = Journal.open(place)
    try:
        market, views = _read(folder, journal, views_url, engines)
        if market.engine.now > market.parameters.start_time:
            clock.begin(market.engine.now, is_accepted=is_clock_accepted)
    except BaseException:
        journal.close()
        raise
    sequencer = Sequencer(journal, market, snapshot_every=snapshot_every)
    return Node(sequencer, views, clock=clock)


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


def _first_keys(operator_key: str | None) -> list[bytes]:
    """The operator's key as the body of a KEY record, if there is one. Raises InputError."""
    if operator_key is None:
        return []
    try:
        key = parse_public_key(operator_key)
    except ApiError as error:
        reason = f"{error.message}; give the public half of an ed25519 key pair in base64"
        raise InputError("market", "--operator-key", reason) from None
    return [encode_addition(key, Role.OPERATOR, NO_ACCOUNT)]


def _create(place: Path, start: Start, keys: list[bytes]) -> None:
    """A journal whose head has all that the market begins with, so that it is there or not."""
    place.parent.mkdir(parents=True, exist_ok=True)
    Journal.create(place, encode_head(start.parameters, start.terms, keys)).close()


def _read(
    folder: Path, journal: Journal, views_url: str | None, engines: EngineFactory
) -> tuple[Market, Views]:
    try:
        parameters = head_parameters(journal.head)
        url = f"sqlite:///{folder / VIEWS}" if views_url is None else views_url
        views = Views.open(url, parameters)
        try:
            return _recover(journal, engines, views), views
        except BaseException:
            views.close()
            raise
    except MarketError as error:
        raise InputError(str(folder), "market", str(error)) from error


def _recover(journal: Journal, engines: EngineFactory, views: Views) -> Market:
    """The market, and the views brought to where it is."""

    def listen(outcomes: Sequence[Outcome]) -> None:
        apply_to_views(views, outcomes)
        views.commit()

    market = recover(journal, engines, listen, views.applied)
    if views.applied > market.commands:
        # They are of a longer journal than there is: of one that was cut, or of another market.
        views.rebuild(())
        market = recover(journal, engines, listen, 0)
    return market
