"""The tables of 10 October 2025 that others published: read whole, by hash, as exact fractions.

They are results of pluriholonomic/autodeleveraging-analysis (MIT), which Solvent does not ship:
`out/` of that repository has them. A file of other bytes is refused, for every figure beside which
ours are put hangs on them.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from io import StringIO
from pathlib import Path

from solvent.domain.errors import InputError

SOURCE = "github.com/pluriholonomic/autodeleveraging-analysis, folder out"
POLICIES = "adl_policy_per_wave_metrics.csv"
DEFICITS = "adl_bad_debt_by_wave.csv"
GAPS = "adl_two_pass_wave_coin_gap.csv"
HASHES = {
    POLICIES: "00ebf5613ab4f57b8fdc3813a0a3de0c80fba29a7645812198d41d96854ee9ac",
    DEFICITS: "28d4b9ee41e23d290ab984f746a3f779f704f6fa3694ef8753d87f05b916b746",
    GAPS: "6e0d8f9a78e82f34c804a384cd5a4f2f086710b80cb4c44cd004f1d8c6cb06ba",
}

Table = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Published:
    """The rows of each table: policies and deficits a row a wave, gaps a row a wave and coin."""

    policies: Table
    deficits: Table
    gaps: Table


def read_published(folder: Path) -> Published:
    """The tables of a folder. InputError where one is absent or is another file."""
    return Published(*(_table(folder / name) for name in (POLICIES, DEFICITS, GAPS)))


def column(table: Table, name: str) -> list[Fraction]:
    """A column of numbers, exactly as they are written."""
    return [Fraction(row[name]) for row in table]


def _table(file: Path) -> Table:
    try:
        data = file.read_bytes()
    except OSError:
        raise InputError(str(file), "file", f"is not there; bring it from {SOURCE}") from None
    if sha256(data).hexdigest() != HASHES[file.name]:
        reason = f"is not {HASHES[file.name]}; bring the file again from {SOURCE}"
        raise InputError(str(file), "sha256", reason)
    return list(csv.DictReader(StringIO(data.decode("utf-8"))))
