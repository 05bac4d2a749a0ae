"""Where a node stands: its part in a cluster, and how far it has carried out what there is.

What is carried out is numbered: records of the journal of a node that is alone, frames of a
cluster's log, the same on every node. Whoever asks may name the number that must be carried out.
"""

import asyncio
from typing import NamedTuple

from solvent.service.api.objects.system import Part


class Place(NamedTuple):
    """A node's part, the latest frame or record carried out, and the epoch of that.

    `lag` frames of the log were not carried out when its end was last asked for, and for `quiet`
    seconds none was. Of a node that is alone all of them are 0. `node` is its number, and `leader`
    that of the node that wrote the latest frame, once it has seen one.
    """

    part: Part
    sequence: int
    epoch: int = 0
    lag: int = 0
    quiet: float = 0.0
    node: int = 0
    leader: int | None = None


class Reached:
    """The number of what is carried out and published, on the event loop."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self._waiting: set[tuple[int, asyncio.Future[None]]] = set()

    def tell(self, sequence: int) -> None:
        """So much is carried out and published."""
        self.sequence = sequence
        for least, waiting in self._waiting:
            if least <= sequence and not waiting.done():
                waiting.set_result(None)

    async def wait(self, least: int, seconds: float) -> bool:
        """Whether `least` is reached, now or after some seconds at most."""
        if least <= self.sequence:
            return True
        one = least, asyncio.get_running_loop().create_future()
        self._waiting.add(one)
        try:
            async with asyncio.timeout(seconds):
                await one[1]
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(one)
        return True
