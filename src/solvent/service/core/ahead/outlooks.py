"""Outlooks: questions about other prices, asked of an image of the market in a thread of their own.

The writer waits only while the image is brought up to date. One question is asked at a time, after
each as long passes as it took, so that all of them together take half of one core at the most; few
may wait, and the others are told to come again.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from solvent.engine.engine import FastEngine
from solvent.foresight.what_if import Outlook
from solvent.service.core.sequencer import Sequencer
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import QUESTIONS

_UNAVAILABLE = 503
Found = TypeVar("Found")


class Outlooks:
    """Answers questions about a sequencer's market; the image is made when first asked."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._outlook: Outlook | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._not_before = 0.0

    async def ask(self, question: Callable[[Outlook], Found]) -> Found:
        """The answer to a question, of the market as it is when its turn comes."""
        if self._waiting >= QUESTIONS:
            raise ApiError(
                _UNAVAILABLE,
                ApiErrorCode.TOO_MANY_REQUESTS,
                "too many questions wait: try again later",
                retry_after=1,
            )
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.sleep(self._not_before - time.monotonic())
                began = time.monotonic()
                try:
                    return await asyncio.to_thread(self._answer, question)
                finally:
                    ended = time.monotonic()
                    self._not_before = ended + ended - began
        finally:
            self._waiting -= 1

    def _answer(self, question: Callable[[Outlook], Found]) -> Found:
        engine = self._sequencer.market.engine
        if not isinstance(engine, FastEngine):
            with self._sequencer.lock:
                taken = engine.snapshot()
            return question(Outlook(FastEngine.restore(taken)))
        if self._outlook is None:
            self._outlook = Outlook(engine, lambda: self._sequencer.lock)
        else:
            self._outlook.refresh()
        return question(self._outlook)
