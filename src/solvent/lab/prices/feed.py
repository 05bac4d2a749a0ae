"""The feed: what each asset costs at each step of a run, whatever the prices come from.

A scenario's own prices are a file or a drawn path and cover exactly its window. With another
file (`--prices`) the same agents live through other prices: from the file's first moment to
its last, after its last hole of more than a day, at the scenario's step or, where that would be
more than `MOST_STEPS`, at a wider one. What the scenario counts from its start (thinning, later
loans, actions, changes) is then counted from the file's start. An asset that the file does not have
keeps the scenario's first price. All of that is said in `notes`.

Within a gap of the file an asset is not quoted, so that its price grows stale in the engine.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solvent.domain.errors import InputError
from solvent.domain.parameters import EngineParameters
from solvent.domain.units import HOUR, PRICE_SCALE, SECOND
from solvent.lab.prices.paths import Gap, PricePath, read_prices, time_text
from solvent.lab.scenario.model import Scenario

MOST_STEPS = 1000
LONGEST_HOLE = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another price file and how to read it, see `prices.read_prices`."""

    file: Path
    sort: bool = False
    symbol: str | None = None
    window: str | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One asset's prices: (time, price) in order, and the holes between them."""

    times: Sequence[int]
    prices: Sequence[int]
    gaps: tuple[Gap, ...] = ()

    def price(self, time: int) -> int:
        """The price last seen at `time`, or the first one."""
        return self.prices[max(0, bisect_right(self.times, time) - 1)]

    def quoted(self, time: int) -> bool:
        """Whether the source quotes the asset at `time`."""
        return not any(gap.start + gap.step < time < gap.end for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Feed:
    """Prices of a run. `tracks[a]` is asset a's, `end` the time of its last step.

    `parameters` are the scenario's, starting at `start`; `notes` say what was assumed.
    """

    start: int
    end: int
    step: int
    tracks: tuple[Track, ...]
    parameters: EngineParameters
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return (self.end - self.start) // self.step

    def price(self, asset: int, time: int) -> int:
        """Price of `asset` in force at `time`, 10^-10 USDC per whole token."""
        return self.tracks[asset].price(time)

    def quoted(self, asset: int, time: int) -> bool:
        """Whether `asset` is quoted at `time`."""
        return self.tracks[asset].quoted(time)


def own_feed(scenario: Scenario) -> Feed:
    """The scenario's own prices. InputError where they do not cover its window."""
    flat = Track((scenario.start,), (PRICE_SCALE,))
    source = scenario.prices
    if source.file is None:
        tracks = [_drawn(scenario, corners) for corners in source.points[1:]]
        notes: tuple[str, ...] = ()
    else:
        path = read_prices(
            source.file,
            ohlc=source.ohlc,
            adverse=source.adverse,
            window=source.window,
            sort=source.sort,
        )
        _check_covers(scenario, path)
        found = [_track(path, names) for names in source.names[1:]]
        for track, asset in zip(found, scenario.parameters.assets[1:], strict=True):
            if track is None:
                reason = f"has no prices of {asset.symbol}; it has {', '.join(path.symbols)}"
                raise scenario.error("prices.file", reason)
        tracks = [track for track in found if track is not None]
        notes = path.notes
    return Feed(
        start=scenario.start,
        end=_last_step(scenario.start, scenario.end, scenario.step),
        step=scenario.step,
        tracks=(flat, *tracks),
        parameters=scenario.parameters,
        notes=notes,
    )


def _last_step(start: int, end: int, step: int) -> int:
    return start + (end - start) // step * step


def _drawn(scenario: Scenario, corners: tuple[tuple[int, int], ...]) -> Track:
    """A price at every step of the way through the corners, on straight lines, rounded down."""
    times = range(scenario.start, scenario.end + 1, scenario.step)
    return Track(times, [_interpolated(corners, time - scenario.start) for time in times])


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


def _track(path: PricePath, names: tuple[str, ...]) -> Track | None:
    """The prices of the first of `names` that the path has."""
    for name in names:
        if name in path.symbols:
            row = path.prices[path.symbols.index(name)]
            gaps = tuple(gap for gap in path.gaps if gap.symbol == name)
            return Track(path.times, row, gaps)
    return None


def foreign_feed(scenario: Scenario, foreign: Foreign) -> Feed:
    """The scenario's agents on another file's prices. InputError where none of them fits."""
    path = _read_foreign(foreign)
    notes = list(path.notes)
    path = _last_part(path, notes)
    start = path.times[0]
    span = path.times[-1] - start
    if span < scenario.step:
        reason = f"covers less than one step of {scenario.step // SECOND} s; give it more rows"
        raise InputError(str(foreign.file), "time", reason)
    step = scenario.step
    if span // step > MOST_STEPS:
        step *= -(-span // (MOST_STEPS * step))
        notes.append(f"steps of {step // SECOND} s instead of {scenario.step // SECOND} s")
    tracks = _matched(scenario, foreign, path, notes)
    notes.append(f"times of the scenario are counted from {time_text(start)}")
    return Feed(
        start=start,
        end=_last_step(start, path.times[-1], step),
        step=step,
        tracks=tuple(tracks),
        parameters=_rebased(scenario.parameters, start, step, notes),
        notes=tuple(notes),
    )


def _read_foreign(foreign: Foreign) -> PricePath:
    try:
        return read_prices(
            foreign.file, sort=foreign.sort, symbol=foreign.symbol, window=foreign.window
        )
    except InputError as error:
        if "pass sort=True" not in error.reason:
            raise
        reason = error.reason.replace("pass sort=True", "use --sort-prices")
        raise InputError(error.file, error.field, reason, error.line) from None


def _last_part(path: PricePath, notes: list[str]) -> PricePath:
    """What follows the path's last long hole."""
    times = path.times
    holes = [
        place for place in range(1, len(times)) if times[place] - times[place - 1] > LONGEST_HOLE
    ]
    if not holes:
        return path
    first = times[holes[-1]]
    notes.append(f"left out what is before the hole that ends at {time_text(first)}")
    return path.window(first, times[-1] + 1)


def _matched(
    scenario: Scenario, foreign: Foreign, path: PricePath, notes: list[str]
) -> list[Track]:
    """A track an asset: the file's where it has one, else flat at the scenario's first price."""
    own: Feed | None = None
    tracks = [Track((path.times[0],), (PRICE_SCALE,))]
    matched = 0
    for number, names in enumerate(scenario.prices.names[1:], start=1):
        track = _track(path, names)
        symbol = scenario.parameters.assets[number].symbol
        if track is None:
            own = own or own_feed(scenario)
            track = Track((path.times[0],), (own.price(number, own.start),))
            notes.append(f"{symbol} is not in the file: it keeps its first price of the scenario")
        else:
            matched += 1
        tracks.append(track)
    known = {name for names in scenario.prices.names[1:] for name in names}
    unused = [name for name in path.symbols if name not in known and name != "USDC"]
    if matched and unused:
        notes.append(f"left out {', '.join(unused)}: no asset of the scenario")
    if not matched:
        listed = ", ".join(sorted(known))
        reason = f"the file has {', '.join(path.symbols)}; {scenario.name} knows {listed}"
        raise InputError(str(foreign.file), "symbol", reason)
    return tracks


def _rebased(
    parameters: EngineParameters, start: int, step: int, notes: list[str]
) -> EngineParameters:
    """The parameters from another start, prices kept fresh for as long as a step lasts."""
    assets = list(parameters.assets)
    for number, asset in enumerate(assets):
        if number and asset.price.max_age < step:
            price = replace(asset.price, max_age=step)
            assets[number] = replace(asset, price=price)
            notes.append(f"a price of {asset.symbol} is stale after one step, not before")
    return replace(parameters, assets=tuple(assets), start_time=start)


PriceAt = Callable[[int], int]
"""Price of an asset by its number, at some moment."""
