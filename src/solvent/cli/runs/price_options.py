"""Options that say which price file a run takes, and how to read it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from solvent.cli.options import ALL_NAMED
from solvent.domain.errors import InputError

if TYPE_CHECKING:
    from solvent.lab.prices.feed import Foreign
    from solvent.prices.columns import Columns


@Parameter(name="*")
@dataclass(frozen=True)
class PriceOptions:
    """A price file and how to read it.

    Parameters
    ----------
    prices
        Price file instead of the scenario's: CSV (also .gz or .zip) or Parquet with time, symbol
        and close or OHLC, or klines as exchanges publish them. Give it again for every further
        file: other symbols, or the days that follow.
    sort_prices
        Put the rows of an unsorted price file in order instead of refusing it.
    symbol
        Symbol of a price file that has no symbol column.
    columns
        Names for the columns of a price file without a header, in order (time,open,high,low,close;
        - for one that is not needed), or for those of a header (time=Date,close=Last).
    symbols
        The scenario's names for the price file's symbols: XBT/USD=BTC,SOL/USD=SOL.
    first
        Take the price file from this time on, like 2025-10-10T20:00Z.
    last
        Take the price file up to this time.
    window
        Take the rows with this value in the price file's column `window`.
    """

    prices: Annotated[list[Path] | None, ALL_NAMED] = None
    sort_prices: bool = False
    symbol: str | None = None
    columns: str | None = None
    symbols: Annotated[str | None, Parameter(name="--map")] = None
    first: Annotated[str | None, Parameter(name="--from")] = None
    last: Annotated[str | None, Parameter(name="--to")] = None
    window: str | None = None

    def foreign(self) -> "Foreign | None":
        """The file, None for the scenario's own prices.

        InputError for an option that cannot be read, or that says how to read a file not given.
        """
        from solvent.lab.prices.feed import Foreign

        if not self.prices:
            self._refuse_without_a_file()
            return None
        return Foreign(
            self.prices[0],
            tuple(self.prices[1:]),
            sort=self.sort_prices,
            symbol=self.symbol,
            window=self.window,
            columns=_columns(self.columns),
            mapping={} if self.symbols is None else _pairs("--map", self.symbols, "XBT/USD=BTC"),
            first=_time("--from", self.first),
            last=_time("--to", self.last),
        )

    def _refuse_without_a_file(self) -> None:
        given: dict[str, object] = {
            "--sort-prices": self.sort_prices or None,
            "--symbol": self.symbol,
            "--columns": self.columns,
            "--map": self.symbols,
            "--from": self.first,
            "--to": self.last,
            "--window": self.window,
        }
        for option, value in given.items():
            if value is not None:
                raise InputError("run", option, "says how to read a price file; add --prices FILE")


def _columns(text: str | None) -> "Columns":
    if text is None:
        return ()
    if "=" in text:
        return _pairs("--columns", text, "close=Last")
    return tuple(name.strip() for name in text.split(","))


def _pairs(option: str, text: str, example: str) -> dict[str, str]:
    pairs = {}
    for part in text.split(","):
        name, sign, value = part.partition("=")
        if not (name.strip() and sign and value.strip()):
            raise InputError("run", option, f"{part!r} is no pair; write it like {example}")
        pairs[name.strip()] = value.strip()
    return pairs


def _time(option: str, text: str | None) -> int | None:
    from solvent.prices.cells import parse_time

    try:
        return None if text is None else parse_time(text)
    except ValueError as reason:
        raise InputError("run", option, str(reason)) from None
