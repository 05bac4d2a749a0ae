"""System: whether the service runs and what time it has."""

from solvent.service.api.calls import Call, Reply, json_reply, text_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects.enums import Status
from solvent.service.api.objects.system import StatusAndMessage, WalletResponse
from solvent.service.wire import ms

TAG = "System"
TEXT = "text/plain"


async def status(call: Call) -> Reply:
    """Ok while the writer runs."""
    stopped = call.node.sequencer.stopped
    if stopped is None:
        return json_reply(StatusAndMessage(status=Status.OK, message=None))
    return json_reply(StatusAndMessage(status=Status.MAINTENANCE, message="the writer has stopped"))


async def ping(call: Call) -> Reply:  # noqa: ARG001
    """Say pong."""
    return text_reply("pong")


async def time(call: Call) -> Reply:
    """Milliseconds UTC, the time that signatures are judged by."""
    return text_reply(str(ms(call.node.clock.signing())))


async def wallets(call: Call) -> Reply:  # noqa: ARG001
    """No chain is behind this market, so there are no wallets."""
    return json_reply([])


ENDPOINTS = [
    Endpoint(TAG, "GET", "/api/v1/status", status, returns=StatusAndMessage),
    Endpoint(TAG, "GET", "/api/v1/ping", ping, returns=str, media=TEXT),
    Endpoint(TAG, "GET", "/api/v1/time", time, returns=str, media=TEXT),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/wallets",
        wallets,
        returns=list[WalletResponse],
        deviations="always empty: no chain is behind the market",
    ),
]
