"""Intake: what a request is read against, and who takes the record that is made of it.

That is the running node, or in a gateway what it was told of the market and the line to the node's
process. So the way from a request's bytes to its record is the same code in both.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from solvent.domain.parameters import EngineParameters
from solvent.service.api.buckets import Buckets
from solvent.service.api.signing import Verified
from solvent.service.core.clock import MarketClock
from solvent.service.core.idempotency import Answer
from solvent.service.core.keys import KeyRegistry
from solvent.service.core.place import Reached
from solvent.service.core.records import Record
from solvent.service.errors import ApiError, ApiErrorCode

TOO_MANY = 429


class Payment(NamedTuple):
    """Tokens of one bucket; `is_charge` those that were taken although there may be fewer."""

    kind: str
    name: str | int
    tokens: int
    reduces_risk: bool = False
    is_charge: bool = False


class Toll:
    """What one request pays, from `buckets`; `paid` is all of it in its order."""

    __slots__ = ("_buckets", "_reduces_risk", "is_handed_on", "paid")

    def __init__(self, buckets: Buckets, *, reduces_risk: bool = False) -> None:
        self._buckets = buckets
        self._reduces_risk = reduces_risk
        self.paid: list[Payment] = []
        self.is_handed_on = False
        """Whether whoever took the record has been told of all payments."""

    def pay(self, kind: str, name: str | int, tokens: int = 1) -> None:
        """Take tokens. Raises ApiError where there are not so many."""
        payment = Payment(kind, name, tokens, self._reduces_risk)
        spend(self._buckets, payment)
        self.paid.append(payment)

    def charge(self, kind: str, name: str | int, tokens: int) -> None:
        """Take tokens for what was done already."""
        self._buckets.charge(kind, name, tokens)
        self.paid.append(Payment(kind, name, tokens, is_charge=True))


def spend(buckets: Buckets, payment: Payment) -> None:
    """Take the tokens of a payment. Raises ApiError where there are not so many."""
    kind, name, tokens, reduces_risk, _ = payment
    wait = buckets.spend(kind, name, tokens, reduces_risk=reduces_risk)
    if wait:
        raise ApiError(
            TOO_MANY, ApiErrorCode.TOO_MANY_REQUESTS, "too many requests", retry_after=wait
        )


class Known(Protocol):
    """What has to be known of a market to make records for it."""

    keys: KeyRegistry

    @property
    def identity(self) -> str:
        """What tells it from others."""
        ...

    @property
    def parameters(self) -> EngineParameters:
        """Parameters in force."""
        ...


class Counts(Protocol):
    """Counts requests."""

    def answered(self, tag: str, status: int, seconds: float) -> None:
        """Count one."""


class Intake(Protocol):
    """Takes records for a market."""

    @property
    def market(self) -> Known:
        """The market, as far as it has to be known."""
        ...

    @property
    def clock(self) -> MarketClock:
        """The market's time and the one that signatures are judged by."""
        ...

    @property
    def reached(self) -> Reached:
        """The number of what is carried out and published."""
        ...

    @property
    def metrics(self) -> Counts:
        """Counts what is answered."""
        ...

    async def take(self, record: Record, signed: Verified | None, toll: Toll) -> Answer:
        """The answer to a request; to one that came before, the first answer. Raises ApiError."""
        ...

    def settle(self, paid: Sequence[Payment]) -> None:
        """Told what a request has paid of which no record was made."""
