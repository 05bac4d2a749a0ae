"""Certificates, proofs and keys as files. InputError names the file and what is wrong with it."""

from pathlib import Path

from nacl.signing import SigningKey

from solvent.domain.codec.secret import secret_key
from solvent.domain.errors import InputError
from solvent.solvency import certificate as certificates
from solvent.solvency import proofs
from solvent.solvency.certificate import Certificate
from solvent.solvency.proofs import Proof


def read_certificate(path: Path) -> Certificate:
    """The certificate in a file."""
    return certificates.from_text(str(path), _text(path))


def read_proof(path: Path) -> Proof:
    """The proof in a file."""
    return proofs.from_text(str(path), _text(path))


def read_secret(path: Path) -> SigningKey:
    """The secret key in a file, 32 bytes in base64; what is wrong never repeats it."""
    return SigningKey(secret_key(str(path), _text(path)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(str(path), "file", f"cannot be read: {error.strerror}") from None
