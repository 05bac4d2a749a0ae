"""`solvent verify`: receipts computed again, offline."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED
from solvent.domain.errors import InputError
from solvent.domain.units import format_decimal

MOST_HEAD = 1 << 20
"""Bytes in which a certificate says what it is; its assets come before."""


def verify(
    path: Annotated[Path, NAMED],
    /,
    *,
    proof: Annotated[Path | None, NAMED] = None,
    previous: Annotated[Path | None, NAMED] = None,
    key: str | None = None,
) -> int:
    """Compute receipts or a certificate again, offline. Exit code 1 if anything was altered.

    Parameters
    ----------
    path
        A receipts.jsonl file, one receipt as a .json file, the folder of a run, or a certificate.
    proof
        With a certificate: the proof that it counts an account.
    previous
        With a certificate: the one before it.
    key
        With a certificate: the market's public key, where it is known.
    """
    from solvent.solvency.certificate import FORMAT

    if path.is_file() and FORMAT in path.read_bytes()[:MOST_HEAD].decode("ascii", "replace"):
        return _verify_certificate(path, proof, previous, key)
    for option, value in (("--proof", proof), ("--previous", previous), ("--key", key)):
        if value is not None:
            raise InputError(str(path), option, "goes with a certificate, which this is not")
    from solvent.journal.run_log import RunLogReader
    from solvent.lab.report.formatting import number
    from solvent.receipts.verify.check import verify_path

    report = verify_path(path, RunLogReader)
    for problem in report.problems:
        print(problem)
    if not report.good:
        print(
            f"{path}: of {number(report.receipts)} receipts recomputed, not all are as they should "
            f"be: {number(len(report.problems))} differences"
        )
        return 1
    print(f"{path}: {number(report.receipts)} receipts recomputed, every one of them holds")
    return 0


def _verify_certificate(
    path: Path, proof: Path | None, previous: Path | None, key: str | None
) -> int:
    from solvent.solvency.certificate import chain_problems, problems
    from solvent.solvency.files import read_certificate, read_proof
    from solvent.solvency.proofs import proof_problems

    certificate = read_certificate(path)
    found = problems(certificate, key)
    if previous is not None:
        found += chain_problems([read_certificate(previous), certificate])
    shown = None if proof is None else read_proof(proof)
    if shown is not None:
        found += proof_problems(shown, certificate, None)
    for problem in found:
        print(f"{path}: {problem.asset + ': ' if problem.asset else ''}{problem.reason}")
    if found:
        return 1
    print(f"{path}: certificate {certificate.number} of {certificate.market} adds up")
    if shown is not None:
        print(f"{proof}: account {shown.account} is counted in it, with")
        for asset, place in zip(certificate.assets, range(0, len(shown.sums), 3), strict=True):
            row = shown.sums[place : place + 3]
            if any(row):
                held, lent, owed = (format_decimal(number, asset.decimals) for number in row)
                print(f"  {asset.symbol}: {held} held, {lent} lent, {owed} owed")
    return 0
