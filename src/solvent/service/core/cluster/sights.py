"""Sights: what the other nodes of a cluster said of themselves lately, for whoever looks here.

They are asked when somebody wants to know and no oftener than `AGAIN_SECONDS`; who wants to know
waits `WAIT_SECONDS` at most, and is then told what each node said last. A node that did not answer
when it was asked last has said nothing.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from solvent import __version__
from solvent.cluster.peers import NodeStatus, PeerError
from solvent.service.core.place import Place

AGAIN_SECONDS = 0.5
WAIT_SECONDS = 0.3


def status_of(place: Place) -> NodeStatus:
    """What a node says of itself."""
    return NodeStatus(__version__, place.part, place.sequence, place.epoch, place.lag, place.quiet)


class NodeAt(NamedTuple):
    """Where a node serves, and how it is asked; None for the node that asks."""

    url: str
    ask: Callable[[], NodeStatus] | None


class Sights:
    """The nodes of a cluster, by their numbers, as one of them sees them; on the event loop."""

    def __init__(self, nodes: Sequence[NodeAt]) -> None:
        self.nodes = nodes
        self._said: dict[int, NodeStatus] = {}
        self._asking: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def now(self) -> Mapping[int, NodeStatus]:
        """What each other node said last of itself."""
        if self._asking is None and time.monotonic() >= self._not_before:
            self._asking = asyncio.create_task(self._ask_all())
        if self._asking is not None:
            await asyncio.wait([self._asking], timeout=WAIT_SECONDS)
        return dict(self._said)

    async def _ask_all(self) -> None:
        try:
            await asyncio.gather(
                *(self._ask(number, at.ask) for number, at in enumerate(self.nodes) if at.ask)
            )
        finally:
            self._asking, self._not_before = None, time.monotonic() + AGAIN_SECONDS

    async def _ask(self, number: int, ask: Callable[[], NodeStatus]) -> None:
        try:
            self._said[number] = await asyncio.to_thread(ask)
        except PeerError:
            self._said.pop(number, None)
