"""Paced: what takes long to find out is found out for all who ask at once, and not too often.

Who asks is told what was found out after he asked. Ten times as long passes as it took, at least,
until it is found out again: however many ask, it takes no more than a tenth of anybody's time.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

PAUSES = 9
"""How many times as long as it took passes until the next time."""
Found = TypeVar("Found")


class Paced(Generic[Found]):
    """Finds out by `find`, in a thread if it is `apart` from the event loop."""

    def __init__(self, find: Callable[[], Found], *, apart: bool = False) -> None:
        self._find = find
        self._apart = apart
        self._turn = asyncio.Lock()
        self._latest: list[Found] = []
        self._began = 0.0
        self._not_before = 0.0
        self.times = 0
        """How often it was found out."""

    async def now(self, is_still: Callable[[Found], bool] = lambda _: False) -> Found:
        """What is so now; what was found out before does where it `is_still` so."""
        asked = time.monotonic()
        async with self._turn:
            if not self._latest or not (self._began > asked or is_still(self._latest[0])):
                await asyncio.sleep(self._not_before - time.monotonic())
                self._began = time.monotonic()
                found = await asyncio.to_thread(self._find) if self._apart else self._find()
                self._latest = [found]
                self.times += 1
                ended = time.monotonic()
                self._not_before = ended + PAUSES * (ended - self._began)
            return self._latest[0]
