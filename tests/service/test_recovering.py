"""Recovering: a service that reads its journal says so, and how far it is."""

import socket

import httpx
import pytest

from solvent.service.recovering import Far, answering


def test_a_recovery_is_told_at_the_services_address() -> None:
    """S13."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    far = [Far(0, 0)]
    url = f"http://127.0.0.1:{port}"
    with answering("127.0.0.1", port, lambda: far[0]):
        far[0] = Far(7, 9)
        reply = httpx.get(f"{url}/solvent/v1/health")
        assert (reply.status_code, reply.json()) == (
            200,
            {"status": "recovering", "done": 7, "of": 9},
        )
        for path in ("/solvent/v1/ready", "/api/v1/order"):
            reply = httpx.post(url + path)
            assert (reply.status_code, reply.json()["code"]) == (503, "MAINTENANCE")
            assert reply.headers["retry-after"] == "1"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
