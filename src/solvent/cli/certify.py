"""`solvent certify`: a signed certificate of what a run's market owes and has."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import NAMED, WHOLE


def certify(
    directory: Annotated[Path, NAMED],
    /,
    *,
    key_file: Annotated[Path, NAMED],
    out: Annotated[Path, NAMED],
    commands: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=1))] = None,
    previous: Annotated[Path | None, NAMED] = None,
) -> None:
    """Carry a run's log out again and sign what its market owes everybody, against what it has.

    Parameters
    ----------
    directory
        The folder of a run.
    key_file
        The market's secret key, 32 bytes in base64. Leaves are cut by it, so `prove` needs it too.
    out
        File for the certificate.
    commands
        Certify the state after so many commands of the run instead of all.
    previous
        The certificate before this one, which the new one names.
    """
    from solvent.cli.progress import say
    from solvent.lab.certifying import certify_run
    from solvent.solvency.certificate import to_text
    from solvent.solvency.files import read_certificate, read_secret

    before = None if previous is None else read_certificate(previous)
    certificate, _ = certify_run(
        directory, read_secret(key_file), commands=commands, previous=before
    )
    out.write_text(to_text(certificate), encoding="ascii")
    say(f"certificate {certificate.number} of {certificate.market}: {out}")
