"""A run's tables: every event once, in its kind's table, to the last digit, in either format."""

import csv
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from solvent.domain.errors import InputError
from solvent.domain.units import PRICE_SCALE
from solvent.journal.run_log import RunLogReader
from solvent.lab.runner import run
from solvent.lab.tables import RunTables, TableFormat
from tests.lab.run_helpers import small


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run."""
    base = tmp_path_factory.mktemp("tables")
    run(small(base), out=base / "run")
    return base / "run"


def test_every_event_is_in_the_table_of_its_kind_once(folder: Path, tmp_path: Path) -> None:
    files = RunTables(folder).write(tmp_path / "out")
    counted = Counter(
        type(event).__name__.lower()
        for transcript in RunLogReader(folder).transcripts()
        for entry in transcript
        for event in entry.events
    )
    found = {}
    for file in files:
        with file.open(encoding="utf-8", newline="") as text:
            found[file.stem.replace("_", "")] = sum(1 for _ in csv.DictReader(text))
    events = {
        name: count
        for name, count in found.items()
        if name != "assets" and not name.startswith("figures")
    }
    assert events == dict(counted)
    assert found["assets"] == 2
    assert {"figurespools", "figuresparties", "figurespartiestokens"} <= set(found)


def test_both_formats_and_the_data_frame_agree(folder: Path, tmp_path: Path) -> None:
    tables = RunTables(folder)
    names = [file.stem for file in tables.write(tmp_path / "csv")]
    parquet = tables.write(tmp_path / "parquet", TableFormat.PARQUET)
    assert [file.stem for file in parquet] == names
    assert {file.suffix for file in parquet} == {".parquet"}
    for name in ("index_updated", "stepped", "assets"):
        frame = tables.to_polars(name)
        assert pl.read_parquet(tmp_path / "parquet" / f"{name}.parquet").equals(frame)
        assert pl.read_csv(tmp_path / "csv" / f"{name}.csv").equals(frame)
    marks = tables.to_polars("index_updated")
    assert marks["index"].max() == 200 * PRICE_SCALE
    # What happens in a time step happens at its time.
    steps = tables.to_polars("stepped")
    assert (steps["time"] == steps["time"].sort()).all()
    assert steps["command"].is_unique().all()
    assert tables.to_polars("no_such_kind").is_empty()


def test_labels_are_names(folder: Path) -> None:
    (accepted, *_) = RunTables(folder).rows("order_accepted")
    assert accepted["side"] in ("bid", "ask")


def test_what_is_no_run_or_no_empty_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--out: is not an empty folder"):
        RunTables(folder).write(folder)
    with pytest.raises(InputError, match=r"run.json: file: cannot be read"):
        RunTables(tmp_path).write(tmp_path / "out")
    assert not (tmp_path / "out").exists()
