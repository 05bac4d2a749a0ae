"""Files that cannot be used, ninety kinds: what is said of each, and that nothing is written.

Every line names the file that was given, the field, the line where there is one, and what to do;
options that it names are options of the command.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from solvent.cli import main
from solvent.reference.engine import ReferenceEngine
from tests.cli.bad_books import BOOK, BOOKS
from tests.cli.helpers import files
from tests.lab.run_helpers import SMALL

PATH = "[[2026-01-01T00:00:00Z, 200], [2026-01-01T00:10:00Z, 150]]"
BACK = "[[2026-01-01T00:10:00Z, 150], [2026-01-01T00:00:00Z, 200]]"
LATE = "[[2026-01-01T00:05:00Z, 200], [2026-01-01T00:10:00Z, 150]]"
SOL_LENT = 'collateral = [{ asset = "SOL", lent = true }]'

SCENARIOS: dict[str, tuple[str, str, str]] = {
    "no TOML": ("seed = 7", "seed = = 7", "file: line 5: is no valid TOML: Invalid value"),
    "no seed": ("seed = 7\n", "", "scenario.seed: line 1: is missing; write a number"),
    "a seed in words": ("seed = 7", 'seed = "x"', "scenario.seed: line 5: 'x' is no plain decimal"),
    "a misspelt key": ("seed = 7", "sed = 7", "scenario.seed: line 1: is missing"),
    "a key too many": ("seed = 7", "seed = 7\nx = 1", "scenario.x: line 6: is not a known field"),
    "a misspelt table": ("[fund]", "[funds]", "funds: line 76: is not a known field; known here"),
    "a time without zone": (
        "start = 2026-01-01T00:00:00Z",
        "start = 2026-01-01T00:00:00",
        "line 6: must be a time like 2025-10-10T20:50:00Z",
    ),
    "an end before": ("end = 2026", "end = 2025", "scenario.end: line 7: must be one step to 366"),
    "no step": ("step = 60", "step = 0", "scenario.step: line 8: must lie between 1 and 86400"),
    "half a second": ("step = 60", "step = 0.5", "scenario.step: line 8: '0.5' has more than 0"),
    "a path backwards": (
        PATH,
        BACK,
        "prices.paths.SOL[1]: line 11: must come after the one before",
    ),
    "a path too late": (
        PATH,
        LATE,
        "prices.paths.SOL[0]: line 11: must not come after scenario.st",
    ),
    "another's path": (
        "SOL = [[2026",
        "ETH = [[2026",
        "prices.paths.SOL: line 10: is missing; write",
    ),
    "a price of nothing": (
        "200], [2026",
        "0], [2026",
        "prices.paths.SOL[0]: line 11: must lie betw",
    ),
    "a file that is gone": (
        f"[prices.paths]\nSOL = {PATH}",
        '[prices]\nfile = "gone.csv"',
        "prices.file: line 11: gone.csv does not exist; its path is from the scenario's folder",
    ),
    "prices twice": (
        "[prices.paths]",
        '[prices]\nfile = "x"\n[prices.paths]',
        "prices.file: line 11: give either a file or paths",
    ),
    "no such policy": ('"queue"', '"fair"', "waterfall.policy: line 14: 'fair' is unknown; choose"),
    "an asset twice": (
        'symbol = "SOL"',
        'symbol = "USDC"',
        "assets: line 16: two assets share one",
    ),
    "USDC not first": (
        'symbol = "USDC"',
        'symbol = "BTC"',
        "assets[0].symbol: line 17: must be USDC",
    ),
    "a weight above one": (
        "weight = 0.9",
        "weight = 2",
        "assets[1].haircut.weight: line 27: must lie",
    ),
    "margins crossed": (
        "base = 0.1 ",
        "base = 0.01 ",
        "maintenance.base: line 29: must not exceed",
    ),
    "a curve that falls": ("[0.8, 0.1]", "[0.8, 2]", "pool.curve[2].rate: line 32: must not fall"),
    "half a point": ("[0.8, 0.1]", "[0.8]", "pool.curve[1]: line 32: must be a pair in brackets"),
    "no tick": ("tick = 0.01\n", "", "assets[1].market.tick: line 38: is missing; write a number"),
    "a lot of nothing": (
        "lot = 0.001",
        "lot = 0",
        "assets[1].market.lot: line 40: must lie between",
    ),
    "no such asset": (
        SOL_LENT,
        SOL_LENT.replace("SOL", "X"),
        "groups[1].collateral[0].asset: line 58: 'X' is no asset; choose from USDC, SOL",
    ),
    "a debt in its own": (
        'debt = "USDC"',
        'debt = "SOL"',
        "groups[1].debt: line 59: is among the coll",
    ),
    "no cushion": ("cushion = [0.1, 0.5]\n", "", "groups[1].cushion: line 54: is missing; add it"),
    "a cushion and no debt": (
        'debt = "USDC"\n',
        "",
        "cushion: line 59: is of a debt; name the `debt`",
    ),
    "a cushion that falls": (
        "[0.1, 0.5]",
        "[0.5, 0.1]",
        "groups[1].cushion: line 60: must not fall",
    ),
    "a cushion too small": (
        "[0.1, 0.5]",
        "[0.001, 0.001]",
        "cushion: line 60: 0.001 is closer to liq",
    ),
    "nobody": ("count = 10", "count = -1", "groups[1].count: line 56: must lie between 1 and"),
    "a name twice": (
        '"longs"',
        '"lenders"',
        "groups[1].name: line 55: 'lenders' is taken; give each",
    ),
    "half a share": (
        '"SOL", lent',
        '"SOL", share = 0.5, lent',
        "groups[1].collateral: line 58: has shares",
    ),
    "depth of nothing": (
        "SOL = [[10,",
        "BTC = [[10,",
        "depth.bands.BTC: line 68: 'BTC' is no asset",
    ),
    "thinning by number": (
        "thinning = [[2026-01-01T00:00:00Z",
        "thinning = [[1",
        "depth.thinning[0]: line 65: must be a time like",
    ),
    "a promise of nothing": (
        "{ USDC = 5_000 }",
        "{ X = 5_000 }",
        "commitments.X: line 74: 'X' is no asset",
    ),
}
"""What is replaced in the small scenario, by what, and what is said of it."""

HEAD = "time,symbol,close\n"
NOON, LATER = "2026-03-01T12:00:00Z,SOL,", "2026-03-01T12:01:00Z,SOL,"
GOOD = f"{HEAD}{NOON}1\n{LATER}2\n"
BARS = "time,symbol,open,high,low,close\n"
TOKENS = "".join(
    f"2026-03-01T12:{minute:02}:00Z,{'SOL' if minute % 2 else 'BTC'},{100 + minute}\n"
    for minute in range(12)
)
PRICES: dict[str, tuple[str | bytes | None, tuple[str, ...], str]] = {
    "no file": (None, (), "file: does not exist; check the path"),
    "no header": (
        "1760130600,1,2,0.5,1.5\n" * 2,
        (),
        (
            "file: has no header line: the first line is 1760130600,1,2,0.5...; name its "
            "columns with --columns, say time,open"
        ),
    ),
    "two tokens": (
        f"time,venue_code,close\n{TOKENS}",
        (),
        (
            "venue_code: seems to name symbols (BTC, SOL); say which column does with "
            "--columns symbol=venue_code, or that all rows are one token with --symbol"
        ),
    ),
    "nobody's token": (
        GOOD.replace("SOL", "XRP"),
        (),
        "symbol: the file has XRP; small knows SOL: say which is which with --map NAME=SYMBOL",
    ),
    "below zero": (f"{HEAD}{NOON}-5\n", (), "close: line 2: -5 is not above zero; a price is at"),
    "not a number": (
        f"{HEAD}{NOON}NaN\n",
        (),
        "close: line 2: NaN is no price; fill it in, or leave",
    ),
    "no price": (f"{HEAD}{NOON}\n", (), "close: line 2: the price is empty; fill it in"),
    "thousands": (
        f'{HEAD}{NOON}"1,000"\n',
        (),
        "close: line 2: '1,000' is no plain decimal number",
    ),
    "an exponent": (
        f"{HEAD}{NOON}1e3\n",
        (),
        "close: line 2: '1e3' is in exponent notation; write",
    ),
    "no time": (
        f"{HEAD}noon,SOL,1\n",
        (),
        "time: line 2: 'noon' is no time; write it like 2025-10-10",
    ),
    "no unit": (
        f"{HEAD}123456789,SOL,1\n",
        (),
        "time: line 2: 123456789 could be any unit; write ISO",
    ),
    "back in time": (
        f"{HEAD}{LATER}1\n{NOON}1\n",
        (),
        "time: line 3: SOL goes back in time; put the rows in order, or use --sort-prices",
    ),
    "a time twice": (
        f"{HEAD}{NOON}1\n{NOON}2\n",
        (),
        "time: line 3: SOL has this time twice, first at line 2; keep one",
    ),
    "one row": (
        f"{HEAD}{NOON}1\n",
        (),
        "time: covers less than one step of 60 s; give it more rows",
    ),
    "no window": (GOOD, ("--window", "x"), "window: no such column; leave --window out"),
    "another window": (
        "window,time,symbol,close\na,2026-03-01,SOL,1\n",
        ("--window", "x"),
        "window: no row is in 'x'; the file has a",
    ),
    "two windows": (
        "window,time,symbol,close\na,2026-03-01,SOL,1\nb,2026-03-02,SOL,1\n",
        (),
        "window: has a, b; choose one with --window",
    ),
    "a symbol too many": (
        GOOD,
        ("--symbol", "SOL"),
        "symbol: the file names its symbols; leave --symbol out",
    ),
    "nothing to map": (
        GOOD,
        ("--map", "BTC=SOL"),
        "--map: there is no BTC to be renamed; there is SOL",
    ),
    "mapped to nothing": (
        GOOD,
        ("--map", "SOL=BTC"),
        "--map: the scenario knows no BTC; it knows SOL",
    ),
    "no such column": (
        GOOD,
        ("--columns", "close=Last"),
        "--columns: no column is called Last; the file has time, symbol, close",
    ),
    "too few columns": (
        GOOD,
        ("--columns", "time,close"),
        "--columns: names 2 columns, the first line has 3",
    ),
    "later than all": (
        GOOD,
        ("--from", "2027-01-01"),
        (
            "--from, --to: no price from 2027-01-01T00:00:00+00:00 to "
            "2026-03-01T12:01:00+00:00; the file has"
        ),
    ),
    "backwards": (
        GOOD,
        ("--from", "2026-03-02", "--to", "2026-03-01"),
        "--from, --to: no price from",
    ),
    "crossed": (
        "time,ask,bid\n2026-03-01,1,1.1\n",
        ("--symbol", "SOL"),
        "ask: line 2: is below the bid; mend",
    ),
    "no bar": (
        f"{BARS}{NOON}5,6,5.5,5.6\n{LATER}5,6,5.5,5.6\n",
        (),
        "low: line 2: open and close must lie between low and high; mend the row",
    ),
    "a line too long": (
        f"{HEAD}{NOON}1,2\n",
        (),
        "file: line 2: is no regular CSV (found more cells",
    ),
    "another alphabet": (
        f"{HEAD}{NOON}\xc4\n".encode("latin-1"),
        (),
        "file: line 2: is not UTF-8 text; save",
    ),
    "binary": (b"time,close\0\n", (), "file: is not text; export it as CSV"),
    "a web page": (
        "<!DOCTYPE html>\n<html><body>404</body></html>\n",
        (),
        "time, close: no such column; a price file has time, symbol and close",
    ),
    "empty": ("", (), "file: is empty; write a header line and rows"),
    "no rows": (HEAD, (), "file: has no rows; write at least one below the header line"),
    "a column twice": (
        f"time,SOL,SOL\n{NOON}1\n",
        (),
        "SOL: names two columns; rename or remove one",
    ),
}
"""A price file, the options beside it, and what is said of it."""

SEVERAL: dict[str, tuple[str | None, tuple[str, ...], str]] = {
    "no second file": (None, (), "second.csv: file: does not exist; check the path"),
    "the same again": (
        GOOD,
        (),
        "second.csv: symbol: has SOL from 2026-03-01T12:00:00+00:00, and first.csv has it up to "
        "2026-03-01T12:01:00+00:00; give each time from one file",
    ),
    "an overlap": (
        f"{HEAD}2026-03-01T12:00:30Z,SOL,1\n{LATER}2\n",
        (),
        "second.csv: symbol: has SOL from 2026-03-01T12:00:30+00:00, and first.csv has it up to",
    ),
    "a second with no price": (
        f"{HEAD}{LATER}NaN\n",
        (),
        "second.csv: close: line 2: NaN is no price; fill it in",
    ),
    "a second that is empty": ("", (), "second.csv: file: is empty; write a header line and rows"),
    "one token for all": (
        GOOD,
        ("--symbol", "SOL"),
        "first.csv: --symbol: names the token of one file, and there are several; say which is "
        "which with --map",
    ),
    "columns of one": (
        GOOD.replace("close", "last"),
        ("--columns", "close=last"),
        "first.csv: --columns: no column is called last; the file has time, symbol, close",
    ),
    "a window of one": (
        f"window,{HEAD}x,{LATER}2\n",
        ("--window", "x"),
        "first.csv: window: no such column; leave --window out",
    ),
    "nothing to map in any": (
        f"{HEAD}2026-03-01T12:02:00Z,SOL,2\n",
        ("--map", "BTC=SOL"),
        "first.csv: --map: there is no BTC to be renamed; there is SOL",
    ),
}
"""A second price file after GOOD, the options beside both, and what is said."""

KINDS: dict[str, tuple[str, bytes, str]] = {
    "a spreadsheet": (
        "my.xlsx",
        b"x",
        "is of no known kind; use .csv, .csv.gz, .tsv, .tsv.gz, .zip",
    ),
    "half a zip": (
        "my.zip",
        b"PK\x03\x04 nothing",
        "is a damaged zip file (File is not a zip file); fetch",
    ),
    "half a gzip": (
        "my.csv.gz",
        b"\x1f\x8b nothing",
        "is a damaged gzip file (Unknown compression",
    ),
    "half a Parquet": (
        "my.parquet",
        b"PAR1 nothing",
        "is damaged or no Parquet file (Invalid Input",
    ),
}

Refuse = Callable[..., str]


@pytest.fixture
def refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Refuse:
    """Runs the small scenario or another one with these options and returns what is said."""
    monkeypatch.chdir(tmp_path)
    # A fresh clone would first say that it compiles its kernels.
    monkeypatch.setattr("solvent.cli.runs.running.engine_factory", lambda _: ReferenceEngine)

    def said(*options: str, scenario: str = SMALL) -> str:
        (tmp_path / "my.toml").write_text(scenario, encoding="utf-8")
        before = files(tmp_path)
        code = main(["run", "my.toml", *options, "--out", "out"])
        out, line = capfd.readouterr()
        assert (code, out) == (2, ""), line
        assert line.startswith("solvent: "), line
        assert line.count("\n") == 1, line
        assert files(tmp_path) == before
        assert not (tmp_path / "out").exists()
        assert set(re.findall(r"--[a-z-]+", line)) <= _options(capfd), line
        return line.removeprefix("solvent: ")

    return said


def _options(capfd: pytest.CaptureFixture[str]) -> set[str]:
    """The options that `solvent run` says it has."""
    assert main(["run", "--help"]) == 0
    return set(re.findall(r"--[a-z-]+", capfd.readouterr().out))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_that_cannot_be_used(name: str, refuse: Refuse) -> None:
    old, new, says = SCENARIOS[name]
    assert old in SMALL
    line = refuse(scenario=SMALL.replace(old, new, 1))
    assert line.startswith("my.toml: ")
    assert says in line


@pytest.mark.parametrize("name", PRICES)
def test_a_price_file_that_cannot_be_used(name: str, refuse: Refuse, tmp_path: Path) -> None:
    text, options, says = PRICES[name]
    if text is not None:
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "my.csv").write_bytes(data)
    assert refuse("--prices", "my.csv", *options).startswith(f"my.csv: {says}")


@pytest.mark.parametrize("name", SEVERAL)
def test_a_second_price_file_that_cannot_be_used(name: str, refuse: Refuse, tmp_path: Path) -> None:
    text, options, says = SEVERAL[name]
    (tmp_path / "first.csv").write_text(GOOD, encoding="utf-8")
    if text is not None:
        (tmp_path / "second.csv").write_text(text, encoding="utf-8")
    line = refuse("--prices", "first.csv", "--prices", "second.csv", *options)
    assert line.startswith(says)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_kind(name: str, refuse: Refuse, tmp_path: Path) -> None:
    file, data, says = KINDS[name]
    (tmp_path / file).write_bytes(data)
    for option in ("--prices", "--positions"):
        assert refuse(option, file).startswith(f"{file}: file: {says}")


@pytest.mark.parametrize("name", BOOKS)
def test_a_book_that_cannot_be_used(name: str, refuse: Refuse, tmp_path: Path) -> None:
    text, says = BOOKS[name]
    if text is not None:
        (tmp_path / "book.csv").write_text(text, encoding="utf-8")
    assert refuse("--positions", "book.csv").startswith(f"book.csv: {says}")


def test_options_that_do_not_go_together(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text(f"{BOOK}a,SOL,1,,\n", encoding="utf-8")
    line = refuse("--positions", "book.csv", "--accounts", "5")
    assert line.startswith("run: --accounts: does not go with --positions")
    assert refuse("--from", "2026-01-01").startswith("run: --from: says how to read a price file")
    assert refuse("--prices", "x.csv", "--from", "noon").startswith(
        "run: --from: 'noon' is no time"
    )


def test_a_kind_is_counted_once() -> None:
    assert len(SCENARIOS) + len(PRICES) + len(SEVERAL) + len(KINDS) + len(BOOKS) >= 90
