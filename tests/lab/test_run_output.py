"""What a run writes: logs that replay, receipts that verify, everything or nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from solvent.domain.commands import Command, TimeStep
from solvent.domain.errors import InputError
from solvent.domain.events import Event
from solvent.domain.parameters import EngineParameters
from solvent.journal.run_log import RunLogReader
from solvent.lab.report.receipt_search import Wanted, receipts_of
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.proof.audit.runs import audit
from solvent.receipts import runs as run_receipts
from solvent.receipts.codec import receipt_line
from solvent.receipts.verify.check import verify_path
from solvent.reference.engine import ReferenceEngine
from tests.lab.run_helpers import small
from tests.proof import proves

NAMES = {"commands.log", "events.log", "receipts.jsonl", "report.html", "run.json"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run of the crash, on disk."""
    folder = tmp_path_factory.mktemp("runs") / "crash"
    run(load_scenario("crash-2025-10-10"), accounts=80, out=folder)
    return folder


class TestFolder:
    """A run's folder."""

    def test_holds_five_files_and_the_manifest_covers_the_other_four(self, written: Path) -> None:
        assert {path.name for path in written.iterdir()} == NAMES
        assert {*RunLogReader(written).manifest.files, "run.json"} == NAMES

    @pytest.mark.slow
    @proves("I36")
    @pytest.mark.parametrize("name", sorted(NAMES))
    def test_an_altered_file_fails_the_audit(
        self, written: Path, tmp_path: Path, name: str
    ) -> None:
        folder = Path(shutil.copytree(written, tmp_path / "run"))
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(bytes(content))
        problem = audit(folder, check_every=0).problem
        assert problem is not None
        assert problem.startswith(str(folder / name))

    @proves("I35")
    def test_replays_to_the_same_hashes(self, written: Path) -> None:
        report = audit(written, check_every=200)
        assert report.good, report.problem
        figures = json.loads((written / "run.json").read_text())["figures"]
        assert figures["state_hash"] == report.state_hash
        assert figures["event_hash"] == report.event_hash

    def test_carries_the_figures(self, written: Path) -> None:
        figures = run(load_scenario("crash-2025-10-10"), accounts=80).figures
        assert RunLogReader(written).manifest.figures == json.loads(json.dumps(figures))

    def test_has_a_receipt_a_settlement(self, written: Path) -> None:
        lines = (written / "receipts.jsonl").read_text().splitlines()
        figures = RunLogReader(written).manifest.figures
        assert len(lines) == figures["receipts"]
        report = verify_path(written / "receipts.jsonl", RunLogReader)
        assert report.receipts == len(lines) > 0
        assert not report.problems


class FailingEngine(ReferenceEngine):
    """An engine that stops at the third step."""

    def __init__(self, parameters: EngineParameters) -> None:
        super().__init__(parameters)
        self.steps = 0

    def apply_one(self, command: Command) -> tuple[Event, ...]:
        """Count steps and stop."""
        self.steps += isinstance(command, TimeStep)
        if self.steps == 3:
            raise RuntimeError("stopped")
        return super().apply_one(command)


class TestNothing:
    """A run that ends early leaves nothing."""

    @proves("I36")
    def test_after_a_failure(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match="stopped"):
            run(
                small(tmp_path),
                out=tmp_path / "deep" / "out",
                engine_factory=FailingEngine,
            )
        assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]

    def test_a_folder_that_is_not_empty_is_refused(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "mine.txt").write_text("mine")
        with pytest.raises(InputError, match="is not empty"):
            run(small(tmp_path), out=out)
        assert [path.name for path in out.iterdir()] == ["mine.txt"]


class TestReceiptsAgain:
    """Receipts made from the log."""

    def test_all_are_those_that_the_run_wrote(self, written: Path) -> None:
        lines = [receipt_line(each) for each in receipts_of(RunLogReader(written))]
        assert lines == (written / "receipts.jsonl").read_text().splitlines()

    def test_one_alone_is_the_same(self, written: Path) -> None:
        """Of each kind the first, the last, and one between."""
        reader = RunLogReader(written)
        wrote = [json.loads(line) for line in (written / "receipts.jsonl").read_text().splitlines()]
        for name, field in (("round", "adl_round"), ("fill", "fill"), ("booking", "booking")):
            some = [receipt for receipt in wrote if name in receipt]
            for receipt in (some[0], some[len(some) // 2], some[-1]):
                (again,) = receipts_of(reader, Wanted(**{field: receipt[name]}))
                assert json.loads(receipt_line(again)) == receipt

    @pytest.mark.slow
    def test_of_an_account_are_those_that_name_it(self, written: Path) -> None:
        """And of an offer that it took part in every fill."""
        reader = RunLogReader(written)
        wrote = (written / "receipts.jsonl").read_text().splitlines()
        receipts = [json.loads(line) for line in wrote]
        parties = [_parties(receipt, receipts) for receipt in receipts]
        for account in sorted(set().union(*parties)):
            expected = [
                line for line, those in zip(wrote, parties, strict=True) if account in those
            ]
            found = [receipt_line(each) for each in receipts_of(reader, Wanted(account=account))]
            assert found == expected

    @pytest.mark.slow
    @pytest.mark.parametrize("room", [0, 20_000, 60_000])
    def test_where_room_ends_none_is_written(
        self, tmp_path: Path, written: Path, monkeypatch: pytest.MonkeyPatch, room: int
    ) -> None:
        """What is written is as it would be, and the others can be had from the log."""
        every = (written / "receipts.jsonl").read_text().splitlines()
        monkeypatch.setattr(run_receipts, "ROOM", dict.fromkeys(run_receipts.ROOM, room))
        result = run(load_scenario("crash-2025-10-10"), accounts=80, out=tmp_path / "run")
        some = (tmp_path / "run" / "receipts.jsonl").read_text().splitlines()
        assert len(some) < len(every) == result.figures["receipts"]
        assert bool(some) == bool(room)
        assert result.receipts == len(some)
        assert set(some) <= set(every)
        again = [receipt_line(each) for each in receipts_of(RunLogReader(tmp_path / "run"))]
        assert again == every
        assert verify_path(tmp_path / "run", RunLogReader).good
        if some:
            path = tmp_path / "run" / "receipts.jsonl"
            path.write_text("\n".join(some[:-1]) + "\n")
            assert not verify_path(tmp_path / "run", RunLogReader).good


def _parties(receipt: dict[str, Any], receipts: list[dict[str, Any]]) -> set[int]:
    """Everybody a receipt is about; of a fill, the parties of all fills of its offer."""
    if "booking" in receipt:
        return {line["account"] for line in receipt["accounts"]}
    if "fill" in receipt:
        first = receipt["offer"]["first_fill"]
        offer = [
            each for each in receipts if "fill" in each and each["offer"]["first_fill"] == first
        ]
        return {each[role] for each in offer for role in ("account", "provider")}
    matches = {match[role] for match in receipt["matches"] for role in ("lender", "payer")}
    given = {leg["giver"] for match in receipt["matches"] for leg in match["legs"]}
    return matches | given | {side["account"] for side in receipt["sides"]}
