"""The standing of a market: what it owes and has, and the hash of the state that this is true of.

Hashing a state takes long where it is large, and the market stands still for it: it is done in a
thread, and `paced`.
"""

from typing import NamedTuple

from solvent.domain.readings import PoolReport
from solvent.service.core.paced import Paced
from solvent.service.core.sequencer import Sequencer


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
        self._paced = Paced(self._take, apart=True)

    @property
    def taken(self) -> int:
        """How many hashes were taken."""
        return self._paced.times

    async def now(self) -> Standing:
        """The standing after all that was durable when this was asked."""
        wanted = self._sequencer.journal.sequence
        return await self._paced.now(lambda latest: latest.records >= wanted)

    def _take(self) -> Standing:
        sequencer = self._sequencer
        with sequencer.lock:
            queries = sequencer.market.queries
            assets = range(len(sequencer.market.parameters.assets))
            return Standing(
                tuple(queries.pool(asset) for asset in assets),
                len(queries.liquidating()),
                sequencer.market.engine.state_hash(),
                sequencer.journal.sequence,
                sequencer.journal.digest.hex(),
            )
