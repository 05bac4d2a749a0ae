"""Workers of a Dask cluster, behind the same `Executor` as those of this machine.

Dask runs whatever it is sent and asks nobody who he is. So an address must be this machine's own,
or one that TLS protects (`tls://`, with Dask's own settings for its certificates). A worker that
dies is the scheduler's to replace: it gives its chunk to another one, and only a chunk that ended
several workers comes back as lost.
"""

from concurrent.futures import Executor
from urllib.parse import urlsplit

from solvent.domain.errors import InputError
from solvent.lab.sweeps.workers import Pool

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SECONDS = 30


def dask_pool(address: str) -> Pool:
    """The workers of the cluster whose scheduler is at `address`.

    InputError where Dask is not installed, nobody answers there, or it may not be trusted.
    """
    where = urlsplit(address)
    if where.scheme not in ("tcp", "tls") or not where.port:
        reason = f"{address!r} is no scheduler; write it like tcp://127.0.0.1:8786"
        raise InputError("sweep", "--cluster", reason)
    if where.scheme == "tcp" and where.hostname not in LOOPBACK:
        reason = "is another machine, and tcp:// lets anybody there run anything; use tls://"
        raise InputError("sweep", "--cluster", reason)
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError:
        reason = "needs Dask; pip install 'solvent[dask]'"
        raise InputError("sweep", "--cluster", reason) from None
    try:
        client = Client(address, timeout=SECONDS)
    except OSError:
        reason = f"nobody answers at {address}; start a scheduler there"
        raise InputError("sweep", "--cluster", reason) from None
    threads = sum(client.nthreads().values())
    if not threads:
        client.close()
        reason = f"the scheduler at {address} has no workers; start one with --nthreads 1"
        raise InputError("sweep", "--cluster", reason)

    def make() -> Executor:
        executor: Executor = client.get_executor(pure=False)
        return executor

    return Pool(make, threads, (KilledWorker,))
