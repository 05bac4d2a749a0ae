"""Replies: the first answer to every request that may come again.

A signed request is known by its digest until its window has passed; an order with a client id by
account and client id. Who repeats one gets the first answer and nothing happens a second time. All
of it follows from the journal, so it survives a restart; both stores are bounded.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from solvent.service.limits import CLIENT_IDS_KEPT, FUTURE_MS, WINDOW_MS

AHEAD_MS = WINDOW_MS + FUTURE_MS
"""How far after the moment at which a request is taken in its window may end."""


class Answer(NamedTuple):
    """What is said to a request: HTTP status and body."""

    status: int
    body: bytes


Row = tuple[bytes, int, int, bytes]
ClientRow = tuple[int, int, bytes, int, bytes]


class Replies:
    """First answers by digest and by client id."""

    def __init__(self) -> None:
        self._by_digest: OrderedDict[bytes, tuple[int, Answer]] = OrderedDict()
        self._by_client: OrderedDict[tuple[int, int], tuple[bytes, Answer]] = OrderedDict()
        self._latest = 0

    def find(self, digest: bytes) -> Answer | None:
        """The answer to the request of this digest."""
        found = self._by_digest.get(digest)
        return found[1] if found else None

    def find_order(self, account: int, client_id: int) -> tuple[bytes, Answer] | None:
        """The command that came with this client id, as bytes, and its answer."""
        return self._by_client.get((account, client_id))

    def is_forgotten(self, expires: int) -> bool:
        """Whether a request whose window ends then may have been here and be forgotten.

        Such a request has expired by the clock that took in the latest one; where a clock was set
        back it must be refused all the same.
        """
        return expires < self._latest - AHEAD_MS

    def keep(self, digest: bytes, expires: int, answer: Answer) -> None:
        """Keep an answer until no request of its window can come: `expires`, milliseconds UTC."""
        self._by_digest[digest] = (expires, answer)
        self._latest = max(self._latest, expires)
        while self.is_forgotten(next(iter(self._by_digest.values()))[0]):
            self._by_digest.popitem(last=False)

    def keep_order(self, account: int, client_id: int, command: bytes, answer: Answer) -> None:
        """Keep the answer to an order with a client id; the oldest are forgotten."""
        self._by_client[account, client_id] = (command, answer)
        if len(self._by_client) > CLIENT_IDS_KEPT:
            self._by_client.popitem(last=False)

    def rows(self) -> tuple[list[Row], list[ClientRow]]:
        """All of it as plain values, for a snapshot."""
        digests = [
            (digest, expires, answer.status, answer.body)
            for digest, (expires, answer) in self._by_digest.items()
        ]
        clients = [
            (account, client, command, answer.status, answer.body)
            for (account, client), (command, answer) in self._by_client.items()
        ]
        return digests, clients

    @classmethod
    def from_rows(cls, digests: Sequence[Row], clients: Sequence[ClientRow]) -> "Replies":
        """What `rows` was taken from."""
        replies = cls()
        for digest, expires, status, body in digests:
            replies._by_digest[digest] = (expires, Answer(status, body))
            replies._latest = max(replies._latest, expires)
        for account, client, command, status, body in clients:
            replies._by_client[account, client] = (command, Answer(status, body))
        return replies
