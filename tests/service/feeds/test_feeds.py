"""Feeds without a network: price texts, the random walk, price files and the gate."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.errors import InputError
from solvent.domain.units import INT64_MAX, PRICE_DECIMALS, RATIO, SECOND, format_decimal
from solvent.service.feeds import Quote, price_from_text
from solvent.service.feeds.gate import Gate
from solvent.service.feeds.recorded import RecordedFeed, read_tracks
from solvent.service.feeds.synthetic import FARTHEST, NOISE, STEP, SyntheticFeed

UNIT = 10**10
MINUTE = 60 * SECOND
CSV = """\
# a comment
time,symbol,close
2025-10-10T21:00:00Z,BTC,117000.5
2025-10-10T21:00:00Z,SOL,200
2025-10-10T21:01:00Z,BTC,116000
2025-10-10T21:02:00Z,BTC,115000
2025-10-10T21:02:00Z,SOL,190
2025-10-10T21:01:00Z,SOL,195
"""
BARS = """\
time,symbol,open,high,low,close
1760130000,SOL,200,204,190,196
1760130060,SOL,196,197,180,181
"""


def written(folder: Path, text: str, name: str = "prices.csv") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class TestPriceTexts:
    """A text becomes a price exactly, or not at all."""

    @given(st.integers(1, INT64_MAX))
    def test_what_is_written_is_read(self, price: int) -> None:
        assert price_from_text(format_decimal(price, PRICE_DECIMALS)) == price

    @pytest.mark.parametrize(
        ("text", "price"),
        [
            ("1", UNIT),
            ("1e-5", UNIT // 10**5),
            ("1.5E+2", 150 * UNIT),
            ("0.00000000015", 2),
            ("0.00000000025", 2),
            ("922337203.6854775807", INT64_MAX),
        ],
    )
    def test_prices(self, text: str, price: int) -> None:
        assert price_from_text(text) == price

    @pytest.mark.parametrize(
        "text",
        [
            *("", "0", "-1", "+1", ".5", "1.", "1e999", "nan", "inf", "1_0", " 1", "1\n", "١"),
            *("0.00000000001", "922337203.6854775808", "9" * 41, "None", "1,000"),
        ],
    )
    def test_what_is_no_price(self, text: str) -> None:
        with pytest.raises(ValueError, match="is no price"):
            price_from_text(text)


class TestSynthetic:
    """The walk is the seed's and stays in bounds."""

    def test_same_seed_same_quotes(self) -> None:
        def quotes(seed: int) -> list[Quote]:
            feed = SyntheticFeed({"BTC": 10**5 * UNIT, "SOL": 200 * UNIT}, seed=seed, sources=3)
            return [quote for _ in range(50) for quote in feed.read().quotes]

        assert quotes(1) == quotes(1)
        assert quotes(1) != quotes(2)
        assert {quote.source for quote in quotes(1)} == {0, 1, 2}
        assert len(quotes(1)) == 50 * 6

    def test_steps_are_bounded_and_books_are_not_crossed(self) -> None:
        feed = SyntheticFeed({"SOL": 200 * UNIT}, seed=3)
        before = 200 * UNIT
        moved = set()
        for _ in range(2000):
            (quote,) = feed.read().quotes
            assert quote.bid < quote.last < quote.ask
            assert abs(quote.last - before) * RATIO <= before * (STEP + 3 * NOISE)
            before = quote.last
            moved.add(quote.last)
        assert len(moved) > 1000

    def test_it_never_leaves_for_good(self) -> None:
        feed = SyntheticFeed({"SOL": UNIT}, step=RATIO // 2)
        prices = [feed.read().quotes[0].last for _ in range(3000)]
        assert max(prices) <= FARTHEST * UNIT * 1001 // 1000
        assert min(prices) >= UNIT // FARTHEST * 999 // 1000
        assert max(prices) > 3 * UNIT
        assert min(prices) < UNIT // 3

    def test_a_price_too_small_to_have_a_spread(self) -> None:
        with pytest.raises(InputError, match="start"):
            SyntheticFeed({"SOL": 100})


class TestRecorded:
    """A price file at a pace."""

    def test_prices_in_force(self, tmp_path: Path) -> None:
        feed = RecordedFeed(read_tracks(written(tmp_path, CSV)), speed=30)
        quoted = []
        while True:
            reading = feed.read()
            quoted.append([(quote.symbol, quote.last // UNIT) for quote in reading.quotes])
            if reading.wait is None:
                break
            assert reading.wait == 1
        assert quoted == [
            [("BTC", 117000), ("SOL", 200)],
            [("BTC", 117000), ("SOL", 200)],
            [("BTC", 116000), ("SOL", 195)],
            [("BTC", 116000), ("SOL", 195)],
            [("BTC", 115000), ("SOL", 190)],
        ]

    def test_a_bar_is_four_prices(self, tmp_path: Path) -> None:
        (track,) = read_tracks(written(tmp_path, BARS))
        assert [price // UNIT for price in track.prices] == [200, 190, 204, 196, 196, 180, 197, 181]
        assert track.times[1] - track.times[0] == MINUTE // 4

    def test_a_hole_is_not_quoted(self, tmp_path: Path) -> None:
        rows = "".join(f"{1760130000 + 60 * minute},SOL,200\n" for minute in (0, 1, 2, 9, 10))
        feed = RecordedFeed(read_tracks(written(tmp_path, "time,symbol,price\n" + rows)), speed=60)
        counts = [len(feed.read().quotes) for _ in range(11)]
        assert counts == [1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1]

    def test_parquet_with_floats_and_datetimes(self, tmp_path: Path) -> None:
        frame = pl.read_csv(written(tmp_path, CSV), comment_prefix="#").with_columns(
            pl.col("time").str.to_datetime(time_zone="UTC")
        )
        frame.write_parquet(tmp_path / "prices.parquet")
        assert read_tracks(tmp_path / "prices.parquet") == read_tracks(tmp_path / "prices.csv")

    def test_symbols_are_chosen_in_order(self, tmp_path: Path) -> None:
        path = written(tmp_path, CSV)
        assert [track.symbol for track in read_tracks(path, ["SOL", "BTC"])] == ["SOL", "BTC"]
        assert [track.symbol for track in read_tracks(path, ["SOL"])] == ["SOL"]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "is empty"),
            ("time,symbol,close\n", "no rows"),
            ("symbol,close\nSOL,1\n", "needs time and symbol"),
            ("time,symbol,open\n1760130000,SOL,1\n", "needs close"),
            ("time,symbol,close\nyesterday,SOL,1\n", "line 2: 'yesterday' is no time"),
            ("time,symbol,close\n1760130000,SOL,-1\n", "line 2: '-1' is no price"),
            ("time,symbol,close\n1760130000,SOL,\n", "line 2: '' is no price"),
            ("time,symbol,close\n17,SOL,1\n", "17 could be any unit"),
            ("time,symbol,close\n1760130000,SOL,1\n1760130000,SOL,2\n", "two bars"),
        ],
    )
    def test_files_that_cannot_be_used(self, tmp_path: Path, text: str, reason: str) -> None:
        with pytest.raises(InputError, match=reason):
            read_tracks(written(tmp_path, text))

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="does not exist"):
            read_tracks(tmp_path / "none.csv")
        with pytest.raises(InputError, match="has no ETH; it has BTC, SOL"):
            read_tracks(written(tmp_path, CSV), ["ETH"])
        with pytest.raises(InputError, match="no Parquet"):
            read_tracks(written(tmp_path, "text", "prices.parquet"))

    def test_speed_is_above_zero(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="speed"):
            RecordedFeed(read_tracks(written(tmp_path, CSV)), speed=0)


class TestGate:
    """Sources and assets are judged each for itself."""

    def test_each_source_and_asset_has_its_own_memory(self) -> None:
        gate = Gate()
        assert gate.judge(Quote("SOL", 0, 200, 200, 200)).passes
        assert gate.judge(Quote("SOL", 1, 100, 100, 100)).passes
        assert gate.judge(Quote("BTC", 0, 10**6, 10**6, 10**6)).passes
        assert not gate.judge(Quote("SOL", 0, 100, 100, 100)).passes

    def test_the_step_is_measured_on_the_median(self) -> None:
        """A last trade far away does not matter, nor does it when bid and ask follow it."""
        gate = Gate()
        assert gate.judge(Quote("SOL", 0, 1000, 1001, 1000)).passes
        assert gate.judge(Quote("SOL", 0, 1000, 1001, 500)).passes
        assert gate.judge(Quote("SOL", 0, 1050, 1051, 900)).passes
        assert not gate.judge(Quote("SOL", 0, 1105, 1106, 1105)).passes

    def test_exactly_the_largest_step_passes(self) -> None:
        gate = Gate(max_step=RATIO // 10)
        assert gate.judge(Quote("SOL", 0, 1000, 1000, 1000)).passes
        assert gate.judge(Quote("SOL", 0, 1100, 1100, 1100)).passes
        assert not gate.judge(Quote("SOL", 0, 989, 989, 989)).passes

    def test_a_wrong_reading_between_is_no_confirmation(self) -> None:
        """A crossed book says nothing, so what was held before it still waits."""
        gate = Gate()
        assert gate.judge(Quote("SOL", 0, 1000, 1000, 1000)).passes
        assert not gate.judge(Quote("SOL", 0, 2000, 2000, 2000)).passes
        assert not gate.judge(Quote("SOL", 0, 2001, 2000, 2000)).passes
        assert gate.judge(Quote("SOL", 0, 2000, 2000, 2000)).passes
