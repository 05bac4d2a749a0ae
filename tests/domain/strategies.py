"""What Hypothesis draws in the tests of the domain and the engine."""

from dataclasses import fields
from enum import IntEnum
from typing import TypeVar, get_type_hints

from hypothesis import strategies as st

from solvent.domain.units import INT64_MAX, INT64_MIN

int64 = st.one_of(
    st.integers(INT64_MIN, INT64_MAX),
    st.sampled_from([INT64_MIN, -1, 0, 1, INT64_MAX - 1, INT64_MAX]),
)
unsigned = st.one_of(st.integers(0, INT64_MAX), st.sampled_from([0, 1, INT64_MAX]))
positive = st.one_of(st.integers(1, INT64_MAX), st.sampled_from([1, 2, INT64_MAX]))

Record = TypeVar("Record")


def records(kind: type[Record]) -> st.SearchStrategy[Record]:
    """Any record of a dataclass whose fields are integers, flags and enums."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = {name: _of(hints[name]) for name in names}
    return st.builds(kind, **values)


def _of(kind: object) -> st.SearchStrategy[int]:
    if kind is bool:
        return st.booleans()
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return st.sampled_from(kind)
    return int64
