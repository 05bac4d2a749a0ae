"""Once: a signed request is carried out one time, however often and how soon again it comes.

What a request does is decided where the writer is (`plans`); but a handler looks at the market
before it hands a command in, and would find it changed by the request's own first coming: an order
that is cancelled already, a client id that is used. So whoever repeats a request does not reach the
handler: he waits for the first to be answered, and gets that answer. A request that was refused
before it reached the journal did nothing, and is looked at anew.
"""

import asyncio
from typing import TYPE_CHECKING

from solvent.service.api.calls import Call, Reply, answer_reply

if TYPE_CHECKING:
    from solvent.service.api.endpoints import Endpoint, Handler


class Once:
    """The signed requests in hand."""

    def __init__(self) -> None:
        self._in_hand: dict[bytes, asyncio.Future[None]] = {}

    def guard(self, endpoint: "Endpoint") -> "Endpoint":
        """The endpoint; if it changes the market, one that carries each request out once."""
        if not (endpoint.changes and endpoint.is_signed):
            return endpoint
        return endpoint._replace(handler=self._guarded(endpoint.handler))

    def _guarded(self, handler: "Handler") -> "Handler":
        async def once(call: Call) -> Reply:
            assert call.verified is not None
            digest = call.verified.digest
            while digest in self._in_hand:
                await asyncio.shield(self._in_hand[digest])
            first = call.desk.first_answer(digest, call.verified.expires_ms)
            if first is not None:
                return answer_reply(first)
            done = self._in_hand[digest] = asyncio.get_running_loop().create_future()
            try:
                return await handler(call)
            finally:
                del self._in_hand[digest]
                done.set_result(None)

        return once
