"""Certificates: the tree over all accounts of a market, and a proof out of it, in a fresh process.

    python -m benches.certificates ACCOUNTS

says the processor's seconds for the certificate and for a proof, and by how many bytes resident
memory was larger at most than with the book alone. The certificate must add up, and the proof
must lead to its root.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from nacl.signing import SigningKey

from benches.common.engines import engine_over
from benches.common.market import market
from benches.common.measure import WrongAnswerError, agree
from benches.common.population import populated
from benches.common.rows import Row, of
from solvent.solvency.certificate import problems
from solvent.solvency.proofs import proof_problems
from solvent.solvency.survey import Flows, certify, holdings

NAME = "certificates"
SIZES = (64_000, 1_000_000)
_QUICK = (2_000,)
_KEY = SigningKey(b"m" * 32)
_MIB = 2**20


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Seconds of a processor and MiB, by size."""
    for accounts in _QUICK if quick else SIZES:
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(accounts)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise WrongAnswerError(f"no certificate was made: {done.stderr[-200:]}")
        certificate, proof, taken = done.stdout.split()
        said = f"{accounts:,} accounts"
        yield Row(NAME, f"{said}: certificate, processor", of("s", [float(certificate)]))
        yield Row(NAME, f"{said}: proof, processor", of("s", [float(proof)]))
        yield Row(NAME, f"{said}: memory beside the book", of("MiB", [int(taken) / _MIB]))


def _main() -> int:
    accounts = int(sys.argv[1])
    engine = engine_over(populated(market(), accounts))
    before, began = _most(), time.process_time()
    certificate, prover = certify(
        engine.queries, Flows(), _KEY, market=NAME, time=1, commands=1, journal="00" * 32
    )
    made = time.process_time()
    proof = prover.prove(accounts // 2, certificate.digest)
    proved = time.process_time()
    taken = _most() - before
    agree("what does not add up", problems(certificate), [])
    sums = holdings(engine.queries).of(accounts // 2).sums
    agree("what is wrong with a proof", proof_problems(proof, certificate, sums), [])
    sys.stdout.write(f"{made - began} {proved - made} {taken}\n")
    return 0


def _most() -> int:
    """The most bytes of this process that were in memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(_main())
