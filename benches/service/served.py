"""A served market in a process of its own: benches drive it over real sockets.

    python -m benches.service.served FOLDER GATEWAYS

It says its port once it listens, and then does a line of standard input at a time, `trade N`: N
trades, made durable together. It ends with its input.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benches.common.market import PRICES
from benches.common.measure import WrongAnswerError
from benches.service.signed import admit, endless, market_of_now
from solvent.domain.commands import Command, PlaceOrder, Side, TimeInForce
from solvent.service.core.keys import FIRST_ACCOUNT
from solvent.service.core.node import Node
from solvent.service.core.opening import Start, open_node
from solvent.service.listening import Address
from solvent.service.serve import serve

HOST = "127.0.0.1"
TRADE = "trade"


class Served(NamedTuple):
    """A running server."""

    port: int
    process: "subprocess.Popen[str]"

    def trade(self, count: int) -> None:
        """Let so many trades happen; it is not waited for."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{TRADE} {count}\n")
        self.process.stdin.flush()

    @property
    def worked(self) -> float:
        """Seconds of processor time that it used so far, its gateways apart."""
        return _worked(self.process.pid)

    @property
    def gateways_worked(self) -> float:
        """The same of its gateways together."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        found = " ".join(each.read_text(encoding="utf-8") for each in children).split()
        return sum(_worked(int(child)) for child in found)


def _worked(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    user, system = fields.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(gateways: int = 0) -> Iterator[Served]:
    """A served market with accounts in it, until the block ends. Raises WrongAnswerError."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(Path(folder) / "market"), str(gateways)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            if not said:
                raise WrongAnswerError("the server did not begin")
            yield Served(int(said), process)
        finally:
            process.stdin.close()
            process.wait()
            process.stdout.close()


def _main() -> int:
    node = open_node(Path(sys.argv[1]), Start(market_of_now()))
    driving: list[asyncio.Task[None]] = []

    async def ready(at: Address) -> None:
        await admit(node)
        sys.stdout.write(f"{at.port}\n")
        sys.stdout.flush()
        driving.append(asyncio.create_task(_drive(node)))

    address = Address(HOST, 0)
    return asyncio.run(
        serve(
            node,
            address,
            keeps_time=False,
            on_ready=ready,
            buckets=endless(),
            gateways=int(sys.argv[2]),
        )
    )


async def _drive(node: Node) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        await node.command(*_trades(node, int(line.split()[1])))
    os.kill(os.getpid(), signal.SIGTERM)


def _trades(node: Node, count: int) -> list[Command]:
    """Pairs of orders that meet, of the first two accounts."""
    market = node.market.parameters.assets[1].market
    assert market is not None
    offer = PlaceOrder(FIRST_ACCOUNT, 1, Side.ASK, price=PRICES[1], quantity=market.lot)
    bid = PlaceOrder(
        FIRST_ACCOUNT + 1,
        1,
        Side.BID,
        time_in_force=TimeInForce.IOC,
        price=PRICES[1],
        quantity=market.lot,
    )
    return [offer, bid] * count


if __name__ == "__main__":
    sys.exit(_main())
