"""Past: a second market that is where this one was at a time, made from the same journal.

It goes forward through the records as it is asked for later times, and keeps what it was now and
then, so that going back is not going through everything again. It has no clock and takes nothing:
whatever is asked of it, the market that is served does not notice.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.service.core.market import Market, MarketError
from solvent.service.core.records import Record, decode_record
from solvent.service.core.sequencer import Sequencer
from solvent.service.errors import ApiError, ApiErrorCode

BATCH = 512
KEEP_EVERY = 8_192
"""Records after which what the market is then is kept."""
KEPT = 24
"""How many of these are kept; where there are more, every second one goes."""
_UNAVAILABLE = 503
Found = TypeVar("Found")


class _Kept(NamedTuple):
    """What a market was before the record of a number, whose time is not before `time`."""

    time: int
    number: int
    saved: bytes | None


class Past:
    """Shows the market of a sequencer's journal as it was."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._turn = asyncio.Lock()
        self._kept: list[_Kept] = []
        self._market: Market | None = None
        self._at = _Kept(0, 0, None)
        self._every = KEEP_EVERY

    async def ask(self, time: int, question: Callable[[Market, int], Found]) -> Found:
        """Ask the market as it was at a time (microseconds UTC), after so many records.

        Where that is before its beginning it is asked as it began, after it as it is. Raises
        ApiError where the journal cannot be read.
        """
        async with self._turn:
            try:
                return await asyncio.to_thread(self._answer, time, question)
            except (MarketError, InputError) as error:
                raise ApiError(_UNAVAILABLE, ApiErrorCode.SERVER_ERROR, str(error)) from None

    def _answer(self, time: int, question: Callable[[Market, int], Found]) -> Found:
        if self._market is None or time < self._at.time:
            self._go_back(time)
        self._go_on(time)
        assert self._market is not None
        return question(self._market, self._at.number)

    def _go_back(self, time: int) -> None:
        """Be the latest of what is kept that is not after a time, or the oldest there is."""
        journal = self._sequencer.journal
        if not self._kept:
            self._kept = [_first(self._sequencer)]
        self._at = max((each for each in self._kept if each.time <= time), default=self._kept[0])
        self._market = Market(journal.head, FastEngine, self._at.saved)

    def _go_on(self, time: int) -> None:
        """Let the records up to a time happen."""
        batch: list[Record] = []
        for _, data in self._sequencer.journal.records(self._at.number):
            record = decode_record(data)
            if record.time > time:
                break
            batch.append(record)
            if len(batch) == BATCH:
                self._carry_out(batch)
                batch = []
        self._carry_out(batch)

    def _carry_out(self, batch: list[Record]) -> None:
        if not batch:
            return
        market = self._market
        assert market is not None
        self._market = None
        market.carry_out(batch)
        self._market = market
        self._at = _Kept(batch[-1].time, self._at.number + len(batch), None)
        if self._at.number - self._kept[-1].number >= self._every:
            self._kept.append(self._at._replace(saved=market.save()))
            if len(self._kept) > KEPT:
                self._kept = self._kept[::2]
                self._every *= 2


def _first(sequencer: Sequencer) -> _Kept:
    """The oldest that a journal can be read from: its beginning, unless that is in an archive."""
    journal = sequencer.journal
    if journal.first == 0:
        return _Kept(0, 0, None)
    oldest = min(journal.good_snapshots())
    return _Kept(0, oldest[0], oldest[1])
