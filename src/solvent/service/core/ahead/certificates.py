"""Certificates of a served market: one an hour, one when asked, each naming the one before.

    FOLDER/certificates/key           the key that signs them, its owner's alone
    FOLDER/certificates/00000001.json every certificate, the first one first

The moment of a certificate is between two batches, in the writer's thread; what it says is put
together in a process apart, which keeps the tree and makes the proofs. What is on the disk is the
chain: where its last certificate cannot be read, does not hold or is another key's, none is issued
until that is mended.
"""

import asyncio
import base64
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
from nacl.signing import SigningKey

from solvent.domain.errors import InputError
from solvent.domain.units import HOUR
from solvent.service.core.ahead.apart import Apart, ApartError
from solvent.service.core.ahead.tasks import CERTIFY, PROVE
from solvent.service.core.ahead.trees import Moment
from solvent.service.core.market import Outcome
from solvent.service.core.sequencer import Sequencer
from solvent.service.errors import ApiError, ApiErrorCode
from solvent.service.limits import CERTIFICATE_SECONDS, QUESTIONS
from solvent.solvency.certificate import Certificate, from_text, problems, to_text
from solvent.solvency.files import read_certificate, read_secret

FOLDER = "certificates"
_KEY = "key"
_PRIVATE = 0o600
_UNAVAILABLE = 503


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
        self._waiting: list[Future[Certificate]] = []
        self._apart = Apart(CERTIFICATE_SECONDS)
        self._proving = 0
        self._hour = -1
        self._busy = False
        self.latest: Certificate | None = None

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

    async def issue(self) -> Certificate:
        """A certificate of the next moment; whoever asks sees to it that there is one."""
        future: Future[Certificate] = Future()
        with self._asked:
            self._waiting.append(future)
        return await asyncio.wrap_future(future)

    def text(self, number: int) -> str | None:
        """The certificate of a number, as it was issued."""
        try:
            return self._path(number).read_text(encoding="ascii")
        except OSError:
            return None

    async def prove(self, account: int) -> bytes | None:
        """The text of an account's proof in the latest certificate of this process, if it has one.

        ApiError where too many wait for theirs.
        """
        if self.latest is None:
            return None
        if self._proving >= QUESTIONS:
            raise ApiError(
                _UNAVAILABLE,
                ApiErrorCode.TOO_MANY_REQUESTS,
                "too many proofs wait: try again later",
                retry_after=1,
            )
        self._proving += 1
        try:
            return await asyncio.to_thread(self._apart.ask, PROVE, str(account).encode()) or None
        except ApartError:
            return None
        finally:
            self._proving -= 1

    def close(self) -> None:
        """Finish what is being issued."""
        self._worker.shutdown()
        self._apart.close()
        for future in self._waiting:
            future.cancel()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08}.json"

    def _issue(self, moment: _Moment, waiting: Sequence["Future[Certificate]"]) -> None:
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

    def _certified(self, moment: _Moment) -> Certificate:
        self.folder.mkdir(exist_ok=True)
        secret = self._secret()
        previous = self._previous(secret)
        latest = self.latest
        if previous is not None and latest is not None and previous.time >= moment.time:
            return latest
        told = Moment(self._sequencer.market.identity, moment.time, moment.commands, moment.journal)
        before = b"" if previous is None else to_text(previous).encode()
        try:
            text = self._apart.ask(
                CERTIFY, moment.state, msgspec.msgpack.encode(told), bytes(secret), before
            )
        except ApartError as error:
            raise InputError("certificate", "tree", str(error)) from None
        issued = from_text("certificate", text.decode())
        path = self._path(issued.number)
        partial = path.with_suffix(".partial")
        partial.write_bytes(text)
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
            return self.latest
        paths = sorted(self.folder.glob("*.json"))
        if not paths:
            return None
        last = read_certificate(paths[-1])
        key = base64.b64encode(bytes(secret.verify_key)).decode()
        for problem in problems(last, key):
            raise InputError(str(paths[-1]), problem.asset or "certificate", problem.reason)
        return last
