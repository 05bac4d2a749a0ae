"""A WebSocket client, as far as a listener needs one: text frames, and pings that are answered."""

import socket
import struct
from collections.abc import Iterator

from solvent.proof.crash.process import LOOPBACK

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
_FINAL, _MASKED = 0x80, 0x80
_SHORT, _LONG = 126, 127
_MASK = bytes(4)
"""Any mask is one, and this one leaves the bytes as they are."""
_HELLO = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c29sdmVudCBsaXN0ZW5zIQ==\r\n\r\n"
)


class EndedError(Exception):
    """The other side has ended the connection, or never began it."""


class Socket:
    """A connection. `receive` waits for so many seconds at most. Raises OSError and EndedError."""

    def __init__(self, port: int, seconds: float) -> None:
        self._socket = socket.create_connection((LOOPBACK, port), seconds)
        self._held = bytearray()
        try:
            self._socket.sendall(_HELLO.encode())
            head = self._until(b"\r\n\r\n")
        except BaseException:
            self.close()
            raise
        if b" 101 " not in head.split(b"\r\n")[0]:
            self.close()
            raise EndedError

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()

    def send(self, text: bytes) -> None:
        """Say something."""
        self._say(TEXT, text)

    def receive(self) -> bytes:
        """The next message, whole."""
        parts = list(self._parts())
        return b"".join(parts)

    def _parts(self) -> Iterator[bytes]:
        while True:
            first, second = self._take(2)
            length = second & ~_MASKED
            if length == _SHORT:
                (length,) = struct.unpack("!H", self._take(2))
            elif length == _LONG:
                (length,) = struct.unpack("!Q", self._take(8))
            payload = self._take(length)
            match first & 0x0F:
                case 8:
                    raise EndedError
                case 9:
                    self._say(PONG, payload)
                case 10:
                    pass
                case _:
                    yield payload
                    if first & _FINAL:
                        return

    def _say(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        if length < _SHORT:
            size = bytes([_MASKED | length])
        else:
            size = bytes([_MASKED | _SHORT]) + struct.pack("!H", length)
        self._socket.sendall(bytes([_FINAL | kind]) + size + _MASK + payload)

    def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._held:
            self._more()
        return self._take(self._held.index(mark) + len(mark))

    def _more(self) -> None:
        found = self._socket.recv(65_536)
        if not found:
            raise EndedError
        self._held += found
