"""Files: reading a book of accounts and a price file, beside Polars, which reads the same CSV.

Polars keeps what it reads as floats and checks nothing of it. Solvent makes exact integers of every
cell, knows the line of each, and refuses what it cannot use, which is what the difference buys.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.common.measure import agree, once
from benches.common.peers import peer
from benches.common.rows import Figure, Row, of
from solvent.domain.units import PRICE_SCALE
from solvent.lab.people.positions import read_positions
from solvent.lab.prices.paths import read_prices
from solvent.lab.scenario.catalog import load_scenario

NAME = "files"
POSITION_ROWS, PRICE_ROWS = 1_000_000, 10_000_000
_QUICK = 2_000
_PEER = "Polars"
_START = 1_700_000_000
MILLION = 1_000_000


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Seconds a million rows of either file."""
    positions, prices = (_QUICK, _QUICK) if quick else (POSITION_ROWS, PRICE_ROWS)
    with TemporaryDirectory() as folder:
        yield _positions(Path(folder) / "book.csv", positions)
        yield _prices(Path(folder) / "SOL.csv", prices)


def _positions(file: Path, rows: int) -> Row:
    with file.open("w", encoding="ascii") as out:
        out.write("account,asset,held,lent,owed\n")
        for number in range(rows // 2):
            held, lent = 1000 + number % 977, number % 13 + 1
            out.write(f"a{number},USDC,{held}.25,,\na{number},SOL,,{lent}.5,\n")
    scenario = load_scenario("quiet")
    took, book = once(lambda: read_positions(file, scenario))
    polars, theirs = peer("polars"), None
    if polars is not None:
        peer_took, frame = once(lambda: polars.read_csv(file))
        own = sum(each.held for each in book.positions())
        agree("held of the book", own, round(frame["held"].sum() * 10**6))
        theirs = _a_million(peer_took, rows)
    return Row(NAME, f"a book of {rows:,} positions", _a_million(took, rows), _PEER, theirs)


def _prices(file: Path, rows: int) -> Row:
    with file.open("w", encoding="ascii") as out:
        out.write("time,symbol,close\n")
        for number in range(rows):
            out.write(f"{_START + number},SOL,{150 + number % 97}.25\n")
    took, path = once(lambda: read_prices(file))
    polars, theirs = peer("polars"), None
    if polars is not None:
        peer_took, frame = once(lambda: polars.read_csv(file))
        agree("last price", path.prices[0][-1], round(frame["close"][-1] * PRICE_SCALE))
        theirs = _a_million(peer_took, rows)
    return Row(NAME, f"a price file of {rows:,} rows", _a_million(took, rows), _PEER, theirs)


def _a_million(seconds: float, rows: int) -> Figure:
    return of("s/M rows", [seconds * MILLION / rows])
