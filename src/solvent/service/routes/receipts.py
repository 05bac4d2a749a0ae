"""Receipts: what every settlement of the waterfall found, decided and left, for everybody in it.

An answer is a part of a `receipts.jsonl`, oldest first unless asked otherwise, so that its pages
put together are a file that `solvent verify` takes. A receipt names all accounts of its settlement
by number and has their balances, for without them nobody could compute it again.
"""

from solvent.history.tables.rows import Paging
from solvent.service.api.calls import Call, Reply
from solvent.service.api.endpoints import READERS, Endpoint
from solvent.service.api.objects.enums import SortDirection
from solvent.service.api.objects.insight import ReceiptsQuery
from solvent.service.api.pages import page_headers, page_of
from solvent.service.api.params import Params
from solvent.service.core.keys import NO_ACCOUNT
from solvent.service.errors import ApiError, ApiErrorCode

TAG = "Solvent"
LINES_TYPE = "application/x-ndjson"
PAGE_BYTES = 1 << 23
"""Where a page of receipts ends, unless one alone is longer."""
FORBIDDEN = 403
_FAR = 2**53


async def receipts(call: Call) -> Reply:
    """Receipts of settlements, a line each, as `solvent verify` takes them."""
    fields = call.params
    account = _whose(call)
    numbers = {
        "adl_round": _number(fields, "round"),
        "fill": _number(fields, "fill"),
        "booking": _number(fields, "booking"),
        "swap": _number(fields, "swap"),
    }
    page = page_of(fields, SortDirection.ASC)
    paging = Paging(page.limit, page.offset, page.ascending)
    found = await call.node.past(
        lambda views: views.receipts(account, **numbers, paging=paging, most_bytes=PAGE_BYTES)
    )
    headers = page_headers(fields, found.total)
    seen = page.offset + len(found.rows)
    if found.rows and seen < found.total:
        headers.append(("x-next-offset", str(seen)))
    return Reply(200, "".join(f"{line}\n" for line in found.rows).encode(), LINES_TYPE, headers)


def _whose(call: Call) -> int | None:
    """The account whose receipts are asked for: a key's own; all where the key has none."""
    own = call.principal.account
    named = _number(call.params, "account")
    if own == NO_ACCOUNT:
        return named
    if named not in (None, own):
        raise ApiError(FORBIDDEN, ApiErrorCode.FORBIDDEN, "the key is for another account")
    return own


def _number(fields: Params, name: str) -> int | None:
    return fields.integer(name, 0, 0, _FAR) if fields.has(name) else None


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/receipts",
        receipts,
        "receiptsQuery",
        query=ReceiptsQuery,
        returns=str,
        media=LINES_TYPE,
        roles=READERS,
    )
]
