"""The console's files: which there are, in which forms, and what a browser is told with them."""

from pathlib import Path

import pytest

from solvent.service.api.calls import Reply
from solvent.service.console.bundle import VIEWS, Console

SCRIPT = b"import './b-1.js'"


@pytest.fixture
def console(tmp_path: Path) -> Console:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(b"<!doctype html>")
    for end, data in (("", SCRIPT), (".gz", b"gzip"), (".br", b"brotli")):
        (tmp_path / "assets" / f"a-1.js{end}").write_bytes(data)
    (tmp_path / "SOURCES").write_text("digest")
    return Console(tmp_path)


def got(console: Console, path: str, **asked: str) -> Reply:
    headers = {name.replace("_", "-").encode(): value.encode() for name, value in asked.items()}
    found = console.reply(path, headers)
    assert found is not None
    return found


def test_every_view_is_the_page(console: Console) -> None:
    page = got(console, "/")
    assert page.body == b"<!doctype html>"
    for view in VIEWS:
        assert got(console, f"/{view}/SOL_USDC") == page


@pytest.mark.parametrize(
    "path",
    ["/api/v1/time", "/assets/none.js", "/assets/", "/SOURCES", "/assets/a-1.js.gz", "/..", "/x/"],
)
def test_nothing_else_is_a_file(console: Console, path: str) -> None:
    assert console.reply(path, {}) is None


def test_the_page_may_load_what_is_its_own_and_is_asked_for_again(console: Console) -> None:
    headers = dict(got(console, "/").headers)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-cache"
    again = got(console, "/", if_none_match=headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert got(console, "/", if_none_match='"another"').status == 200


def test_the_page_may_ask_the_nodes_of_its_cluster_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(b"")
    nodes = ("http://node-0:8620", "http://[::1]:8621")
    for given, sources in (
        ((), "connect-src 'self'"),
        (
            nodes,
            f"connect-src 'self' {nodes[0]} {nodes[1]} ws://node-0:8620 ws://[::1]:8621",
        ),
    ):
        headers = dict(got(Console(tmp_path, given), "/").headers)
        assert sources in headers["content-security-policy"].split("; ")


def test_a_name_with_a_digest_is_kept_for_ever(console: Console) -> None:
    headers = dict(got(console, "/assets/a-1.js").headers)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("", None, SCRIPT),
        ("identity", None, SCRIPT),
        ("gzip", "gzip", b"gzip"),
        ("gzip, deflate, br, zstd", "br", b"brotli"),
        ("br;q=0, gzip;q=0.5", "gzip", b"gzip"),
        ("br; q=0.0, gzip;q=0", None, SCRIPT),
        ("BR", "br", b"brotli"),
    ],
)
def test_the_best_form_that_is_taken(
    console: Console, accepted: str, coding: str | None, body: bytes
) -> None:
    reply = got(console, "/assets/a-1.js", accept_encoding=accepted)
    headers = dict(reply.headers)
    assert (headers.get("content-encoding"), reply.body) == (coding, body)
    assert headers["vary"] == "accept-encoding"


def test_where_nothing_was_built_there_is_no_console(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        console = Console(folder)
        assert not console.is_built
        assert console.reply("/", {}) is None
