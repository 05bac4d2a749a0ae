"""Vocabulary: the words of `language` as LLVM code, one function a word, under the same names."""

import ast
from collections.abc import Callable, Sequence
from typing import NamedTuple

from llvmlite import ir

from solvent.kernels.frame import Frame
from solvent.kernels.kinds import (
    BOOL,
    EVENTS,
    EVENTS_CAPACITY,
    EVENTS_USED,
    HUGE,
    INT,
    MEMORY,
    NOTHING,
    WIDE,
    Kind,
    Value,
    rows_of,
)

_WORD_BYTES = 8
_FLAG = ir.IntType(32)
_MAX_ROW = 1 << 48
"""More numbers than any machine has room for, and few enough that their bytes can be counted."""


A_CLASS = Kind("class", ir.VoidType())
"""Of a word's argument: a class of rows or messages, whose kind is given."""
AN_EVENT = Kind("event", ir.VoidType())
"""Of a word's argument: an event, of which the number and the fields are given."""
A_ROW = Kind("Row", ir.VoidType())
"""Of a word's argument: a row that can be written."""
SAME_ROW = Kind("Row", ir.VoidType())
"""Of a word's argument: one of the same class as the first."""
A_MESSAGE = Kind("message", ir.VoidType())
"""Of a word's argument: a message, which is only read."""
A_ROOT = Kind("Root", ir.VoidType())
"""Of a word's argument: what has all columns."""
ANY_MEMORY = Kind("Memory, Row or Rows", ir.VoidType())
"""Of a word's argument: whatever is in memory."""


_FITS: dict[Kind, Callable[[Kind], bool]] = {
    A_ROW: lambda kind: bool(kind.places) and kind.is_memory and not kind.frozen,
    A_MESSAGE: lambda kind: kind.frozen,
    A_ROOT: lambda kind: kind.root is not None,
    ANY_MEMORY: lambda kind: kind.is_memory and not kind.frozen,
}


class Word(NamedTuple):
    """What a word takes, and the function that writes it for arguments of these kinds."""

    kinds: tuple[Kind, ...]
    write: Callable[..., Value]


VOCABULARY: dict[str, Word] = {}
"""Words of the language by name."""


def _word(*kinds: Kind) -> Callable[[Callable[..., Value]], None]:
    def add(write: Callable[..., Value]) -> None:
        VOCABULARY[write.__name__] = Word(kinds, write)

    return add


def say(frame: Frame, word: Word, given: Sequence[Value | Kind], node: ast.Call) -> Value:
    """Write a word's code. What is given for a class is its kind; an event comes last."""
    arguments = list(given)
    for number, (value, kind) in enumerate(zip(given, word.kinds, strict=False)):
        if isinstance(value, Kind) or kind is AN_EVENT:
            continue
        fits = _FITS.get(kind)
        if fits is None:
            expected = given[0].kind if kind is SAME_ROW and isinstance(given[0], Value) else kind
            arguments[number] = frame.convert(value, expected, node)
        elif not fits(value.kind):
            raise frame.error(node, f"a {value.kind.name} is no {kind.name}")
    return word.write(frame, *arguments)


# Widths.


@_word(WIDE)
def wide(_frame: Frame, value: Value) -> Value:
    return value


@_word(HUGE)
def huge(_frame: Frame, value: Value) -> Value:
    return value


@_word(WIDE)
def narrow(frame: Frame, value: Value) -> Value:
    return _shortened(frame, value, INT)


@_word(HUGE)
def thin(frame: Frame, value: Value) -> Value:
    return _shortened(frame, value, WIDE)


def _shortened(frame: Frame, value: Value, kind: Kind) -> Value:
    short = frame.builder.trunc(value.ir, kind.type)
    back = frame.builder.sext(short, value.kind.type)
    frame.stop_if(frame.builder.icmp_signed("!=", back, value.ir))
    return Value(kind, short, min(value.magnitude, kind.width - 1))


# Stopping, events, rows.


@_word()
def fail(frame: Frame) -> Value:
    frame.fail()
    return NOTHING


@_word(A_ROOT, AN_EVENT)
def emit(frame: Frame, store: Value, *numbers: Value) -> Value:
    builder = frame.builder
    used_at = _root_place(builder, store, EVENTS_USED)
    used = builder.load(used_at)
    after = builder.add(used, INT.constant(len(numbers)))
    capacity = builder.load(_root_place(builder, store, EVENTS_CAPACITY))
    with builder.if_then(builder.icmp_signed(">", after, capacity), likely=False):
        _grow(frame, store, after)
    buffer = builder.inttoptr(builder.load(_root_place(builder, store, EVENTS)), MEMORY.type)
    row = builder.gep(buffer, [used])
    for number, value in enumerate(numbers):
        builder.store(value.ir, builder.gep(row, [INT.constant(number)]))
    builder.store(after, used_at)
    return NOTHING


def _root_place(builder: ir.IRBuilder, store: Value, number: int) -> ir.Value:
    return builder.gep(store.ir, [INT.constant(number)])


def _grow(frame: Frame, store: Value, needed: ir.Value) -> None:
    """Move the events to a buffer of twice what is needed; none is ever dropped."""
    builder = frame.builder
    capacity = builder.shl(needed, INT.constant(1))
    realloc = frame.runtime.library("realloc", MEMORY.type, [MEMORY.type, INT.type])
    place = _root_place(builder, store, EVENTS)
    size = builder.mul(capacity, INT.constant(_WORD_BYTES))
    old = builder.inttoptr(builder.load(place), MEMORY.type)
    address = builder.ptrtoint(builder.call(realloc, [old, size]), INT.type)
    frame.stop_if(builder.icmp_signed("==", address, INT.constant(0)))
    builder.store(address, place)
    builder.store(capacity, _root_place(builder, store, EVENTS_CAPACITY))


@_word(A_ROOT)
def event_words(frame: Frame, store: Value) -> Value:
    return Value(INT, frame.builder.load(_root_place(frame.builder, store, EVENTS_USED)))


@_word(INT)
def allocate(frame: Frame, count: Value) -> Value:
    frame.stop_if(frame.builder.icmp_unsigned(">", count.ir, INT.constant(_MAX_ROW)))
    return Value(MEMORY, _zeros(frame, count))


def _zeros(frame: Frame, count: Value) -> ir.Value:
    builder = frame.builder
    calloc = frame.runtime.library("calloc", MEMORY.type, [INT.type, INT.type])
    # One word more, for a row of none may have no address.
    words = builder.add(count.ir, INT.constant(1))
    row = builder.call(calloc, [words, INT.constant(_WORD_BYTES)])
    address = builder.ptrtoint(row, INT.type)
    frame.stop_if(builder.icmp_signed("==", address, INT.constant(0)))
    return row


@_word(A_CLASS, INT)
def allocate_rows(frame: Frame, kind: Kind, count: Value) -> Value:
    builder = frame.builder
    frame.stop_if(builder.icmp_unsigned(">", count.ir, INT.constant(_MAX_ROW // kind.words)))
    words = Value(INT, builder.mul(count.ir, INT.constant(kind.words)))
    return Value(rows_of(kind), _zeros(frame, words))


@_word(ANY_MEMORY)
def release(frame: Frame, row: Value) -> Value:
    free = frame.runtime.library("free", ir.VoidType(), [MEMORY.type])
    frame.builder.call(free, [row.ir])
    return NOTHING


@_word(A_CLASS, MEMORY)
def rows_in(_frame: Frame, kind: Kind, memory: Value) -> Value:
    return Value(rows_of(kind), memory.ir)


@_word(A_CLASS, MEMORY)
def row_in(_frame: Frame, kind: Kind, memory: Value) -> Value:
    return Value(kind, memory.ir)


@_word(A_CLASS, MEMORY)
def message(_frame: Frame, kind: Kind, memory: Value) -> Value:
    return Value(kind, memory.ir)


@_word(A_MESSAGE, MEMORY)
def put_message(frame: Frame, read: Value, memory: Value) -> Value:
    return _copied(frame, read, memory)


@_word(ANY_MEMORY)
def numbers_of(_frame: Frame, row: Value) -> Value:
    return Value(MEMORY, row.ir)


@_word(A_ROW)
def clear(frame: Frame, row: Value) -> Value:
    for number in range(row.kind.words):
        place = frame.builder.gep(row.ir, [INT.constant(number)])
        frame.builder.store(INT.constant(0), place)
    return NOTHING


@_word(A_ROW, SAME_ROW)
def copy_row(frame: Frame, source: Value, target: Value) -> Value:
    return _copied(frame, source, target)


def _copied(frame: Frame, source: Value, target: Value) -> Value:
    builder = frame.builder
    places = [INT.constant(number) for number in range(source.kind.words)]
    moved = [builder.load(builder.gep(source.ir, [place])) for place in places]
    for place, number in zip(places, moved, strict=True):
        builder.store(number, builder.gep(target.ir, [place]))
    return NOTHING


# Numbers.


@_word(INT)
def isqrt(frame: Frame, value: Value) -> Value:
    """A float's root is off by one at most; the two candidates beside it are tried exactly."""
    builder, one = frame.builder, INT.constant(1)
    frame.stop_if(builder.icmp_signed("<", value.ir, INT.constant(0)))
    double = ir.DoubleType()
    root = frame.runtime.library("llvm.sqrt.f64", double, [double])
    guess = builder.fptosi(builder.call(root, [builder.sitofp(value.ir, double)]), INT.type)
    large = builder.icmp_unsigned(">", builder.mul(guess, guess), value.ir)
    guess = builder.sub(guess, builder.zext(large, INT.type))
    following = builder.add(guess, one)
    small = builder.icmp_unsigned("<=", builder.mul(following, following), value.ir)
    return Value(INT, builder.add(guess, builder.zext(small, INT.type)), INT.width // 2)


@_word(INT)
def bit(frame: Frame, place: Value) -> Value:
    return Value(INT, frame.builder.shl(INT.constant(1), _checked_place(frame, place)))


@_word(INT, INT)
def shift_left(frame: Frame, word: Value, bits: Value) -> Value:
    return Value(INT, frame.builder.shl(word.ir, _checked_place(frame, bits)))


@_word(INT, INT)
def shift_right(frame: Frame, word: Value, bits: Value) -> Value:
    return Value(INT, frame.builder.lshr(word.ir, _checked_place(frame, bits)))


def _checked_place(frame: Frame, place: Value) -> ir.Value:
    """The number of one of the 64 bits."""
    frame.stop_if(frame.builder.icmp_unsigned(">=", place.ir, INT.constant(INT.width)))
    return place.ir


@_word(INT, INT)
def wrapping_add(frame: Frame, left: Value, right: Value) -> Value:
    return Value(INT, frame.builder.add(left.ir, right.ir))


@_word(INT, INT)
def wrapping_sub(frame: Frame, left: Value, right: Value) -> Value:
    return Value(INT, frame.builder.sub(left.ir, right.ir))


@_word(INT, INT)
def wrapping_mul(frame: Frame, left: Value, right: Value) -> Value:
    return Value(INT, frame.builder.mul(left.ir, right.ir))


@_word(INT, INT)
def unsigned_divide(frame: Frame, word: Value, divisor: Value) -> Value:
    frame.stop_if(frame.builder.icmp_signed("==", divisor.ir, INT.constant(0)))
    return Value(INT, frame.builder.udiv(word.ir, divisor.ir))


@_word(INT, INT)
def unsigned_remainder(frame: Frame, word: Value, divisor: Value) -> Value:
    frame.stop_if(frame.builder.icmp_signed("<=", divisor.ir, INT.constant(0)))
    return Value(INT, frame.builder.urem(word.ir, divisor.ir))


@_word(INT, INT)
def unsigned_less(frame: Frame, left: Value, right: Value) -> Value:
    return Value(BOOL, frame.builder.icmp_unsigned("<", left.ir, right.ir))


@_word(ANY_MEMORY)
def prefetch(frame: Frame, row: Value) -> Value:
    kinds = [row.ir.type, _FLAG, _FLAG, _FLAG]
    function = frame.runtime.library("llvm.prefetch.p0", ir.VoidType(), kinds)
    # To be read, to be kept in all caches, and data.
    frame.builder.call(function, [row.ir, _FLAG(0), _FLAG(3), _FLAG(1)])
    return NOTHING


@_word(INT)
def leading_zeros(frame: Frame, word: Value) -> Value:
    return Value(INT, frame.builder.ctlz(word.ir, BOOL.constant(0)), 7)
