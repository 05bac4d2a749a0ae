"""Nonsense for every option: one line on standard error, exit code 2, and nothing written.

The command line runs in this process; what would serve a market or post prices fails the test, so
that an option which is not refused is seen and does not hang.
"""

import base64
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Never

import pytest
from nacl.signing import SigningKey

import solvent.lab
from solvent.cli import main
from solvent.reference.engine import ReferenceEngine
from tests.cli.helpers import files

CRASH_PRICES = Path(solvent.lab.__file__).parent / "data" / "crash_2025_10_10.csv"
OPERATOR = base64.b64encode(bytes(SigningKey(b"o" * 32).verify_key)).decode()
EMPTY = ("up", "--folder", "m", "--port", "0")
NEW = (*EMPTY, "--approvals", "1", "--operator-key", OPERATOR)
DEMO = (*EMPTY, "--demo")
REPLAY = (*EMPTY, "--replay", "quiet")
POST = ("feed", "synthetic", "--key-file", "key", "--start", "SOL=1")
RECORDED = ("feed", "recorded", "--key-file", "key")
LIVE = ("feed", "live", "--key-file", "key")
QUIET = ("run", "quiet")
PRICED = (*QUIET, "--prices", str(CRASH_PRICES))
HUGE = str(2**70)
LONG = "a" * 300
LOW_ORDER = base64.b64encode(bytes(32)).decode()
SHORT = base64.b64encode(bytes(31)).decode()

NONSENSE: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "operator": [
        (NEW, ("--operator-key", text)) for text in ("", "abc", "é", SHORT, LOW_ORDER, OPERATOR)
    ],
    "nobody": [(EMPTY, ()), (EMPTY, ("--operator-key", OPERATOR))],
    "first key": [
        (NEW, ("--first-key", text))
        for text in ("", "abc", "root=abc", "oracle", "oracle=abc", f"user={OPERATOR}")
    ],
    "funding": [(NEW, ("--funding", text)) for text in ("", "x", "-1", "1.5", HUGE)],
    "folder": [
        (("up",), ("--folder", text))
        for text in ("", "file", "file/m", "/dev/null", "/proc/m", LONG)
    ],
    "port": [
        (("up", "--folder", "m"), ("--port", text))
        for text in ("", "x", "-1", "65536", "1.5", "taken")
    ],
    "host": [
        (NEW, ("--host", text))
        for text in ("", "192.0.2.1", "999.1.1.1", ":::::", "a b", LONG, "é" * 70)
    ],
    "demo host": [(DEMO, ("--host", "0.0.0.0")), (REPLAY, ("--host", "0.0.0.0"))],
    "scenario": [(NEW, ("--scenario", text)) for text in ("", "none", "file", "empty", "bytes")],
    "replay": [(NEW, ("--replay", text)) for text in ("", "none", "file", "empty", "bytes")],
    "views": [
        (NEW, ("--views", text))
        for text in (
            "",
            "none",
            "mysql://x",
            "sqlite:///",
            "sqlite:///empty",
            "sqlite:///bytes",
            "sqlite:///none/x.db",
        )
    ],
    "approvals": [(EMPTY, ("--approvals", text)) for text in ("", "x", "0", "-1", "1.5", HUGE)],
    "delay": [(NEW, ("--delay", text)) for text in ("", "x", "-1", "1.5", HUGE)],
    "speed": [(NEW, ("--speed", text)) for text in ("", "x", "0", "-1", "nan")],
    "demo speed": [(DEMO, ("--speed", text)) for text in ("2", "inf")],
    "replay speed": [(REPLAY, ("--speed", text)) for text in ("1e9", "1e-9", "inf")],
    "accounts": [(DEMO, ("--accounts", text)) for text in ("", "x", "0", "1", "-1", "1.5", HUGE)],
    "feed": [(("feed",), (text, "--key-file", "key")) for text in ("", "none")],
    "key file": [
        (("feed", "synthetic", "--start", "SOL=1"), ("--key-file", text))
        for text in ("", "none", "empty", "file", "bytes")
    ],
    "url": [
        (POST, ("--url", text))
        for text in (
            "",
            "x",
            "http://",
            "ftp://h",
            "http://h:x",
            "http://h:99999",
            "http://[::1",
            "http://a b",
            "http://é",
            f"http://{LONG}",
            "http://h/a b",
            "http://h/é",
        )
    ],
    "start": [
        (("feed", "synthetic", "--key-file", "key"), ("--start", text))
        for text in ("", "SOL", "=1", "SOL=", "SOL=x", "SOL=-1", "SOL=0", "SOL=nan", "SOL=1e99")
    ],
    "symbols": [(POST, ("--symbols", "NONE")), (LIVE, ("--symbols", ","))],
    "feed seed": [(POST, ("--seed", text)) for text in ("", "x", "-1", "1.5")],
    "sources": [(POST, ("--sources", text)) for text in ("", "x", "0", "9", "1.5")],
    "interval": [
        (POST, ("--interval", text)) for text in ("", "x", "0", "-1", "nan", "inf", "1e400")
    ],
    "readings": [(POST, ("--readings", text)) for text in ("", "x", "0", "-1", "1.5")],
    "file": [(RECORDED, ("--file", text)) for text in ("", "none", "empty", "bytes", "file")],
    "feed speed": [
        ((*RECORDED, "--file", "prices.csv"), ("--speed", text))
        for text in ("", "x", "0", "-1", "nan", "inf", "1e-9")
    ],
    "exchanges": [
        ((*LIVE, "--symbols", "BTC"), ("--exchanges", text)) for text in ("", ",", "none")
    ],
    "run": [(("run",), (text,)) for text in ("", "file", "empty", "bytes")],
    "run accounts": [(QUIET, ("--accounts", text)) for text in ("", "0", "1", "-1", "1.5", HUGE)],
    "run prices": [(QUIET, ("--prices", text)) for text in ("", "none", "file", "empty", "m.zip")],
    "run without prices": [
        (QUIET, option)
        for option in (
            ("--symbol", "SOL"),
            ("--columns", "time,close"),
            ("--map", "A=B"),
            ("--from", "2025-10-10"),
            ("--to", "2025-10-10"),
            ("--window", "x"),
            ("--sort-prices",),
        )
    ],
    "run map": [(PRICED, ("--map", text)) for text in ("", "x", "=", "A=", "=B", "A=B,", "SOL=B")],
    "run columns": [(PRICED, ("--columns", text)) for text in ("", "x", "close=", "close=Last")],
    "run from": [(PRICED, ("--from", text)) for text in ("", "x", "2025", "2200-01-01")],
    "run to": [(PRICED, ("--to", text)) for text in ("", "x", "2000-01-01")],
    "run depth": [(QUIET, ("--depth", text)) for text in ("", "x", "0", "-1", "nan", "inf")],
    "report": [(("report", "--out", "x"), (text,)) for text in ("", "none", "file", "empty")],
    "report out": [(("report", "empty"), ("--out", text)) for text in ("", "empty", "none/x")],
    "run seed": [(QUIET, ("--seed", text)) for text in ("", "-1", "1.5", HUGE)],
    "policies": [
        (QUIET, (option, text))
        for option in ("--policy", "--default-policy", "--engine")
        for text in ("", "x")
    ],
    "out": [
        (QUIET, ("--out", text)) for text in ("", "file", "file/m", "/dev/null", "/proc/m", LONG)
    ],
    "prices": [
        (QUIET, ("--prices", text)) for text in ("", "none", "empty", "bytes", "prices.csv")
    ],
    "sim": [
        (("sim",), (option, text))
        for option in ("--seed", "--commands", "--runs", "--kill")
        for text in ("", "x", "-1", "1.5")
    ],
    "verify": [(("verify",), (text,)) for text in ("", "none", "empty", "/dev/null")],
    "audit": [(("audit",), (text,)) for text in ("", "none", "file", "/dev/null")],
    "check every": [(("audit", "empty"), ("--check-every", text)) for text in ("", "x", "1.5")],
    "receipts": [(("receipts",), (text,)) for text in ("", "none", "empty", "file")],
    "keygen": [(("keygen",), (text,)) for text in ("", "none/x", "é/x", "file/x", LONG)]
    + [(("keygen",), ()), (("keygen", "a", "a"), ())],
    "keygen folder": [(("keygen", "a"), ("--folder", text)) for text in ("", "none", "file", LONG)],
    "call": [
        (("call",), words)
        for words in (
            (),
            ("get",),
            ("", ""),
            ("get", ""),
            ("get", "/none"),
            ("put", "/api/v1/order"),
            ("post", "/api/v1/orders"),
            ("get", "/api/v1/time", "x"),
            ("get", "/api/v1/time", "=1"),
            ("get", "/api/v1/capital"),
        )
    ],
    "call url": [
        (("call", "get", "/api/v1/time"), ("--url", text))
        for text in ("", "x", "http://", "ftp://h", "http://h:x", "http://[::1", f"http://{LONG}")
    ],
    "call key": [
        (("call", "get", "/api/v1/capital"), ("--key-file", text))
        for text in ("", "none", "empty", "file", "bytes")
    ],
    "call prove": [
        (("call", "post", "/solvent/v1/admin/accounts", "--key-file", "key"), ("--prove", text))
        for text in ("", "none", "empty", "file", "bytes")
    ],
    "folders of no market": [
        ((command, text), more)
        for command, more in (
            ("backup", ("m",)),
            ("restore", ("m",)),
            ("archive", ("m",)),
            ("truncate", ("--at", "1")),
            ("readmit", ("--operator-key", OPERATOR)),
            ("what-if", ("SOL=-0.1",)),
            ("forecast", ("2",)),
            ("certify", ("--out", "m", "--key-file", "key")),
        )
        for text in ("", "none", "file", "empty", "/dev/null")
    ],
    "truncate": [(("truncate", "empty"), ("--at", text)) for text in ("", "x", "-1", "1.5", HUGE)],
    "readmit": [
        (("readmit", "empty"), ("--operator-key", text))
        for text in ("", "abc", "é", SHORT, LOW_ORDER)
    ],
    "keep history": [(NEW, ("--keep-history", text)) for text in ("", "x", "-1", "1.5", HUGE)],
    "snapshot every": [(NEW, ("--snapshot-every", text)) for text in ("", "x", "-1", "1.5")],
    "health port": [
        (NEW, ("--health-port", text)) for text in ("", "x", "-1", "65536", "1.5", HUGE)
    ],
    "trusted proxy": [
        (NEW, ("--trusted-proxy", text)) for text in ("", "x", "10.0.0.0/99", "10.0.0.1/8", "é")
    ],
    "proxy protocol": [(NEW, ("--proxy-protocol",))],
    "origin": [(NEW, ("--origin", text)) for text in ("", "x", "http://", "http://h/x", "é")],
    "host name": [(NEW, ("--host-name", text)) for text in ("", "http://h", "h/x", "a b", "h:80")],
    "archive": [(NEW, ("--archive", text)) for text in ("file", "file/m")],
    "node": [(NEW, ("--node", text)) for text in ("", "x", "-1", "1")],
    "cluster": [
        (("up", "--demo", "--folder", "m"), ("--cluster", text))
        for text in ("0", "00", "-1", "file", "bytes", "empty")
    ],
    "choices": [
        (("receipts", "empty"), (option, text))
        for option in ("--account", "--adl-round", "--fill")
        for text in ("", "x", "-1", "1.5")
    ],
}


@pytest.fixture
def taken() -> Iterator[str]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with files of the wrong kind; nothing is served and no logs are set up."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "bytes").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "key").write_text(base64.b64encode(bytes(range(32))).decode())
    (tmp_path / "prices.csv").write_text("time,symbol,close\n2025-01-01T00:00:00Z,SOL,10\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("solvent.cli.live.serve", _not_refused)
    monkeypatch.setattr("solvent.service.feeds.poster.drive", _not_refused)
    monkeypatch.setattr("solvent.proof.crash.rounds.crash_test", _not_refused)
    # A fresh clone would first say that it compiles its kernels.
    monkeypatch.setattr("solvent.cli.runs.running.engine_factory", lambda _: ReferenceEngine)
    for module in ("solvent.cli.live", "solvent.service.logs"):
        monkeypatch.setattr(f"{module}.set_up_logs", lambda **_: None)
    handler = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, handler)


def _not_refused(*_: object, **__: object) -> Never:
    raise AssertionError("the input was not refused")


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_one_line_and_writes_nothing(
    name: str, folder: Path, taken: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """G8."""
    before = files(folder)
    for given, nonsense in NONSENSE[name]:
        words = [*given, *(taken if word == "taken" else word for word in nonsense)]
        code = main(words)
        out, said = capfd.readouterr()
        assert (code, out) == (2, ""), (words, said)
        assert said.startswith("solvent: "), (words, said)
        assert said.count("\n") == 1, (words, said)
        assert files(folder) == before, words
        assert not (folder / "m").exists(), words
