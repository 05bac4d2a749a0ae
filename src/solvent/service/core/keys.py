"""Keys: who may act, and as what.

A key is an ed25519 public key with a role and, where the role trades, an account. It is one role's
and nothing else's. Its number stays its own, also when it is taken out and let in again, so that
whoever must be somebody else (two people behind a parameter) cannot become so by changing keys.

Changes of keys are records of the journal, and the registry follows from them. No key is in a
`repr`, an error or a log.
"""

import base64
import binascii
from collections import OrderedDict
from enum import StrEnum
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.signing import VerifyKey

from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import PARSED_KEYS

KEY_BYTES = 32
NO_ACCOUNT = -1
FIRST_ACCOUNT = 2
"""Accounts before it are the fund's and the treasury's; no key acts for them."""
_BAD_REQUEST = 400


class Role(StrEnum):
    """What a key is for."""

    USER = "user"
    BLP = "blp"
    ORACLE = "oracle"
    RISK_ADMIN = "risk_admin"
    OPERATOR = "operator"
    AUDITOR = "auditor"


WITH_ACCOUNT = frozenset({Role.USER, Role.BLP})
"""Roles whose keys act for an account. An auditor's may have one, whose it reads."""


class Principal(NamedTuple):
    """Who signed: a key's number, role and account (NO_ACCOUNT where it has none)."""

    number: int
    role: Role
    account: int

    @property
    def key_text(self) -> str:
        """A name for buckets that is not the key."""
        return str(self.number)


def decode_base64(text: str, size: int) -> bytes | None:
    """The `size` bytes that a text stands for in base64's one canonical form, or None."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    is_canonical = len(data) == size and base64.b64encode(data).decode() == text
    return data if is_canonical else None


def parse_public_key(text: str) -> bytes:
    """The 32 bytes of a public key that may be let in. Raises ApiError.

    Points of low order, with which anybody could sign, and second encodings of a point are refused.
    """
    key = decode_base64(text, KEY_BYTES)
    if key is None:
        raise _refused("publicKey must be 32 bytes in base64")
    if not crypto_core_ed25519_is_valid_point(key):
        raise _refused("publicKey is no ed25519 key")
    return key


def encode_addition(key: bytes, role: Role, account: int) -> bytes:
    """The body of a KEY record that lets a key act, or changes what it is. Raises ApiError."""
    if role is not Role.AUDITOR and (role in WITH_ACCOUNT) != (account >= 0):
        needs = "needs an account" if role in WITH_ACCOUNT else "has no account"
        raise _refused(f"a key of role {role} {needs}")
    return _ENCODER.encode((key, role, account))


def encode_removal(key: bytes) -> bytes:
    """The body of a KEY record that takes a key out."""
    return _ENCODER.encode((key, None, NO_ACCOUNT))


def account_of(body: bytes) -> int:
    """The account that the body of a KEY record is about; NO_ACCOUNT where there is none."""
    _, _, account = _CHANGE.decode(body)
    return account


class KeyRegistry:
    """All keys that act or acted."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._principals: dict[bytes, Principal] = {}
        self._parsed: OrderedDict[bytes, VerifyKey] = OrderedDict()

    def __repr__(self) -> str:
        """Say how many keys may act, and no more."""
        return f"KeyRegistry({len(self._principals)} keys)"

    def find(self, key: bytes) -> Principal | None:
        """Who acts with this key."""
        return self._principals.get(key)

    def parsed(self, key: bytes) -> VerifyKey:
        """The key, known or not, ready to verify with; the last PARSED_KEYS are kept."""
        found = self._parsed.pop(key, None) or VerifyKey(key)
        self._parsed[key] = found
        if len(self._parsed) > PARSED_KEYS:
            self._parsed.popitem(last=False)
        return found

    def apply(self, body: bytes) -> None:
        """Let the body of a KEY record happen."""
        self._set(*_CHANGE.decode(body))

    def let_in(self, key: bytes, role: Role, account: int) -> None:
        """Let a key act."""
        self._set(key, role, account)

    def encode(self) -> bytes:
        """All of it as bytes, for a snapshot: keys in the order of their numbers."""
        rows = []
        for key in self._numbers:
            principal = self._principals.get(key)
            rows.append((key, principal.role, principal.account) if principal else _out(key))
        return _ENCODER.encode(rows)

    @classmethod
    def decode(cls, data: bytes) -> "KeyRegistry":
        """What `encode` was taken from."""
        registry = cls()
        for row in _ROWS.decode(data):
            registry._set(*row)
        return registry

    def _set(self, key: bytes, role: Role | None, account: int) -> None:
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        if role is None:
            self._principals.pop(key, None)
        else:
            self._principals[key] = Principal(number, role, account)


_Key: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
_Row: TypeAlias = tuple[_Key, Role | None, int]
"""A key and what it is from now on; without a role it is out."""
_ENCODER = msgspec.msgpack.Encoder()
_CHANGE: msgspec.msgpack.Decoder[_Row] = msgspec.msgpack.Decoder(_Row)
_ROWS = msgspec.msgpack.Decoder(list[_Row])


def _out(key: bytes) -> tuple[bytes, None, int]:
    return key, None, NO_ACCOUNT


def _refused(message: str) -> ApiError:
    return ApiError(_BAD_REQUEST, ApiErrorCode.INVALID_CLIENT_REQUEST, message)
