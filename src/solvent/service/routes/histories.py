"""Histories: what the pages of every history have in common."""

from collections.abc import Callable
from typing import TypeVar

from solvent.history.market_views import Views
from solvent.history.tables import rows as r
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, Endpoint, Handler
from solvent.service.api.objects.base import ApiObject
from solvent.service.api.objects.pages import PageQuery
from solvent.service.api.pages import page_headers, page_of
from solvent.service.api.params import bad_request

Item = TypeVar("Item")
_FAR = 2**53


async def page(
    call: Call,
    question: Callable[[Views, r.Paging], r.Page[Item]],
    shape: Callable[[Item], ApiObject],
) -> Reply:
    """One page of a history, as objects and headers."""
    page = page_of(call.params)
    paging = r.Paging(page.limit, page.offset, page.ascending)
    found = await call.node.past(lambda views: question(views, paging))
    return json_reply([shape(row) for row in found.rows], page_headers(call.params, found.total))


def asset_of(call: Call, name: str = "symbol") -> int | None:
    return call.params.asset(name) if call.params.has(name) else None


def market_of(call: Call) -> int | None:
    """A market's base asset; an asset's own symbol is taken too."""
    if not call.params.has("symbol"):
        return None
    is_market = "_" in call.params.text("symbol")
    return call.params.market() if is_market else call.params.asset()


def number_of(call: Call, name: str) -> int | None:
    text = call.params.text(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004
        raise bad_request(f"{name} must be a number")
    return int(text)


def one_of(call: Call, name: str, known: dict[str, Item]) -> Item | None:
    text = call.params.text(name)
    if not text:
        return None
    if text not in known:
        raise bad_request(f"{name}: unknown value; known are {', '.join(known)}")
    return known[text]


def times_of(call: Call) -> tuple[int | None, int | None]:
    """From (inclusive) and to (exclusive), milliseconds, as microseconds."""
    fields = call.params
    first = fields.integer("from", 0, 0, _FAR) * 1000 if fields.has("from") else None
    end = fields.integer("to", 0, 0, _FAR) * 1000 if fields.has("to") else None
    return first, end


def history_endpoint(
    tag: str,
    path: str,
    handler: Handler,
    instruction: str,
    query: type[PageQuery],
    returns: type[ApiObject],
) -> Endpoint:
    return Endpoint(
        tag,
        "GET",
        f"/wapi/v1/{path}",
        handler,
        instruction,
        query=query,
        returns=list[returns],  # type: ignore[valid-type]
        roles=READERS,
    )
