"""The standing of a market: what it owes and has, and the hash of the state that this is true of.

Hashing a state takes long where it is large, and the market stands still for it. So it is done in a
thread, once for all who ask, and not again until ten times as long has passed as it took: whatever
is asked, the writer keeps nine tenths of its time. Who asks is told what was true then or later.
"""

import asyncio
import time
from typing import NamedTuple

from solvent.domain.readings import PoolReport
from solvent.service.core.sequencer import Sequencer

PAUSES = 9
"""How many times as long as a hash took the next one waits."""


class Standing(NamedTuple):
    """All pools, how many accounts are liquidated, the state's hash and the journal's digest."""

    pools: tuple[PoolReport, ...]
    liquidating: int
    state_hash: str
    records: int
    digest: str


class Standings:
    """Tells the standing of a sequencer's market."""

    def __init__(self, sequencer: Sequencer) -> None:
        self._sequencer = sequencer
        self._turn = asyncio.Lock()
        self._latest: Standing | None = None
        self._not_before = 0.0
        self.taken = 0
        """How many hashes were taken."""

    async def now(self) -> Standing:
        """The standing after all that was durable when this was asked."""
        wanted = self._sequencer.journal.sequence
        async with self._turn:
            if self._latest is None or self._latest.records < wanted:
                await asyncio.sleep(self._not_before - time.monotonic())
                began = time.monotonic()
                self._latest = await asyncio.to_thread(self._take)
                ended = time.monotonic()
                self._not_before = ended + PAUSES * (ended - began)
            return self._latest

    def _take(self) -> Standing:
        sequencer = self._sequencer
        with sequencer.lock:
            queries = sequencer.market.queries
            assets = range(len(sequencer.market.parameters.assets))
            self.taken += 1
            return Standing(
                tuple(queries.pool(asset) for asset in assets),
                len(queries.liquidating()),
                sequencer.market.engine.state_hash(),
                sequencer.journal.sequence,
                sequencer.journal.digest.hex(),
            )
