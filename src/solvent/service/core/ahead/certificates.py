"""Certificates of a served market: one an hour, one when asked, each naming the one before.

    FOLDER/certificates/key           the key that signs them, its owner's alone
    FOLDER/certificates/00000001.json every certificate, the first one first

The moment of a certificate is between two batches, in the writer's thread; what it says is put
together in a thread of its own. What is on the disk is the chain: where its last certificate cannot
be read, does not hold or is another key's, none is issued until that is mended.
"""

import asyncio
import base64
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from nacl.signing import SigningKey

from solvent.domain.errors import InputError
from solvent.domain.units import HOUR
from solvent.engine.engine import FastEngine
from solvent.engine.memory.rows import Pool
from solvent.service.core.market import Outcome
from solvent.service.core.sequencer import Sequencer
from solvent.solvency.certificate import Certificate, problems, to_text
from solvent.solvency.files import read_certificate, read_secret
from solvent.solvency.proofs import Proof, Prover
from solvent.solvency.survey import Flows, certify

FOLDER = "certificates"
_KEY = "key"
_PRIVATE = 0o600


class Issued(NamedTuple):
    """A certificate and the prover of its accounts."""

    certificate: Certificate
    prover: Prover


class _Moment(NamedTuple):
    """A market between two batches: its state, and what names it."""

    state: bytes
    time: int
    commands: int
    journal: str


class Certificates:
    """The chain of one market's certificates, in a folder."""

    def __init__(self, sequencer: Sequencer, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._sequencer = sequencer
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="certificates")
        self._asked = threading.Lock()
        self._waiting: list[Future[Issued]] = []
        self._hour = -1
        self._busy = False
        self.latest: Issued | None = None

    def hear(self, outcomes: Sequence[Outcome]) -> None:
        """In the writer's thread: take the moment of a certificate where one is due."""
        time = outcomes[-1].record.time
        hour = time // HOUR
        due = self._hour not in (-1, hour)
        self._hour = hour
        with self._asked:
            waiting, self._waiting = self._waiting, []
        if waiting or (due and not self._busy):
            self._busy = True
            market, journal = self._sequencer.market, self._sequencer.journal
            with self._sequencer.lock:
                state = market.engine.snapshot()
            moment = _Moment(state, time, market.commands, journal.digest.hex())
            self._worker.submit(self._issue, moment, waiting)

    async def issue(self) -> Issued:
        """A certificate of the next moment; whoever asks sees to it that there is one."""
        future: Future[Issued] = Future()
        with self._asked:
            self._waiting.append(future)
        return await asyncio.wrap_future(future)

    def text(self, number: int) -> str | None:
        """The certificate of a number, as it was issued."""
        try:
            return self._path(number).read_text(encoding="ascii")
        except OSError:
            return None

    async def prove(self, account: int) -> Proof | None:
        """The proof of an account in the latest certificate of this process."""
        issued = self.latest
        if issued is None:
            return None
        try:
            return await asyncio.to_thread(issued.prover.prove, account, issued.certificate.digest)
        except KeyError:
            return None

    def close(self) -> None:
        """Finish what is being issued."""
        self._worker.shutdown()
        for future in self._waiting:
            future.cancel()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08}.json"

    def _issue(self, moment: _Moment, waiting: Sequence["Future[Issued]"]) -> None:
        try:
            issued = self._certified(moment)
        except Exception as error:
            for future in waiting:
                future.set_exception(error)
        else:
            for future in waiting:
                future.set_result(issued)
        finally:
            self._busy = False

    def _certified(self, moment: _Moment) -> Issued:
        self.folder.mkdir(exist_ok=True)
        secret = self._secret()
        previous = self._previous(secret)
        latest = self.latest
        if previous is not None and latest is not None and previous.time >= moment.time:
            return latest
        engine = FastEngine.restore(moment.state)
        issued = Issued(
            *certify(
                engine.queries,
                _flows(engine, previous),
                secret,
                market=self._sequencer.market.identity,
                time=moment.time,
                commands=moment.commands,
                journal=moment.journal,
                previous=previous,
            )
        )
        path = self._path(issued.certificate.number)
        partial = path.with_suffix(".partial")
        partial.write_text(to_text(issued.certificate), encoding="ascii")
        partial.replace(path)
        self.latest = issued
        return issued

    def _secret(self) -> SigningKey:
        """The key that signs, drawn where there is none."""
        path = self.folder / _KEY
        if not path.exists():
            number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE)
            with os.fdopen(number, "wb") as file:
                file.write(base64.b64encode(bytes(SigningKey.generate())) + b"\n")
        return read_secret(path)

    def _previous(self, secret: SigningKey) -> Certificate | None:
        """The last certificate of the folder. InputError where it does not hold."""
        if self.latest is not None:
            return self.latest.certificate
        paths = sorted(self.folder.glob("*.json"))
        if not paths:
            return None
        last = read_certificate(paths[-1])
        key = base64.b64encode(bytes(secret.verify_key)).decode()
        for problem in problems(last, key):
            raise InputError(str(paths[-1]), problem.asset or "certificate", problem.reason)
        return last


def _flows(engine: FastEngine, previous: Certificate | None) -> Flows:
    """What came in or left since the certificate before, net, and what was lost so far."""
    flows = Flows()
    outside = engine.columns.table("pools", Pool.WIDTH)[:, Pool.external].tolist()
    for asset, external in enumerate(outside):
        before = 0
        if previous is not None:
            each = previous.assets[asset]
            before = each.balances + each.cash
        change = -external - before
        flows.deposited[asset] = max(0, change)
        flows.withdrawn[asset] = max(0, -change)
        flows.lost[asset] = engine.queries.pool(asset).deficit
    return flows
