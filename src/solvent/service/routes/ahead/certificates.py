"""Certificates: what the market owes everybody, provably complete, for everybody to see."""

from solvent.domain.errors import InputError
from solvent.service.api.calls import Call, Reply
from solvent.service.api.endpoints import READERS, Endpoint
from solvent.service.api.objects import certificates as o
from solvent.service.core.keys import NO_ACCOUNT, Role
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.solvency.certificate import to_text

TAG = "Solvent"
_FORBIDDEN = 403
_NOT_FOUND = 404
_UNAVAILABLE = 503
_MOST_NUMBER = 10**8 - 1


async def certificate(call: Call) -> Reply:
    """A certificate of solvency by its number, or the latest one."""
    chain = call.node.certificates
    latest = chain.latest
    number = call.params.integer("number", latest.number if latest else 0, 0, _MOST_NUMBER)
    text = chain.text(number)
    if text is None:
        raise _missing("there is no such certificate yet")
    return Reply(200, text.encode())


async def issue(call: Call) -> Reply:
    """Certify what the market owes and has now."""
    try:
        issued = await call.node.certify()
    except InputError as error:
        raise ApiError(_UNAVAILABLE, ApiErrorCode.SERVER_ERROR, error.reason) from None
    return Reply(200, to_text(issued).encode())


async def proof(call: Call) -> Reply:
    """The proof that the latest certificate counts the account of the key."""
    account = call.principal.account
    if account == NO_ACCOUNT:
        raise ApiError(_FORBIDDEN, ApiErrorCode.FORBIDDEN, "the key has no account")
    found = await call.node.certificates.prove(account)
    if found is None:
        raise _missing("no certificate counts the account yet")
    return Reply(200, found)


def _missing(message: str) -> ApiError:
    return ApiError(_NOT_FOUND, ApiErrorCode.RESOURCE_NOT_FOUND, message)


ENDPOINTS = [
    Endpoint(
        TAG,
        "POST",
        "/solvent/v1/certificates",
        issue,
        "certificateExecute",
        returns=dict,
        roles=frozenset({Role.OPERATOR, Role.AUDITOR}),
        mutates=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/certificates",
        certificate,
        query=o.CertificateQuery,
        returns=dict,
        may_be_missing=True,
    ),
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/certificates/proof",
        proof,
        "certificateProofQuery",
        returns=dict,
        roles=READERS,
        may_be_missing=True,
    ),
]
