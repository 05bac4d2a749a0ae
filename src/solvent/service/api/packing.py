"""Packing: an answer as gzip, for whoever takes it and where it is long enough to be worth it.

Files bring their own forms (`console.bundle`). No answer has what a page of another site could
guess at by the length of it: what is not public is signed for, and no browser signs by itself.
"""

import gzip

from solvent.service.api.calls import Reply

WORTH_BYTES = 1_400
"""What fits into one packet is not packed."""
LEVEL = 1
"""The quickest: a page of a thousand rows takes a few milliseconds, and is a tenth as long."""
_CODING = "content-encoding"


def packed(reply: Reply, accepted: str | None) -> Reply:
    """The answer in a form that fits an Accept-Encoding header."""
    if len(reply.body) < WORTH_BYTES or any(name == _CODING for name, _ in reply.headers):
        return reply
    headers = [*reply.headers, ("vary", "accept-encoding")]
    if "gzip" not in codings(accepted or ""):
        return reply._replace(headers=headers)
    body = gzip.compress(reply.body, LEVEL, mtime=0)
    return reply._replace(body=body, headers=[*headers, (_CODING, "gzip")])


def codings(accepted: str) -> set[str]:
    """The codings that an Accept-Encoding header lets through."""
    found = set()
    for item in accepted.split(","):
        coding, _, weight = item.strip().partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            found.add(coding.strip().lower())
    return found
