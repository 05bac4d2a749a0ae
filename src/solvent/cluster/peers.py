"""What nodes of a cluster ask each other: questions and answers sealed by a secret that they share.

    question   GET /WORDS?nonce=HEX&seal=HEX    seal: BLAKE2b under the secret of nonce and words
    answer     seal 32, content                 seal: the same of nonce, words and content

A journal holds what is private to accounts, so nobody else is answered, and an answer that somebody
else made is none. The nonce of the question ties the answer to it. A question that is heard on the
way can be asked again: so each is one that does no harm twice.

Deliberately absent: encryption. Nodes speak over a network that is theirs alone, or a tunnel.
"""

import hashlib
import hmac
import logging
import secrets
import urllib.request
from collections.abc import Sequence
from urllib.error import HTTPError
from urllib.parse import parse_qs

import msgspec

LOG = logging.getLogger("solvent.cluster")
SECRET_BYTES = 32
SECRET_MOST = hashlib.blake2b.MAX_KEY_SIZE
SEAL_BYTES = 32
NONCE_BYTES = 16
ANSWER_SECONDS = 2.0
ANSWER_BYTES = 64 * 1024 * 1024
_ASKS, _TELLS = b"solvent asks", b"solvent tells"
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NodeStatus(msgspec.Struct, array_like=True, frozen=True):
    """What a node says of itself: its part, and how far it has carried out the log.

    `lag` frames are behind, as far as it knows, and for `quiet` seconds it carried out none.
    """

    version: str
    part: str
    sequence: int
    epoch: int
    lag: int
    quiet: float


class PeerError(Exception):
    """Another node that does not answer, or not with what was asked. One line."""


def sealed_question(secret: bytes, words: str) -> tuple[str, bytes]:
    """The path that asks this, and the nonce that its answer is sealed with."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    seal = _seal(secret, _ASKS, nonce, words.encode())
    return f"/{words}?nonce={nonce.hex()}&seal={seal.hex()}", nonce


def open_question(secret: bytes, path: str) -> tuple[str, bytes] | None:
    """The words and the nonce of a question; None where its seal is not made with the secret."""
    words, _, query = path.removeprefix("/").partition("?")
    said = parse_qs(query)
    try:
        nonce, seal = (bytes.fromhex(said[name][0]) for name in ("nonce", "seal"))
    except (KeyError, ValueError):
        return None
    wanted = _seal(secret, _ASKS, nonce, words.encode())
    is_ours = len(nonce) == NONCE_BYTES and hmac.compare_digest(seal, wanted)
    return (words, nonce) if is_ours else None


def sealed_answer(secret: bytes, words: str, nonce: bytes, content: bytes) -> bytes:
    """The bytes that answer a question."""
    return _seal(secret, _TELLS, nonce, words.encode(), content) + content


def ask(url: str, secret: bytes, words: str) -> bytes:
    """What the node at this address answers. Raises PeerError."""
    path, nonce = sealed_question(secret, words)
    try:
        with _DIRECTLY.open(url + path, timeout=ANSWER_SECONDS) as reply:
            data: bytes = reply.read(ANSWER_BYTES)
    except HTTPError as error:
        with error:
            raise PeerError(f"{url}: {error.read().decode(errors='replace')}") from error
    except (OSError, ValueError) as error:
        raise PeerError(f"{url}: does not answer ({getattr(error, 'reason', error)})") from error
    seal, content = data[:SEAL_BYTES], data[SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(secret, _TELLS, nonce, words.encode(), content)):
        raise PeerError(f"{url}: answers with another secret than this cluster's")
    return content


def ask_status(url: str, secret: bytes) -> NodeStatus:
    """What the node at this address says of itself. Raises PeerError."""
    try:
        return msgspec.msgpack.decode(ask(url, secret, "status"), type=NodeStatus)
    except msgspec.MsgspecError as error:
        raise PeerError(f"{url}: says what cannot be read: {error}") from error


class Peers:
    """The journals of the other nodes, at these addresses."""

    def __init__(self, secret: bytes, urls: Sequence[str]) -> None:
        self._secret = secret
        self._urls = urls

    def __call__(self, sequence: int) -> Sequence[bytes]:
        """Frames from `sequence` on of the first node that has them; none where nobody does."""
        for url in self._urls:
            try:
                said = ask(url, self._secret, f"frames/{sequence}")
                frames = msgspec.msgpack.decode(said, type=list[bytes])
            except (PeerError, msgspec.MsgspecError) as error:
                LOG.info("a node was asked for frames", extra={"reason": str(error)})
                continue
            if frames:
                reason = f"{len(frames)} from frame {sequence} on, by {url}"
                LOG.warning("frames that the log lacks", extra={"reason": reason})
                return frames
        return ()


def _seal(secret: bytes, who: bytes, nonce: bytes, *parts: bytes) -> bytes:
    """Each part with its length, so that no two ways to part a text have one seal."""
    seal = hashlib.blake2b(nonce, key=secret, person=who, digest_size=SEAL_BYTES)
    for part in parts:
        seal.update(len(part).to_bytes(8, "big") + part)
    return seal.digest()
