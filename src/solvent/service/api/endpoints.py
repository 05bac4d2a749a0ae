"""Endpoints: one row says all that there is to know about a request before it is carried out.

Routing, signatures, roles, strictness about fields, rate limits, the OpenAPI document and
COMPATIBILITY.md are all made of these rows, so that none of them can say something else.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import NamedTuple

from solvent.service.api.calls import Call, Reply
from solvent.service.core.keys import Role

Handler = Callable[[Call], Awaitable[Reply]]

TRADERS = frozenset({Role.USER, Role.BLP})
READERS = frozenset({Role.USER, Role.BLP, Role.AUDITOR})


class Endpoint(NamedTuple):
    """One endpoint.

    - instruction: what is signed; None for a public endpoint.
    - query, body: fields as `name?:type` words, as the published tables have them; `returns` the
      schema of the answer.
    - changes: whether it reaches the journal; eases: whether it can only reduce risk.
    - is_batch: whether the body is a list; is_open: whether fields may have any name; signs_digest:
      whether the SHA-256 of the body is signed in place of its fields.
    - lacks: what is missing beside the published endpoint, in words; empty where it is whole.
    """

    tag: str
    method: str
    path: str
    handler: Handler
    instruction: str | None = None
    query: str = ""
    body: str = ""
    returns: str = ""
    roles: frozenset[Role] = frozenset()
    changes: bool = False
    eases: bool = False
    is_batch: bool = False
    is_open: bool = False
    signs_digest: bool = False
    lacks: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether a signature is asked for."""
        return self.instruction is not None

    @property
    def list_fields(self) -> frozenset[str]:
        """Names of the query's fields that may come more than once."""
        return _list_fields(self.query)

    @property
    def fields(self) -> frozenset[str]:
        """Names of all fields that may come."""
        return _fields(f"{self.query} {self.body}")

    @property
    def required(self) -> frozenset[str]:
        """Names of the fields that must come."""
        return _required(f"{self.query} {self.body}")


@cache
def _fields(words: str) -> frozenset[str]:
    return frozenset(word.partition(":")[0].removesuffix("?") for word in words.split())


@cache
def _required(words: str) -> frozenset[str]:
    return frozenset(word.partition(":")[0] for word in words.split() if "?:" not in word)


@cache
def _list_fields(words: str) -> frozenset[str]:
    lists = (word for word in words.split() if word.partition(":")[2].startswith("["))
    return _fields(" ".join(lists))
