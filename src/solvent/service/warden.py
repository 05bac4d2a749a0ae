"""The warden: looks after TCP connections, which the HTTP server below lets in without a count.

The server tells of a connection when a request is whole. Before that, and between requests, only
the system knows of it; and of a WebSocket message that never ends the server keeps every fragment.
So a thread reads, some times a second, which sockets this process has: of an address that has too
many connections the newest are ended, and so is a stream that was sent more than a frame may have
without one coming out. They are ended by `shutdown`, which is safe while the server has them.

It needs Linux (`/proc/self/fd`, `TCP_INFO`). Elsewhere it does nothing, and a proxy has to do it.
"""

import fcntl
import os
import socket
import stat
import struct
import termios
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from solvent.service import limits
from solvent.service.proxies import counted_as

_FDS = Path("/proc/self/fd")
_TCP_INFO = getattr(socket, "TCP_INFO", None)
_RECEIVED = struct.Struct("=Q")
_RECEIVED_AT = 128
"""Where the system's `tcp_info` has how many bytes were received."""
_WAITING = struct.Struct("=i")
_PING = b"\x89\x00"
"""A ping without a payload, as RFC 6455 writes it, section 5.5.2."""
IS_ABLE = _FDS.is_dir() and _TCP_INFO is not None


class Peer(NamedTuple):
    """Who is at the other end."""

    host: str
    port: int


class Places(NamedTuple):
    """How many connections an address may have that are no streams, also when it is crowded."""

    of_address: int = limits.CONNECTIONS_OF_ADDRESS
    crowded: int = limits.CONNECTIONS * 3 // 4
    of_address_crowded: int = limits.CONNECTIONS_OF_ADDRESS_CROWDED
    unread: int = limits.UNREAD_STREAM_BYTES


class _Connection(NamedTuple):
    peer: Peer
    number: int


class Held:
    """A stream, watched from its handshake to its end; its socket is found at the next look."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._base = 0
        self._has_come_out = False

    def attach(self, found: socket.socket) -> None:
        """Watch this socket."""
        self._socket = found
        if self._has_come_out:
            self.came_out()

    def came_out(self) -> None:
        """A whole message came out: what was received belongs to it or comes after it."""
        self._has_come_out = True
        self._base = self._received()

    def unread(self) -> int:
        """Bytes that were received since, and are no message yet."""
        return self._received() - self._base

    @property
    def received(self) -> int:
        """Bytes that were received in all, 0 until the socket is found."""
        return self._received()

    def pass_over(self, size: int) -> None:
        """So many bytes of what was received belong to no message."""
        self._base += size

    def ping(self) -> bool:
        """Send a ping, if all that was sent has been taken; False where none was sent.

        For who writes the connection's messages, between two of them.
        """
        if self._socket is None:
            return False
        try:
            waiting = fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(_WAITING.size))
            if _WAITING.unpack(waiting)[0]:
                return False
            return self._socket.send(_PING, socket.MSG_DONTWAIT) == len(_PING)
        except OSError:
            return False

    def cut(self) -> None:
        """End the connection."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Watch it no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _received(self) -> int:
        if self._socket is None:
            return 0
        assert _TCP_INFO is not None
        try:
            info = self._socket.getsockopt(
                socket.IPPROTO_TCP, _TCP_INFO, _RECEIVED_AT + _RECEIVED.size
            )
        except OSError:
            return 0
        found: int = _RECEIVED.unpack_from(info, _RECEIVED_AT)[0]
        return found


class Warden:
    """Watches the connections of a port until it is closed.

    `is_exempt` says of which addresses, those of proxies, any number may come.
    """

    def __init__(
        self,
        port: int,
        is_exempt: Callable[[str], bool] = lambda _: False,
        places: Places | None = None,
    ) -> None:
        self.ended = 0
        """How many connections it ended."""
        self._port = port
        self._is_exempt = is_exempt
        self._places = places or Places()
        self._connections: dict[int, _Connection] = {}
        self._held: dict[Peer, Held] = {}
        self._unfound: dict[Peer, Held] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="warden", daemon=True)

    def start(self) -> None:
        """Begin, where the system can do it."""
        if IS_ABLE:
            self._thread.start()

    def close(self) -> None:
        """End."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def holding(self, peer: Peer) -> Iterator[Held]:
        """Watch the stream of a peer."""
        held = Held()
        with self._lock:
            self._held[peer] = held
            self._unfound[peer] = held
        try:
            yield held
        finally:
            with self._lock:
                self._unfound.pop(peer, None)
                self._held.pop(peer, None)
                held.close()

    def _run(self) -> None:
        turns = 0
        while not self._stopped.wait(limits.WARDEN_SECONDS):
            turns += 1
            is_due = turns % limits.WARDEN_TURNS == 0
            if is_due or self._unfound:
                self._look()
                self._attach()
            with self._lock:
                for held in self._held.values():
                    if held.unread() > self._places.unread:
                        held.cut()
                        self.ended += 1
            if is_due:
                self._end_excess()

    def _attach(self) -> None:
        """Find the sockets of streams that began since the last look."""
        with self._lock:
            wanted = dict(self._unfound)
        for each in list(self._connections.values()) if wanted else ():
            held = wanted.get(each.peer)
            found = _peer_socket(each.number, self._port) if held is not None else None
            if held is None or found is None:
                continue
            with self._lock:
                if found[1] == each.peer and self._unfound.pop(each.peer, None) is held:
                    held.attach(found[0])
                    continue
            found[0].close()

    def _end_excess(self) -> None:
        with self._lock:
            streams = set(self._held)
        plain = {
            inode: each
            for inode, each in self._connections.items()
            if each.peer not in streams and not self._is_exempt(each.peer.host)
        }
        is_crowded = len(plain) > self._places.crowded
        most = self._places.of_address_crowded if is_crowded else self._places.of_address
        counted: Counter[str] = Counter()
        for each in plain.values():
            host = counted_as(each.peer.host)
            counted[host] += 1
            if counted[host] > most:
                self._end(each)

    def _end(self, connection: _Connection) -> None:
        found = _peer_socket(connection.number, self._port)
        if found is None:
            return
        with found[0]:
            if found[1] == connection.peer:
                with suppress(OSError):
                    found[0].shutdown(socket.SHUT_RDWR)
                    self.ended += 1

    def _look(self) -> None:
        """Bring what is known of connections up to date, the oldest first."""
        there: dict[int, int] = {}
        for entry in os.scandir(_FDS):
            with suppress(OSError):
                found = os.fstat(int(entry.name))
                if stat.S_ISSOCK(found.st_mode):
                    there.setdefault(found.st_ino, int(entry.name))
        for inode in self._connections.keys() - there.keys():
            del self._connections[inode]
        # The system numbers sockets as they come, or nearly so: each processor has its own block.
        for inode in sorted(there.keys() - self._connections.keys()):
            opened = _peer_socket(there[inode], self._port)
            if opened is not None:
                opened[0].close()
                self._connections[inode] = _Connection(opened[1], there[inode])


def _peer_socket(number: int, port: int) -> tuple[socket.socket, Peer] | None:
    """A second descriptor of a connection of our port, and its peer; None where it is none."""
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return None
        found = socket.socket(fileno=os.dup(number))
    except OSError:
        return None
    try:
        if found.family in (socket.AF_INET, socket.AF_INET6) and found.getsockname()[1] == port:
            return found, Peer(*found.getpeername()[:2])
    except OSError:
        pass
    found.close()
    return None
