"""Whole columns at once: the same integers as cell by cell, or left to be read so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.errors import InputError
from solvent.prices.files import read_table
from solvent.prices.plain_cells import CHUNK, PlainCells, regular_cells
from solvent.prices.table import Column, Table, row_numbers

NUMBERS = st.one_of(
    st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,11})?\Z"),
    st.from_regex(r"\A[0-9.]{0,6}\Z"),
    st.sampled_from(
        (
            *("", " 1", "1 ", "-1", "+1", "1e3", "nan", "0", "0.0", "00.5", "1/2", "1.00000000000"),
            *("922337203.6854775807", "922337203.6854775808", "9" * 19, "99999999.9999999999"),
        )
    ),
)
TIMES = st.one_of(
    st.datetimes().map(lambda time: time.isoformat(sep=" ")),
    st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds") + "Z"),
    st.integers(0, 10**19 - 1).map(str),
    st.sampled_from(
        (
            *("2025-02-29T00:00:00", "2024-02-29T23:59:59Z", "2025-13-01T00:00:00", "2025-10-10"),
            *("1969-12-31T23:59:59", "2025-10-10T24:00:00", "2025-10-10T21:60:00", "20251010"),
            *("2025-10-10T21:20:00+00:00", "2025-10-10T21:20:00+02:00", "2025-10-10T21:20:00.5"),
            *("2025-10-10 21:20:00 UTC", "2025-10-10 21:20:00.123456 UTC", "2025-10-10x21:20:00"),
            *("1760131200", "1760131200000", "1760131200000000", "0", "2025-10-10T21:20:00.5+0:00"),
        )
    ),
)


def column(texts: list[str]) -> PlainCells:
    """The texts as a column of a file; a second column keeps its lines from being empty."""
    data = "".join(f"{text},\n" for text in texts).encode()
    cells = regular_cells(np.frombuffer(data, dtype=np.uint8), ",", 2)
    assert cells is not None
    return cells[0]


def answers(cells: Any, of: str, **options: Any) -> list[int] | str:
    table = Table("f", ("c",), {"c": Column(cells)}, len(cells), range(2, 2 + len(cells)), {})
    try:
        found = getattr(table, of)("c", range(len(cells)), **options)
    except InputError as error:
        return str(error)
    return list(found.tolist())


@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_prices_are_those_of_every_cell_by_itself(texts: list[str]) -> None:
    stripped = [text.strip() for text in texts]
    assert answers(column(texts), "prices") == answers(stripped, "prices")


@given(
    st.one_of(st.lists(TIMES, min_size=1, max_size=4), TIMES.map(lambda text: [text] * 3)),
    st.sampled_from([None, "s", "ms", "us", "ns"]),
)
def test_times_are_those_of_every_cell_by_itself(texts: list[str], unit: str | None) -> None:
    assert answers(column(texts), "times", unit=unit) == answers(texts, "times", unit=unit)


@given(st.lists(st.sampled_from(["A", "B", "SOLUSDT", "SOLUSDC", "BTC", "a b", ""]), min_size=1))
def test_names_are_grouped_as_they_appear(texts: list[str]) -> None:
    def groups(cells: Any) -> dict[str, list[int]] | str:
        table = Table("f", ("c",), {"c": Column(cells)}, len(cells), range(len(cells)), {})
        try:
            found = table.groups("c", range(len(cells)))
        except InputError as error:
            return str(error)
        return {name: rows.tolist() for name, rows in found.items()}

    plain, one_by_one = groups(column(texts)), groups(texts)
    assert plain == one_by_one
    assert list(plain) == list(one_by_one)


def test_what_is_plain_is_read_at_once_and_over_chunks() -> None:
    texts = [f"{number}.25" for number in range(1, CHUNK + 3)]
    cells = column(texts)
    rows = row_numbers(range(len(texts)))
    numbers = cells.decimals(rows, 2)
    assert numbers is not None
    assert numbers.tolist() == [100 * number + 25 for number in range(1, CHUNK + 3)]
    assert cells.decimals(rows, 1) is None
    times = column(["2025-10-10T21:20:00.500Z"] * 2).times(rows[:2], None)
    assert times is not None
    assert times.tolist() == [1_760_131_200_500_000] * 2
    names = column(["A", "B", "A"]).groups(rows[:3])
    assert names is not None
    assert {name: found.tolist() for name, found in names.items()} == {"A": [0, 2], "B": [1]}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("n,v\n1,2\n3,4\n", True),
        ("\ufeff# says\nn;v\r\n1;2\r\n3;4", True),
        ("n,v\n1,2\n\n3,4\n", False),
        ('n,v\n1,"2"\n3,4\n', False),
        ("n,v\n1\n3,4\n", False),
        ("n,v\n1,2\n3,é\n", False),
    ],
)
def test_rows_that_are_all_alike_stay_where_they_are(
    text: str, plain: bool, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(text.encode())
    table = read_table(file, lambda _: True)
    assert isinstance(table.columns["n"].cells, PlainCells) is plain
    assert [cell for cell in table.columns["n"].cells if cell] == ["1", "3"]
    assert table.place(table.height - 1) == f"line {len(text.splitlines())}"
