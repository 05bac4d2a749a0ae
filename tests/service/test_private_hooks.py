"""What is used of the HTTP server beside its public face is there, and does what it is used for.

An upgrade that changes it fails here, not in silence: connections that nobody is at the other end
of would stay for ever.
"""

import socket

import pytest
from granian.server.embed import Server

from solvent.service.limits import PROBES, QUIET_SECONDS, UNREAD_MS
from solvent.service.serve import _Server


def test_the_server_makes_its_socket_where_ours_is_made() -> None:
    """S31."""
    assert "_init_shared_socket" in {name for each in Server.__mro__ for name in vars(each)}
    assert _Server._init_shared_socket is not Server._init_shared_socket
    assert {"_shd", "_sfd"} <= vars(Server("none:none", address="127.0.0.1", port=0)).keys()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="no such option here")
def test_accepted_connections_end_when_nobody_is_there() -> None:
    server = _Server("none:none", address="127.0.0.1", port=0, backlog=8)
    server._init_shared_socket()
    number: int = socket.dup(server._sfd)  # type: ignore[arg-type]
    with socket.socket(fileno=number) as listening:
        listening.listen()
        listening.settimeout(5)
        with socket.create_connection(listening.getsockname()[:2]):
            accepted, _ = listening.accept()
            with accepted:
                options = [
                    accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                    accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                    accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                    accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
                ]
    assert options == [1, QUIET_SECONDS, PROBES, UNREAD_MS]
