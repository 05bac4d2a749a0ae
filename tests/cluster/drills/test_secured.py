"""Servers of a log that ask for a password and speak TLS: nodes come in, and nobody else does."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from solvent.cluster.log import LogError, Stored
from solvent.cluster.nats_log import NatsLog
from solvent.cluster.nats_settings import Server
from tests.cluster.nats_servers import NatsServers, until

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*StreamWriter")]
PASSWORD = "drawn-for-this-test"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NatsServers, Path]]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    place = tmp_path_factory.mktemp("secured")
    certificate, key = place / "log.pem", place / "log.key"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += ["-nodes", "-days", "2", "-subj", "/CN=log", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*words, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    more = f"""
        tls {{ cert_file: "{certificate}", key_file: "{key}" }}
        authorization {{ user: solvent, password: "{PASSWORD}" }}
    """
    running = NatsServers(place / "nats", more=more, access=f"tls://solvent:{PASSWORD}@")
    yield running, certificate
    running.close()


def with_url(servers: NatsServers, before: str) -> list[Server]:
    """The same servers, reached in another way."""
    return [each._replace(url=f"{before}{each.url.rpartition('@')[2]}") for each in servers.servers]


def test_who_has_the_password_and_trusts_the_certificate_comes_in(
    secured: tuple[NatsServers, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    servers, certificate = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    log = NatsLog.open(servers.servers, secrets.token_hex(16), all_on_one=True)
    until(lambda: log.append(0, "key", b"frame") == Stored(1))
    assert log.read(1, 2) == [b"frame"]
    log.close()


@pytest.mark.parametrize("before", ["nats://", "tls://", "tls://solvent:wrong@"])
def test_nobody_else_does(
    secured: tuple[NatsServers, Path], before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers, certificate = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(LogError):
        NatsLog.open(with_url(servers, before), secrets.token_hex(16), all_on_one=True)


def test_a_certificate_that_nobody_vouches_for_is_not_taken(
    secured: tuple[NatsServers, Path],
) -> None:
    servers, _ = secured
    with pytest.raises(LogError):
        NatsLog.open(servers.servers, secrets.token_hex(16), all_on_one=True)
