"""Whatever is wrong with a price file, one line names the file, the field, the line, the cure."""

import gzip
import pickle
from datetime import UTC, datetime, time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.errors import InputError
from solvent.lab.prices.paths import read_prices
from tests.lab.price_helpers import BARS, LONG, NOON, planted, reason

REFUSED = [
    pytest.param(text, says, id=name)
    for name, text, says in [
        ("no rows", LONG, "file: has no rows"),
        ("nothing at all", "", "file: is empty"),
        ("only a comment", "# source: nobody\n", "file: is empty"),
        ("not text", "time,close\0\n", "file: is not text"),
        ("a line too long", f"{LONG}{NOON},BTC,1,2\n", "file: line 2: is no regular CSV (found"),
        ("a column twice", f"time,BTC,BTC\n{NOON},1,2\n", "BTC: names two columns"),
        ("no time", "symbol,close\nBTC,1\n", "time: no such column"),
        ("no close", f"time,symbol\n{NOON},BTC\n", "close: no such column"),
        ("neither", "a,b\n1,2\n", "time, close: no such column"),
        ("small letters", f"time,rate\n{NOON},1\n", "close: no such column"),
        ("empty price", f"{LONG}{NOON},BTC,\n", "close: line 2: the price is empty"),
        ("short line", f"{LONG}{NOON},BTC\n", "close: line 2: the price is empty"),
        ("blank line", f"{LONG}\n{NOON},BTC,1\n", "symbol: line 2: the cell is empty"),
        ("NaN", f"{LONG}{NOON},BTC,NaN\n", "close: line 2: NaN is no price"),
        ("null", f"{LONG}{NOON},BTC,null\n", "close: line 2: null is no price"),
        ("infinity", f"{LONG}{NOON},BTC,-inf\n", "close: line 2: -inf is no price"),
        ("zero", f"{LONG}{NOON},BTC,0.0\n", "close: line 2: 0.0 is not above zero"),
        ("negative", f"{LONG}{NOON},BTC,-5\n", "close: line 2: -5 is not above zero"),
        ("text", f"{LONG}{NOON},BTC,abc\n", "close: line 2: 'abc' is no plain decimal number"),
        ("a blank within", f"{LONG}{NOON},BTC,1 5\n", "close: line 2: '1 5' is no plain decimal"),
        ("thousands", f'{LONG}{NOON},BTC,"1,000"\n', "close: line 2: '1,000' is no plain decimal"),
        ("exponent", f"{LONG}{NOON},BTC,1.5e3\n", "close: line 2: '1.5e3' is in exponent notation"),
        ("eleven decimals", f"{LONG}{NOON},BTC,1.00000000001\n", "has more than 10 decimals"),
        ("too large", f"{LONG}{NOON},BTC,922337203.6854775808\n", "is too large; a price is at"),
        ("no time text", f"{LONG}noon,BTC,1\n", "time: line 2: 'noon' is no time; write it like"),
        ("empty time", f"{LONG},BTC,1\n", "time: line 2: the time is empty"),
        ("before 1970", f"{LONG}1969-12-31,BTC,1\n", "time: line 2: -86400000000 us is before"),
        ("no date", f"{LONG}20251310,BTC,1\n", "time: line 2: 20251310 could be any unit; write"),
        ("no clear unit", f"{LONG}123456789,BTC,1\n", "time: line 2: 123456789 could be any unit"),
        ("a far future", f"{LONG}5000000000,BTC,1\n", "time: line 2: 5000000000 could be any unit"),
        (
            "two units",
            f"{LONG}1760130000,BTC,1\n1760130060000,BTC,1\n",
            "time: line 3: 1760130060000 looks like ms, the times above it like s",
        ),
        (
            "back in time",
            f"{LONG}{NOON},BTC,1\n{NOON},ETH,1\n2025-10-10 11:59,BTC,1\n",
            "time: line 4: BTC goes back in time; put the rows in order, or pass sort=True",
        ),
        (
            "a time twice",
            f"# a\n# b\n{LONG}{NOON},BTC,1\n{NOON},ETH,1\n{NOON}Z,BTC,2\n",
            "time: line 6: BTC has this time twice, first at line 4; keep one",
        ),
        ("no symbol", f"{LONG}{NOON},,1\n", "symbol: line 2: the cell is empty"),
        ("crossed", f"time,ask,bid\n{NOON},1,1.1\n", "ask: line 2: is below the bid"),
    ]
]


class TestRefusals:
    """Whatever is wrong with a file, the error names the file, the field and the line."""

    @pytest.mark.parametrize(("text", "says"), REFUSED)
    def test_of_a_planted_file(self, text: str, says: str, tmp_path: Path) -> None:
        told = reason(planted(tmp_path, text))
        assert told.startswith("prices.csv: ")
        assert says in told

    def test_of_a_file_that_is_not_there_or_no_file(self, tmp_path: Path) -> None:
        assert reason(tmp_path / "a.csv") == "a.csv: file: does not exist; check the path"
        (tmp_path / "b.csv").mkdir()
        assert reason(tmp_path / "b.csv").startswith("b.csv: file: cannot be read: ")
        assert "of no known kind" in reason(planted(tmp_path, "", "c.xlsx"))

    def test_of_damaged_files(self, tmp_path: Path) -> None:
        whole = gzip.compress(f"{LONG}{NOON},BTC,1\n".encode())
        zipped, parquet = tmp_path / "a.csv.gz", tmp_path / "a.parquet"
        zipped.write_bytes(whole[:-9])
        assert "file: is a damaged gzip file (" in reason(zipped)
        zipped.write_bytes(whole[:-12] + bytes(12))
        assert "file: is a damaged gzip file (" in reason(zipped)
        zipped.write_bytes(whole)
        assert read_prices(zipped).symbols == ("BTC",)
        parquet.write_bytes(b"")
        assert reason(parquet).startswith("a.parquet: file: is empty")
        parquet.write_bytes(b"PAR1 and then nothing of use")
        assert "file: is damaged or no Parquet file (" in reason(parquet)
        latin = tmp_path / "latin.csv"
        latin.write_bytes(f"{LONG}{NOON},Ä,1\n".encode("latin-1"))
        assert "file: line 2: is not UTF-8 text; save it as UTF-8" in reason(latin)

    @pytest.mark.parametrize(
        ("prices", "says"),
        [
            ([1.0, float("nan")], "close: row 2: nan is no price"),
            ([1.0, None], "close: row 2: the price is empty"),
            ([1.0, float("inf")], "close: row 2: inf is no price"),
            ([1.0, -0.5], "close: row 2: -0.5 is not above zero"),
            ([1.0, 1e-11], "close: row 2: 1e-11 is not above zero; a price is at least 0.0000"),
            ([1.0, 1e10], "close: row 2: 10000000000.0 is too large"),
            ([True, False], "close: holds BOOLEAN, not numbers"),
        ],
    )
    def test_of_cells_of_a_binary_file(
        self, prices: list[float | None], says: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "prices.parquet"
        times = [datetime(2025, 10, 10, hour, tzinfo=UTC) for hour in (1, 2)]
        pl.DataFrame({"time": times, "close": prices}).write_parquet(path)
        assert says in reason(path)

    def test_of_time_columns_that_hold_no_times(self, tmp_path: Path) -> None:
        path = tmp_path / "prices.parquet"
        for column in ([1.5], [time(1)], [True]):
            pl.DataFrame({"time": column, "BTC": [1]}).write_parquet(path)
            assert "write ISO times or whole numbers" in reason(path)
        pl.DataFrame({"time": [-1], "BTC": [1]}).write_parquet(path)
        assert "-1 s is before 1970" in reason(path, time_unit="s")
        pl.DataFrame({"time": [2**62], "BTC": [1]}).write_parquet(path)
        assert "after the year 9999" in reason(path, time_unit="us")

    def test_of_options_that_do_not_fit(self, tmp_path: Path) -> None:
        long = planted(tmp_path, f"{LONG}{NOON},BTC,1\n")
        assert "symbol: the file names its symbols; leave `symbol` out" in reason(long, symbol="X")
        assert "window: no such column" in reason(long, window="x")
        assert "open, high, low: no such column" in reason(long, ohlc=True)
        wide = planted(tmp_path, f"time,BTC\n{NOON},1\n")
        assert "symbol: the columns name the symbols; choose with sym" in reason(wide, symbol="X")
        assert "symbol: no prices for ETH; the file has time, BTC" in reason(wide, symbols=["ETH"])

    def test_of_bars_that_cannot_be_expanded(self, tmp_path: Path) -> None:
        one = planted(tmp_path, f"{BARS}{NOON},BTC,1,1,1,1\n")
        assert "time: line 2: cannot tell how long a bar of BTC is" in reason(one, ohlc=True)
        for row, field in (("5,6,5.5,5.6", "low"), ("5,5.5,4,5.6", "high")):
            rows = f"{BARS}2025-10-10,BTC,1,1,1,1\n{NOON},BTC,{row}\n"
            told = reason(planted(tmp_path, rows), ohlc=True)
            assert f"{field}: line 3: open and close must lie between low and high" in told

    def test_keeps_its_parts_and_survives_a_process_pool(self) -> None:
        error = pickle.loads(pickle.dumps(InputError("a.csv", "close", "is\nodd", line=3)))
        assert (error.file, error.field, error.reason, error.line) == (
            "a.csv",
            "close",
            "is\nodd",
            3,
        )
        assert str(error) == "a.csv: close: line 3: is odd"

    @given(data=st.binary(max_size=200), kind=st.sampled_from(["csv", "csv.gz", "parquet"]))
    def test_of_noise(
        self, data: bytes, kind: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        file = tmp_path_factory.getbasetemp() / f"noise.{kind}"
        file.write_bytes(data)
        with pytest.raises(InputError):
            read_prices(file)
