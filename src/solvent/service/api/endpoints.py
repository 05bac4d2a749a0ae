"""Endpoints: one row says all that there is to know about a request before it is carried out.

Routing, signatures, roles, strictness about fields, rate limits, the OpenAPI document and
COMPATIBILITY.md are all made of these rows and of the objects that they name, so that none of them
can say something else.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

from msgspec.structs import FieldInfo, fields

from solvent.service.api.calls import Call, Reply
from solvent.service.api.objects.base import Request
from solvent.service.core.keys import NO_ACCOUNT, Principal, Role

Handler = Callable[[Call], Awaitable[Reply]]

TRADERS = frozenset({Role.USER, Role.BLP})
READERS = frozenset({Role.USER, Role.BLP, Role.AUDITOR})
JSON = "application/json"


class Endpoint(NamedTuple):
    """One endpoint.

    - instruction: what is signed; None for a public endpoint.
    - query, body: the objects whose fields may come; `returns` the type of the answer, None where
      it is empty, and `media` its form where that is not JSON.
    - mutates: whether it reaches the journal; reduces_risk: whether it can only reduce risk.
    - needs_no_market: whether its record follows from the request and the parameters alone, so that
      any process can make it that knows these.
    - is_batch: whether the body is a list of such objects; signs_digest: whether the SHA-256 of the
      body is signed in place of its fields.
    - may_be_empty: whether it may be answered with status 204; may_be_missing: with 404.
    - deviations: what is missing beside the published endpoint, in words; empty where it is whole.
    """

    tag: str
    method: str
    path: str
    handler: Handler
    instruction: str | None = None
    query: type[Request] | None = None
    body: type[Request] | None = None
    returns: Any = None
    media: str = JSON
    roles: frozenset[Role] = frozenset()
    mutates: bool = False
    reduces_risk: bool = False
    needs_no_market: bool = False
    is_batch: bool = False
    signs_digest: bool = False
    may_be_empty: bool = False
    may_be_missing: bool = False
    deviations: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether a signature is asked for."""
        return self.instruction is not None

    def is_open_to(self, who: Principal) -> bool:
        """Whether a key may ask. An auditor of one account reads what that account reads alone."""
        is_bound = who.role is Role.AUDITOR and who.account != NO_ACCOUNT
        return who.role in self.roles and (not is_bound or Role.USER in self.roles)

    @property
    def list_fields(self) -> frozenset[str]:
        """Names of the query's fields that may come more than once."""
        return _list_fields(self.query)

    @property
    def fields(self) -> frozenset[str]:
        """Names of all fields that may come."""
        return _names(self.query, self.body)

    @property
    def required(self) -> frozenset[str]:
        """Names of the fields that must come."""
        return _required(self.query, self.body)


def fields_of(*kinds: type[Request] | None) -> Iterator[FieldInfo]:
    """The fields of some objects, in the wire's order."""
    for kind in kinds:
        if kind is not None:
            yield from fields(kind)


@cache
def _names(*kinds: type[Request] | None) -> frozenset[str]:
    return frozenset(each.encode_name for each in fields_of(*kinds))


@cache
def _required(*kinds: type[Request] | None) -> frozenset[str]:
    return frozenset(each.encode_name for each in fields_of(*kinds) if each.required)


@cache
def _list_fields(kind: type[Request] | None) -> frozenset[str]:
    return frozenset(each.encode_name for each in fields_of(kind) if _is_list(each.type))


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list or any(map(_is_list, get_args(kind)))
