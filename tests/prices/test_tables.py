"""Tables: which columns are kept, on which line each row begins, and what a name may look like."""

import sys
from pathlib import Path

import polars as pl
import pytest

from solvent.domain.errors import InputError
from solvent.prices.files import read_table
from solvent.prices.table import Table
from solvent.service.feeds.recorded import read_tracks


def everything(_: str) -> bool:
    return True


def table(folder: Path, text: str) -> Table:
    file = folder / "table.csv"
    file.write_bytes(text.encode())
    return read_table(file, everything)


def test_a_row_has_the_line_that_it_begins_in(tmp_path: Path) -> None:
    read = table(tmp_path, '# a\n\n  \nn,v\n1,"two\nlines"\n\n2,x\n\n\n')
    assert read.lines is not None
    assert list(read.lines) == [5, 7, 8]
    assert read.columns["n"].cells == ["1", "", "2"]
    assert read.columns["v"].cells == ["two\nlines", "", "x"]
    assert str(read.error("v", "is odd", 2)).endswith("v: line 8: is odd")


def test_only_columns_that_are_wanted_are_kept(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1], "b": ["x"], "c": [2]}).write_parquet(tmp_path / "table.parquet")
    (tmp_path / "table.csv").write_text("a,b,c\n1,x,2\n")
    for kind in ("csv", "parquet"):
        read = read_table(tmp_path / f"table.{kind}", lambda name: name == "b")
        assert read.names == ("a", "b", "c")
        assert list(read.columns) == ["b"]
        assert list(read.columns["b"].cells) == ["x"]
        assert read_table(tmp_path / f"table.{kind}", lambda _: False).height == 1


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ('a,b\n1,"2\n', "unexpected end of data", 2),
        ('a,b\n1,2\n1,"2"3\n', "", 3),
        ("a,b\r1,2\r", "new-line character seen in unquoted field", 1),
        ("a,b\n1,2\n\n1,2,3\n", "found more cells than columns", 4),
    ],
)
def test_what_is_irregular_is_told_with_its_line(
    text: str, says: str, line: int, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refusal:
        table(tmp_path, text)
    assert f": file: line {line}: is no regular CSV (" in str(refusal.value)
    assert f"{says}); give every line the header's columns" in str(refusal.value)


def test_a_path_is_no_pattern_and_its_folders_are_no_columns(tmp_path: Path) -> None:
    folder = tmp_path / "window=x"
    folder.mkdir()
    file = folder / "a[1]?*.parquet"
    pl.DataFrame({'a "b"': [1]}).write_parquet(file)
    pl.DataFrame({"other": [1]}).write_parquet(folder / "a1.parquet")
    assert read_table(file, everything).names == ('a "b"',)


def test_names_that_differ_in_case_alone_are_refused_in_parquet(tmp_path: Path) -> None:
    file = tmp_path / "table.parquet"
    pl.DataFrame({"BTC": [1], "btc": [2]}).write_parquet(file)
    with pytest.raises(InputError, match=r"btc: names two columns"):
        read_table(file, everything)


def test_without_its_library_parquet_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "table.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(file)
    monkeypatch.delitem(sys.modules, "solvent.prices.parquet_files", raising=False)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InputError, match=r"`\./run` adds it.*pip install 'solvent\[parquet\]'"):
        read_table(file, everything)


def test_a_feed_understands_exponents_and_rounds_what_is_finer(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("time,symbol,close\n1760130000,PEPE,1.2e-5\n1760130060,PEPE,0.00000000015\n")
    (track,) = read_tracks(file)
    assert track.prices == [120000, 2]
