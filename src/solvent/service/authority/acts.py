"""Acts: everything that staff may ask of a market, as data that the journal holds.

An act is checked against the market at its record's place, never before: what it needs may have
changed since it was signed. `check` raises ApiError and changes nothing; `commands` are what the
engine is told. Who may ask, and who else must agree, is in `model`; carrying out is in `desk`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from solvent.domain import commands as c
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import USDC, EngineParameters, ParameterError
from solvent.domain.queries import Queries
from solvent.domain.units import PRICE_SCALE
from solvent.service.core.keys import FIRST_ACCOUNT, NO_ACCOUNT, WITH_ACCOUNT, KeyRegistry, Role
from solvent.service.core.records import RecordError
from solvent.service.errors import ApiError, ApiErrorCode

_BAD_REQUEST = 400
_CONFLICT = 409
Subject: TypeAlias = Mapping[str, str | int | bool]
"""What an act is about, in words that an audit may show: no key is among them."""


class State(Protocol):
    """The part of a market by which acts are checked."""

    queries: Queries
    keys: KeyRegistry

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        ...


def refused(
    message: str,
    code: ApiErrorCode = ApiErrorCode.INVALID_CLIENT_REQUEST,
    status: int = _BAD_REQUEST,
) -> ApiError:
    """The error of an act that cannot be carried out."""
    return ApiError(status, code, message)


def fingerprint(key: bytes) -> str:
    """A name of a key for people to compare, which is not the key: 16 hexadecimal digits."""
    return hashlib.blake2b(key, digest_size=8).hexdigest()


class Act(msgspec.Struct, array_like=True, frozen=True):
    """One thing that staff asks for."""

    def check(self, state: State) -> None:
        """Raise ApiError where it cannot be carried out as the market is."""

    def commands(self, state: State) -> Sequence[c.Command]:  # noqa: ARG002
        """What the engine is told."""
        return ()

    def subject(self, state: State) -> Subject:  # noqa: ARG002
        """What it is about."""
        return {}


class ChangeParameter(Act, frozen=True, tag=0):
    """Set a parameter of the engine: an encoded `ChangeParameter` command."""

    command: bytes

    @property
    def decoded(self) -> c.ChangeParameter:
        """The command."""
        command = c.decode_command(self.command)[0]
        assert isinstance(command, c.ChangeParameter)
        return command

    def check(self, state: State) -> None:
        """The parameters that result must be valid."""
        try:
            changed_parameters(state.parameters, self.decoded)
        except ParameterError as error:
            raise refused(f"no such change can be made: {error}") from error

    def commands(self, state: State) -> Sequence[c.Command]:  # noqa: ARG002
        """The command itself."""
        return (self.decoded,)

    def subject(self, state: State) -> Subject:
        """Asset, field, value and index."""
        change = self.decoded
        symbol = state.parameters.assets[change.asset].symbol
        return {
            "symbol": symbol,
            "field": change.field.name,
            "value": change.value,
            "index": change.index,
        }


class AdmitKey(Act, frozen=True, tag=1):
    """Let a key act in a role and, where the role has one, for an account that is open."""

    key: bytes
    role: Role
    account: int = NO_ACCOUNT

    def check(self, state: State) -> None:
        """The key acts for nobody; role and account go together; the account is open."""
        _check_free(state.keys, self.key)
        has_account = self.account != NO_ACCOUNT
        if self.role is not Role.AUDITOR and (self.role in WITH_ACCOUNT) != has_account:
            needs = "needs an account" if self.role in WITH_ACCOUNT else "has no account"
            raise refused(f"a key of role {self.role} {needs}")
        if has_account and not FIRST_ACCOUNT <= self.account < state.queries.accounts():
            raise refused("account must be one that was opened")

    def subject(self, state: State) -> Subject:  # noqa: ARG002
        """Role, account and the key's fingerprint."""
        found: dict[str, str | int | bool] = {"role": self.role.value}
        if self.account != NO_ACCOUNT:
            found["account"] = self.account
        return found | {"fingerprint": fingerprint(self.key)}


class RemoveKey(Act, frozen=True, tag=2):
    """Let a key act no more, from the next record on."""

    key: bytes

    def check(self, state: State) -> None:
        """It acts, and somebody is left who can let keys in."""
        found = state.keys.find(self.key)
        if found is None:
            raise refused("no such key acts", ApiErrorCode.RESOURCE_NOT_FOUND)
        if found.role is Role.OPERATOR and state.keys.count(Role.OPERATOR) == 1:
            message = "the last operator cannot be removed: admit another one first"
            raise refused(message, ApiErrorCode.PRECONDITION_FAILED)

    def subject(self, state: State) -> Subject:
        """The key's number, role, account and fingerprint."""
        found = state.keys.find(self.key)
        named: dict[str, str | int | bool] = {"fingerprint": fingerprint(self.key)}
        if found is not None:
            named |= {"key": found.number, "role": found.role.value, "account": found.account}
        return named


class RotateKey(Act, frozen=True, tag=3):
    """Let another key take the place of the one that asks: number, role and account stay."""

    key: bytes

    def check(self, state: State) -> None:
        """The key was never anybody's."""
        _check_free(state.keys, self.key)
        if state.keys.was_known(self.key):
            raise _in_use("the key was in use before; rotate to a new one")

    def subject(self, state: State) -> Subject:  # noqa: ARG002
        """The new key's fingerprint."""
        return {"fingerprint": fingerprint(self.key)}


class OpenAccount(Act, frozen=True, tag=4):
    """Open the next account and let a key act for it."""

    key: bytes
    role: Role

    def check(self, state: State) -> None:
        """The key acts for nobody, and the role is one that has an account."""
        _check_free(state.keys, self.key)
        if self.role not in WITH_ACCOUNT:
            raise refused(f"a key of role {self.role} has no account")

    def commands(self, state: State) -> Sequence[c.Command]:
        """The opening of the account whose number is the next one."""
        is_provider = self.role is Role.BLP
        kind = c.Role.BACKSTOP_PROVIDER if is_provider else c.Role.USER
        return (c.OpenAccount(state.queries.accounts(), kind),)

    def subject(self, state: State) -> Subject:  # noqa: ARG002
        """Role and fingerprint; the account's number is known when it is open."""
        return {"role": self.role.value, "fingerprint": fingerprint(self.key)}


class BookDeposit(Act, frozen=True, tag=5):
    """Tokens of an account came in from outside: atoms."""

    account: int
    asset: int
    quantity: int

    def commands(self, state: State) -> Sequence[c.Command]:  # noqa: ARG002
        """The deposit; the engine says whether account and quantity are right."""
        return (c.Deposit(self.account, self.asset, self.quantity),)

    def value(self, state: State) -> int | None:
        """What it is worth, 10^-10 USDC, rounded up; None where no price can be used."""
        if self.asset == USDC:
            price = PRICE_SCALE
        else:
            reading = state.queries.price(self.asset)
            price = max(reading.index, reading.mark)
            if reading.stale or reading.halted or price <= 0:
                return None
        unit: int = 10 ** state.parameters.assets[self.asset].decimals
        return -(-self.quantity * price // unit)

    def subject(self, state: State) -> Subject:
        """Account, asset and atoms."""
        symbol = state.parameters.assets[self.asset].symbol
        return {"account": self.account, "symbol": symbol, "atoms": self.quantity}


class CollectFees(Act, frozen=True, tag=6):
    """A pool's fees go to the treasury."""

    asset: int

    def commands(self, state: State) -> Sequence[c.Command]:  # noqa: ARG002
        """The collection."""
        return (c.CollectFees(self.asset),)

    def subject(self, state: State) -> Subject:
        """The asset."""
        return {"symbol": state.parameters.assets[self.asset].symbol}


class HaltPrice(Act, frozen=True, tag=7):
    """Declare a price unusable, or usable again."""

    asset: int
    halted: bool

    def commands(self, state: State) -> Sequence[c.Command]:  # noqa: ARG002
        """The halt."""
        return (c.HaltPrice(self.asset, self.halted),)

    def subject(self, state: State) -> Subject:
        """Asset and whether it is halted."""
        return {"symbol": state.parameters.assets[self.asset].symbol, "halted": self.halted}


class Approve(Act, frozen=True, tag=8):
    """Stand behind somebody else's proposal."""

    proposal: int


class Reject(Act, frozen=True, tag=9):
    """End a proposal; by its proposer it is withdrawn."""

    proposal: int


class Carry(Act, frozen=True, tag=10):
    """Carry out a proposal that is due, or let one expire: the clock asks, and nobody else may."""

    proposal: int


class PaceReplay(Act, frozen=True, tag=11):
    """Play a scenario faster or slower, or let its time stand still: thousandths.

    It changes nothing of the market, whose time comes with its records; it is here so that the
    audit log says who did it.
    """

    speed: int
    paused: bool

    def subject(self, state: State) -> Subject:  # noqa: ARG002
        """Speed and whether it is paused."""
        return {"speed": self.speed, "paused": self.paused}


class AttachRehearsal(Act, frozen=True, tag=12):
    """Put beside a proposal what its change was found to do: the service asks, and nobody else may.

    `document` is an encoded rehearsal or, where there is none, `failure` says why.
    """

    proposal: int
    document: bytes
    failure: str = ""


class AttachEffect(Act, frozen=True, tag=13):
    """Put beside a proposal that was made what its change did at once, as `AttachRehearsal`."""

    proposal: int
    document: bytes
    failure: str = ""


Attachment: TypeAlias = AttachRehearsal | AttachEffect
Decision: TypeAlias = Approve | Reject | Carry
AnyAct: TypeAlias = (
    ChangeParameter
    | AdmitKey
    | RemoveKey
    | RotateKey
    | OpenAccount
    | BookDeposit
    | CollectFees
    | HaltPrice
    | PaceReplay
    | Approve
    | Reject
    | Carry
    | AttachRehearsal
    | AttachEffect
)
OF_PROPOSALS = (Approve, Reject, Carry, AttachRehearsal, AttachEffect)
"""Acts that are about a proposal, and are none themselves."""


def _check_free(keys: KeyRegistry, key: bytes) -> None:
    """A key is one person's and one role's: what acts already is not let in again."""
    if keys.find(key) is not None:
        raise _in_use("the key is in use; a key acts for one person in one role")
    if keys.is_replaced(key):
        raise _in_use("the key was replaced by another one of the same person")


def _in_use(message: str) -> ApiError:
    return refused(message, ApiErrorCode.PRECONDITION_FAILED, _CONFLICT)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[AnyAct] = msgspec.msgpack.Decoder(AnyAct)


def encode_act(act: AnyAct) -> bytes:
    """The body of an ACT record."""
    return _ENCODER.encode(act)


def decode_act(body: bytes) -> AnyAct:
    """What the body of an ACT record says. Raises RecordError."""
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise RecordError(f"no act: {error}") from error
