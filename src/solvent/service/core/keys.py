"""Keys: who may act, and as what.

A key is an ed25519 public key with a role and, where the role trades, an account. It is one role's
and nothing else's. Its number stays its own, also when it is taken out and let in again, and goes
to the key that takes its place: whoever must be somebody else (two people behind an act) cannot
become so by changing keys.

Keys change by acts (`solvent.service.authority`), and the registry follows from these. No key is in
a `repr`, an error or a log.
"""

import base64
import binascii
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
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
    FUNDER = "funder"
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


class KeyRegistry:
    """All keys that act or acted."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._principals: dict[bytes, Principal] = {}
        self._acting: dict[int, bytes] = {}
        self._next = 1
        self._versions: Counter[int] = Counter()
        self._parsed: OrderedDict[bytes, VerifyKey] = OrderedDict()
        self.on_change: Callable[[Row], object] = _nobody
        """Told of each key that changes, in the thread that changes it."""

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

    def by_number(self, number: int) -> Principal | None:
        """Who acts under this number."""
        key = self._acting.get(number)
        return None if key is None else self._principals[key]

    def version(self, number: int) -> int:
        """How often in this process something changed under a number."""
        return self._versions[number]

    def count(self, role: Role) -> int:
        """How many keys act in a role."""
        return sum(each.role is role for each in self._principals.values())

    def all(self) -> Iterator[tuple[bytes, Principal]]:
        """All keys that act, in the order of their numbers."""
        return ((key, self._principals[key]) for _, key in sorted(self._acting.items()))

    def was_known(self, key: bytes) -> bool:
        """Whether a key acts or acted."""
        return key in self._numbers

    def is_replaced(self, key: bytes) -> bool:
        """Whether another key acts under the number of this one."""
        return self._acting.get(self._numbers.get(key, 0), key) != key

    def let_in(self, key: bytes, role: Role, account: int = NO_ACCOUNT) -> None:
        """Let a key act, under the number that it had before, if it had one."""
        self._set(key, self._numbers.get(key, self._next), role, account)

    def remove(self, key: bytes) -> None:
        """Let a key act no more."""
        if key in self._principals:
            self._set(key, self._numbers[key], None, NO_ACCOUNT)

    def rotate(self, number: int, key: bytes) -> None:
        """Let a new key act in place of the one that acts under this number."""
        old = self._acting[number]
        held = self._principals[old]
        self._set(old, number, None, NO_ACCOUNT)
        self._set(key, number, held.role, held.account)

    def encode(self) -> bytes:
        """All of it as bytes, for a snapshot: keys in the order in which they came."""
        rows = []
        for key, number in self._numbers.items():
            found = self._principals.get(key)
            rows.append((key, number, found.role, found.account) if found else _out(key, number))
        return _ENCODER.encode(rows)

    @classmethod
    def decode(cls, data: bytes) -> "KeyRegistry":
        """What `encode` was taken from."""
        registry = cls()
        for row in _ROWS.decode(data):
            registry._set(*row)
        return registry

    def follow(self, rows: Iterable["Row"]) -> None:
        """Let keys be what another registry told of them (`on_change`)."""
        for row in rows:
            self._set(*row)

    def _set(self, key: bytes, number: int, role: Role | None, account: int) -> None:
        self._numbers[key] = number
        self._versions[number] += 1
        self._next = max(self._next, number + 1)
        if role is not None:
            self._principals[key] = Principal(number, role, account)
            self._acting[number] = key
        else:
            self._principals.pop(key, None)
            if self._acting.get(number) == key:
                del self._acting[number]
        self.on_change((key, number, role, account))


_Key: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
Row: TypeAlias = tuple[_Key, int, Role | None, int]
"""A key, its number and what it is; without a role it is out."""
_ENCODER = msgspec.msgpack.Encoder()
_ROWS = msgspec.msgpack.Decoder(list[Row])


def _nobody(_: Row) -> None:
    """For a registry that nobody follows."""


def _out(key: bytes, number: int) -> tuple[bytes, int, None, int]:
    return key, number, None, NO_ACCOUNT


def _refused(message: str) -> ApiError:
    return ApiError(_BAD_REQUEST, ApiErrorCode.INVALID_CLIENT_REQUEST, message)
