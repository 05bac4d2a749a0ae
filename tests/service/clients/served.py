"""The real service in a process of its own: journal, server and sockets, as `solvent up` starts it.

Every client is told the address in the one way that it has for that, and nothing else of it is
changed.
"""

import base64
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx
from nacl.signing import SigningKey

from solvent.lab.live.keys import demo_keys
from solvent.service.authority.possession import possession_text
from solvent.service.core.keys import Role

PATIENCE = 30.0
"""Seconds after which a test gives up."""
Found = TypeVar("Found")


class Key(NamedTuple):
    """A key pair, base64 as clients take it."""

    public: str
    secret: str


def key_of(name: str) -> Key:
    """A key pair drawn from a name."""
    signing = SigningKey(name.encode().ljust(32, b".")[:32])
    return Key(
        base64.b64encode(bytes(signing.verify_key)).decode(),
        base64.b64encode(bytes(signing)).decode(),
    )


DEMO_KEYS = {key.name: Key(key.public, key.secret) for key in demo_keys(1)}


OPERATOR, FUNDER, ORACLE = key_of("operator"), key_of("funder"), key_of("oracle")
STAFF = (
    *("--approvals", "1", "--delay", "0", "--operator-key", OPERATOR.public),
    *("--first-key", f"funder={FUNDER.public}", "--first-key", f"oracle={ORACLE.public}"),
)
"""Options of a new market in which one person is enough."""


class Service(NamedTuple):
    """A running service."""

    address: str

    @property
    def rest(self) -> str:
        """Where requests go, without a slash at the end."""
        return f"http://{self.address}"

    @property
    def streams(self) -> str:
        """Where sockets connect."""
        return f"ws://{self.address}"


@contextmanager
def serving(folder: Path, *options: str, ends: int = 0) -> Iterator[Service]:
    """Run `solvent up` in a folder until the end of the block, and see it end in order.

    With `ends` it is expected to have ended otherwise by then: -9 where it was killed.
    """
    address = f"127.0.0.1:{free_port()}"
    is_new = not (folder / "market" / "journal").exists()
    if is_new and not {"--demo", "--replay", "--operator-key"} & set(options):
        options += STAFF
    command = [sys.executable, "-P", "-m", "solvent.cli", "up", "--folder", str(folder / "market")]
    command += ["--port", address.rpartition(":")[2], *options]
    with (
        (folder / "errors").open("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            banner = process.stdout.readline()
            watchdog.cancel()
            errors.seek(0)
            assert banner.startswith("serving "), errors.read()
            yield Service(address)
            process.terminate()
            process.communicate(timeout=PATIENCE)
            assert process.returncode == ends
        finally:
            watchdog.cancel()
            process.kill()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def until(question: Callable[[], Found], patience: float = PATIENCE) -> Found:
    """What `question` answers as soon as that is something."""
    end = time.monotonic() + patience
    while not (found := question()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.1)
    return found


class Staff:
    """Signs what no client library knows: the operator's and the oracle's requests."""

    def __init__(self, service: Service, key: Key) -> None:
        self._service = service
        self._key = key
        self._signing = SigningKey(base64.b64decode(key.secret))

    def get(self, path: str, instruction: str) -> Any:
        """A request without fields."""
        return self._send("GET", path, f"instruction={instruction}")

    def post(
        self, path: str, instruction: str, body: dict[str, Any], *, method: str = "POST"
    ) -> Any:
        """A request whose fields are signed."""
        fields = "".join(f"&{name}={body[name]}" for name in sorted(body))
        text = f"instruction={instruction}{fields}"
        return self._send(method, path, text, json.dumps(body).encode())

    def subscription(self) -> list[str]:
        """The signature of a frame."""
        stamp = str(time.time_ns() // 10**6)
        text = f"instruction=subscribe&timestamp={stamp}&window=5000"
        signed = base64.b64encode(self._signing.sign(text.encode()).signature).decode()
        return [self._key.public, signed, stamp, "5000"]

    def post_digest(
        self, path: str, instruction: str, body: dict[str, Any], method: str = "POST"
    ) -> Any:
        """A request whose body's digest is signed."""
        raw = json.dumps(body).encode()
        text = f"instruction={instruction}&sha256={hashlib.sha256(raw).hexdigest()}"
        return self._send(method, path, text, raw)

    def proof(self, key: Key, role: str, account: int | str) -> str:
        """The proof that whoever brings a new key has it."""
        market = httpx.get(f"{self._service.rest}/solvent/v1/identity").json()["market"]
        text = possession_text(market, key.public, Role(role), account)
        signed = SigningKey(base64.b64decode(key.secret)).sign(text)
        return base64.b64encode(signed.signature).decode()

    def _send(self, method: str, path: str, text: str, raw: bytes = b"") -> Any:
        stamp = time.time_ns() // 10**6
        signed = self._signing.sign(f"{text}&timestamp={stamp}&window=5000".encode())
        headers = {
            "content-type": "application/json",
            "X-API-Key": self._key.public,
            "X-Signature": base64.b64encode(signed.signature).decode(),
            "X-Timestamp": str(stamp),
            "X-Window": "5000",
        }
        reply = httpx.request(
            method, self._service.rest + path, content=raw, headers=headers, timeout=PATIENCE
        )
        assert reply.status_code == 200, reply.text
        return reply.json() if reply.content else None
