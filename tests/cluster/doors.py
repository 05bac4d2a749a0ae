"""Doors between nodes on loopback, whose event loop is a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from solvent.service.core.cluster.replicated import ReplicatedSequencer
from solvent.service.nodes_door import nodes_door


@contextmanager
def answering(sequencer: ReplicatedSequencer, secret: bytes) -> Iterator[str]:
    """The address at which this node answers others."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    door = nodes_door(sequencer, secret)
    port = asyncio.run_coroutine_threadsafe(door.open("127.0.0.1", 0), loop).result()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(door.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
