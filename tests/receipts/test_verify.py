"""Verify: files and folders of receipts, clever forgeries, and receipts of any run at all."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.codec.canonical import canonical
from solvent.domain.commands import Command
from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters, Policy
from solvent.journal.run_log import RunLogReader
from solvent.proof.fuzz.simulator import simulate
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.codec import receipt_document, receipt_line
from solvent.receipts.form import Receipt
from solvent.receipts.settlements import stage_and_number
from solvent.receipts.verify.check import RECEIPTS, verify_path, verify_receipt
from solvent.reference.engine import Part, ReferenceEngine
from tests.journal.small_run import busy_run, example_run, receipts_of, write_run
from tests.proof import proves
from tests.receipts.forging import resealed


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small run."""
    directory = tmp_path_factory.mktemp("verify") / "run"
    write_run(directory, *busy_run())
    return directory


@pytest.fixture
def run(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(written, tmp_path / "run"))


def lines_of(run: Path) -> list[str]:
    return (run / RECEIPTS).read_text(encoding="ascii").splitlines()


def write_lines(run: Path, lines: Sequence[str]) -> None:
    (run / RECEIPTS).write_text("".join(line + "\n" for line in lines), encoding="ascii")


def problems_of(path: Path) -> list[str]:
    return list(verify_path(path, RunLogReader).problems)


def test_a_run_a_file_and_a_single_receipt_are_good(run: Path) -> None:
    seen: list[int] = []
    report = verify_path(run, RunLogReader, seen.append)
    assert report.good
    assert report.receipts == len(lines_of(run)) == len(seen)
    assert verify_path(run / RECEIPTS, RunLogReader).good
    (run / "one.json").write_text(json.dumps(json.loads(lines_of(run)[0]), indent=2))
    assert verify_path(run / "one.json", RunLogReader).receipts == 1
    assert verify_path(run / "one.json", RunLogReader).good


@proves("I35")
@pytest.mark.parametrize("field", ["command", "round", "time"])
def test_a_run_folder_shows_what_recomputing_cannot(run: Path, field: str) -> None:
    lines = lines_of(run)
    receipt = json.loads(lines[-1])
    value = receipt[field]
    receipt[field] = str(int(value) + 1) if isinstance(value, str) else value + 1
    write_lines(run, [*lines[:-1], canonical(resealed(receipt))])
    assert problems_of(run / RECEIPTS) == []
    assert problems_of(run) == [
        f"{run / RECEIPTS}: line {len(lines)}, round {receipt['round']}: "
        "is not the one that the run's log gives"
    ]


@pytest.mark.parametrize("place", [0, 4])
def test_a_missing_receipt_is_missed(run: Path, place: int) -> None:
    lines = lines_of(run)
    write_lines(run, lines[:place] + lines[place + 1 :])
    assert f"{run / RECEIPTS}: lacks receipt {len(lines)}, which the run's log gives" in (
        problems_of(run)
    )


def test_a_receipt_too_many_is_seen(run: Path) -> None:
    lines = lines_of(run)
    write_lines(run, [*lines, lines[-1]])
    last = json.loads(lines[-1])["round"]
    assert problems_of(run) == [
        f"{run / RECEIPTS}: line {len(lines) + 1}: round {last} comes after round {last}",
        f"{run / RECEIPTS}: line {len(lines) + 1}: the run's log knows of no such receipt",
    ]


def test_receipts_out_of_order_are_seen(run: Path) -> None:
    lines = lines_of(run)
    write_lines(run, [lines[1], lines[0], *lines[2:]])
    assert problems_of(run)[0] == f"{run / RECEIPTS}: line 2: round 1 comes after round 2"


def test_an_altered_receipt_is_named_with_its_field(run: Path) -> None:
    lines = lines_of(run)
    receipt = json.loads(lines[0])
    receipt["matches"][0]["legs"][0]["quantity"] = "123966944"
    write_lines(run, [canonical(receipt), *lines[1:]])
    problems = problems_of(run)
    place = f"{run / RECEIPTS}: line 1, round 1: "
    assert f"{place}digest: does not fit the rest of the receipt" in problems
    assert f"{place}matches[0].legs[0].quantity: is 123966944, recomputed 123966943" in problems


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("receipts.jsonl", "{}\n{", "receipt: line 2: is no JSON"),
        ("receipts.jsonl", '{"a":1,"a":1}\n', "receipt: line 1: is no JSON: a key is given twice"),
        ("receipts.jsonl", '{"a":NaN}\n', "receipt: line 1: is no JSON: NaN is no number"),
        ("receipts.jsonl", "\n\n", "receipt: line 1: is no JSON"),
        ("receipt.json", "", "receipt: line 1: is no JSON"),
        ("receipt.json", "[" * 100_000, "receipt: line 1: is no JSON"),
        ("receipt.json", "\udcff", "file: is no UTF-8 text"),
    ],
)
def test_what_is_no_file_of_receipts_is_bad_input(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        verify_path(tmp_path / name, RunLogReader)
    assert str(caught.value).startswith(f"{tmp_path / name}: {said}")


def test_a_path_with_nothing_to_read_is_bad_input(tmp_path: Path) -> None:
    for path, file in ((tmp_path / "none.json", "none.json"), (tmp_path, RECEIPTS)):
        with pytest.raises(InputError) as caught:
            verify_path(path, RunLogReader)
        said = "file: cannot be read: No such file or directory; point at receipts"
        assert str(caught.value).startswith(f"{tmp_path / file}: {said}")


def test_a_run_whose_log_is_damaged_is_bad_input(run: Path) -> None:
    content = bytearray((run / "events.log").read_bytes())
    content[100] ^= 1
    (run / "events.log").write_bytes(bytes(content))
    with pytest.raises(InputError, match=r"events.log: byte 12: the checksum"):
        verify_path(run, RunLogReader)


def test_an_empty_file_holds_no_receipts(tmp_path: Path) -> None:
    (tmp_path / RECEIPTS).write_text("", encoding="ascii")
    report = verify_path(tmp_path / RECEIPTS, RunLogReader)
    assert (report.receipts, report.good) == (0, True)


def document_of(receipt: Receipt) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(receipt_line(receipt))
    return document


def example(policy: Policy = Policy.LEVERAGE) -> dict[str, Any]:
    """The receipt of the worked example."""
    (receipt,) = receipts_of(*example_run(policy))
    return document_of(receipt)


@proves("I22", "I27")
@pytest.mark.parametrize("policy", Policy)
def test_each_policy_is_verified_and_no_other_passes_for_it(policy: Policy) -> None:
    document = example(policy)
    assert verify_receipt(document) == []
    allotted = [line["allotted"] for line in document["candidates"]]
    for other in Policy:
        passes = not verify_receipt(resealed({**document, "policy": other.name}))
        same = [line["allotted"] for line in example(other)["candidates"]] == allotted
        assert passes is same


@proves("I27")
def test_candidates_in_another_order_are_rejected() -> None:
    document = example()
    document["candidates"].reverse()
    problems = verify_receipt(resealed(document))
    assert "candidates: must be in order of account, each once" in problems


@proves("A8", "A11", "I22", "I23")
def test_a_lender_overpaid_throughout_is_rejected() -> None:
    """One atom of USDC more in the leg and in both balances after: all sums still fit."""
    document = example()
    match = document["matches"][0]
    match["legs"][0]["quantity"] = str(int(match["legs"][0]["quantity"]) + 1)
    for party in match["after"]:
        for balance in party["balances"]:
            if balance["asset"] == "USDC":
                field = "available" if party["account"] == match["giver"] else "debt"
                balance[field] = str(int(balance[field]) - 1)
    problems = verify_receipt(resealed(document))
    assert "matches[0].legs[0].quantity: is 123966944, recomputed 123966943" in problems


@proves("A11", "I22")
def test_taking_more_than_was_needed_is_rejected_however_consistent() -> None:
    """A receipt of a round that asks an atom more than target health needs, settled in full."""
    document = example()
    text = json.dumps(document).replace('"11178773380"', '"11178773381"')
    problems = verify_receipt(resealed(json.loads(text)))
    assert "sides[0].needed: is 11178773381, recomputed 11178773380" in problems


@proves("A6", "I15")
def test_a_stage_left_out_is_rejected() -> None:
    document = example()
    del document["sides"][0]["handed_over"][0]
    problems = verify_receipt(resealed(document))
    assert "sides[0].handed_over: must be book, then backstop, then ADL" in problems


@pytest.mark.parametrize(
    "change",
    [
        {"assets": []},
        {"matches": [], "allotted": "0"},
        {"sides": []},
        {"candidates": []},
        {"asset": "ETH"},
        {"mark": "0"},
        {"time": "-1"},
        {"time": "9" * 30},
        {"round": -1},
    ],
)
def test_absurd_receipts_are_rejected_not_raised(change: dict[str, Any]) -> None:
    assert verify_receipt(resealed({**example(), **change}))


class _Listened(ReferenceEngine):
    """An engine whose every settlement is receipted."""

    def __init__(self, parameters: EngineParameters) -> None:
        super().__init__(parameters)
        self.builder = ReceiptBuilder(parameters)
        self.commands = 0
        self.receipts: list[Receipt] = []

    def parts(self, command: Command) -> Iterator[Part]:
        for part in super().parts(command):
            self.receipts += self.builder.feed(self.commands, part[1])
            self.commands += 1
            yield part


@pytest.mark.slow
@proves("A8", "A9", "A10", "A11", "A12", "I21", "I22", "I23", "I24", "I25", "I26", "I35")
@pytest.mark.parametrize("first", [200, 220, 240])
def test_receipts_of_any_run_are_good(first: int) -> None:
    engines: list[_Listened] = []

    def listened(parameters: EngineParameters) -> ReferenceEngine:
        engines.append(_Listened(parameters))
        return engines[-1]

    for seed in range(first, first + 8):
        simulate(seed, 1500, engine_factory=listened, check_every=10**9)
    receipts = [receipt for engine in engines for receipt in engine.receipts]
    assert receipts
    for receipt in receipts:
        stage, number = stage_and_number(receipt)
        problems = verify_receipt(receipt_document(receipt))
        assert problems == [], f"{stage.name} {number} of a seed from {first}"
