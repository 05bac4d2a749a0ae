"""Cells at regular places of a file's bytes, converted a column at a time.

A file without quotes, in ASCII, each of whose lines has the header's number of cells, need not be
cut into texts: where a cell begins and ends is found for all rows at once, and what is written in
plain digits becomes integers by the same exact arithmetic, on whole columns.

Each conversion answers only for what is as plain as it says, and gives None for a column with any
other cell. The caller then reads the cells one by one (`cells`), which converts what is less usual
and says which cell is wrong: there is one judge of what a cell means, and this is its short cut.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from solvent.prices.cells import TimeUnit, epoch_time, infer_unit

Numbers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

CHUNK = 1 << 15
"""Rows converted at a time, so that what is worked on stays in the processor's cache."""
MOST_DIGITS = 18
"""So many digits fit into 64 bits whatever they are."""
MOST_GROUPS = 64
WORD = 8
EPOCH_DIGITS = frozenset({10, 13, 16})
"""How many digits a time since 1970 has that is no digits of a calendar date."""
FIRST_YEAR = 1970
DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS = 86_400, 3_600, 60
_ZERO, _POINT, _NEWLINE = ord("0"), ord("."), ord("\n")
_ISO_MARKS = ((4, b"-"), (7, b"-"), (10, b"T "), (13, b":"), (16, b":"))
_ISO_LENGTH = 19
_ZONES = (b"Z", b"+00:00", b" UTC")
_FRACTIONS = {b"": 0, b".000": 3, b".000000": 6}
"""A fraction of a second whose digits are taken for zeros, and how many they are."""


class PlainCells(Sequence[str]):
    """A column: `begins` and `ends` of its cells among the bytes of `codes`."""

    def __init__(self, codes: Codes, begins: Numbers, ends: Numbers) -> None:
        self._codes = codes
        self._begins = begins
        self._ends = ends

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self._begins)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        """The text of a cell, or of several."""
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        return self._codes[self._begins[row] : self._ends[row]].tobytes().decode().strip()

    def texts(self, rows: Numbers) -> list[str] | None:
        """The texts of cells; None where one is empty."""
        whole = self._codes.tobytes().decode()
        begins, ends = self._begins[rows].tolist(), self._ends[rows].tolist()
        found = [whole[begin:end].strip() for begin, end in zip(begins, ends, strict=True)]
        return found if all(found) else None

    def groups(self, rows: Numbers) -> dict[str, Numbers] | None:
        """The rows that hold each of a few short names; None where one is empty or odd."""
        begins, width = self._begins[rows], (self._ends - self._begins)[rows]
        most = int(width.max(initial=0))
        if most > 2 * WORD or not int(width.min(initial=0 if not len(rows) else most)):
            return None
        words = [_word(self._codes, begins, width, first) for first in range(0, most, WORD)]
        found: dict[str, Numbers] = {}
        rest = np.arange(len(rows))
        while len(rest):
            if len(found) == MOST_GROUPS:
                return None
            same = np.ones(len(rest), dtype=bool)
            for word in words:
                same &= word[rest] == word[rest[0]]
            name = self[int(rows[rest[0]])]
            if not name or name in found:
                return None
            found[name] = rows[rest[same]]
            rest = rest[~same]
        return found

    def decimals(self, rows: Numbers, places: int, *, blank: int | None = None) -> Numbers | None:
        """Numbers of so many decimals as integers; `blank` stands for an empty cell, if given.

        None where one has a sign, more decimals, no digit beside its point, or would not fit.
        """
        parts = []
        for begins, width in self._parts(rows):
            part = _decimals(self._codes, begins, width, places, blank)
            if part is None:
                return None
            parts.append(part)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def times(self, rows: Numbers, told: TimeUnit | None) -> Numbers | None:
        """Microseconds UTC of times that are all written alike; None where they are not.

        As digits since 1970 in the unit `told` or seen from their size, or in ISO 8601 in UTC.
        """
        widths = (self._ends - self._begins)[rows]
        width = int(widths[0]) if len(rows) else 0
        if not width or int(widths.min()) != width or int(widths.max()) != width:
            return None
        if width in EPOCH_DIGITS and (numbers := self.decimals(rows, 0)) is not None:
            return _since_1970(numbers, told)
        parts = []
        for begins, _ in self._parts(rows):
            part = _iso_times(self._codes, begins, width)
            if part is None:
                return None
            parts.append(part)
        return np.concatenate(parts)

    def _parts(self, rows: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """Where cells begin and how wide they are, a chunk at a time."""
        for first in range(0, len(rows), CHUNK):
            part = rows[first : first + CHUNK]
            begins = self._begins[part]
            yield begins, self._ends[part] - begins


def _word(codes: Codes, begins: Numbers, width: Numbers, first: int) -> npt.NDArray[np.uint64]:
    """Eight bytes of every cell as one number, those past its end as zero."""
    word = np.zeros(len(begins), dtype=np.uint64)
    last = len(codes) - 1
    for place in range(first, first + WORD):
        code = codes[np.minimum(begins + place, last)]
        word = (word << np.uint64(8)) | np.where(place < width, code, 0).astype(np.uint64)
    return word


def _decimals(
    codes: Codes, begins: Numbers, width: Numbers, places: int, blank: int | None
) -> Numbers | None:
    most = int(width.max())
    if most > MOST_DIGITS + 1 or (blank is None and not int(width.min())):
        return None
    number = np.zeros(len(begins), dtype=np.int64)
    point = np.full(len(begins), -1, dtype=np.int64)
    last = len(codes) - 1
    for place in range(most):
        live = place < width
        code = codes[np.minimum(begins + place, last)]
        digit = (code - _ZERO).astype(np.int64)  # what lies below zero wraps to far above nine
        is_digit = digit <= 9  # noqa: PLR2004
        is_point = live & (code == _POINT)
        if bool((live & ~is_digit & ~is_point).any()):
            return None
        if bool(is_point.any()):
            if bool((is_point & (point >= 0)).any()):
                return None
            point[is_point] = place
        number = np.where(live & is_digit, number * 10 + digit, number)
    has_point = point >= 0
    written = np.where(has_point, width - 1 - point, 0)
    if bool((has_point & ((point == 0) | (written == 0))).any()):
        return None
    if int(written.max()) > places or int((width - has_point).max()) > MOST_DIGITS:
        return None
    missing = places - written
    if bool((width - has_point + missing > MOST_DIGITS).any()):
        return None
    number *= np.power(10, missing, dtype=np.int64)
    return number if blank is None else np.where(width == 0, blank, number)


def _since_1970(numbers: Numbers, told: TimeUnit | None) -> Numbers | None:
    least, most = int(numbers.min()), int(numbers.max())
    try:
        unit = told or infer_unit(most, infer_unit(least, None))
        epoch_time(least, unit)
        epoch_time(most, unit)
    except ValueError:
        return None
    if unit == "s":
        return numbers * 10**6
    return numbers * 10**3 if unit == "ms" else numbers if unit == "us" else numbers // 10**3


def _iso_times(codes: Codes, begins: Numbers, width: int) -> Numbers | None:
    """Times like 2025-10-10T21:20:00, with a fraction and a name of UTC, or none, behind them."""
    cells = codes[begins[:, None] + np.arange(width)]
    tail = cells[0, _ISO_LENGTH:].tobytes()
    zone = next((zone for zone in _ZONES if tail.endswith(zone)), b"")
    fraction = _FRACTIONS.get(re.sub(rb"[0-9]", b"0", tail.removesuffix(zone)))
    if width < _ISO_LENGTH or fraction is None:
        return None
    behind = _ISO_LENGTH + bool(fraction)
    fixed = [*range(_ISO_LENGTH, behind), *range(behind + fraction, width)]
    marks = all(
        bool(np.isin(cells[:, at], np.frombuffer(mark, np.uint8)).all()) for at, mark in _ISO_MARKS
    )
    if not marks or bool((cells[:, fixed] != cells[0, fixed]).any()):
        return None
    spans = [(0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19), (behind, behind + fraction)]
    parts = [_digits(cells[:, begin:end]) for begin, end in spans]
    if any(part is None for part in parts):
        return None
    return _moments(*(part for part in parts if part is not None), fraction=fraction)


def _digits(cells: Codes) -> Numbers | None:
    digits = (cells - _ZERO).astype(np.int64)
    if bool((digits > 9).any()):  # noqa: PLR2004
        return None
    number = np.zeros(len(cells), dtype=np.int64)
    for place in range(cells.shape[1]):
        number = number * 10 + digits[:, place]
    return number


def _moments(
    year: Numbers,
    month: Numbers,
    day: Numbers,
    hour: Numbers,
    minute: Numbers,
    second: Numbers,
    part: Numbers,
    *,
    fraction: int,
) -> Numbers | None:
    if bool(((year < FIRST_YEAR) | (month < 1) | (month > 12)).any()):  # noqa: PLR2004
        return None
    months = (year - FIRST_YEAR) * 12 + month - 1
    first, following = _first_day(months), _first_day(months + 1)
    within = (day >= 1) & (first + day <= following) & (hour * HOUR_SECONDS < DAY_SECONDS)
    within &= (minute * MINUTE_SECONDS < HOUR_SECONDS) & (second < MINUTE_SECONDS)
    if not bool(within.all()):
        return None
    seconds = hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second
    micro = part * 10 ** (6 - fraction)
    result: Numbers = ((first + day - 1) * DAY_SECONDS + seconds) * 10**6 + micro
    return result


def _first_day(months: Numbers) -> Numbers:
    """Days from 1970 to the first of a month, counted in months from then."""
    days: Any = months.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(days.astype(np.int64))


def regular_cells(codes: Codes, delimiter: str, width: int) -> list[PlainCells] | None:
    """The columns of lines that all have `width` cells, ended by a newline; None where they do not.

    Two columns at least, for with one an empty line would be a cell.
    """
    if width < 2:  # noqa: PLR2004
        return None
    places = np.flatnonzero((codes == ord(delimiter)) | (codes == _NEWLINE))
    height, rest = divmod(len(places), width)
    if rest or not height:
        return None
    ends = places.reshape(height, width)
    is_end = codes[ends] == _NEWLINE
    if not bool(is_end[:, -1].all()) or bool(is_end[:, :-1].any()):
        return None
    begins = np.empty_like(ends)
    begins[:, 1:] = ends[:, :-1] + 1
    begins[0, 0] = 0
    begins[1:, 0] = ends[:-1, -1] + 1
    return [PlainCells(codes, begins[:, place], ends[:, place]) for place in range(width)]
