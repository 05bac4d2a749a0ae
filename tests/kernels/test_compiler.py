"""Every form of the kernel language, compiled, does what the same text does as plain Python."""

import ctypes
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

from solvent.kernels import language
from solvent.kernels.kinds import EVENTS, EVENTS_CAPACITY, EVENTS_USED, FIRST_COLUMN
from solvent.kernels.language import (
    Root,
    allocate,
    emit,
    event_words,
    kernel,
    prefetch,
    release,
)
from solvent.kernels.machine import Machine, compile_kernels
from solvent.kernels.rows import EngineFault, Memory
from solvent.kernels.vocabulary import VOCABULARY
from tests.kernels import forms, number_forms

Kernel = Callable[..., int | bool | None]

ROOT = Path(__file__).resolve().parents[2]
SMALL = range(-3, 4)


def forms_of() -> Iterator[Kernel]:
    """The kernels that take a row of traces and three numbers."""
    for value in (*vars(forms).values(), *vars(number_forms).values()):
        if hasattr(value, "__kernel__"):
            code = value.__code__
            if code.co_varnames[1 : code.co_argcount] == ("a", "b", "c"):
                yield value


FORMS = tuple(forms_of())


@cache
def machine() -> Machine:
    """All forms compiled."""
    return compile_kernels((*FORMS, one_event, many_events, rows_of_their_own, row_of))


def plainly(function: Kernel, *numbers: int) -> tuple[object, list[int]]:
    """What plain Python makes of it: the result or that it stops, and the traces."""
    trace = array("q", bytes(8 * forms.TRACE))
    try:
        return int(function(Memory(memoryview(trace)), *numbers) or 0), trace.tolist()
    except EngineFault:
        return "stopped", trace.tolist()


def compiled(function: Kernel, *numbers: int) -> tuple[object, list[int]]:
    """The same of the compiled kernel."""
    trace = np.zeros(forms.TRACE, dtype=np.int64)
    try:
        result = machine().call(function.__name__, trace.ctypes.data, *numbers)
    except EngineFault:
        return "stopped", trace.tolist()
    return result, trace.tolist()


def test_there_are_many_forms() -> None:
    assert len(FORMS) > 25


@pytest.mark.parametrize("function", FORMS, ids=lambda function: str(function.__name__))
def test_a_form_does_what_plain_python_does(function: Kernel) -> None:
    outcomes = set()
    for numbers in product(SMALL, repeat=3):
        expected = plainly(function, *numbers)
        assert compiled(function, *numbers) == expected, numbers
        outcomes.add((expected[0], *expected[1]))
    assert len(outcomes) > 1


# Events and rows.


@dataclass(frozen=True)
class Counted:
    """An event of one number."""

    number: int


@dataclass(frozen=True)
class Mirrored:
    """An event of two."""

    number: int
    negative: int


class Events(Root):
    """A store of events and nothing else."""

    event_kinds = (Counted, Mirrored)


@kernel
def one_event(s: Events, number: int) -> int:
    emit(s, Mirrored(negative=-number, number=number))
    return event_words(s)


@kernel
def many_events(s: Events, count: int) -> int:
    for number in range(count):
        emit(s, Counted(number))
        one_event(s, number * number)
    return event_words(s)


@kernel
def rows_of_their_own(count: int) -> int:
    first, second = allocate(count), allocate(count)
    for place in range(count):
        first[place] += place
        second[place] -= first[place] * 2
    total = 0
    for place in range(count):
        total = total * 3 % 1009 + first[place] + second[place]
    release(first)
    release(second)
    return total


@kernel
def row_of(count: int) -> int:
    row = allocate(count)
    prefetch(row)
    prefetch(row.at(count))
    release(row)
    return count


def test_events_are_those_of_plain_python_however_many() -> None:
    root = np.zeros(FIRST_COLUMN, dtype=np.int64)
    store = Events()
    plain = 0
    for name, numbers in (("one_event", (5,)), ("many_events", (2000,)), ("one_event", (1,))):
        plain = globals()[name](store, *numbers)
        assert machine().call(name, root.ctypes.data, *numbers) == plain == root[EVENTS_USED]
    assert plain <= root[EVENTS_CAPACITY]
    events = (ctypes.c_int64 * plain).from_address(int(root[EVENTS]))
    assert list(events) == store.events.tolist()
    release_events = ctypes.CDLL(None).free
    release_events.argtypes = [ctypes.c_void_p]
    release_events(int(root[EVENTS]))


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_rows_start_with_zeros(count: int) -> None:
    for _ in range(3):
        assert machine().call("rows_of_their_own", count) == rows_of_their_own(count)


@pytest.mark.parametrize("count", [-1, -(2**63), 2**60, 2**61, 2**63 - 1])
def test_a_row_that_there_cannot_be_stops_the_engine(count: int) -> None:
    with pytest.raises(EngineFault, match="row_of, line"):
        machine().call("row_of", count)


# The vocabulary.


def test_the_compiler_and_plain_python_have_the_same_words() -> None:
    words = {
        name: value.__code__
        for name, value in vars(language).items()
        if isinstance(value, FunctionType)
        and value.__module__ == language.__name__
        and not name.startswith("_")
    }
    assert set(words) - {"kernel"} == set(VOCABULARY)
    for name, word in VOCABULARY.items():
        assert words[name].co_argcount == len(word.kinds), name


def test_the_page_names_every_word_type_statement_and_operator() -> None:
    page = (ROOT / "docs/reference/kernel-language.md").read_text(encoding="utf-8")
    code = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.S)))
    assert {*VOCABULARY, "int", "Wide", "Huge", "bool", "Memory", "None"} <= code
    assert {"if", "elif", "else", "while", "break", "continue", "return", "pass"} <= code
    assert {*"+-*%&^~<>", "//", "\\|", ">>", "and", "or", "not", "min", "max", "abs"} <= code
