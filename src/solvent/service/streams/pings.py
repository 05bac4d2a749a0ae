"""Pings: each minute a connection is asked whether its client is there, as published.

The server below answers pings and has no call that sends one. A ping is two bytes that are not
masked, so it is written to the connection's socket beside the server, and only in the one moment
where that is safe: by the task that writes the connection's messages, between two of them, when all
that was sent has been taken by the other side. Then a ping is whole or not written at all. Where
something is still on its way no ping is needed: what is not taken ends the connection (`serve`).

Anything that comes back counts as an answer. Who has said nothing for two minutes after he was
asked is cut off. Absent: pings where the system does not say which socket a stream has (`warden`).
"""

import asyncio

from solvent.service.warden import Held

PONG_BYTES = 6
"""What a client answers an empty ping with: a head and a mask."""


class Pings:
    """Asks the client of one connection; `at` is when to `look` again, by the loop's clock."""

    def __init__(self, held: Held | None, seconds: float, patience: float) -> None:
        self._held = held
        self._seconds = seconds
        self._patience = patience
        self._clock = asyncio.get_running_loop().time
        self._heard = 0
        self._asked: float | None = None
        self.at = self._clock() + seconds

    def look(self) -> bool:
        """Ask again when it is time. False when nothing has come back for too long."""
        now = self._clock()
        if self._held is None or now < self.at:
            return True
        self.at = now + self._seconds
        came = self._held.received - self._heard
        if came:
            self._heard += came
            self._asked = None
            if came == PONG_BYTES:
                self._held.pass_over(came)
        if self._asked is not None and now - self._asked >= self._patience:
            return False
        if self._held.ping() and self._asked is None:
            self._asked = now
        return True
