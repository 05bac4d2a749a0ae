"""The end of a service, over real sockets: everybody is told, and nobody holds it up."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from solvent.service.core.opening import Start, open_node
from solvent.service.limits import CONNECTIONS, LISTENERS
from solvent.service.listening import OWN_FILES, Address
from solvent.service.serve import serve
from tests.service.clients.served import PATIENCE, serving
from tests.tables.market import plain_parameters

TOLD = (1001, "the service is shutting down")


def ended(socket: ClientConnection) -> tuple[int | None, str | None]:
    """Read to the end of a connection; why it ended."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(PATIENCE)
    return socket.close_code, socket.close_reason


def test_listeners_are_told_that_the_service_goes_away(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with serving(tmp_path, "--demo") as service:
            idle, busy = (
                stack.enter_context(connect(service.streams, ping_interval=None)) for _ in "ab"
            )
            streams = ["depth.SOL_USDC", "markPrice.SOL_USDC"]
            busy.send(json.dumps({"method": "SUBSCRIBE", "params": streams}))
            assert "stream" in json.loads(busy.recv(PATIENCE))
        assert ended(idle) == TOLD
        assert ended(busy) == TOLD


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_service_that_is_busy(tmp_path: Path, number: signal.Signals) -> None:
    """Also when more was handed to its loop than the loop's wake-up pipe holds."""
    node = open_node(tmp_path, Start(plain_parameters()))

    async def busy(_at: Address) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(50_000):
            loop.call_soon_threadsafe(int)
        os.kill(os.getpid(), number)

    async def served() -> int:
        async with asyncio.timeout(PATIENCE):
            return await serve(node, Address("127.0.0.1", 0), on_ready=busy)

    before = signal.getsignal(number)
    assert asyncio.run(served()) == 0
    assert signal.getsignal(number) == before


def test_as_many_files_may_be_open_as_there_may_be_connections() -> None:
    code = (
        "import resource as r; from solvent.service.listening import allow_open_files as f;"
        "_, most = r.getrlimit(r.RLIMIT_NOFILE); r.setrlimit(r.RLIMIT_NOFILE, (64, most));"
        "f(); print(*r.getrlimit(r.RLIMIT_NOFILE), most)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    least, most, before = map(int, done.stdout.split())
    assert most == before
    wanted = CONNECTIONS + LISTENERS + OWN_FILES
    assert least == (wanted if most < 0 else min(wanted, most))
