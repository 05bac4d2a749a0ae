"""The desk: the running service behind its handlers.

It owns the sequencer, the views, the publisher and the clock, and connects them: what the writer
made durable goes to the views in a thread of their own and to the streams on the event loop. A
handler reads the market under `reading`, which waits for the batch in work and never blocks the
loop, and the past through `past`, which waits until the views have seen what was acknowledged.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from solvent.domain.commands import ChangeParameter, Command, TimeStep
from solvent.domain.units import SECOND
from solvent.service.endpoints import TRADERS
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.keys import Principal
from solvent.service.limits import ANSWER_SECONDS, VIEWS_QUEUE
from solvent.service.market import Market, Outcome
from solvent.service.metrics import Metrics
from solvent.service.proposals import approval_body
from solvent.service.records import Record, commands_record
from solvent.service.replies import Answer
from solvent.service.sequencer import QueueFullError, Sequencer, WriterStoppedError
from solvent.service.signing import verify_subscription
from solvent.service.streams.publisher import Publisher
from solvent.views.market_views import Views
from solvent.views.memo import Memo

LOG = logging.getLogger("solvent.desk")
BAD_REQUEST = 400
FORBIDDEN = 403
UNAVAILABLE = 503
FLUSH_SECONDS = 0.05
"""How often streams are sent what gathered for them."""

Found = TypeVar("Found")
Clock = Callable[[], int]


def wall_clock() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1000


class ViewsWriter:
    """Lets outcomes into the views, in their order, in a thread of its own."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.lock = threading.Lock()
        self._queue: queue.Queue[Sequence[Outcome] | None] = queue.Queue(VIEWS_QUEUE)
        self._changed = threading.Condition()
        self._applied = views.applied
        self._thread = threading.Thread(target=self._run, name="views", daemon=True)
        self.failed: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, outcomes: Sequence[Outcome]) -> None:
        """Hand outcomes in; waits when too many wait already."""
        self._queue.put(outcomes)

    def wait_for(self, commands: int) -> None:
        """Wait until so many commands are in the views."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._applied >= commands or self.failed is not None, ANSWER_SECONDS
            )

    def close(self) -> None:
        """Finish what waits."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()
        with self.lock:
            self.views.close()

    def _run(self) -> None:
        while (outcomes := self._queue.get()) is not None:
            if self.failed is not None:
                continue
            groups = [outcomes]
            while not self._queue.empty():
                more = self._queue.get()
                if more is None:
                    self._queue.put(None)
                    break
                groups.append(more)
            try:
                with self.lock:
                    for group in groups:
                        apply_to_views(self.views, group)
                    self.views.commit()
            except Exception as error:
                LOG.exception("the views stopped")
                self.failed = error
            with self._changed:
                self._applied = self.views.applied
                self._changed.notify_all()


def apply_to_views(views: Views, outcomes: Sequence[Outcome]) -> None:
    """Let outcomes into the views that they do not have yet."""
    for outcome in outcomes:
        memo = Memo(*outcome.record.memo) if outcome.record.memo else None
        for result in outcome.results:
            if result.number >= views.applied:
                views.apply(result.number, outcome.record.time, result.command, result.events, memo)


class Desk:
    """The parts of a running service, connected.

    `clock` gives the market's time in microseconds UTC, which is the wall clock's unless a scenario
    is played; windows of signatures are the wall clock's always.
    """

    def __init__(
        self,
        sequencer: Sequencer,
        views: Views,
        *,
        clock: Clock = wall_clock,
        step: int = SECOND,
    ) -> None:
        self.sequencer = sequencer
        self.time = clock
        self.step = step
        self.metrics = Metrics(self)
        self.views_writer = ViewsWriter(views)
        self.publisher = Publisher(self.market.parameters)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: dict[bytes, asyncio.Future[Outcome]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._acknowledged = self.market.commands
        self._lock_waiter = ThreadPoolExecutor(1, thread_name_prefix="reading")
        sequencer.listen(self._on_outcomes)

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
        self.publisher.restore(self.market.queries, self.market.orders.all(), self.market.commands)
        self.publisher.recall(self.views_writer.views, self.time())
        self.views_writer.start()
        self.sequencer.start()
        self._tasks.append(self._loop.create_task(self._flush_streams()))
        if keeps_time:
            self._tasks.append(self._loop.create_task(self._keep_time()))

    async def close(self) -> None:
        """Stop in order: the clock, the writer with a snapshot, the views."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.sequencer.close)
        await asyncio.to_thread(self.views_writer.close)
        self._lock_waiter.shutdown()

    def authenticate(self, signature: list[str]) -> Principal:
        """Whose streams a subscription may have. Raises ApiError."""
        verified = verify_subscription(signature, wall_clock() // 1000, self.market.keys)
        if verified.principal.role not in TRADERS:
            raise ApiError(FORBIDDEN, ApiErrorCode.FORBIDDEN, "the key's role may not do this")
        return verified.principal

    # Writing.

    async def submit(self, record: Record) -> Answer:
        """The answer to a request; to one that came before, the first answer."""
        if record.digest:
            first = self.first_answer(record.digest, record.expires)
            if first is not None:
                return first
            pending = self._pending.get(record.digest)
            if pending is not None:
                return (await self._await(pending)).answer
        future = self._submit(record)
        if record.digest:
            # A caller that goes away leaves the request pending until it is answered.
            self._pending[record.digest] = future
            future.add_done_callback(lambda _: self._pending.pop(record.digest, None))
        return (await self._await(future)).answer

    def first_answer(self, digest: bytes, expires: int) -> Answer | None:
        """The answer to a signed request, if it came before.

        Raises ApiError for one that may have come and been forgotten.
        """
        replies = self.market.replies
        first = replies.find(digest)
        if first is None and replies.is_forgotten(expires):
            raise ApiError(BAD_REQUEST, ApiErrorCode.INVALID_CLIENT_REQUEST, "Request has expired")
        return first

    def _submit(self, record: Record) -> "asyncio.Future[Outcome]":
        try:
            future = asyncio.wrap_future(self.sequencer.submit(record), loop=self._loop)
        except QueueFullError:
            raise ApiError(
                UNAVAILABLE, ApiErrorCode.TOO_MANY_REQUESTS, "too much waits: try again later"
            ) from None
        except WriterStoppedError:
            raise _stopped() from None
        future.add_done_callback(_note)
        return future

    @staticmethod
    async def _await(future: "asyncio.Future[Outcome]") -> Outcome:
        try:
            return await asyncio.shield(future)
        except WriterStoppedError:
            raise _stopped() from None

    async def command(self, *commands: Command) -> Outcome:
        """Hand in commands that no client signed: time, prices of an own feed, a demo's people."""
        return await self._await(self._submit(commands_record(self.time(), list(commands))))

    def apply(self, *commands: Command) -> Outcome:
        """As `command`, for another thread than the event loop's."""
        return self.sequencer.submit(commands_record(self.time(), list(commands))).result()

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
        return await asyncio.to_thread(self._ask, question, self._acknowledged)

    def _ask(self, question: Callable[[Views], Found], commands: int) -> Found:
        writer = self.views_writer
        writer.wait_for(commands)
        if writer.failed is not None:
            raise ApiError(UNAVAILABLE, ApiErrorCode.SERVER_ERROR, "history is not available")
        with writer.lock:
            return question(writer.views)

    # What happens by itself.

    def _on_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """In the writer's thread."""
        self.views_writer.put(outcomes)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish, outcomes)

    def _publish(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.metrics.note(outcome)
            for result in outcome.results:
                self._acknowledged = max(self._acknowledged, result.number + 1)
                self.publisher.publish(
                    result.number,
                    outcome.record.time,
                    result.command,
                    result.events,
                    self.market.queries,
                )

    async def _flush_streams(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if self.publisher.has_news:
                async with self.reading():
                    self.publisher.flush()

    async def _keep_time(self) -> None:
        """Step the engine's time; make the parameter changes that are due."""
        while not self.sequencer.has_ended:
            now = self.time()
            await asyncio.sleep((self.step - now % self.step) / SECOND)
            try:
                await self.step_to(self.time())
            except ApiError as error:
                LOG.warning("a step of time was left out", extra={"reason": error.message})

    async def step_to(self, now: int) -> None:
        """Let the time be `now`."""
        async with self.reading():
            proposals = list(self.market.proposals.due(now))
        for proposal in proposals:
            change = proposal.decoded
            assert isinstance(change, ChangeParameter)
            record = commands_record(now, [change])
            body = approval_body(proposal.number, proposal.proposer)
            await self._await(self._submit(_with_body(record, body)))
        if now > self.market.engine.now:
            await self.command(TimeStep(now))


def _with_body(record: Record, body: bytes) -> Record:
    return Record(record.kind, record.time, commands=record.commands, body=body)


def _stopped() -> ApiError:
    return ApiError(UNAVAILABLE, ApiErrorCode.MAINTENANCE, "the service has stopped")


def _note(future: "asyncio.Future[Outcome]") -> None:
    """Look at an exception, so that nobody complains that nobody did."""
    if not future.cancelled():
        future.exception()
