"""Forecasts of a served market: of an account in rounds of ADL, and of pools that fill.

An account's forecast is made in a process apart, of a copy of the book; one at a time, and few
wait. Between two copies `FORECAST_REST` times as long passes as the writer was held for the first.
Pools are read once a minute, and go on as they did for an hour at the most.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from solvent.domain.units import HOUR, SECOND
from solvent.foresight.flows import PoolAt, PoolTimes, pool_times, pools_at
from solvent.service.core.ahead.apart import Apart, ApartError
from solvent.service.core.ahead.rounds import RoundsTold, decode_rounds
from solvent.service.core.ahead.tasks import FORECAST
from solvent.service.core.market import Outcome
from solvent.service.core.sequencer import Sequencer
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import FORECAST_REST, FORECAST_SECONDS, QUESTIONS

MINUTE = 60 * SECOND
_UNAVAILABLE = 503


class PoolsAhead(NamedTuple):
    """When pools are throttled and full at the flow since a time, microseconds UTC."""

    since: int
    now: int
    times: Sequence[PoolTimes]


class Forecasts:
    """Forecasts of a sequencer's market."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._apart = Apart(FORECAST_SECONDS)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._not_before = 0.0
        self._readings: deque[Sequence[PoolAt]] = deque()
        self._held = threading.Lock()

    def hear(self, _: Sequence[Outcome]) -> None:
        """In the writer's thread: read the pools where a minute has gone by."""
        engine = self._sequencer.market.engine
        with self._held:
            readings = self._readings
            if readings and engine.now < readings[-1][0].time + MINUTE:
                return
            if engine.now:
                readings.append(pools_at(engine))
            while len(readings) > 1 and readings[1][0].time <= engine.now - HOUR:
                readings.popleft()

    def pools(self) -> PoolsAhead | None:
        """When pools are throttled and full; None until there is a flow. The market is held."""
        engine = self._sequencer.market.engine
        with self._held:
            earlier = self._readings[0] if self._readings else ()
        if not earlier or earlier[0].time >= engine.now:
            return None
        return PoolsAhead(earlier[0].time, engine.now, pool_times(earlier, engine))

    async def rounds(self, account: int) -> RoundsTold:
        """The rounds that could reach an account, of the book as it is when its turn comes."""
        if self._waiting >= QUESTIONS:
            raise _unavailable("too many forecasts wait: try again later", retry_after=1)
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(self._not_before - time.monotonic())
                return decode_rounds(await asyncio.to_thread(self._ask, account))
        except ApartError as error:
            raise _unavailable(f"the forecast was not made: {error}") from None
        finally:
            self._waiting -= 1

    def _ask(self, account: int) -> bytes:
        with self._sequencer.lock:
            began = time.monotonic()
            state = self._sequencer.market.engine.snapshot()
            ended = time.monotonic()
        self._not_before = ended + FORECAST_REST * (ended - began)
        return self._apart.ask(FORECAST, state, str(account).encode())

    def close(self) -> None:
        """End what is being forecast."""
        self._apart.close()


def _unavailable(message: str, retry_after: int = 0) -> ApiError:
    return ApiError(_UNAVAILABLE, ApiErrorCode.SERVER_ERROR, message, retry_after=retry_after)
