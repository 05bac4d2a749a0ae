"""Whoever plays people's parts in a cluster: what is asked for twice is done once."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from solvent.cluster.frames import requests_of
from solvent.cluster.log import Appended, Stored, Unknown
from solvent.cluster.memory_log import MemoryLog
from solvent.domain import events as e
from solvent.domain.commands import Deposit, OpenAccount
from solvent.domain.parameters import USDC
from solvent.service.core.cluster.replicated import Replication
from solvent.service.core.keys import FIRST_ACCOUNT
from solvent.service.core.node_engine import NodeEngine
from solvent.service.core.opening import Start, open_node
from tests.tables.market import plain_parameters

ACCOUNT, AMOUNT = FIRST_ACCOUNT, 10**6


class Silent(MemoryLog):
    """Of one frame with requests, the second, nobody hears until who wrote it has given up."""

    def __init__(self, *, is_stored: bool) -> None:
        super().__init__()
        self.is_stored = is_stored
        self.hidden, self.is_hiding = "", False
        self.with_requests = 0

    def append(self, expected: int, key: str, frame: bytes) -> Appended:
        if requests_of(frame) and key != self.hidden:
            self.with_requests += 1
            if self.with_requests == 2:
                self.hidden, self.is_hiding = key, True
        if key != self.hidden:
            self.is_hiding = False
            return super().append(expected, key, frame)
        if self.is_stored:
            assert isinstance(super().append(expected, key, frame), Stored)
        return Unknown()

    def read(self, first: int, most: int) -> Sequence[bytes]:
        found = super().read(first, most)
        return found[:-1] if self.is_hiding and self.is_stored else found


@pytest.mark.parametrize("is_stored", [True, False])
def test_what_nobody_answered_is_done_once_and_told(tmp_path: Path, *, is_stored: bool) -> None:
    log = Silent(is_stored=is_stored)
    node = open_node(
        tmp_path,
        Start(plain_parameters()),
        replicate=lambda _: Replication(0, log, lambda _: ()),
    )
    engine = NodeEngine(node)

    async def story() -> None:
        await node.start(keeps_time=False)
        try:
            await asyncio.to_thread(engine.apply_one, OpenAccount(ACCOUNT))
            for _ in range(3):
                events = await asyncio.to_thread(engine.apply_one, Deposit(ACCOUNT, USDC, AMOUNT))
                assert [type(event) for event in events] == [e.Deposited]
            assert log.hidden
            balance = node.market.queries.balances(ACCOUNT)[USDC]
            assert balance.available == 3 * AMOUNT
        finally:
            await node.close()

    asyncio.run(story())
