"""`solvent feed`: prices for a running market, from a process of their own."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import COUNT, NAMED, WHOLE
from solvent.domain.errors import InputError

if TYPE_CHECKING:
    from solvent.service.feeds import Feed

URL = "http://127.0.0.1:8620"
ANSWER_SECONDS = 10.0
EXCHANGES = "kraken,coinbase,bitstamp"
PACE = Parameter(validator=Number(gt=0, lte=1e6))


class Kind(StrEnum):
    """Where prices come from."""

    RECORDED = "recorded"
    SYNTHETIC = "synthetic"
    LIVE = "live"


def feed(
    kind: Kind,
    /,
    *,
    key_file: Annotated[Path, NAMED],
    url: str = URL,
    symbols: str = "",
    file: Annotated[Path | None, NAMED] = None,
    speed: Annotated[float, PACE] = 1.0,
    start: str = "",
    seed: Annotated[int, WHOLE, Parameter(validator=Number(gte=0))] = 1,
    sources: Annotated[int, WHOLE, Parameter(validator=Number(gte=1, lte=8))] = 3,
    exchanges: str = EXCHANGES,
    interval: Annotated[float | None, PACE] = None,
    readings: Annotated[int | None, WHOLE, COUNT] = None,
) -> int:
    """Post prices to a running market, signed with the oracle's key.

    Parameters
    ----------
    kind
        A recorded price file, a synthetic random walk, or live exchanges.
    key_file
        File that holds the oracle's secret key, 32 bytes in base64.
    url
        Where the market is served.
    symbols
        Assets to quote, like BTC,ETH,SOL; by default all that the file or --start names.
    file
        Price file of a recorded feed, CSV or Parquet: time, symbol, close, or a bar's four prices.
    speed
        Seconds of the file a second.
    start
        First prices of a synthetic feed, like BTC=100000,SOL=180.
    seed
        Seed of a synthetic feed.
    sources
        How many sources a synthetic or a recorded feed speaks for: those of the market.
    exchanges
        Exchanges of a live feed, by their names in ccxt; the first is source 0, and so on.
    interval
        Seconds between two readings; by default 1, of a live feed 5.
    readings
        Stop after so many readings.
    """
    import threading

    from solvent.domain.codec.secret import secret_key
    from solvent.service.feeds.poster import Poster, PostRefusedError, drive
    from solvent.service.logs import set_up_logs

    set_up_logs()
    wanted = [name for name in symbols.split(",") if name]
    if kind is Kind.RECORDED:
        source = _recorded(file, wanted, speed, sources, interval or 1.0)
    elif kind is Kind.SYNTHETIC:
        source = _synthetic(start, wanted, seed, sources, interval or 1.0)
    else:
        source = _live(exchanges, wanted, interval or 5.0)
    text = key_file.read_text(encoding="utf-8", errors="replace")
    poster = Poster(url, secret_key(str(key_file), text))
    _refuse_silence(url)
    try:
        drive(source, poster, threading.Event(), readings)
    except PostRefusedError as error:
        raise InputError(url, "prices", f"are refused: {error}") from None
    finally:
        poster.close()
    return 0


def _refuse_silence(url: str) -> None:
    """Raise InputError where nobody answers: later, a feed waits for a market that was there."""
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(f"{url}/api/v1/ping", timeout=ANSWER_SECONDS):
            pass
    except HTTPError:
        return
    except (OSError, ValueError) as error:
        said = getattr(error, "reason", error)
        reason = f"does not answer ({said}); start the market first, or name another --url"
        raise InputError(url, "market", reason) from None


def _recorded(
    file: Path | None, symbols: list[str], speed: float, sources: int, interval: float
) -> "Feed":
    from solvent.service.feeds.recorded import RecordedFeed, read_tracks

    if file is None:
        raise InputError("feed", "--file", "is missing; name the price file")
    tracks = read_tracks(file, symbols or None)
    return RecordedFeed(tracks, speed=speed, sources=sources, interval=interval)


def _synthetic(start: str, symbols: list[str], seed: int, sources: int, interval: float) -> "Feed":
    from solvent.service.feeds.synthetic import SyntheticFeed

    prices = dict(_first_price(part) for part in start.split(",") if part)
    missing = [name for name in symbols or ["BTC"] if name not in prices]
    if missing and (symbols or not prices):
        raise InputError("feed", "--start", f"needs a first price, like {missing[0]}=100")
    chosen = {name: prices[name] for name in symbols or prices}
    return SyntheticFeed(chosen, seed=seed, sources=sources, interval=interval)


def _first_price(text: str) -> tuple[str, int]:
    from solvent.service.feeds import price_from_text

    name, _, price = text.partition("=")
    if not name:
        raise InputError("feed", "--start", f"{text!r} names no asset; write it like SOL=180.5")
    try:
        return name, price_from_text(price)
    except ValueError as error:
        raise InputError("feed", "--start", f"{error}; write it like SOL=180.5") from None


def _live(exchanges: str, symbols: list[str], interval: float) -> "Feed":
    from solvent.service.feeds.exchanges import ExchangeFeed, connect

    if not symbols:
        raise InputError("feed", "--symbols", "are missing, like BTC,ETH,SOL")
    names = [name for name in exchanges.split(",") if name]
    if not names:
        raise InputError("feed", "--exchanges", "are missing, like kraken,coinbase")
    return ExchangeFeed({name: connect(name) for name in names}, symbols, interval=interval)
