"""`solvent call`: one request to a market, signed where it has to be."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED
from solvent.domain.errors import InputError

URL = "http://127.0.0.1:8620"
ANSWER_SECONDS = 30.0
REFUSED = 1


def call(
    method: str,
    path: str,
    /,
    *fields: str,
    url: str = URL,
    key_file: Annotated[Path | None, NAMED] = None,
    prove: Annotated[Path | None, NAMED] = None,
) -> int:
    """Send one request to a market and print its answer. Exit code 1 where it is refused.

    What an endpoint's signature is made of is known from the endpoint; the signature names the
    market too, so that it is good for no other one.

    Parameters
    ----------
    method
        GET, POST, PATCH or DELETE.
    path
        Path of an endpoint, like /api/v1/capital; /docs of a running market lists them.
    fields
        Fields of the request, like symbol=SOL_USDC quantity=1.
    url
        Where the market is served.
    key_file
        File that holds the secret key that signs, 32 bytes in base64.
    prove
        File that holds the secret key that is let in, for admin/accounts, admin/keys and rotation.
    """
    import sys

    from solvent.service.client import Client, RefusedError

    given = dict(_field(text) for text in fields)
    client = Client(url, key_file, ANSWER_SECONDS)
    if prove is not None:
        given |= client.proof(prove, given)
    try:
        answer = client.send(method.upper(), path, given)
    except RefusedError as error:
        print(error.answer, file=sys.stderr)
        return REFUSED
    if answer:
        print(answer)
    return 0


def _field(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not (name and mark):
        raise InputError("call", "FIELDS", f"{text!r} is none; write it like symbol=SOL_USDC")
    return name, value
