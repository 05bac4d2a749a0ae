"""The node: the running service behind its handlers.

It owns the sequencer, the views, the publisher and the clock, and connects them: what the writer
made durable goes to the views in a thread of their own and to the streams on the event loop. The
loop is woken once for a batch and then tells everybody in it; the views lag behind, and write what
gathered when somebody asks for the past. A handler reads the market under `reading`, which waits
for the batch in work and never blocks the loop, and the past through `past`, which waits until the
views have seen what was acknowledged.
"""

import asyncio
import gc
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

from solvent.domain.commands import Command, TimeStep
from solvent.domain.events import Refused
from solvent.domain.units import SECOND
from solvent.history.market_views import Views
from solvent.history.tables.database import DatabaseDamagedError, DatabaseError
from solvent.service.api.intake import Payment, Toll
from solvent.service.api.signing import Verified, verify_subscription
from solvent.service.authority.acts import Carry, encode_act
from solvent.service.authority.audit import AuditEntry
from solvent.service.authority.audit_file import AuditFile
from solvent.service.authority.model import AUDIT_ROLES
from solvent.service.console.past import Past
from solvent.service.core.ahead.certificates import Certificates
from solvent.service.core.ahead.forecasts import Forecasts
from solvent.service.core.ahead.outlooks import Outlooks
from solvent.service.core.ahead.rehearsals import Rehearsals
from solvent.service.core.archiver import Archiver
from solvent.service.core.clock import MarketClock, wall_clock
from solvent.service.core.cluster.sights import Sights
from solvent.service.core.history_writer import ViewsWriter
from solvent.service.core.idempotency import Answer, InFlight, Ticket
from solvent.service.core.keys import WITH_ACCOUNT
from solvent.service.core.market import Market, Outcome
from solvent.service.core.metrics import Metrics
from solvent.service.core.paced import Paced
from solvent.service.core.place import Reached
from solvent.service.core.records import Record, RecordKind, commands_record
from solvent.service.core.sequencer import (
    AskAgainError,
    QueueFullError,
    Sequencer,
    Told,
    WriterStoppedError,
)
from solvent.service.core.standing import Standings
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import READERS
from solvent.service.streams.publisher import Publisher
from solvent.service.streams.subscriptions import AUDIT
from solvent.service.wire import ms
from solvent.solvency.certificate import Certificate

__all__ = ["Node", "wall_clock"]

LOG = logging.getLogger("solvent.node")
FORBIDDEN = 403
UNAVAILABLE = 503
FLUSH_SECONDS = 0.05
"""How often streams are sent what gathered for them."""
LOOK_SECONDS = 0.5
"""How often the clock is compared with the wall clock."""
COLLECTION = (50_000, 20, 100)
"""When Python looks for garbage in cycles: requests leave much that stays for a while, and hardly
any cycles, so it looks seldom, and never at what was there when the node was opened.
"""

Found = TypeVar("Found")


class Player(Protocol):
    """Whoever plays a scenario in a market."""

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        ...

    @property
    def speed(self) -> int:
        """Seconds of the scenario in one, thousandths."""
        ...

    @property
    def is_paused(self) -> bool:
        """Whether its time stands still."""
        ...

    @property
    def end(self) -> int:
        """When the scenario's own prices end, microseconds UTC."""
        ...

    def play(self, speed: int, *, is_paused: bool) -> None:
        """Go on at another speed, or stand still."""

    async def report(self) -> bytes:
        """The report of what was played, as a page, once all of it is. Raises InputError."""
        ...


class Demo(NamedTuple):
    """A market for trying out, and who plays a scenario in it, if somebody does."""

    player: Player | None = None


class Node:
    """The parts of a running service, connected.

    `clock` gives the market's time and the one that signatures are judged by.
    """

    def __init__(
        self,
        sequencer: Sequencer,
        views_writer: ViewsWriter,
        *,
        clock: MarketClock | None = None,
        step: int = SECOND,
        audit: AuditFile | None = None,
    ) -> None:
        self.sequencer = sequencer
        self.clock = clock or MarketClock()
        self.step = step
        self.archiver = Archiver(sequencer.journal)
        sequencer.on_snapshot = self.archiver.wake
        self.metrics = Metrics(
            sequencer, self.clock, views_writer, self.archiver, lambda: self.is_ready
        )
        self.audit_file = audit
        self.hear_act: Callable[[AuditEntry], None] = _unheard
        """Told of every act of staff, on the loop, before whoever asked is answered."""
        self.before_answers: Callable[[], Awaitable[None] | None] = _at_once
        """Asked on the loop, when all was published, what answers have to wait for."""
        self.demo: Demo | None = None
        """Whether strangers may open accounts and give themselves money, and what is played."""
        self.views_writer = views_writer
        self.publisher = Publisher(self.market.parameters, secret=sequencer.journal.secret)
        self.sights = Sights(sequencer.nodes)
        self.standings = Standings(sequencer)
        self.outlooks = Outlooks(sequencer)
        self.past_market = Past(sequencer)
        self.certificates = Certificates(sequencer, sequencer.journal.folder.parent)
        self.forecasts = Forecasts(sequencer)
        self.rehearsals = Rehearsals(sequencer, self.clock)
        self.metrics_text = Paced(self.metrics.text)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._in_flight: InFlight[Outcome] = InFlight()
        self._gathered: list[tuple[Record, Ticket[Outcome]]] = []
        self._outcomes: deque[Sequence[Outcome]] = deque()
        self._told: deque[Sequence[Told]] = deque()
        self._answering: set[asyncio.Task[None]] = set()
        self._is_woken = False
        self._tasks: list[asyncio.Task[None]] = []
        self._acknowledged = self.market.commands
        self.reached = Reached(sequencer.applied)
        self._lock_waiter = ThreadPoolExecutor(1, thread_name_prefix="reading")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="past")
        self._thresholds = gc.get_threshold()
        sequencer.listen(self._on_outcomes)
        sequencer.answer_to(self._on_answers)

    @property
    def market(self) -> Market:
        """The market."""
        return self.sequencer.market

    @property
    def is_ready(self) -> bool:
        """Whether requests are carried out."""
        return self._loop is not None and not self.sequencer.has_ended

    async def start(self, *, keeps_time: bool = True) -> None:
        """Start the writer, the views, the streams and, if it `keeps_time`, the clock."""
        self._loop = asyncio.get_running_loop()
        gc.freeze()
        gc.set_threshold(*COLLECTION)
        self.publisher.restore(self.market.queries, self.market.orders.all(), self.market.commands)
        self.views_writer.start()
        await self._recall()
        self.sequencer.start()
        self.archiver.start()
        self.rehearsals.start()
        self._tasks.append(self._loop.create_task(self._flush_streams()))
        self._tasks.append(self._loop.create_task(self._watch_clock()))
        if keeps_time:
            self._tasks.append(self._loop.create_task(self._keep_time()))

    async def close(self) -> None:
        """Stop in order: the clock, the writer with a snapshot, the views."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.rehearsals.close)
        await asyncio.to_thread(self.forecasts.close)
        await asyncio.to_thread(self.archiver.close)
        await asyncio.to_thread(self.sequencer.close)
        await asyncio.to_thread(self.views_writer.close)
        await asyncio.to_thread(self.certificates.close)
        if self.audit_file is not None:
            self.audit_file.close()
        self._lock_waiter.shutdown()
        self._readers.shutdown(wait=False, cancel_futures=True)
        gc.set_threshold(*self._thresholds)
        gc.unfreeze()

    async def _recall(self) -> None:
        """Let streams begin with the day's prices, unless the views do not have them now."""
        try:
            await self.past(lambda views: self.publisher.recall(views, self.clock()))
        except ApiError as error:
            LOG.warning("streams begin without the last day", extra={"reason": error.message})

    def authenticate(
        self, signature: list[str], streams: Sequence[str] = (), connection: str = ""
    ) -> Verified:
        """Who signed a subscription to streams that are not public. Raises ApiError.

        The text may name them and the connection, and then the market as well.
        """
        named = ",".join(streams)
        bound = f"connection={connection}&market={self.market.identity}&streams={named}"
        verified = verify_subscription(signature, ms(self.clock.signing()), self.market.keys, bound)
        roles = {AUDIT: AUDIT_ROLES}
        if any(verified.principal.role not in roles.get(each, WITH_ACCOUNT) for each in streams):
            raise ApiError(FORBIDDEN, ApiErrorCode.FORBIDDEN, "the key's role may not do this")
        return verified

    # Writing.

    async def submit(self, record: Record) -> Answer:
        """The answer to a request; to one that came before, the first answer. Raises ApiError."""
        found = self._found(record)
        return found if isinstance(found, Answer) else (await self._await(found)).answer

    async def take(self, record: Record, signed: Verified | None, toll: Toll) -> Answer:
        """The same; what was paid for it is the node's own already."""
        del signed, toll
        return await self.submit(record)

    def settle(self, paid: Sequence[Payment]) -> None:
        """What was paid is paid."""

    def hand(self, record: Record, hear: Callable[[Answer | ApiError], object]) -> None:
        """As `submit`, for who is told, maybe at once, and waits for nothing. Raises ApiError."""
        found = self._found(record)
        if isinstance(found, Answer):
            hear(found)
            return

        def told(said: Outcome | Exception) -> None:
            if isinstance(said, Outcome):
                hear(said.answer)
            else:
                assert isinstance(said, WriterStoppedError)
                hear(_stopped(said))

        found.then(told)

    def _found(self, record: Record) -> Answer | Ticket[Outcome]:
        """The first answer to a request, or the ticket by which it will be told."""
        if record.digest:
            first = self.market.first_answers.find_unless_forgotten(record.digest, record.expires)
            if first is not None:
                return first
        return self._in_flight.find(record.digest) or self._hand_in(record)

    def _hand_in(self, record: Record) -> Ticket[Outcome]:
        """Hand in with whatever else comes in this turn of the loop."""
        try:
            self.sequencer.refuse_more(len(self._gathered) + 1)
        except QueueFullError:
            raise ApiError(
                UNAVAILABLE, ApiErrorCode.TOO_MANY_REQUESTS, "too much waits: try again later"
            ) from None
        except WriterStoppedError as error:
            raise _stopped(error) from None
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._hand_over)
        ticket: Ticket[Outcome] = Ticket(record.digest)
        self._gathered.append((record, ticket))
        self._in_flight.add(ticket)
        return ticket

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        try:
            self.sequencer.hand_in(gathered)
        except (QueueFullError, WriterStoppedError) as error:
            stopped = error if isinstance(error, AskAgainError) else WriterStoppedError(str(error))
            for _, ticket in gathered:
                self._in_flight.tell(ticket, stopped)

    async def _await(self, ticket: Ticket[Outcome]) -> Outcome:
        try:
            return await ticket.said()
        except WriterStoppedError as error:
            raise _stopped(error) from None

    async def command(self, *commands: Command) -> Outcome:
        """Hand in commands that no client signed: time, prices of an own feed, a demo's people."""
        return await self._await(self._hand_in(commands_record(self.clock(), list(commands))))

    async def certify(self) -> Certificate:
        """A certificate of what is so after a record that does nothing else."""
        issuing = asyncio.ensure_future(self.certificates.issue())
        await asyncio.sleep(0)
        await self.command()
        return await issuing

    # Reading.

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Hold the market still."""
        lock = self.sequencer.lock
        if not lock.acquire(blocking=False):
            acquiring = asyncio.wrap_future(self._lock_waiter.submit(lock.acquire))
            try:
                await asyncio.shield(acquiring)
            except asyncio.CancelledError:
                # The thread will have the lock all the same.
                acquiring.add_done_callback(lambda _: lock.release())
                raise
        try:
            yield
        finally:
            lock.release()

    async def past(self, question: Callable[[Views], Found]) -> Found:
        """Ask the views once they have seen all that was acknowledged."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._ask, question, self._acknowledged)

    def _ask(self, question: Callable[[Views], Found], commands: int) -> Found:
        writer = self.views_writer
        if not writer.wait_for(commands):
            raise _behind()
        with writer.lock:
            if writer.views is None:
                raise _behind()
            try:
                return question(writer.views)
            except DatabaseError as error:
                if isinstance(error, DatabaseDamagedError):
                    writer.report_damage()
                LOG.warning("history cannot be read", extra={"reason": type(error).__name__})
                raise _behind() from error

    async def audit_from(self, first: int, limit: int) -> Sequence[AuditEntry]:
        """At most `limit` entries of the audit log from number `first` on."""
        log = self.market.desk.audit
        if self.audit_file is not None and first <= log.count - len(log.latest):
            return await asyncio.to_thread(self.audit_file.read, first, limit)
        return list(islice(log.since(first), limit))

    # What happens by itself.

    def _on_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """In the writer's thread."""
        if self.audit_file is not None:
            self.audit_file.write(each.entry for each in outcomes if each.entry is not None)
        self.rehearsals.hear(outcomes)
        self.forecasts.hear(outcomes)
        self.certificates.hear(outcomes)
        self.views_writer.put(outcomes)
        self._outcomes.append(outcomes)

    def _on_answers(self, told: Sequence[Told]) -> None:
        """In the writer's thread, after `_on_outcomes`; wakes the loop unless it is woken."""
        self._told.append(told)
        if self._loop is not None and not self._is_woken and not self._loop.is_closed():
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._tell_all)

    def _tell_all(self) -> None:
        """On the loop: what was done is published first, so that whoever is answered finds it."""
        self._is_woken = False
        told = [one for _ in range(len(self._told)) for one in self._told.popleft()]
        applied = self.sequencer.applied
        while self._outcomes:
            self._publish(self._outcomes.popleft())
        self.reached.tell(applied)
        holding = self.before_answers()
        if holding is None:
            self._answer(told)
            return
        task = asyncio.ensure_future(self._answer_after(holding, told))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def _answer(self, told: Sequence[Told]) -> None:
        for ticket, said in told:
            self._in_flight.tell(ticket, said)

    async def _answer_after(self, holding: Awaitable[None], told: Sequence[Told]) -> None:
        try:
            await holding
        finally:
            self._answer(told)

    def _publish(self, outcomes: Sequence[Outcome]) -> None:
        note, publish, queries = self.metrics.note, self.publisher.publish, self.market.queries
        for outcome in outcomes:
            note(outcome)
            if outcome.entry is not None:
                self.hear_act(outcome.entry)
            if outcome.transcript:
                self._acknowledged = outcome.transcript.end
                publish(outcome.record.time, outcome.transcript, queries)

    async def _flush_streams(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if self.publisher.has_news:
                async with self.reading():
                    self.publisher.flush()

    async def _watch_clock(self) -> None:
        while True:
            self.clock.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep_time(self) -> None:
        """Step the engine's time, where this node leads; carry out the proposals that are due."""
        while not self.sequencer.has_ended:
            now = self.clock()
            await asyncio.sleep((self.step - now % self.step) / SECOND)
            if not self.sequencer.leads:
                continue
            try:
                await self.step_to(self.clock())
            except ApiError as error:
                LOG.warning("a step of time was left out", extra={"reason": error.message})

    async def step_to(self, now: int) -> None:
        """Let the time be `now`."""
        async with self.reading():
            due = list(self.market.desk.due(now, self.market))
        for number in due:
            body = encode_act(Carry(number))
            await self._await(self._hand_in(Record(RecordKind.ACT, now, body=body)))
        if now > self.market.engine.now:
            outcome = await self.command(TimeStep(now))
            if any(isinstance(event, Refused) for event in outcome.transcript[0].events):
                LOG.error("a step of time was refused: the market's time stands still")


def _at_once() -> None:
    """For a node whose answers wait for nothing."""


def _unheard(_: AuditEntry) -> None:
    """For a node without streams."""


def _behind() -> ApiError:
    return ApiError(
        UNAVAILABLE,
        ApiErrorCode.SERVER_ERROR,
        "histories are behind and catch up: try again later",
        retry_after=1,
    )


def _stopped(error: WriterStoppedError) -> ApiError:
    said = str(error) if isinstance(error, AskAgainError) else "the service has stopped"
    return ApiError(UNAVAILABLE, ApiErrorCode.MAINTENANCE, said)
