"""The console as files in memory: which there are, in which forms, and with which headers.

The files are made by `console/build.py`, each also as gzip and brotli, and read once when the
service starts. Names under `assets/` carry a digest and never change what they mean; the page may
change with the next version, so it is asked for again each time, with its tag. Where the console
was not built there are no files, and `/` says how to build it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from solvent.service.api.calls import Reply
from solvent.service.api.packing import codings

DIST = Path(__file__).resolve().parent / "dist"
PAGE = "index.html"
ASSETS = "assets/"
VIEWS = frozenset(
    {
        "",
        "markets",
        "cluster",
        "trade",
        "account",
        "waterfall",
        "receipts",
        "risk",
        "replay",
        "ask",
        "key",
        "settings",
    }
)
"""First words of the addresses at which the page shows something."""
HOW_TO_BUILD = "`./run console` builds it where the npm registry can be reached"
_NOT_MODIFIED = 304
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FORMS = (("br", ".br"), ("gzip", ".gz"))
"""Codings, the better one first, and the ends of their files' names."""


class File(NamedTuple):
    """A file with its compressed forms, by coding; `tag` is of what it says."""

    content_type: str
    cache: str
    tag: str
    body: bytes
    forms: Mapping[str, bytes]
    is_page: bool


class Console:
    """The files of one folder, which need not be there; `nodes` are origins of a cluster's."""

    def __init__(self, folder: Path = DIST, nodes: Sequence[str] = ()) -> None:
        self._files = dict(_read(folder))
        self._policy = policy(nodes)

    @property
    def is_built(self) -> bool:
        """Whether there is a console to serve."""
        return PAGE in self._files

    def reply(self, path: str, asked: Mapping[bytes, bytes]) -> Reply | None:
        """The file at a path of the service, for a request with such headers; None for no file."""
        name = path.removeprefix("/")
        if name == PAGE:
            return None
        found = self._files.get(name)
        if found is None and name.partition("/")[0] in VIEWS:
            found = self._files.get(PAGE)
        if found is None:
            return None
        headers = [
            ("cache-control", found.cache),
            ("etag", found.tag),
            ("vary", "accept-encoding"),
            ("referrer-policy", "no-referrer"),
        ]
        if found.is_page:
            headers += [
                ("content-security-policy", self._policy),
                ("cross-origin-opener-policy", "same-origin"),
            ]
        if found.tag.encode() in asked.get(b"if-none-match", b""):
            return Reply(_NOT_MODIFIED, b"", found.content_type, headers)
        accepted = codings(asked.get(b"accept-encoding", b"").decode("latin-1"))
        for coding, _ in _FORMS:
            if coding in accepted and coding in found.forms:
                headers.append(("content-encoding", coding))
                return Reply(200, found.forms[coding], found.content_type, headers)
        return Reply(200, found.body, found.content_type, headers)


def policy(nodes: Sequence[str]) -> str:
    """What the page may load: its own scripts and styles.

    It may ask the market that it came from and that market's other nodes, over HTTP and streams.
    """
    streams = [f"ws{each.removeprefix('http')}" for each in nodes]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            " ".join(("connect-src 'self'", *nodes, *streams)),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _read(folder: Path) -> Iterator[tuple[str, File]]:
    if not (folder / PAGE).is_file():
        return
    for path in sorted(folder.rglob("*")):
        kind = _TYPES.get(path.suffix)
        if kind is None or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        body = path.read_bytes()
        forms = {}
        for coding, end in _FORMS:
            packed = path.with_name(path.name + end)
            if packed.is_file():
                forms[coding] = packed.read_bytes()
        is_lasting = name.startswith(ASSETS)
        yield (
            name,
            File(
                kind,
                "public, max-age=31536000, immutable" if is_lasting else "no-cache",
                f'"{hashlib.sha256(body).hexdigest()[:20]}"',
                body,
                forms,
                name == PAGE,
            ),
        )
