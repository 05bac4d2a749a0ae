"""The crew: the gateways of a market, begun, kept up with what changes, and replaced when they die.

Whoever was told that a key or a parameter changed can rely on it at every gateway: answers wait
until all have said that they know (`before_answers`). One that does not is killed.
"""

import asyncio
import logging
import socket
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import NamedTuple

from solvent.domain.codec.parameters import encode_parameters
from solvent.domain.errors import InputError
from solvent.service.api.buckets import Buckets
from solvent.service.api.front import Front
from solvent.service.api.http import App
from solvent.service.api.intake import Payment
from solvent.service.core.keys import Row
from solvent.service.core.node import LOOK_SECONDS, Node
from solvent.service.edge.frames import Changed, End, Settings, Spent, Time
from solvent.service.edge.member import Member
from solvent.service.listening import END_SECONDS, Address
from solvent.service.logs import logs_access

LOG = logging.getLogger("solvent.edge")
KNOW_SECONDS = 1.0
"""How long a gateway may take to know what changed."""
READY_SECONDS = 30.0
"""How long it may take to begin."""
REST_SECONDS, MOST_REST_SECONDS = 0.1, 5.0
"""How long a place stays empty after its gateway has died, at first and at most."""
PROGRAM = "solvent.service.edge.gateway"


class _Gateway(NamedTuple):
    """A gateway's process, what it says, and its end."""

    process: "subprocess.Popen[bytes]"
    member: Member
    ended: asyncio.Event


class Crew:
    """All gateways of a node that listen at an address."""

    def __init__(
        self, node: Node, app: App, buckets: Buckets, address: Address, front: Front
    ) -> None:
        self._node = node
        self._app = app
        self._buckets = buckets
        self._address = address
        self._front = front
        self._gateways: set[_Gateway] = set()
        self._changed: deque[Row] = deque()
        self._parameters = node.market.parameters
        self._version = 0
        self._news = asyncio.Event()

    @property
    def members(self) -> list[Member]:
        """Those that are there."""
        return [each.member for each in self._gateways]

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear of what changes."""
        keys, node = self._node.market.keys, self._node
        before = keys.on_change, node.before_answers
        keys.on_change, node.before_answers = self._changed.append, self._tell_changes
        try:
            yield
        finally:
            keys.on_change, node.before_answers = before

    async def keep(self, is_first: asyncio.Event) -> None:
        """Keep one place filled, until cancelled; `is_first` is set when it is for the first time.

        Raises InputError where the first gateway of it does not begin.
        """
        rest = REST_SECONDS
        while True:
            gateway = await self._begin()
            try:
                is_up = await self._is_up(gateway)
                if is_up:
                    rest = REST_SECONDS
                    is_first.set()
                    await gateway.ended.wait()
                elif not is_first.is_set():
                    reason = "a process of it did not begin; standard error says why"
                    raise InputError("market", "--gateways", reason)
            finally:
                await self._end(gateway)
            LOG.warning("a gateway died", extra={"reason": f"exit {gateway.process.returncode}"})
            await asyncio.sleep(rest)
            rest = min(2 * rest, MOST_REST_SECONDS)

    async def tell_time(self) -> None:
        """Tell all how the clock goes on, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for member in self.members:
                member.send(self._time())

    async def _begin(self) -> _Gateway:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            command = [sys.executable, "-P", "-m", PROGRAM, str(theirs.fileno())]
            # Signals of the terminal are for the writer's process, which ends its gateways.
            process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
            )
        ended = asyncio.Event()
        member = Member(self._node, self._app, self._buckets, self._tell_others, ended.set)
        member.on_news = self._news.set
        await member.line.open(ours)
        gateway = _Gateway(process, member, ended)
        async with self._node.reading():
            member.send(self._settings())
            member.knows = self._version
            self._gateways.add(gateway)
        return gateway

    async def _is_up(self, gateway: _Gateway) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while not (gateway.member.is_ready or gateway.ended.is_set()):
                    self._news.clear()
                    await self._news.wait()
        return gateway.member.is_ready

    async def _end(self, gateway: _Gateway) -> None:
        """Let a gateway finish, or kill it."""
        self._gateways.discard(gateway)
        gateway.member.send(End())
        try:
            async with asyncio.timeout(END_SECONDS):
                await gateway.ended.wait()
        except TimeoutError:
            gateway.process.kill()
        gateway.member.line.close()
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(gateway.process.wait, END_SECONDS)
            return
        gateway.process.kill()
        await asyncio.to_thread(gateway.process.wait)

    def _settings(self) -> Settings:
        market, front = self._node.market, self._front
        hosts = None if front.hosts is None else sorted(front.hosts)
        return Settings(
            self._address.host,
            self._address.port,
            (sorted(front.origins), hosts, list(front.proxies), front.has_proxy_line),
            {kind: (rate.a_second, rate.size) for kind, rate in self._buckets.rates.items()},
            market.identity,
            market.keys.encode(),
            list(encode_parameters(market.parameters)),
            self._time(),
            logs_access(),
        )

    def _time(self) -> Time:
        clock = self._node.clock
        told = clock() if clock.is_told else None
        return Time(clock.ticking, told, self._node.reached.sequence)

    def _tell_others(self, one: Member, paid: list[Payment]) -> None:
        for member in self.members:
            if member is not one:
                member.send(Spent(paid))

    def _tell_changes(self) -> Awaitable[None] | None:
        """Tell all what changed; what waits until they know it, where something did."""
        rows = [self._changed.popleft() for _ in range(len(self._changed))]
        parameters = self._node.market.parameters
        if not rows and parameters is self._parameters:
            return None
        numbers = None
        if parameters is not self._parameters:
            self._parameters, numbers = parameters, list(encode_parameters(parameters))
        self._version += 1
        for member in self.members:
            member.send(Changed(self._version, rows, numbers))
        return self._all_know(self._version)

    async def _all_know(self, version: int) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(KNOW_SECONDS):
                while any(each.member.knows < version for each in self._gateways):
                    await asyncio.sleep(0.001)
        for gateway in list(self._gateways):
            if gateway.member.knows < version:
                LOG.error("a gateway did not take in what changed and is killed")
                self._gateways.discard(gateway)
                gateway.process.kill()


@asynccontextmanager
async def behind(
    count: int, node: Node, app: App, buckets: Buckets, address: Address, front: Front
) -> "AsyncIterator[asyncio.Task[None]]":
    """So many gateways that listen at an address, until the block ends; the task ends if they fail.

    Raises InputError where they cannot begin.
    """
    crew = Crew(node, app, buckets, address, front)
    with crew.heard():
        are_up = [asyncio.Event() for _ in range(count)]
        places = [asyncio.create_task(crew.keep(is_up)) for is_up in are_up]
        telling = asyncio.create_task(crew.tell_time())
        failing = asyncio.create_task(_first_to_end(places))
        try:
            waiting = asyncio.create_task(_all(are_up))
            await asyncio.wait({waiting, failing}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if failing.done():
                failing.result()
            yield failing
        finally:
            for task in (telling, failing, *places):
                task.cancel()
            await asyncio.wait({telling, failing, *places})


async def _all(events: list[asyncio.Event]) -> None:
    for event in events:
        await event.wait()


async def _first_to_end(places: "list[asyncio.Task[None]]") -> None:
    done, _ = await asyncio.wait(places, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
