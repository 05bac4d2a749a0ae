"""Pages: what every request for a part of a history may say."""

from typing import Annotated

from msgspec import UNSET, Meta

from solvent.service.api.objects.base import Maybe, Request, says
from solvent.service.api.objects.enums import SortDirection
from solvent.service.limits import OFFSET_MOST, PAGE_DEFAULT, PAGE_MOST

FAR = 2**53
"""The largest number that a client in JavaScript can say."""
Limit = Annotated[int, Meta(ge=1, le=PAGE_MOST)]
Offset = Annotated[int, Meta(ge=0, le=OFFSET_MOST)]


class Slice(Request):
    """A part of a list; headers X-PAGE-COUNT, X-CURRENT-PAGE, X-PAGE-SIZE and X-TOTAL tell."""

    limit: Annotated[Maybe[Limit], says(f"Rows at most; {PAGE_DEFAULT} if absent.", 10)] = UNSET
    offset: Annotated[Maybe[Offset], says("Rows to leave out before them; 0 if absent.")] = UNSET


class PageQuery(Slice):
    """A part of a history, from its one end or from the other."""

    sort_direction: Annotated[
        Maybe[SortDirection], says("Oldest or newest first; Desc if absent.")
    ] = UNSET
