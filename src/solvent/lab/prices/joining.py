"""Several price files as one path: other symbols beside each other, one symbol's stretches in turn.

A symbol may be in several files as long as each of them goes on where another one ended: the days
of an archive. Where the last bar of a file ends at the moment at which the next file begins, the
new file's price holds, as it does between two bars of one file. Files that overlap in a symbol are
refused, for which of two prices was right cannot be told.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from solvent.domain.errors import InputError
from solvent.lab.prices.paths import PricePath, time_text


class _Stretch(NamedTuple):
    """One symbol's prints in one file."""

    file: Path
    times: Sequence[int]
    prices: Sequence[int]


def joined(files: Sequence[Path], paths: Sequence[PricePath]) -> PricePath:
    """The path of all files. InputError, which names a file, where two overlap in a symbol."""
    if len(paths) == 1:
        return paths[0]
    stretches: dict[str, list[_Stretch]] = {}
    for file, path in zip(files, paths, strict=True):
        for symbol, times, row in zip(path.symbols, path.prints, path.prices, strict=True):
            values = [row[max(0, bisect_right(path.times, time) - 1)] for time in times]
            stretches.setdefault(symbol, []).append(_Stretch(file, times, values))
    merged = {symbol: _merged(symbol, parts) for symbol, parts in stretches.items()}
    start = max(min(points) for points in merged.values())
    notes = [note for path in paths for note in path.notes]
    moments = np.unique(np.concatenate([np.array(list(points)) for points in merged.values()]))
    kept = moments[np.searchsorted(moments, start) :]
    if len(kept) < len(moments):
        late = max(merged, key=lambda symbol: min(merged[symbol]))
        early = len(moments) - len(kept)
        notes.append(f"left out {early} times before {time_text(start)}, the first of {late}")
    prices: list[tuple[int, ...]] = []
    prints: list[tuple[int, ...]] = []
    for points in merged.values():
        own, found = np.array(list(points)), np.array(list(points.values()))
        first = int(np.searchsorted(own, start, side="right")) - 1
        prices.append(tuple(found[np.searchsorted(own, kept, side="right") - 1].tolist()))
        prints.append(tuple(own[first:].tolist()))
    return PricePath(
        symbols=tuple(merged),
        times=tuple(kept.tolist()),
        prices=tuple(prices),
        prints=tuple(prints),
        gaps=tuple(gap for path in paths for gap in path.gaps),
        notes=tuple(dict.fromkeys(notes)),
    )


def _merged(symbol: str, parts: list[_Stretch]) -> dict[int, int]:
    """Price by time, in order, of stretches that follow each other."""
    ordered = sorted(parts, key=lambda part: part.times[0])
    for earlier, later in pairwise(ordered):
        if later.times[0] < earlier.times[-1]:
            reason = (
                f"has {symbol} from {time_text(later.times[0])}, and {earlier.file.name} has it up"
                f" to {time_text(earlier.times[-1])}; give each time from one file"
            )
            raise InputError(str(later.file), "symbol", reason)
    return {
        time: price for part in ordered for time, price in zip(part.times, part.prices, strict=True)
    }
