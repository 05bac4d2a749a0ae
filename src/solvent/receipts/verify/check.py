"""Verify: judge a receipt by recomputing it, offline and from nothing but itself.

A receipt is good when its form is exactly that of `receipt`, its digest fits, the figures follow
from one another by the specification (`rounds`, `fills`, `bookings`) and keep what a settlement
must keep (`settlement_properties`). Any change of any field shows by the digest.

A forger that computes the digest again is caught wherever the field follows from others. What
follows from nothing else in the receipt is covered by the digest and by the run's log only, which
`verify_path` on a run's folder compares with: `command`, `time`, `round`, `fill` and `booking`;
when an account became liquidatable and at what health; the value and asset handed over, and the
book's reason before a fill; inputs of candidates and other providers that were not matched, and
which policy it was, as far as the allotment does not depend on them; that no other account was
insolvent; and parameters, pools and reserves that had no influence on the result.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from solvent.domain.codec.canonical import DIGEST_FIELD, Json, canonical, digest_of, strict_json
from solvent.domain.codec.transcript import Transcript
from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.receipts.codec import (
    ReceiptFormError,
    read_receipt,
    receipt_document,
)
from solvent.receipts.form import BackstopReceipt, BookingReceipt, Receipt, StandbyReceipt
from solvent.receipts.runs import RunReceipts
from solvent.receipts.verify.bookings import booking_problems
from solvent.receipts.verify.fills import fill_problems
from solvent.receipts.verify.rounds import round_problems
from solvent.receipts.verify.settlement_properties import property_problems
from solvent.receipts.verify.standby import relief_problems

RECEIPTS = "receipts.jsonl"
"""The name of the receipts in a run's folder."""
NUMBERS = ("swap", "round", "fill", "booking")
"""What receipts count up, by the fields that say it, one each; a relief says its round too."""

Progress = Callable[[int], None]
"""Called with the number of receipts verified so far."""


class LoggedRun(Protocol):
    """A run's log, as far as receipts follow from it."""

    @property
    def parameters(self) -> EngineParameters:
        """The parameters that the engine began with."""

    def transcripts(self) -> Iterable[Transcript]:
        """Every command with its events, in order. Raises InputError on a bad log."""

    def naming(self, number: int) -> AbstractContextManager[None]:
        """Where the events of command `number` do not decode, an error that names it."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """How many receipts were verified, and one line for each thing wrong."""

    receipts: int
    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether there was nothing wrong."""
        return not self.problems


def verify_receipt(document: Json) -> list[str]:
    """What is wrong with a receipt, a sentence each, led by the field; empty when it is good."""
    try:
        receipt = read_receipt(document)
    except ReceiptFormError as error:
        return [str(error)]
    problems = []
    if isinstance(document, dict) and document[DIGEST_FIELD] != digest_of(document):
        problems.append("digest: does not fit the rest of the receipt")
    try:
        problems += _judge(receipt)
    except (ArithmeticError, AssertionError, LookupError, ValueError) as error:
        problems.append(f"receipt: cannot be recomputed: {error}")
    return problems


def _judge(receipt: Receipt) -> Iterator[str]:
    if isinstance(receipt, BackstopReceipt):
        yield from fill_problems(receipt)
    elif isinstance(receipt, BookingReceipt):
        yield from booking_problems(receipt)
    elif isinstance(receipt, StandbyReceipt):
        yield from relief_problems(receipt)
    else:
        yield from property_problems(receipt)
        yield from round_problems(receipt)


def verify_path(
    path: Path, open_run: Callable[[Path], LoggedRun], progress: Progress | None = None
) -> VerifyReport:
    """Verify a .json receipt, a .jsonl file of receipts, or all receipts of a run's folder.

    For a folder the receipts are also built again from the log that `open_run` opens, and must be
    the same, each and all. Raises InputError on what cannot be read as receipts at all.
    """
    file = path / RECEIPTS if path.is_dir() else path
    documents = list(_documents(file))
    problems = list(_order(documents, file))
    for number, (line, document) in enumerate(documents, 1):
        problems += [f"{file}: {_name(line, document)}: {one}" for one in verify_receipt(document)]
        if progress is not None:
            progress(number)
    if path.is_dir():
        problems += _log_differences(file, [document for _, document in documents], open_run(path))
    return VerifyReport(len(documents), tuple(problems))


def _documents(file: Path) -> Iterator[tuple[int, Json]]:
    """Line number and document of every receipt in a file."""
    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; point at receipts or at a run's folder"
        raise InputError(str(file), "file", reason) from error
    except UnicodeDecodeError as error:
        raise InputError(str(file), "file", "is no UTF-8 text; point at receipts") from error
    lines = text.split("\n") if file.suffix == ".jsonl" else [text]
    if file.suffix == ".jsonl" and lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            yield number, strict_json(line)
        except (ValueError, RecursionError) as error:
            raise InputError(str(file), "receipt", f"is no JSON: {error}", number) from error


def _name(line: int, document: Json) -> str:
    """How a problem names the receipt."""
    if isinstance(document, dict):
        for key in NUMBERS:
            if isinstance(document.get(key), int):
                return f"line {line}, {key} {document[key]}"
    return f"line {line}"


def _order(documents: list[tuple[int, Json]], file: Path) -> Iterator[str]:
    """Each round, fill and booking once, and in the order in which they happened."""
    last = dict.fromkeys(NUMBERS, 0)
    for line, document in documents:
        if isinstance(document, dict):
            key = next((name for name in NUMBERS if isinstance(document.get(name), int)), None)
            number = document[key] if key else None
            if key and isinstance(number, int):
                if number <= last[key]:
                    yield f"{file}: line {line}: {key} {number} comes after {key} {last[key]}"
                last[key] = number


def _log_differences(file: Path, documents: list[Json], run: LoggedRun) -> Iterator[str]:
    """Where the receipts are not those that the run's log gives."""
    for number, (given, built) in enumerate(zip_longest(documents, _built(run)), 1):
        if built is None:
            yield f"{file}: line {number}: the run's log knows of no such receipt"
        elif given is None:
            yield f"{file}: lacks receipt {number}, which the run's log gives"
        elif canonical(given) != canonical(built):
            yield f"{file}: {_name(number, given)}: is not the one that the run's log gives"


def _built(run: LoggedRun) -> Iterator[Json]:
    settled = RunReceipts(run.parameters)
    for transcript in run.transcripts():
        with run.naming(transcript.first):
            receipts = settled.feed(transcript)
        yield from map(receipt_document, receipts)
