"""The report of a folder: a run's is the one that is in it, a market's is made of its records."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from solvent.cli import main
from solvent.domain.codec.transcript import Transcript
from solvent.domain.engine_face import EngineFace
from solvent.domain.errors import InputError
from solvent.engine.engine import FastEngine
from solvent.journal.run_log import RunLogReader
from solvent.lab.report.folder import report_of_market, report_of_run
from solvent.lab.report.formatting import money
from solvent.lab.runner import RunResult, run
from solvent.lab.scenario.catalog import load_scenario
from tests.lab.price_helpers import planted
from tests.lab.run_helpers import small
from tests.lab.test_positions import BOOK

NAME = "crash-2025-10-10"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    out = tmp_path_factory.mktemp("report") / "run"
    scenario = load_scenario(NAME)
    return out, run(scenario, accounts=60, out=out, engine_factory=FastEngine, check_step=True)


def test_a_runs_report_is_made_again_to_the_byte(
    finished: tuple[Path, RunResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = finished
    assert main(["report", str(out), "--out", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_bytes() == (out / "report.html").read_bytes()
    assert "again.html" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["again.html"]


def test_a_book_has_the_scenarios_thresholds_again(tmp_path: Path) -> None:
    out, file = tmp_path / "run", planted(tmp_path, BOOK, "book.csv")
    run(small(tmp_path), positions=file, out=out, engine_factory=FastEngine)
    report_of_run(out, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (out / "report.html").read_bytes()
    assert (
        ">whale<" in (out / "report.html").read_text() or "0xabc" in (out / "run.json").read_text()
    )


def test_a_market_is_told_as_a_run_of_the_same_commands(
    finished: tuple[Path, RunResult], tmp_path: Path
) -> None:
    folder, result = finished
    reader = RunLogReader(folder)
    engine = FastEngine(reader.parameters)

    def heard() -> Iterator[tuple[Transcript, EngineFace]]:
        for command in reader.commands():
            yield engine.apply([command]), engine

    report_of_market("market", reader.parameters, heard(), tmp_path / "market.html")
    text = (tmp_path / "market.html").read_text(encoding="utf-8")
    figures = result.figures
    assert any(Decimal(stage["value"]) for stage in figures["stages"])
    for said in (
        figures["state_hash"],
        figures["event_hash"],
        *(money(stage["value"]) for stage in figures["stages"]),
        *(money(each["cost"]) for each in figures["liquidated"]),
        money(figures["lenders"]["received"]),
    ):
        assert f">{said}<" in text
    assert "A served market" in text
    assert re.search(r'scope="row">accounts<', text)


def test_what_cannot_be_reported_is_refused_and_nothing_is_written(
    finished: tuple[Path, RunResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = finished
    for words, says in (
        ((str(tmp_path / "none"), "--out", "x.html"), "is not a folder"),
        ((str(out), "--out", str(tmp_path / "none" / "x.html")), "--out: cannot be written"),
    ):
        assert main(["report", *words]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert said.count("\n") == 1
    with pytest.raises(InputError, match="holds no record"):
        report_of_market("m", load_scenario("quiet").parameters, iter(()), tmp_path / "m.html")
    assert list(tmp_path.iterdir()) == []
