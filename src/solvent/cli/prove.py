"""`solvent prove`: the proof that a certificate counts one account."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE


def prove(
    directory: Annotated[Path, NAMED],
    account: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))],
    /,
    *,
    key_file: Annotated[Path, NAMED],
    certificate: Annotated[Path, NAMED],
    out: Annotated[Path, NAMED],
) -> None:
    """Prove to the owner of an account that a certificate counts what he has and owes.

    Parameters
    ----------
    directory
        The folder of the run that was certified.
    account
        The account's number.
    key_file
        The secret key that signed the certificate.
    certificate
        The certificate.
    out
        File for the proof, which is the account's own and nobody else's.
    """
    from solvent.cli.progress import say
    from solvent.domain.errors import InputError
    from solvent.lab.certifying import certify_run
    from solvent.solvency.files import read_certificate, read_secret
    from solvent.solvency.proofs import to_text

    signed = read_certificate(certificate)
    secret = read_secret(key_file)
    again, prover = certify_run(
        directory, secret, commands=signed.commands, previous=None, number=signed.number
    )
    if again.root != signed.root:
        reason = "is not of this run and key; name those that it was made from"
        raise InputError(str(certificate), "root", reason)
    try:
        proof = prover.prove(account, signed.digest)
    except KeyError:
        raise InputError("prove", "account", f"the run has no account {account}") from None
    out.write_text(to_text(proof), encoding="ascii")
    say(f"proof for account {account}: {out}")
