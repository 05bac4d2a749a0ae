"""Documents: the OpenAPI document and the page to browse it."""

from collections.abc import Sequence
from functools import cache

from solvent.service.api.browse import front_page, page
from solvent.service.api.calls import Call, Reply, text_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.openapi import document
from solvent.service.strict_json import encode

TAG = "Operation"
HTML = "text/html"


def documents(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """The endpoints that tell of all endpoints, themselves among them."""
    found: list[Endpoint] = []

    @cache
    def written() -> tuple[Reply, Reply]:
        """Both, written once: they say the same to everybody."""
        served = [*endpoints, *found]
        shown = document(served)
        html = text_reply(page(shown), content_type=f"{HTML}; charset=utf-8")
        return Reply(200, encode(shown)), html

    async def openapi(call: Call) -> Reply:  # noqa: ARG001
        """This API as an OpenAPI 3.1 document."""
        return written()[0]

    async def browse(call: Call) -> Reply:  # noqa: ARG001
        """This API as a page."""
        return written()[1]

    async def front(call: Call) -> Reply:
        """The console; where it is not built, what is served here and where to go on."""
        return text_reply(front_page(call.node), content_type=f"{HTML}; charset=utf-8")

    found += [
        Endpoint(TAG, "GET", "/openapi.json", openapi, returns=dict),
        Endpoint(TAG, "GET", "/docs", browse, returns=str, media=HTML),
        Endpoint(TAG, "GET", "/", front, returns=str, media=HTML),
    ]
    return found
