"""Bodies: how long and how large one may come, which the HTTP server below does not bound."""

import asyncio
import time

from starlette.types import Receive

from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import BODY_BYTES, BODY_SECONDS

TOO_LARGE = 413
TIMEOUT = 408


class Patience:
    """How long bodies are waited for; one timer for all of them, as each may take as long."""

    def __init__(self) -> None:
        self._due: dict[asyncio.Task[None], float] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._is_timed = False

    async def body(self, receive: Receive) -> bytes:
        """The body of the current task's request. Raises ApiError."""
        task = asyncio.current_task()
        assert task is not None
        self._due[task] = time.monotonic() + BODY_SECONDS
        if not self._is_timed:
            self._is_timed = True
            asyncio.get_running_loop().call_later(BODY_SECONDS, self._look)
        cancelled = task.cancelling()
        try:
            return await _read(receive)
        except asyncio.CancelledError:
            if task in self._late and task.uncancel() <= cancelled:
                reason = "the body came too slowly"
                raise ApiError(TIMEOUT, ApiErrorCode.TIMEOUT, reason) from None
            raise
        finally:
            self._due.pop(task, None)
            self._late.discard(task)

    def _look(self) -> None:
        """End those that are late; they are in the order in which they will be."""
        now = time.monotonic()
        while self._due:
            task, due = next(iter(self._due.items()))
            if due > now:
                asyncio.get_running_loop().call_later(due - now, self._look)
                return
            del self._due[task]
            self._late.add(task)
            task.cancel()
        self._is_timed = False


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(TIMEOUT, ApiErrorCode.TIMEOUT, "the body was cut off")
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_BYTES:
            raise ApiError(
                TOO_LARGE,
                ApiErrorCode.INVALID_CLIENT_REQUEST,
                f"a body has at most {BODY_BYTES} bytes",
            )
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
