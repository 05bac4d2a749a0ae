"""Price files and scenarios as people have them: each is right, or refused with what settles it.

Scenarios lie beside the repository and are not part of it; their tests skip where they are absent.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.domain.units import PRICE_SCALE
from solvent.lab.prices.feed import Foreign, foreign_feed, own_feed
from solvent.lab.prices.paths import read_prices
from solvent.lab.runner import run
from solvent.lab.scenario.catalog import load_scenario
from solvent.lab.scenario.file import read_scenario
from tests.lab.price_helpers import at, planted, price, reason, wild

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
MINIMAL = "minimal.toml"


def case(name: str) -> Path:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the case {name} is not beside the repository")
    return path


def lab(name: str) -> Path:
    return case(f"lab/{name}")


class TestFiles:
    """What cannot be told apart is refused with the option that settles it; nothing is merged."""

    def test_klines_as_published_have_no_header(self, tmp_path: Path) -> None:
        """Case f13."""
        path = read_prices(wild(tmp_path, "SOLUSDT-1m-2025-10-10.csv"))
        assert path.symbols == ("SOLUSDT",)
        assert path.times[0] == at("2025-10-10T21:10")
        assert (path.prices[0][0], path.prices[0][-1]) == (price("182.35"), price("163.35"))
        assert path.notes[0] == ("has no header line: read as klines as exchanges publish them")
        assert "SOLUSDT" in path.notes[1]

    def test_numbers_without_a_header_are_no_header(self, tmp_path: Path) -> None:
        rows = "1760130600,1,2,0.5,1.5\n1760130660,1.5,2,0.5,1\n"
        file = planted(tmp_path, rows, "SOL.csv")
        assert reason(file) == (
            "SOL.csv: file: has no header line: the first line is 1760130600,1,2,0.5...; name its"
            " columns with `columns`, say time,open,high,low,close"
        )
        path = read_prices(file, columns=("time", "-", "-", "-", "close"))
        assert path.prices == ((price("1.5"), price("1")),)
        bars = read_prices(file, columns=("time", "open", "high", "low", "close"))
        assert min(bars.prices[0]) == price("0.5")
        assert "columns: names 2 columns, the first line has 5" in reason(
            file, columns=("time", "close")
        )

    def test_a_kline_whose_low_is_above_its_close_is_none(self, tmp_path: Path) -> None:
        row = "1760130600000,1,2,{low},1.5,9,1760130659999,9,9,9,9,0\n"
        good, bad = row.format(low="0.5"), row.format(low="1.6")
        assert "has no header line" in reason(planted(tmp_path, bad))
        late = good.replace("1760130600000", "1760130660000").replace("659999", "719999")
        assert read_prices(planted(tmp_path, good + late)).symbols == ("PRICES",)

    def test_pairs_in_a_column_of_another_name_are_two_tokens(self, tmp_path: Path) -> None:
        """Case f11: `pair`, `market` or `ticker`; which is which is asked, and nothing merged."""
        file = wild(tmp_path, "two-pairs.csv")
        assert read_prices(file, ohlc=False).symbols == ("SOL/USD", "XBT/USD")
        for name in ("two-markets.csv", "two-tickers.csv"):
            path = read_prices(wild(tmp_path, name))
            assert path.symbols == ("SOL-USD", "BTC-USD")
            assert max(path.prices[0]) == price("180")
            assert min(path.prices[1]) > price("100000")
        scenario = load_scenario("quiet")
        with pytest.raises(InputError, match="say which is which with --map NAME=SYMBOL"):
            foreign_feed(scenario, Foreign(file))
        feed = foreign_feed(scenario, Foreign(file, mapping={"SOL/USD": "SOL", "XBT/USD": "BTC"}))
        assert feed.price(3, feed.start) == price("180")
        assert feed.price(1, feed.end) > price("100000")
        with pytest.raises(InputError, match="--map: there is no SOL-USD to be renamed; there is"):
            foreign_feed(scenario, Foreign(file, mapping={"SOL-USD": "SOL"}))

    @pytest.mark.parametrize("name", ["venue_code", "Coin Name", "MKT"])
    def test_symbols_under_a_name_nobody_knows_are_asked_for(
        self, name: str, tmp_path: Path
    ) -> None:
        lines = [
            f"2025-10-10T12:{minute:02}:00Z,{'SOL' if minute % 2 else 'BTC'},{100 + minute}\n"
            for minute in range(12)
        ]
        file = planted(tmp_path, f"time,{name},close\n" + "".join(lines))
        told = reason(file)
        assert f"{name}: seems to name symbols (BTC, SOL); say which column does" in told
        assert read_prices(file, columns={"symbol": name}).symbols == ("BTC", "SOL")
        assert read_prices(file, symbol="SOL").symbols == ("SOL",)

    def test_sides_and_orders_are_no_symbols(self, tmp_path: Path) -> None:
        lines = [
            f"2025-10-10T12:{minute:02}:00Z,{side},T{minute},{minute + 1}\n"
            for minute, side in enumerate(("BUY", "SELL") * 6)
        ]
        file = planted(tmp_path, "time,side,id,price\n" + "".join(lines), "SOL_trades.csv")
        assert read_prices(file).symbols == ("SOL",)

    def test_digits_of_a_date_are_a_date(self, tmp_path: Path) -> None:
        """Case f12."""
        path = read_prices(wild(tmp_path, "digits.csv"))
        assert path.times[0] == at("2025-10-10T00:00")
        assert path.times[1] - path.times[0] == 60 * 10**6
        days = read_prices(wild(tmp_path, "digits-to-milliseconds.csv"))
        assert days.symbols == ("sh.600000",)
        assert days.times == path.times

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("20251010", "2025-10-10T00:00"),
            ("202510102110", "2025-10-10T21:10"),
            ("20251010211000", "2025-10-10T21:10"),
            ("20251010211000250", "2025-10-10T21:10:00.250"),
            ("1760130600000000000", "2025-10-10T21:10"),
        ],
    )
    def test_every_form_of_digits(self, text: str, expected: str, tmp_path: Path) -> None:
        path = read_prices(planted(tmp_path, f"time,SOL\n{text},1\n"))
        assert path.times == (at(expected),)

    @pytest.mark.parametrize("name", ["blanks.csv", "tabs.csv"])
    def test_blanks_and_tabs_part_cells_as_commas_do(self, name: str, tmp_path: Path) -> None:
        """Case f14."""
        path = read_prices(wild(tmp_path, name))
        assert path.symbols == ("SOL",)
        assert path.prices[0][:2] == (price("182.35"), price("181.35"))

    def test_a_zip_holds_one_file(self, tmp_path: Path) -> None:
        import zipfile

        file = tmp_path / "SOLUSDT-1m-2025-10.zip"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.csv", "time,close\n2025-10-10,1\n")
        assert read_prices(file).symbols == ("SOLUSDT",)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("b.csv", "time,close\n2025-10-10,1\n")
        assert "holds a.csv, b.csv; a zip must hold one CSV file" in reason(file)
        file.write_bytes(b"PK\x03\x04 and then nothing")
        assert "file: is a damaged zip file" in reason(file)

    def test_columns_are_renamed_and_not_read_twice(self, tmp_path: Path) -> None:
        file = planted(tmp_path, "Date;Last;close\n2025-10-10;2;3\n", "SOL.csv")
        assert read_prices(file).prices == ((price("3"),),)
        assert read_prices(file, columns={"close": "Last"}).prices == ((price("2"),),)
        told = reason(file, columns={"close": "Latest"})
        assert "columns: no column is called Latest; the file has Date, Last, close" in told


class TestRuns:
    """A run uses every print, as known, and says what it left out."""

    def test_the_last_print_before_the_start_is_in_force(self) -> None:
        scenario = read_scenario(lab(MINIMAL))
        feed = own_feed(scenario)
        assert feed.quoted(1, feed.start)
        assert feed.price(1, feed.start) == price("100")
        result = run(scenario)
        assert result.figures["refused"] == 0

    def test_a_stale_price_at_the_start_is_refused(self, tmp_path: Path) -> None:
        text = lab(MINIMAL).read_text(encoding="utf-8")
        (tmp_path / "tick.csv").write_text(
            "time,symbol,close\n2025-12-31T22:00:00Z,SOL,100\n2025-12-31T22:00:03Z,SOL,100\n"
            "2026-01-01T00:10:00Z,SOL,90\n"
        )
        file = planted(tmp_path, text, "own.toml")
        with pytest.raises(
            InputError, match=r"scenario.start: line [0-9]+: the last price of SOL .* is stale"
        ):
            own_feed(read_scenario(file))

    def test_accounts_are_counted_as_written(self) -> None:
        figures = run(read_scenario(lab("count.toml"))).figures
        assert figures["accounts"] == 102
        from solvent.lab.people.population import crowd

        scenario = read_scenario(lab("count.toml"))
        assert crowd(scenario, None).counts == (100, 1, 1)
        assert crowd(scenario, 10).counts == (8, 1, 1)
        assert crowd(scenario, 3).counts == (1, 1, 1)

    def test_a_cushion_out_of_reach_is_refused_with_the_least_one(self, tmp_path: Path) -> None:
        scenario = read_scenario(lab("cushion.toml"))
        with pytest.raises(
            InputError, match=r"groups\[1\].cushion: line [0-9]+: 0.01 is .* at least 0.069,"
        ):
            run(scenario)
        text = lab("cushion.toml").read_text(encoding="utf-8")
        reached = planted(tmp_path, text.replace("[0.01, 0.01]", "[0.069, 0.069]"))
        assert run(read_scenario(reached)).notes == ()

    def test_bars_are_read_with_their_wicks(self) -> None:
        """As the scenario says: with all four prices, or with closes alone, which is then said."""
        crash = load_scenario("crash-2025-10-10")
        assert crash.prices.ohlc
        for scenario in (load_scenario("quiet"), crash):
            feed = foreign_feed(scenario, Foreign(lab("wick.csv")))
            assert min(feed.price(3, time) for time in feed.moments) == price("55")
            assert not any("closes" in note for note in feed.notes)
        alone = replace(crash, prices=replace(crash.prices, ohlc=False))
        feed = foreign_feed(alone, Foreign(lab("wick.csv")))
        assert min(feed.price(3, time) for time in feed.moments) > price("90")
        assert "took the closes alone, though the file has highs and lows" in feed.notes

    def test_a_crash_before_a_hole_is_kept_and_the_hole_is_stale(self) -> None:
        scenario = load_scenario("quiet")
        path = read_prices(lab("hole-after-crash.csv"))
        feed = foreign_feed(scenario, Foreign(lab("hole-after-crash.csv")))
        assert feed.start == path.times[0]
        assert min(feed.tracks[3].prices) == min(path.prices[0])
        assert set(path.prints[0]) <= {feed.start, *feed.moments}
        (hole,) = feed.holes
        assert hole.symbol == "SOL"
        assert timedelta(microseconds=hole.end - hole.start) > timedelta(days=2, hours=23)
        assert str(hole) in feed.notes

    def test_a_missing_day_among_days_is_kept(self) -> None:
        feed = foreign_feed(load_scenario("quiet"), Foreign(lab("one-missing-day.csv")))
        assert len(feed.tracks[3].times) == 26
        (hole,) = feed.holes
        assert timedelta(microseconds=hole.end - hole.start) == timedelta(hours=12)

    def test_irregular_prints_stay_in_force(self) -> None:
        feed = foreign_feed(load_scenario("quiet"), Foreign(lab("irregular-oracle.csv")))
        assert len(feed.holes) == 1
        (hole,) = feed.holes
        unquoted = [time for time in feed.moments if not feed.quoted(3, time)]
        assert unquoted
        # The engine takes the last print for fresh for ten minutes more.
        assert all(hole.start - 600 * 10**6 <= time <= hole.end for time in unquoted)

    def test_prices_in_dollars_become_prices_in_usdc(self) -> None:
        file = lab("usdc-depeg-in-usd.csv")
        path = read_prices(file)
        feed = foreign_feed(load_scenario("quiet"), Foreign(file))
        for time, usdc, btc in zip(path.times, *path.prices, strict=True):
            exact = btc * PRICE_SCALE / usdc
            assert abs(feed.price(1, time) - exact) <= 1 + exact * 1e-15
        assert feed.price(1, feed.start) == price("20000")
        assert max(feed.tracks[1].prices) > price("20000") * 11 // 10
        assert "divided all prices by that of USDC" in " ".join(feed.notes)

    def test_a_part_of_a_file(self) -> None:
        first = at("2026-01-01T00:10")
        foreign = Foreign(lab("wick.csv"), first=first, last=at("2026-01-01T00:20"))
        feed = foreign_feed(load_scenario("quiet"), foreign)
        assert (feed.start, feed.end) == (first, at("2026-01-01T00:20"))
        empty = Foreign(lab("wick.csv"), first=at("2027-01-01"))
        with pytest.raises(InputError, match="--from, --to: no price from 2027"):
            foreign_feed(load_scenario("quiet"), empty)

    def test_the_figures_name_the_file_and_its_holes(self) -> None:
        figures = run(
            load_scenario("quiet"), prices=lab("one-missing-day.csv"), accounts=10
        ).figures
        assert figures["prices"]["file"] == "one-missing-day.csv"
        assert figures["prices"]["stale_seconds"] == {"SOL": 12 * 3600}
        (hole,) = figures["prices"]["holes"]
        assert hole["asset"] == "SOL"
        assert any(hole["end"] in note for note in figures["notes"])
