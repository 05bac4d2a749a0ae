"""Crossing origins: what a browser is told that asks for a page of another site.

Only pages whose origin the operator listed, and those of a cluster's other nodes, may read answers;
a browser asks before it sends what only a script can send, and is answered without a look at the
endpoint.
"""

from collections.abc import Sequence

from solvent.service.api.calls import Reply
from solvent.service.api.front import Front
from solvent.service.api.signing import MARKET_HEADER, SIGNATURE_HEADERS
from solvent.service.sequences import LEAST_HEADER, SEQUENCE_HEADER

PREFLIGHT = "OPTIONS"
_NO_CONTENT = 204
_KEPT_SECONDS = 600
_TOLD = ("X-PAGE-COUNT", "X-CURRENT-PAGE", "X-PAGE-SIZE", "X-TOTAL", "x-next-offset")
_EXPOSED = ", ".join((*_TOLD, "x-market-time", SEQUENCE_HEADER, "retry-after"))
_SENT = ", ".join((*SIGNATURE_HEADERS, MARKET_HEADER, LEAST_HEADER, "X-Broker-Id", "Content-Type"))


def crossing_headers(front: Front, origin: str | None) -> Sequence[tuple[str, str]]:
    """The headers that let a listed origin read an answer."""
    if origin is None or not front.lets(origin):
        return ()
    return (
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", _EXPOSED),
        ("vary", "origin"),
    )


def preflight() -> Reply:
    """The answer to a listed origin that asks what it may send."""
    headers = (
        ("access-control-allow-methods", "GET, HEAD, POST, PATCH, DELETE"),
        ("access-control-allow-headers", _SENT),
        ("access-control-max-age", str(_KEPT_SECONDS)),
    )
    return Reply(_NO_CONTENT, headers=headers)
