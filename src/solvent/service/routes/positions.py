"""Positions: empty, for there are no futures here."""

from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import READERS, Endpoint
from solvent.service.api.objects.positions import (
    FundingHistoryQuery,
    FundingPayment,
    FuturePositionWithMargin,
    PositionHistoryQuery,
    PositionHistoryRow,
    PositionsQuery,
)
from solvent.service.api.pages import page_headers

TAG = "Positions"
_NONE = "always empty: there are no futures here"


async def none(call: Call) -> Reply:  # noqa: ARG001
    """No positions."""
    return json_reply([])


async def none_in_history(call: Call) -> Reply:
    """No positions, on no page."""
    return json_reply([], page_headers(call.params, 0))


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/api/v1/position",
        none,
        "positionQuery",
        query=PositionsQuery,
        returns=list[FuturePositionWithMargin],
        roles=READERS,
        deviations=_NONE,
    ),
    Endpoint(
        TAG,
        "GET",
        "/wapi/v1/history/position",
        none_in_history,
        "positionHistoryQueryAll",
        query=PositionHistoryQuery,
        returns=list[PositionHistoryRow],
        roles=READERS,
        deviations=_NONE,
    ),
    Endpoint(
        TAG,
        "GET",
        "/wapi/v1/history/funding",
        none_in_history,
        "fundingHistoryQueryAll",
        query=FundingHistoryQuery,
        returns=list[FundingPayment],
        roles=READERS,
        deviations=_NONE,
    ),
]
