"""A change was proposed to a node that ends before it rehearsed it: the next that leads has it."""

import asyncio
import base64
import threading
from pathlib import Path

from nacl.signing import SigningKey

from solvent.cluster.memory_log import MemoryLog
from solvent.domain import commands as c
from solvent.domain.units import RATIO, SECOND
from solvent.service.authority.acts import ChangeParameter, encode_act
from solvent.service.authority.model import Terms
from solvent.service.core.ahead.rehearsals import Rehearsals
from solvent.service.core.cluster.replicated import Replication
from solvent.service.core.keys import Role
from solvent.service.core.node import Node
from solvent.service.core.opening import Start, begin_journal, head_of, open_node
from solvent.service.core.records import Record, RecordKind
from tests.tables.market import plain_parameters

WAIT = 60
KEYS = [SigningKey(bytes([each]) * 32) for each in (1, 2)]
CHANGE = c.ChangeParameter(2, c.ParameterField.COLLATERAL_WEIGHT, RATIO // 10)


HANGS = threading.Event()


class Late(Rehearsals):
    """Finds nothing until it is let go."""

    def _rehearsed(self, command: bytes, hours: int) -> bytes:
        HANGS.wait(WAIT)
        return super()._rehearsed(command, hours)


def begun(folder: Path, log: MemoryLog, number: int) -> Node:
    public = [base64.b64encode(bytes(key.verify_key)).decode() for key in KEYS]
    keys = [(Role.RISK_ADMIN, each) for each in public]
    start = Start(plain_parameters(), Terms(2, 3600 * SECOND), keys, b"one market only!")
    begin_journal(folder, head_of(start))
    return open_node(
        folder, None, replicate=lambda _: Replication(number, log, lambda _: ()), keep=None
    )


def test_who_leads_next_rehearses_what_was_proposed(tmp_path: Path) -> None:
    log = MemoryLog()

    async def story() -> None:
        first, second = (begun(tmp_path / str(number), log, number) for number in (0, 1))
        first.rehearsals = Late(first.sequencer, first.clock)
        await first.start(keeps_time=False)
        while not first.sequencer.leads:
            await asyncio.sleep(0.01)
        await second.start(keeps_time=False)
        act = encode_act(ChangeParameter(c.encode_command(CHANGE)))
        who = first.market.keys.find(bytes(KEYS[0].verify_key))
        assert who is not None
        actor = who.number
        await first.submit(Record(RecordKind.ACT, first.clock(), body=act, actor=actor))
        (number,) = first.market.desk.waiting
        # It rehearses while it follows, and cannot say so yet.
        await asyncio.sleep(1)
        assert second.market.desk.lacks_rehearsal(number)
        first.sequencer.hand_over()
        async with asyncio.timeout(WAIT):
            while second.market.desk.lacks_rehearsal(number):
                await asyncio.sleep(0.05)
        proposal = second.market.desk.find(number)
        assert proposal is not None
        assert proposal.rehearsal.document
        HANGS.set()
        await first.close()
        await second.close()

    asyncio.run(story())
