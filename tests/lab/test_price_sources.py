"""The real price files are read, the other real files refused, and what we ship agrees with them.

The real files lie beside the repository and are not part of it: their tests skip where they are
absent.
"""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from solvent.cli import main
from solvent.lab.prices.paths import read_prices
from tests.lab.price_helpers import MINUTE, at, price, reason
from tests.sizes import sized

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
SHIPPED = ROOT / "src" / "solvent" / "lab" / "data"
CRASH = "2025-10_october_10_adl"
BTC_ETH = "btc_eth_1m_2021_05_and_2025_10.parquet"
ALTS = "alts_5m_2025_10.parquet"
WETH = "weth_usdc_price_1m_2023_08_13_17.csv.gz"
AAVE = "aave_v3_full_utilization_episode_2026_04.csv.gz"
DEPTH = "binance_l2_depth_bands_1s_20240808_09.parquet"


def shared(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the real file {name} is not beside the repository")
    return path


class TestRealFiles:
    """Every price file of the shared folder is read; the others are refused by name."""

    def test_one_window_of_two(self) -> None:
        path = read_prices(shared(BTC_ETH), window=CRASH, ohlc=False)
        assert path.symbols == ("BTCUSDT", "ETHUSDT")
        first = at("2025-10-09") + MINUTE
        assert path.times == tuple(range(first, at("2025-10-13") + MINUTE, MINUTE))
        crash = path.window(at("2025-10-10T21:20"), at("2025-10-10T21:22"))
        assert crash.prices[0][0] == price("103975.26")
        assert crash.prices[1][1] == price("3488.88")
        assert path.gaps == ()
        assert path.notes == ("took the closes alone, though the file has highs and lows",)

    def test_two_windows_are_not_merged(self) -> None:
        refusal = reason(shared(BTC_ETH))
        assert "window: has 2021-05_china_ban, 2025-10_october_10_adl; choose one" in refusal
        assert "the file has 2021-05_china_ban, " in reason(shared(BTC_ETH), window="2021")

    def test_five_minute_bars_of_three_symbols(self) -> None:
        path = read_prices(shared(ALTS), symbols=["SOLUSDT", "DOGEUSDT"])
        assert path.symbols == ("SOLUSDT", "DOGEUSDT")
        assert len(path.times) == 7 * 288 * 3 + 1
        path = read_prices(shared(ALTS), symbols=["SOLUSDT", "DOGEUSDT"], ohlc=False)
        assert len(path.times) == 7 * 288
        assert path.prices[0][0] == price("220.97")
        assert "the file has DOGEUSDT, SOLUSDT, XRPUSDT" in reason(shared(ALTS), symbols=["SOL"])

    def test_ask_and_bid_without_a_symbol(self) -> None:
        path = read_prices(shared("ethusdt_1m_2021_01_bidask_liquidations.csv.gz"))
        assert path.symbols == ("ETHUSDT",)
        assert len(path.times) == 43173
        assert path.prices[0][0] == price("730.822407")
        assert [gap.end - gap.start for gap in path.gaps] == [202 * 10**6, 196 * 10**6, 155 * 10**6]
        assert path.notes == (
            "took the symbol ETHUSDT from the file's name; `symbol` says otherwise",
            "took the mid of ask and bid for ETHUSDT",
        )

    def test_one_column_a_symbol_with_a_row_out_of_order(self) -> None:
        assert "line 10: WETH goes back in time" in reason(shared(WETH))
        path = read_prices(shared(WETH), sort=True)
        assert path.symbols == ("WETH", "USDC")
        assert len(path.times) == 5 * 1440
        assert set(path.prices[1]) == {price("1")}
        assert min(path.prices[0]) == price("1595.16")
        assert path.gaps == ()
        assert path.notes[0] == "put the rows of WETH in order of time, as of line 10"

    @pytest.mark.parametrize(
        ("name", "columns"),
        [
            (AAVE, "time, close"),
            ("aave_v3_polygon_1m_2023_08_14_17.csv.gz", "time, close"),
            ("aave_v3_polygon_risk_parameters_sample.csv", "time, close"),
            ("aave_reserve_and_rate_params_2023_11.csv", "close"),
            (DEPTH, "time, close"),
            ("adl_bad_debt_by_wave.csv", "time, close"),
            ("adl_policy_per_wave_metrics.csv", "time, close"),
            ("adl_queue_per_shock_metrics.csv.gz", "time, close"),
            ("adl_two_pass_equity_delta_by_wave.csv", "time, close"),
            ("adl_two_pass_wave_coin_gap.csv", "time, close"),
        ],
    )
    def test_a_file_without_prices_is_told_which_columns_it_lacks(
        self, name: str, columns: str
    ) -> None:
        assert reason(shared(name)).startswith(f"{name}: {columns}: no such column")

    def test_no_file_of_the_folder_is_left_out(self) -> None:
        known = Path(__file__).read_text(encoding="utf-8")
        shared("README.md")
        absent = [path.name for path in SHARED.iterdir() if path.name not in known]
        assert absent == []


BIDASK = "ethusdt_1m_2021_01_bidask_liquidations.csv.gz"
OPTIONS = {
    ALTS: "five-minute bars of three tokens",
    WETH: "a column for each token, rows out of order",
    BTC_ETH: "bars of two tokens",
    BIDASK: "`time`, `ask` and `bid` in a file",
}
"""Real files, the shortest first, by the row of the guide that is about them."""


def options_of(row: str) -> list[str]:
    """The options that the guide names in the row of its table that begins so."""
    guide = (ROOT / "docs" / "how-to" / "replay-your-own-prices.md").read_text(encoding="utf-8")
    (line,) = [line for line in guide.splitlines() if line.startswith(f"| {row}")]
    said = line.split("|")[2].strip()
    return [] if said == "none" else said.strip("`").split()


@pytest.mark.parametrize("name", list(OPTIONS)[: sized(1, 2, 4)])
def test_a_real_file_runs_with_the_options_that_the_guide_names(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    options = options_of(OPTIONS[name])
    words = ["run", "quiet", "--accounts", "10", "--prices", str(shared(name)), *options, "--json"]
    assert main(words) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures["prices"]["file"] == name
    assert figures["steps"] > 5000
    assert figures["refused"] == 0


class TestShippedFigures:
    """The lab's own files say what their sources say."""

    def test_crash_of_10_october(self) -> None:
        shipped = read_prices(SHIPPED / "crash_2025_10_10.csv", ohlc=True)
        assert shipped.symbols == ("BTC", "ETH", "SOL")
        minutes = read_prices(shared(BTC_ETH), window=CRASH, ohlc=True)
        fives = read_prices(shared(ALTS), symbols=["SOLUSDT"], ohlc=True)
        start, end = at("2025-10-10T20:30"), at("2025-10-10T22:30")
        assert (shipped.times[0], shipped.times[-1]) == (start, end)
        # What follows the last bar of the shipped file takes the place of its close in the source.
        for source in (minutes.window(start, end), fives.window(start, end)):
            for symbol, prices in zip(source.symbols, source.prices, strict=True):
                row = shipped.prices[shipped.symbols.index(symbol.removesuffix("USDT"))]
                places = [shipped.times.index(time) for time in source.times]
                assert [row[place] for place in places] == list(prices)

    def test_crash_of_19_may_2021(self) -> None:
        """Bars of five minutes: first open, highest, lowest, last close of the source's minutes."""
        shipped = pl.read_csv(
            SHIPPED / "crash_2021_05_19.csv", comment_prefix="#", try_parse_dates=True
        )
        minutes = pl.read_parquet(shared(BTC_ETH))
        for row in shipped.iter_rows(named=True):
            since = row["time"].replace(tzinfo=None)
            inside = minutes.filter(
                pl.col("symbol") == f"{row['symbol']}USDT",
                pl.col("time").dt.replace_time_zone(None) >= since,
                pl.col("time").dt.replace_time_zone(None) < since + timedelta(minutes=5),
            ).sort("time")
            assert len(inside) == 5
            found = (inside["open"][0], inside["high"].max(), inside["low"].min())
            assert (*found, inside["close"][4]) == tuple(
                row[name] for name in ("open", "high", "low", "close")
            )

    def test_stuck_pool_of_april(self) -> None:
        shipped = pl.read_csv(
            SHIPPED / "weth_stuck_2026_04.csv", comment_prefix="#", infer_schema=False
        )
        source = pl.read_csv(shared(AAVE), infer_schema=False).filter(
            (pl.col("network") == "ethereum") & (pl.col("symbol") == "WETH")
        )
        expected = source.select(
            pl.col("snapshot").str.slice(0, 10).alias("date"),
            pl.col("implied_utilization").alias("utilization"),
            pl.col("current_variable_borrow_rate").alias("borrow_rate"),
            pl.col("current_liquidity_rate").alias("lend_rate"),
        )
        assert shipped.rows() == expected.rows()
        assert shipped["utilization"].to_list().count("1.0") == 11

    def test_depth_bands_are_what_the_tool_prints(self) -> None:
        command = [sys.executable, str(ROOT / "tools" / "depth_bands.py"), str(shared(DEPTH))]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert printed == (SHIPPED / "depth_bands.csv").read_text(encoding="utf-8")
