"""Demo keys: one of each role, and the accounts that belong to them.

They are for trying a market out on one machine and for nothing else: every reader of this file can
compute those of users and the auditor, which are the same for the same seed. A market has them only
where a demo was asked for, never on a public address.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from nacl.signing import SigningKey

from solvent.domain.commands import Command, Deposit, OpenAccount, Role
from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.units import VALUE_SCALE

USER_USDC = 100_000 * VALUE_SCALE
BLP_USDC = 1_000_000 * VALUE_SCALE
TOKENS = {"BTC": 2, "ETH": 25, "SOL": 500}
OTHER_TOKENS = 100
"""Whole tokens of each asset that a demo user gets."""


class _Part(NamedTuple):
    """A demo key's role, in the API's words, and its account's place after the first, if any.

    Who may change a market, `staff`, has a key that nobody can compute: a page in a browser of the
    same machine could.
    """

    role: str
    place: int | None = None
    staff: bool = False


_PARTS = {
    "user": _Part("user", 0),
    "user-2": _Part("user", 1),
    "blp": _Part("blp", 2),
    "oracle": _Part("oracle", staff=True),
    "risk-admin": _Part("risk_admin", staff=True),
    "risk-admin-2": _Part("risk_admin", staff=True),
    "operator": _Part("operator", staff=True),
    "funder": _Part("funder", staff=True),
    "auditor": _Part("auditor"),
}

ACCOUNTS = sum(part.place is not None for part in _PARTS.values())
"""How many accounts belong to demo keys."""


class DemoKey(NamedTuple):
    """A key pair; `public` and `secret` are base64, as clients take them."""

    name: str
    seed: bytes
    public: str
    secret: str

    @property
    def role(self) -> str:
        """What it may do, in the API's words."""
        return _PARTS[self.name].role

    @property
    def staff(self) -> bool:
        """Whether it may change a market."""
        return _PARTS[self.name].staff

    def account(self, first_account: int) -> int | None:
        """Its account, where those of `demo_accounts` begin at `first_account`."""
        place = _PARTS[self.name].place
        return None if place is None else first_account + place


def demo_keys(seed: int, staff: bytes = b"") -> list[DemoKey]:
    """The key pairs of a demo; the user's first, and last an auditor's.

    `staff` is a secret of one market, from which the keys of those are drawn who may change it;
    without it these keys are left out.
    """
    return [
        _key(name, seed, staff if part.staff else b"")
        for name, part in _PARTS.items()
        if staff or not part.staff
    ]


def _key(name: str, seed: int, drawn: bytes) -> DemoKey:
    text = f"demo key {name} of seed {seed}".encode() + drawn
    secret = hashlib.blake2b(text, digest_size=32).digest()
    public = bytes(SigningKey(secret).verify_key)
    return DemoKey(
        name, secret, base64.b64encode(public).decode(), base64.b64encode(secret).decode()
    )


def demo_accounts(first_account: int, parameters: EngineParameters) -> list[Command]:
    """Open the accounts of the demo keys, the first one's number given, and fill them."""
    commands: list[Command] = []
    for part in _PARTS.values():
        if part.place is not None:
            account = first_account + part.place
            commands.extend(_account(account, part.role == "blp", parameters))
    return commands


def _account(account: int, is_blp: bool, parameters: EngineParameters) -> Iterator[Command]:
    if is_blp:
        yield OpenAccount(account, Role.BACKSTOP_PROVIDER)
        yield Deposit(account, USDC, BLP_USDC)
        return
    yield OpenAccount(account)
    yield Deposit(account, USDC, USER_USDC)
    for number, asset in enumerate(parameters.assets):
        if number != USDC:
            tokens = TOKENS.get(asset.symbol, OTHER_TOKENS)
            yield Deposit(account, number, tokens * 10**asset.decimals)
