"""Pages: which part of a history is asked for, and the headers that say where it stands."""

from typing import NamedTuple

from solvent.service.api.objects.enums import SortDirection
from solvent.service.api.params import Params
from solvent.service.limits import OFFSET_MOST, PAGE_DEFAULT, PAGE_MOST


class Page(NamedTuple):
    """A part of a history."""

    limit: int
    offset: int
    ascending: bool


def page_of(fields: Params, otherwise: SortDirection = SortDirection.DESC) -> Page:
    """The page that a request asks for; `otherwise` is the order where it names none."""
    direction = fields.choice("sortDirection", SortDirection, otherwise)
    return Page(
        fields.integer("limit", PAGE_DEFAULT, 1, PAGE_MOST),
        fields.integer("offset", 0, 0, OFFSET_MOST),
        direction is SortDirection.ASC,
    )


def page_headers(fields: Params, total: int) -> list[tuple[str, str]]:
    """Where a page stands in a history of `total` rows."""
    page = page_of(fields)
    return [
        ("x-page-count", str(-(-total // page.limit))),
        ("x-current-page", str(page.offset // page.limit + 1)),
        ("x-page-size", str(page.limit)),
        ("x-total", str(total)),
    ]
