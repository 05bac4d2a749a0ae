"""Remote: the market as a gateway knows it, and the line by which its records are taken.

Keys and parameters are copies that the writer keeps up; the clock goes on as the writer's does.
What becomes of a record only the writer's answer says. Where the line ends before it, nobody here
knows.
"""

import asyncio
from collections.abc import Sequence
from itertools import count

from solvent.domain.codec.parameters import decode_parameters
from solvent.domain.parameters import EngineParameters
from solvent.service.api.intake import Payment, Toll
from solvent.service.api.signing import Verified
from solvent.service.core.clock import MarketClock
from solvent.service.core.idempotency import Answer
from solvent.service.core.keys import KeyRegistry
from solvent.service.core.place import Reached
from solvent.service.core.records import Record
from solvent.service.edge.frames import (
    Changed,
    Counted,
    FromWriter,
    Hand,
    Knows,
    Refused,
    Said,
    Settings,
    Spent,
    Time,
)
from solvent.service.edge.line import Line
from solvent.service.errors import ApiError, ApiErrorCode

UNAVAILABLE = 503
LOST = "the writer has stopped and nobody here knows what became of the request: ask again"
COUNT_SECONDS = 0.5
"""How often the writer is told what was answered."""


class MarketCopy:
    """What is known of the market."""

    def __init__(self, settings: Settings) -> None:
        self.identity = settings.identity
        self.keys = KeyRegistry.decode(settings.keys)
        self.parameters: EngineParameters = decode_parameters(settings.parameters)

    def follow(self, changed: Changed) -> None:
        """Know what changed."""
        self.keys.follow(changed.keys)
        if changed.parameters is not None:
            self.parameters = decode_parameters(changed.parameters)


class Counting:
    """Requests that were answered, until the writer is told of them."""

    def __init__(self, line: Line[FromWriter]) -> None:
        self._line = line
        self._answers: list[tuple[str, int, float]] = []

    def answered(self, tag: str, status: int, seconds: float) -> None:
        """Count a request."""
        if not self._answers:
            asyncio.get_running_loop().call_later(COUNT_SECONDS, self._tell)
        self._answers.append((tag, status, seconds))

    def _tell(self) -> None:
        answers, self._answers = self._answers, []
        self._line.send(Counted(answers))


class Remote:
    """Takes records for the market at the other end of a line."""

    def __init__(self, settings: Settings, line: Line[FromWriter]) -> None:
        self.market = MarketCopy(settings)
        self.clock = MarketClock()
        self.reached = Reached(settings.time.sequence)
        self.metrics = Counting(line)
        self._line = line
        self._told = settings.time.told or 0
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        if settings.time.told is not None:
            self.clock.follow(lambda: self._told)
        self.hear(settings.time)

    async def take(self, record: Record, signed: Verified | None, toll: Toll) -> Answer:
        """The answer of the writer. Raises ApiError."""
        assert signed is not None
        if self._line.has_ended:
            raise lost()
        number = next(self._numbers)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        toll.is_handed_on = True
        self._line.send(Hand(number, signed.key, signed.principal, toll.paid, record))
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    def settle(self, paid: Sequence[Payment]) -> None:
        """Tell the writer what was paid for a request of which no record was made."""
        if paid:
            self._line.send(Spent(list(paid)))

    def hear(self, frame: Time | Changed | Said | Refused) -> None:
        """Know what the writer says."""
        if isinstance(frame, Changed):
            self.market.follow(frame)
            self._line.send(Knows(frame.version))
        elif isinstance(frame, Time):
            self.clock.go_as(frame.ticking)
            self._know(frame.sequence, frame.told)
        else:
            self._answer(frame)

    def lose(self) -> None:
        """No answer comes any more."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(lost())

    @property
    def waiting(self) -> int:
        """How many requests wait for an answer."""
        return len(self._waiting)

    def _answer(self, frame: Said | Refused) -> None:
        self._know(frame.sequence, frame.told if isinstance(frame, Said) else None)
        future = self._waiting.get(frame.number)
        if future is None or future.done():
            return
        if isinstance(frame, Said):
            future.set_result(Answer(frame.status, frame.body))
        else:
            code = ApiErrorCode(frame.code)
            future.set_exception(
                ApiError(frame.status, code, frame.message, retry_after=frame.retry_after)
            )

    def _know(self, sequence: int, told: int | None) -> None:
        if sequence > self.reached.sequence:
            self.reached.tell(sequence)
        if told is not None:
            self._told = max(self._told, told)


def lost() -> ApiError:
    """The error for a request whose line has ended."""
    return ApiError(UNAVAILABLE, ApiErrorCode.MAINTENANCE, LOST)
