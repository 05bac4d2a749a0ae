"""Price files become exact integer paths, side by side, with every hole in them reported."""

import gzip
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.units import INT64_MAX, format_decimal
from solvent.lab.prices.paths import Gap, PricePath, read_prices, time_text
from tests.lab.price_helpers import BARS, LONG, MINUTE, NOON, at, planted, price, reason


class TestReading:
    """Times, prices and layouts mean what the documentation says."""

    @pytest.mark.parametrize(
        "text",
        [
            "2025-10-10 21:20:00",
            "2025-10-10T21:20:00Z",
            "2025-10-10T23:20:00.000000+02:00",
            "2025-10-10 21:20 UTC",
            "1760131200",
            "1760131200000",
            "1760131200000000",
        ],
    )
    def test_a_time_is_utc_however_it_is_written(self, text: str, tmp_path: Path) -> None:
        path = read_prices(planted(tmp_path, f"{LONG}{text},BTC,1\n"))
        assert path.times == (at("2025-10-10T21:20"),)
        assert time_text(path.times[0]) == "2025-10-10T21:20:00+00:00"

    def test_times_of_a_binary_file(self, tmp_path: Path) -> None:
        naive = pl.Series([at("2025-10-10T21:20")]).cast(pl.Datetime("us"))
        aware = naive.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
        columns = [naive.cast(pl.Datetime(unit)) for unit in ("ms", "us", "ns")]
        columns += [aware, naive.cast(pl.Int64), naive.dt.to_string("iso")]
        path = tmp_path / "prices.parquet"
        for column in columns:
            pl.DataFrame({"Time": column, "BTC": [1]}).write_parquet(path)
            assert read_prices(path).times == (at("2025-10-10T21:20"),)
        pl.DataFrame({"date": naive.cast(pl.Date), "BTC": [1]}).write_parquet(path)
        assert read_prices(path).times == (at("2025-10-10"),)

    @pytest.mark.parametrize("unit", [1, 10**3, 10**6])
    def test_whole_numbers_are_told_apart_from_2001_on(self, unit: int, tmp_path: Path) -> None:
        file = planted(tmp_path, f"TIME,BTC,btc\n{10**9 * unit},1,2\n")
        path = read_prices(file)
        assert path.symbols == ("BTC",)
        assert path.times == (10**15,)

    def test_small_whole_numbers_with_their_unit(self, tmp_path: Path) -> None:
        file = planted(tmp_path, "time,BTC\n0,1\n60,2\n")
        assert read_prices(file, time_unit="s").times == (0, MINUTE)

    def test_prices_of_every_numeric_kind(self, tmp_path: Path) -> None:
        path = tmp_path / "prices.parquet"
        kinds = {
            "A": pl.Series([7], dtype=pl.Int32),
            "B": pl.Series([Decimal("1848.12")], dtype=pl.Decimal(20, 4)),
            "C": pl.Series([1848.12], dtype=pl.Float32),
            "D": pl.Series(["0.0000000001"]),
            "E": pl.Series([0.00000000015]),
            "F": pl.Series([0.00000000025]),
        }
        pl.DataFrame({"time": ["2025-10-10"], **kinds}).write_parquet(path)
        prices = [row[0] for row in read_prices(path).prices]
        assert prices == [price("7"), price("1848.12"), price("1848.12"), 1, 2, 2]

    def test_a_mid_is_rounded_half_to_even(self, tmp_path: Path) -> None:
        quotes = ((2, 1), (3, 2), (4, 3), (5, 5))
        rows = "".join(
            f"2025-10-1{day},0.000000000{ask},0.000000000{bid}\n"
            for day, (ask, bid) in enumerate(quotes)
        )
        path = read_prices(planted(tmp_path, f"time,ask,bid\n{rows}"), symbol="ETH")
        assert path.symbols == ("ETH",)
        assert path.prices == ((2, 2, 4, 5),)
        assert path.notes == ("took the mid of ask and bid for ETH",)

    def test_what_a_spreadsheet_adds_is_passed_over(self, tmp_path: Path) -> None:
        text = f"\ufeff# a\r\n\r\nTimestamp,Close,CLOSE,Volume\r\n{NOON},1.50,2,x\r\n\r\n"
        path = read_prices(planted(tmp_path, text, "btcusdt_1m.csv"))
        assert path.symbols == ("BTCUSDT",)
        assert path.prices == ((price("1.5"),),)

    def test_columns_in_small_letters_are_symbols_where_named(self, tmp_path: Path) -> None:
        file = planted(tmp_path, f"time,wstETH,n,USDC\n{NOON},2,3,1\n")
        assert read_prices(file).symbols == ("USDC",)
        assert read_prices(file, symbols=["wstETH", "USDC", "wstETH"]).symbols == ("wstETH", "USDC")

    @pytest.mark.parametrize(
        ("adverse", "first", "second"), [("low", "1", "9"), ("high", "9", "1")]
    )
    def test_a_bar_is_four_prices_the_adverse_extreme_first(
        self, adverse: str, first: str, second: str, tmp_path: Path
    ) -> None:
        rows = f"{NOON},BTC,4,9,1,5\n2025-10-10 12:01,BTC,5,9,1,6\n"
        file = planted(tmp_path, BARS + rows)
        path = read_prices(file, ohlc=True, adverse=adverse)  # type: ignore[arg-type]
        noon = at("2025-10-10T12:00")
        assert path.times == tuple(noon + place * MINUTE // 3 for place in range(7))
        # The open of a bar takes the place of the close of the bar before.
        expected = ("4", first, second, "5", first, second, "6")
        assert path.prices == (tuple(price(text) for text in expected),)
        assert path.notes == ()
        if adverse == "low":
            assert read_prices(file) == path

    def test_a_close_alone_acts_at_the_end_of_its_bar(self, tmp_path: Path) -> None:
        rows = f"{NOON},BTC,4,9,1,5\n2025-10-10 12:01,BTC,5,9,1,6\n"
        path = read_prices(planted(tmp_path, BARS + rows), ohlc=False)
        assert path.times == (at("2025-10-10T12:01"), at("2025-10-10T12:02"))
        assert path.prices == ((price("5"), price("6")),)
        assert path.notes == ("took the closes alone, though the file has highs and lows",)


class TestSideBySide:
    """Symbols with different times are filled forward, never back, and holes are reported."""

    ROWS = (
        f"{LONG}2025-10-10 12:00,BTC,10\n2025-10-10 12:01,BTC,11\n2025-10-10 12:02,BTC,12\n"
        "2025-10-10 12:05,BTC,15\n2025-10-10 12:01,ETH,1\n2025-10-10 12:02,ETH,2\n"
    )

    def test_fills_forward_from_when_all_have_a_price(self, tmp_path: Path) -> None:
        path = read_prices(planted(tmp_path, self.ROWS))
        assert path.times == tuple(at(f"2025-10-10T12:0{minute}") for minute in (1, 2, 5))
        assert path.prices == tuple(
            tuple(price(text) for text in row) for row in (("11", "12", "15"), ("1", "2", "2"))
        )
        assert path.notes == (
            "left out 1 times before 2025-10-10T12:01:00+00:00, the first of ETH",
        )

    def test_reports_holes_inside_and_at_the_end(self, tmp_path: Path) -> None:
        file = planted(tmp_path, self.ROWS)
        start, end = at("2025-10-10T12:02"), at("2025-10-10T12:05")
        gaps = (Gap("BTC", start, end, MINUTE), Gap("ETH", start, end, MINUTE))
        path = read_prices(file)
        assert path.gaps == gaps
        assert str(gaps[0]) == (
            "BTC has no bar for 0:03:00 (usually 0:01:00) "
            "from 2025-10-10T12:02:00+00:00 to 2025-10-10T12:05:00+00:00"
        )
        assert read_prices(file, max_gap=3 * MINUTE) == path
        refusal = reason(file, max_gap=3 * MINUTE - 1)
        assert "max_gap: BTC has no bar for 0:03:00" in refusal
        assert "more than 0:02:59.999999; fill the hole or take a part" in refusal

    @pytest.mark.parametrize(("second", "holes"), [(90, 0), (91, 1), (120, 1)])
    def test_a_hole_is_over_one_and_a_half_bars(
        self, second: int, holes: int, tmp_path: Path
    ) -> None:
        seconds = (0, 60, 120, 120 + second, 180 + second, 240 + second)
        rows = "".join(f"{each},1\n" for each in seconds)
        path = read_prices(planted(tmp_path, f"time,BTC\n{rows}"), time_unit="s")
        assert len(path.gaps) == holes

    def test_a_hole_before_the_path_starts_is_no_matter(self, tmp_path: Path) -> None:
        rows = f"{LONG}0,BTC,1\n60,BTC,1\n300,BTC,1\n300,ETH,1\n"
        path = read_prices(planted(tmp_path, rows), time_unit="s")
        assert path.times == (5 * MINUTE,)
        assert path.gaps == ()

    def test_a_single_bar_is_said_to_be_stretched(self, tmp_path: Path) -> None:
        rows = f"{LONG}0,BTC,1\n0,ETH,1\n60,ETH,1\n"
        path = read_prices(planted(tmp_path, rows), time_unit="s")
        assert path.gaps == (Gap("BTC", 0, MINUTE, 0),)

    def test_window_takes_its_start_and_leaves_its_end(self, tmp_path: Path) -> None:
        path = read_prices(planted(tmp_path, self.ROWS))
        start, end = path.times[0], path.times[2]
        part = path.window(start, end)
        assert part.times == path.times[:2]
        assert part.prices == (path.prices[0][:2], path.prices[1][:2])
        assert part.gaps == path.gaps
        assert path.window(start, start + 1).gaps == ()
        assert path.window(start, path.times[1]).gaps == ()
        assert path.window(end, end + 1).gaps == ()
        with pytest.raises(ValueError, match=r"^no prices from 2025-10-10T12:05:00.000001"):
            path.window(end + 1, end + 2)

    def test_renamed_in_path_and_report(self, tmp_path: Path) -> None:
        path = read_prices(planted(tmp_path, self.ROWS)).renamed({"BTC": "WBTC"})
        assert path.symbols == ("WBTC", "ETH")
        assert [gap.symbol for gap in path.gaps] == ["WBTC", "ETH"]
        with pytest.raises(ValueError, match="there is no SOL to be"):
            path.renamed({"SOL": "WSOL"})
        with pytest.raises(ValueError, match="each once"):
            path.renamed({"ETH": "WBTC"})

    @pytest.mark.parametrize(
        ("symbols", "times", "prices", "says"),
        [
            ((), (1,), (), "needs symbols"),
            (("A",), (), ((),), "strictly increase"),
            (("A",), (1, 1), ((1, 1),), "strictly increase"),
            (("A", "B"), (1,), ((1,),), "one row of prices and of prints a symbol"),
            (("A",), (1, 2), ((1,),), "one price a time"),
            (("A",), (1,), ((0,),), "not above zero"),
            (("A",), (1,), ((INT64_MAX + 1,),), "too large"),
        ],
    )
    def test_a_path_that_breaks_its_promise_cannot_be_made(
        self,
        symbols: tuple[str, ...],
        times: tuple[int, ...],
        prices: tuple[tuple[int, ...], ...],
        says: str,
    ) -> None:
        with pytest.raises(ValueError, match=says):
            PricePath(symbols, times, prices, tuple(times for _ in prices))


@st.composite
def paths(draw: st.DrawFn, largest: int = INT64_MAX) -> PricePath:
    name = st.text("ABCXYZ0189", min_size=1, max_size=8).filter(lambda text: not text.isdigit())
    symbols = draw(st.lists(name, min_size=1, max_size=3, unique=True))
    moment = st.integers(0, at("9999-12-31"))
    times = sorted(draw(st.lists(moment, min_size=1, max_size=8, unique=True)))
    row = st.lists(st.integers(1, largest), min_size=len(times), max_size=len(times)).map(tuple)
    rows, prints = tuple(draw(row) for _ in symbols), tuple(tuple(times) for _ in symbols)
    return PricePath(tuple(symbols), tuple(times), rows, prints)


def written(path: PricePath, *, wide: bool) -> pl.DataFrame:
    """The path as a table of text."""
    times = [time_text(time) for time in path.times]
    rows = [[format_decimal(number, 10) for number in row] for row in path.prices]
    columns = [
        pl.DataFrame({"time": times, "symbol": symbol, "close": row})
        for symbol, row in zip(path.symbols, rows, strict=True)
    ]
    if wide:
        return pl.DataFrame({"time": times, **dict(zip(path.symbols, rows, strict=True))})
    return pl.concat(columns)


class TestRoundTrip:
    """What was written comes back to the last digit."""

    @pytest.mark.slow
    @given(path=paths(), wide=st.booleans())
    def test_of_text(
        self, path: PricePath, wide: bool, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        frame = written(path, wide=wide)
        folder = tmp_path_factory.getbasetemp()
        frame.write_csv(folder / "trip.csv")
        (folder / "trip.csv.gz").write_bytes(gzip.compress((folder / "trip.csv").read_bytes()))
        frame.write_parquet(folder / "trip.parquet")
        for name in ("trip.csv", "trip.csv.gz", "trip.parquet"):
            back = read_prices(folder / name)
            assert (back.symbols, back.times, back.prices) == (
                path.symbols,
                path.times,
                path.prices,
            )
            assert (
                read_prices(folder / name, symbols=path.symbols[::-1]).prices == path.prices[::-1]
            )

    @given(cells=st.lists(st.floats(1e-9, 9e8), min_size=1, max_size=8))
    def test_of_binary_floats_through_their_shortest_text(
        self, cells: list[float], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        file = tmp_path_factory.getbasetemp() / "floats.parquet"
        times = [at("2025-10-10") + place * MINUTE for place in range(len(cells))]
        pl.DataFrame({"time": times, "BTC": cells}).write_parquet(file)
        unit = Decimal("1e-10")
        expected = [Decimal(repr(cell)).quantize(unit, ROUND_HALF_EVEN) for cell in cells]
        assert read_prices(file).prices == (tuple(int(each.scaleb(10)) for each in expected),)
