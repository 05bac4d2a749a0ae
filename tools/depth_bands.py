"""How deep the order books of BTC and ETH usually are, from one-second samples of real books.

    python tools/depth_bands.py [SAMPLES.parquet] > src/solvent/lab/data/depth_bands.csv

SAMPLES has, for each second, market and symbol, the USD resting within so many basis points of the
mid on either side (`bid_usd_10bp`, `ask_usd_10bp`, ...); by default it is looked for in the folder
shared/data beside the repository. For every market, asset, side and band the table gives quantiles
over the seconds, in whole USD rounded down, linearly interpolated between samples.

The samples begin with a snapshot of a limited number of levels; what rests beyond them is seen only
where it changes later. A band is `complete` as long as the snapshot reaches past it: in the first
second the next wider band of the samples must show over 1 % more. From the first band that fails
this on, figures are a `lower` bound.
"""

import csv
import sys
from itertools import pairwise, takewhile
from pathlib import Path

import polars as pl

BANDS_BP = (1, 2, 5, 10, 20, 30, 50, 100)
SAMPLED_BP = (*BANDS_BP, 75, 150, 200, 300, 500)
QUANTILES = {"p1_usd": 0.01, "p10_usd": 0.1, "median_usd": 0.5}
REACHED_PAST = 1.01
ASSETS = {"btcusdt": "BTC", "btcusd_perp": "BTC", "ethusdt": "ETH", "ethusd_perp": "ETH"}
HEADER = ("market", "asset", "side", "band_bp", "seconds", *QUANTILES, "bound")
COMMENT = """\
# USD resting within band_bp basis points of the mid, one-second samples, 8 Aug 2024 23:54 to
# 9 Aug 2024 00:05 UTC. Made by tools/depth_bands.py; sources and cautions are in SOURCES.md.
"""
SAMPLES = (
    Path(__file__).resolve().parents[2]
    / "shared"
    / "data"
    / "binance_l2_depth_bands_1s_20240808_09.parquet"
)

Row = tuple[str | int, ...]


def side_rows(market: str, asset: str, side: str, samples: pl.DataFrame) -> list[Row]:
    """One row a band of one side of one book; `samples` are its seconds in order."""
    complete = complete_to_bp(side, samples)
    rows: list[Row] = []
    for band in BANDS_BP:
        depth = samples[f"{side}_usd_{band}bp"]
        figures = [depth.quantile(quantile, "linear") for quantile in QUANTILES.values()]
        whole = [int(figure) for figure in figures if figure is not None]
        bound = "complete" if band <= complete else "lower"
        rows.append((market, asset, side, band, samples.height, *whole, bound))
    return rows


def complete_to_bp(side: str, samples: pl.DataFrame) -> int:
    """The widest band that the snapshot in the first second reaches past, 0 where there is none."""
    shown = {band: samples[f"{side}_usd_{band}bp"][0] for band in sorted(SAMPLED_BP)}
    reached = takewhile(
        lambda bands: shown[bands[1]] > REACHED_PAST * shown[bands[0]], pairwise(shown)
    )
    return max((band for band, _ in reached), default=0)


def table(path: Path) -> list[Row]:
    """The whole table, in the file's order of markets and symbols."""
    frame = pl.read_parquet(path).cast({"market": pl.String, "symbol": pl.String})
    rows: list[Row] = []
    for keys, samples in frame.group_by("market", "symbol", maintain_order=True):
        market, symbol = (str(key) for key in keys)
        for side in ("bid", "ask"):
            rows += side_rows(market, ASSETS[symbol], side, samples.sort("ts_ms"))
    return rows


def main(arguments: list[str]) -> None:
    """Write the table as CSV to standard output."""
    rows = table(Path(arguments[0]) if arguments else SAMPLES)
    sys.stdout.write(COMMENT)
    csv.writer(sys.stdout, lineterminator="\n").writerows([HEADER, *rows])


if __name__ == "__main__":
    main(sys.argv[1:])
