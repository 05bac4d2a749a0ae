"""What the tests of price files share: planting a file, reading its refusal, exact figures."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from solvent.domain.errors import InputError
from solvent.lab.prices.paths import read_prices

MINUTE = 60 * 10**6
LONG = "time,symbol,close\n"
BARS = "time,symbol,open,high,low,close\n"
NOON = "2025-10-10 12:00"


def at(text: str) -> int:
    """Microseconds UTC of an ISO time without a zone."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def price(text: str) -> int:
    """Units of 10^-10 USDC."""
    return int(Decimal(text).scaleb(10))


def planted(folder: Path, text: str, name: str = "prices.csv") -> Path:
    """A new file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def reason(path: Path, **options: object) -> str:
    """What the refusal of a file says, without the folder it lies in; it must be one line."""
    with pytest.raises(InputError) as refusal:
        read_prices(path, **options)  # type: ignore[arg-type]
    text = str(refusal.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(f"{path.parent}/")


def wild(folder: Path, name: str) -> Path:
    """A file as some exchange or library writes it, with prices of twenty rows that are made up."""
    return planted(folder, WILD[name], name)


def _rows(head: str, row: str, count: int = 20) -> str:
    lines = (
        row.format(
            number=number,
            minute=f"{number:02}",
            close=f"{182 - number}.35",
            opened=1_760_130_600_000_000 + number * MINUTE,
            closed=1_760_130_600_000_000 + (number + 1) * MINUTE - 1,
            pair=("SOL/USD", "XBT/USD")[number % 2],
            market=("SOL-USD", "BTC-USD")[number % 2],
            worth=(180, 109_999)[number % 2] - number // 2,
        )
        for number in range(count)
    )
    return head + "".join(f"{line}\n" for line in lines)


WILD = {
    "SOLUSDT-1m-2025-10-10.csv": _rows(
        "", "{opened},{close},{close},{close},{close},1.5,{closed},273.5,9,0.5,91.1,0"
    ),
    "two-pairs.csv": _rows(
        '"txid","pair","time","type","price","cost","vol","misc"\n',
        '"T{number}","{pair}","2025-10-10 21:{minute}:00.1234","buy",{worth}.00,1,1.0,""',
    ),
    "two-markets.csv": _rows(
        "time,market,price,size\n", "2025-10-10T21:{minute}:00Z,{market},{worth},1"
    ),
    "two-tickers.csv": _rows("time,ticker,close\n", "2025-10-10T21:{minute}:00Z,{market},{worth}"),
    "digits.csv": _rows("time,close\n", "2025101000{minute}00,{close}"),
    "digits-to-milliseconds.csv": _rows(
        "date,time,code,close\n", "2025-10-10,2025101000{minute}00000,sh.600000,{close}"
    ),
    "blanks.csv": _rows("time, symbol, close\n", "2025-10-10T21:{minute}:00Z, SOL, {close}"),
    "tabs.csv": _rows("time\tsymbol\tclose\n", "2025-10-10T21:{minute}:00Z\tSOL\t{close}"),
}
"""Texts of such files by name."""
