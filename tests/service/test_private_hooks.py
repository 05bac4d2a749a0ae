"""What is used of the HTTP server beside its public face is there, and does what it is used for.

An upgrade that changes it fails here, not in silence: connections that nobody is at the other end
of would stay for ever.
"""

import ast
import socket
from pathlib import Path

import pytest
from granian.server.embed import Server

from solvent.service.limits import PROBES, QUIET_SECONDS, UNREAD_MS
from solvent.service.listening import _Server

SOURCES = Path(__file__).resolve().parents[2] / "src" / "solvent"
PUBLIC_OF_TUPLES = {"_asdict", "_replace", "_fields", "_make"}
HOOKS = {"_init_shared_socket", "_shd", "_sfd"}


def test_the_server_makes_its_socket_where_ours_is_made() -> None:
    """S31."""
    assert "_init_shared_socket" in {name for each in Server.__mro__ for name in vars(each)}
    assert _Server._init_shared_socket is not Server._init_shared_socket
    assert {"_shd", "_sfd"} <= vars(Server("none:none", address="127.0.0.1", port=0)).keys()


def test_no_other_private_name_of_a_library_is_used() -> None:
    """S31: a name with an underscore is defined here, or is one of those that are looked at."""
    defined, used = set[str](), set[str]()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                used.add(node.attr)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                defined.add(node.attr)
    private = {name for name in used if not name.startswith("__")}
    assert private - defined - PUBLIC_OF_TUPLES == set()
    overridden = {name for name in vars(_Server) if not name.startswith("__")}
    assert overridden <= HOOKS


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
