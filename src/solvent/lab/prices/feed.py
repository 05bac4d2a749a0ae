"""The feed: what each asset costs at each moment of a run, whatever the prices come from.

A scenario's own prices are a file or a drawn path and cover its window: the last print before the
start is in force from the start. With another file (`--prices`) the same agents live through other
prices, from the file's first moment to its last. What the scenario counts from its start (thinning,
later loans, actions, changes) is then counted from the file's start. An asset that the file does
not have keeps the scenario's first price. All of that is said in `notes`.

Every print acts at its own time: the moments of a run are those of the prints and those of the
scenario's step, which is wider where the whole span would take more than `MOST_STEPS` of them.

A price stays in force until the next print. It is quoted again for as long as its symbol usually
takes between two prints, or as long as the engine takes a price for fresh, whichever is longer; a
longer hole is stale time, in which the asset is not quoted and its price grows old in the engine.
`holes` lists them.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import INT64_MAX, PRICE_DECIMALS, PRICE_SCALE, SECOND, format_decimal
from solvent.lab.paths.drawing import drawn_prices
from solvent.lab.prices.joining import joined
from solvent.lab.prices.paths import PricePath, read_prices, time_text
from solvent.lab.scenario.brought import price_bytes
from solvent.lab.scenario.model import Scenario
from solvent.prices.columns import Columns

MOST_STEPS = 1000
FIRST_OF_MANY = "prices are drawn: these are path 0; solvent lab run --path N runs another"
ALWAYS = INT64_MAX
"""How long a price that never changes is quoted again."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another price file and how to read it, see `paths.read_prices`.

    `mapping` calls symbols otherwise, `first` and `last` (microseconds UTC) cut a part out. `more`
    are files that are read in the same way and joined to it, see `joining`.
    """

    file: Path
    more: tuple[Path, ...] = ()
    sort: bool = False
    symbol: str | None = None
    window: str | None = None
    columns: Columns = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One asset's prices: (time, price) in order; each holds until the next.

    A print is quoted again for up to `hold` microseconds, and is stale `max_age` after that.
    """

    times: Sequence[int]
    prices: Sequence[int]
    hold: int = 0
    max_age: int = 0

    def price(self, time: int) -> int:
        """The price last seen at `time`, or the first one."""
        return self.prices[max(0, bisect_right(self.times, time) - 1)]

    def age(self, time: int) -> int:
        """How old the price in force at `time` is; negative before the first."""
        return time - self.times[max(0, bisect_right(self.times, time) - 1)]

    def stale_spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """From when to when no price is fresh, between two moments."""
        for before, after in pairwise([*self.times, max(end, self.times[-1])]):
            since, until = max(start, before + self.hold + self.max_age), min(after, end)
            if since < until:
                yield since, until


class Hole(NamedTuple):
    """An asset had no fresh price from `start` to `end`, microseconds UTC."""

    symbol: str
    start: int
    end: int

    def __str__(self) -> str:
        """One sentence, for a report."""
        lasting = timedelta(microseconds=self.end - self.start)
        return (
            f"{self.symbol} had no fresh price for {lasting},"
            f" from {time_text(self.start)} to {time_text(self.end)}"
        )


@dataclass(frozen=True, slots=True)
class Feed:
    """Prices of a run. `tracks[a]` is asset a's, `moments` the times of its steps, in order.

    `parameters` are the scenario's, starting at `start`; `notes` say what was assumed, `holes` when
    a price was stale, `file` where the prices were read (None for a drawn path) and `more` where
    the rest of them, `foreign` whether that is another file than the scenario's.
    """

    start: int
    moments: tuple[int, ...]
    tracks: tuple[Track, ...]
    parameters: EngineParameters
    file: Path | None = None
    more: tuple[Path, ...] = ()
    foreign: bool = False
    notes: tuple[str, ...] = ()
    holes: tuple[Hole, ...] = ()

    @property
    def end(self) -> int:
        """The time of the last step."""
        return self.moments[-1]

    def price(self, asset: int, time: int) -> int:
        """Price of `asset` in force at `time`, 10^-10 USDC per whole token."""
        return self.tracks[asset].price(time)

    def quoted(self, asset: int, time: int) -> bool:
        """Whether `asset` is quoted at `time`: at the start, where its price is fresh there."""
        track = self.tracks[asset]
        return track.age(time) <= track.hold + (track.max_age if time <= self.start else 0)


def _moments(prints: Iterable[Sequence[int]], start: int, end: int, step: int) -> tuple[int, ...]:
    """The times of the steps: every print, and a moment at least every `step`."""
    times = {time for row in prints for time in row if start < time <= end}
    return tuple(sorted({*times, *range(start + step, end, step), end}))


def _holes(
    parameters: EngineParameters, tracks: Sequence[Track], start: int, end: int
) -> tuple[Hole, ...]:
    return tuple(
        Hole(asset.symbol, *span)
        for asset, track in zip(parameters.assets, tracks, strict=True)
        for span in track.stale_spans(start, end)
    )


def own_feed(scenario: Scenario) -> Feed:
    """The scenario's own prices, of drawn ones those of path 0.

    InputError where they do not cover its window.
    """
    flat = Track((scenario.start,), (PRICE_SCALE,), ALWAYS)
    source = scenario.prices
    notes: list[str] = []
    if source.model is not None:
        feed = own_feed(replace(scenario, prices=drawn_prices(scenario)))
        return replace(feed, notes=(FIRST_OF_MANY, *feed.notes))
    if source.file is None:
        tracks = [_drawn(scenario, corners) for corners in source.points[1:]]
    else:
        price_bytes(scenario, source.file)
        path = read_prices(
            source.file,
            ohlc=source.ohlc,
            adverse=source.adverse,
            window=source.window,
            sort=source.sort,
        )
        path = _in_usdc(str(source.file), path, source.names[0])
        _check_covers(scenario, path)
        tracks = []
        for names, asset in zip(source.names[1:], scenario.parameters.assets[1:], strict=True):
            prints = _prints(path, names)
            if prints is None:
                reason = f"has no prices of {asset.symbol}; it has {', '.join(path.symbols)}"
                raise scenario.error("prices.file", reason)
            track = _track(*prints, asset.price.max_age, scenario.step)
            if track.age(scenario.start) > track.hold + track.max_age:
                age = timedelta(microseconds=track.age(scenario.start))
                reason = f"the last price of {asset.symbol} before it is {age} old, so it is stale"
                raise scenario.error("scenario.start", reason)
            tracks.append(track)
        notes += path.notes
    tracks = [flat, *tracks]
    start, end = scenario.start, scenario.end
    _check_atoms(scenario, tracks, start)
    holes = _holes(scenario.parameters, tracks, start, end)
    return Feed(
        start=start,
        moments=_moments([track.times for track in tracks], start, end, scenario.step),
        tracks=tuple(tracks),
        parameters=scenario.parameters,
        file=source.file,
        notes=(*notes, *map(str, holes)),
        holes=holes,
    )


def _check_atoms(scenario: Scenario, tracks: Sequence[Track], start: int) -> None:
    """InputError where an atom of an asset would be worth too much at its first price."""
    for number, (asset, track) in enumerate(zip(scenario.parameters.assets, tracks, strict=True)):
        price = track.price(start)
        if price > asset.highest_first_price:
            least = next(
                decimals
                for decimals in count(asset.decimals)
                if price <= replace(asset, decimals=decimals).highest_first_price
            )
            shown = format_decimal(price, PRICE_DECIMALS)
            reason = (
                f"an atom of {asset.symbol} would be worth more than 0.05 USDC at its first price,"
                f" {shown}; give it {least} decimals or more"
            )
            raise scenario.error(f"assets[{number}].decimals", reason)


def _in_usdc(file: str, path: PricePath, names: tuple[str, ...]) -> PricePath:
    """The path in USDC, by the first of these names of USDC that it has a price of."""
    for name in names:
        try:
            path = path.in_unit_of_account(name)
        except ValueError as reason:
            raise InputError(file, name, f"{reason}; give it the price of a token") from None
    return path


def _drawn(scenario: Scenario, corners: tuple[tuple[int, int], ...]) -> Track:
    """Prints on the way through the corners, on straight lines, rounded down.

    They stand where the scenario's file says, and not at the steps of this run: another step must
    not be another path.
    """
    times = range(scenario.start, scenario.end + 1, scenario.prices.resolution or scenario.step)
    prices = [_interpolated(corners, time - scenario.start) for time in times]
    return Track(times, prices, scenario.prices.resolution or scenario.step)


def _interpolated(corners: tuple[tuple[int, int], ...], after: int) -> int:
    place = bisect_right(corners, after, key=lambda corner: corner[0])
    before = corners[place - 1]
    if place == len(corners):
        return before[1]
    later = corners[place]
    done, whole = after - before[0], later[0] - before[0]
    return before[1] + (later[1] - before[1]) * done // whole


def _check_covers(scenario: Scenario, path: PricePath) -> None:
    first, last = path.times[0], path.times[-1]
    if scenario.start < first:
        raise scenario.error("scenario.start", f"is before the first price, {time_text(first)}")
    if scenario.end > last:
        raise scenario.error("scenario.end", f"is after the last price, {time_text(last)}")


Prints = tuple[Sequence[int], Sequence[int]]
"""The times and prices of one symbol's own prints."""


def _prints(path: PricePath, names: tuple[str, ...]) -> Prints | None:
    """The prints of the first of `names` that the path has."""
    for name in names:
        if name in path.symbols:
            place = path.symbols.index(name)
            times, row = path.prints[place], path.prices[place]
            return times, [row[max(0, bisect_right(path.times, time) - 1)] for time in times]
    return None


def _track(times: Sequence[int], prices: Sequence[int], max_age: int, step: int) -> Track:
    """Prints as a track: quoted again for as long as is usual, and at the next step at least."""
    usual = median_low(later - earlier for earlier, later in pairwise(times)) if times[1:] else 0
    fresh = max(max_age, usual * 3 // 2)
    return Track(times, prices, max(fresh - max_age, step), max_age)


def foreign_feed(scenario: Scenario, foreign: Foreign) -> Feed:
    """The scenario's agents on another file's prices. InputError where none of them fits."""
    path = _read_foreign(scenario, foreign)
    notes = list(path.notes)
    start, end = path.times[0], path.times[-1]
    if end - start < scenario.step:
        reason = f"covers less than one step of {scenario.step // SECOND} s; give it more rows"
        raise InputError(str(foreign.file), "time", reason)
    step = scenario.step
    if end - start > MOST_STEPS * step:
        step *= -(-(end - start) // (MOST_STEPS * step))
        notes.append(
            f"steps of {step // SECOND} s instead of {scenario.step // SECOND} s where no price"
            " comes in between"
        )
    found = _matched(scenario, foreign, path, notes)
    moments = _moments([prints[0] for prints in found.values()], start, end, step)
    longest = max(later - earlier for earlier, later in pairwise((start, *moments)))
    parameters = _rebased(scenario.parameters, start, longest, notes)
    tracks = []
    for number, asset in enumerate(parameters.assets):
        if number in found:
            tracks.append(_track(*found[number], asset.price.max_age, step))
        else:
            price = _first_price(scenario, number) if number else PRICE_SCALE
            tracks.append(Track((start,), (price,), ALWAYS))
    _check_atoms(scenario, tracks, start)
    notes.append(f"times of the scenario are counted from {time_text(start)}")
    holes = _holes(parameters, tracks, start, end)
    return Feed(
        start=start,
        moments=moments,
        tracks=tuple(tracks),
        parameters=parameters,
        file=foreign.file,
        more=foreign.more,
        foreign=True,
        notes=(*notes, *map(str, holes)),
        holes=holes,
    )


def _first_price(scenario: Scenario, asset: int) -> int:
    return own_feed(scenario).price(asset, scenario.start)


_OPTION = re.compile(r"`(\w+)`")
_COMMAND_LINE = {"symbol": "--symbol", "window": "--window", "columns": "--columns"}


def _on_the_command_line(text: str) -> str:
    """A reason or note of `read_prices`, with its options as the command line has them."""

    def named(found: re.Match[str]) -> str:
        return _COMMAND_LINE.get(found[1] or "", found[0])

    text = text.replace("pass sort=True", "use --sort-prices")
    return _OPTION.sub(named, text.replace(", or say the unit with `time_unit`", ""))


def _read_file(scenario: Scenario, foreign: Foreign, file: Path) -> PricePath:
    source = scenario.prices
    try:
        path = read_prices(
            file,
            sort=foreign.sort,
            symbol=foreign.symbol,
            window=foreign.window,
            columns=foreign.columns,
            # Bars are used where the file has them, unless the scenario says otherwise.
            ohlc=False if source.ohlc is False else None,
            adverse=source.adverse,
        )
    except InputError as error:
        reason = _on_the_command_line(error.reason)
        field = "--columns" if error.field == "columns" else error.field
        raise InputError(error.file, field, reason, error.line) from None
    return replace(path, notes=tuple(map(_on_the_command_line, path.notes)))


def _read_foreign(scenario: Scenario, foreign: Foreign) -> PricePath:
    file, source = str(foreign.file), scenario.prices
    files = (foreign.file, *foreign.more)
    if foreign.more and foreign.symbol is not None:
        reason = "names the token of one file, and there are several; say which is which with --map"
        raise InputError(file, "--symbol", reason)
    path = joined(files, [_read_file(scenario, foreign, each) for each in files])
    known = {name for names in source.names for name in names}
    strange = [name for name in foreign.mapping.values() if name not in known]
    if strange:
        reason = f"the scenario knows no {', '.join(strange)}; it knows {', '.join(sorted(known))}"
        raise InputError(file, "--map", reason)
    try:
        path = path.renamed(foreign.mapping)
    except ValueError as reason:
        raise InputError(file, "--map", str(reason)) from None
    return _in_usdc(file, _part(foreign, path), source.names[0])


def _part(foreign: Foreign, path: PricePath) -> PricePath:
    """What lies between the times asked for. InputError where nothing does."""
    begin, end = path.times[0], path.times[-1]
    first = begin if foreign.first is None else foreign.first
    last = end if foreign.last is None else foreign.last
    try:
        return path.window(first, last + 1)
    except ValueError:
        asked, has = (
            f"{time_text(since)} to {time_text(until)}"
            for since, until in ((first, last), (begin, end))
        )
        reason = f"no price from {asked}; the file has {has}"
        raise InputError(str(foreign.file), "--from, --to", reason) from None


def _matched(
    scenario: Scenario, foreign: Foreign, path: PricePath, notes: list[str]
) -> dict[int, Prints]:
    """The file's prints by asset; one that the file lacks stays at the scenario's first price."""
    found: dict[int, Prints] = {}
    for number, names in enumerate(scenario.prices.names[1:], start=1):
        prints = _prints(path, names)
        if prints is None:
            symbol = scenario.parameters.assets[number].symbol
            notes.append(f"{symbol} is not in the file: it keeps its first price of the scenario")
        else:
            found[number] = prints
    known = {name for names in scenario.prices.names[1:] for name in names}
    unused = [name for name in path.symbols if name not in known]
    if found and unused:
        notes.append(f"left out {', '.join(unused)}: no asset of the scenario")
    if not found:
        listed = ", ".join(sorted(known))
        reason = (
            f"the file has {', '.join(path.symbols)}; {scenario.name} knows {listed}: say which is"
            " which with --map NAME=SYMBOL"
        )
        raise InputError(str(foreign.file), "symbol", reason)
    return found


def _rebased(
    parameters: EngineParameters, start: int, longest: int, notes: list[str]
) -> EngineParameters:
    """The parameters from another start, prices kept fresh for as long as the longest step."""
    assets = list(parameters.assets)
    for number, asset in enumerate(assets):
        if number and asset.price.max_age < longest:
            price = replace(asset.price, max_age=longest)
            assets[number] = replace(asset, price=price)
            notes.append(f"a price of {asset.symbol} is stale after one step, not before")
    return replace(parameters, assets=tuple(assets), start_time=start)


PriceAt = Callable[[int], int]
"""Price of an asset by its number, at some moment."""
