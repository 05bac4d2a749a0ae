"""Kernels that say every form of the language once, for the compiler's tests.

Each takes a row to leave traces in and three small numbers. `note` writes down that it was asked,
so that what is evaluated, how often and in which order is part of what is compared.
"""

from collections.abc import Callable
from typing import NamedTuple

from solvent.domain.units import INT64_MAX
from solvent.kernels.language import Wide, fail, kernel, narrow, wide
from solvent.kernels.rows import Memory

TRACE = 64
"""Numbers in a row of traces; the second half is free for forms to use."""
FREE = 32


class Pair(NamedTuple):
    """A record; its second number is wide."""

    first: int
    second: Wide


class Nest(NamedTuple):
    """A record in a record, and a row."""

    pair: Pair
    row: Memory
    flag: bool


Question = Callable[[Memory, int], bool]
Change = Callable[[int], int]


@kernel
def note(trace: Memory, number: int) -> int:
    trace[0] += 1
    trace[trace[0]] = number
    return number


@kernel
def note_true(trace: Memory, number: int) -> bool:
    trace[0] += 1
    trace[trace[0]] = number
    return True


@kernel
def is_positive(trace: Memory, number: int) -> bool:
    return note(trace, number) > 0


@kernel
def doubled(number: int) -> int:
    return 2 * number


@kernel
def twice(change: Change, number: int) -> int:
    return change(change(number))


@kernel
def count_passing(passes: Question, change: Change, trace: Memory, high: int) -> int:
    found = 0
    for number in range(-3, high):
        if passes(trace, twice(change, number)):
            found += 1
    return found


@kernel
def weighted(first: int, second: Wide, third: int) -> int:
    return narrow(100 * first + 10 * second + third)


@kernel
def both(first: int, second: int) -> tuple[int, Wide]:
    return first + second, first - second


@kernel
def pair_of(first: int, second: int) -> Pair:
    return Pair(second=second, first=first)


@kernel
def nothing(trace: Memory, number: int) -> None:
    if number < 0:
        return
    note(trace, number)


@kernel
def chained_with_effects(trace: Memory, a: int, b: int, c: int) -> int:
    if note(trace, a) < note(trace, b) <= note(trace, c) < note(trace, 3):
        return 1
    return 0


@kernel
def connectives_stop_early(trace: Memory, a: int, b: int, c: int) -> int:
    result = 0
    if (note(trace, a) and note(trace, b)) or note(trace, c):
        result = 1
    if (note(trace, a) or note(trace, b)) and not note(trace, c):
        result += 2
    while note(trace, a) and result < 9:
        result += 3
    return result


@kernel
def connectives_as_values(trace: Memory, a: int, b: int, c: int) -> bool:
    first = (a < b and note_true(trace, b)) or c > 0
    second = not a or b == c or note_true(trace, c)
    return first and (second or a == c) and True


@kernel
def conditional_expressions(trace: Memory, a: int, b: int, c: int) -> int:
    first = note(trace, a) if a < b else note(trace, b) if b < c else note(trace, c)
    mixed = wide(a) * INT64_MAX if a > b else c
    pair = (a, wide(b)) if c else (b, wide(a))
    one, other = pair
    return first * 7 + one + narrow(other + mixed % 997)


@kernel
def branches(_trace: Memory, a: int, b: int, c: int) -> int:
    """A text in the middle is no statement."""
    if a < b:
        x = 1
    elif a == b:
        if c:
            x = 2
        else:
            return 77
        "still none"
    elif c == 3:
        fail()
        return 0
    else:
        x = 3
    return x + c


@kernel
def assigned_before_every_way_out(trace: Memory, a: int, b: int, c: int) -> int:
    while True:
        x = note(trace, a)
        if x > b:
            y = 1
            break
        if x + 3 > c:
            y = 2
            break
        a += 1
    return 10 * x + y  # type: ignore[possibly-undefined]  # the loop ends by its breaks alone


@kernel
def endless_but_for_a_return(_trace: Memory, a: int, b: int, c: int) -> int:
    while True:
        a += 1
        if a > b + c:
            return a


@kernel
def nested_loops(trace: Memory, a: int, b: int, c: int) -> int:
    total = 0
    for i in range(a, 4):
        if i == b:
            continue
        j = 0
        while j < 5:
            j += 1
            if j == c:
                break
            if (i + j) % 2:
                continue
            total += i * j
        else_count = note(trace, total)
        if else_count > 20:
            break
    return total


@kernel
def ranges(trace: Memory, a: int, b: int, c: int) -> int:
    total = 0
    for i in range(note(trace, b)):
        total += i
    for i in range(note(trace, a), note(trace, b)):
        total = 3 * total + i
    for i in range(a, b, 2):
        total = 5 * total + i
    for i in range(b, a, -1):
        total = 7 * total + i
    for i in range(b, a - c, -3):
        total = 11 * total + i
    return total


@kernel
def ranges_are_fixed_when_they_start(trace: Memory, a: int, b: int, c: int) -> int:
    i = 100
    for i in range(a, b):
        note(trace, i)
        b = c
        a += 1
        i += 10  # noqa: PLW2901  (the next number is the range's all the same)
        note(trace, i)
    for i in range(2):
        for i in range(3):  # noqa: PLW2901
            note(trace, i)
    return i + b


@kernel
def loop_variable_afterwards(_trace: Memory, a: int, b: int, c: int) -> int:
    i = c
    for i in range(a, b):
        if i == 1:
            break
    wide_one = wide(0)
    for wide_one in range(b):  # noqa: B007  (it is read afterwards)
        pass
    return 10 * i + narrow(wide_one)


@kernel
def tuples(trace: Memory, a: int, b: int, c: int) -> int:
    a, b = b, a
    (a, b), c = (b + c, a - c), note(trace, a)
    first, second = both(a, b)
    x: tuple[int, tuple[Wide, bool]] = (a, (c, a < b))
    number, (large, flag) = x
    i, trace[FREE + 4 + i] = a % 4, b
    left = right = note(trace, number)
    return narrow(first * second + large) + left - right + flag


@kernel
def records(trace: Memory, a: int, b: int, c: int) -> int:
    pair = pair_of(note(trace, a), b)
    other = Pair(second=note(trace, b), first=note(trace, c))
    nest = Nest(other if a < b else pair, row=trace.at(FREE), flag=a == c)
    nest.row[0] = nest.pair.first
    first, second = nest.pair
    return narrow(pair.second * 100 + nest.pair.second * 10 + second) + first + nest.flag


@kernel
def functions_as_arguments(trace: Memory, a: int, b: int, c: int) -> int:
    found = count_passing(is_positive, doubled, trace, a)
    return found * 100 + count_passing(note_true, high=b, trace=trace, change=abs_of) + c


@kernel
def abs_of(number: int) -> int:
    return abs(number)


@kernel
def arguments_are_evaluated_as_written(trace: Memory, a: int, b: int, c: int) -> int:
    nothing(trace, number=a)
    nothing(number=note(trace, b), trace=trace)
    return weighted(third=note(trace, a), first=note(trace, b), second=note(trace, c))


@kernel
def assignment_order(trace: Memory, a: int, b: int, c: int) -> int:
    trace[FREE + note(trace, a) + 3] = note(trace, b)
    row = trace.at(FREE)
    row[note(trace, a) + 3] += changed(row, a + 3, c)
    row.at(note(trace, 1))[note(trace, 2)] -= 5
    return row[a + 3]


@kernel
def changed(row: Memory, place: int, number: int) -> int:
    row[place] += 1000
    return number


@kernel
def names_from_outside_used_inside(_trace: Memory, a: int, b: int, c: int) -> int:
    doubled = a + b
    pair_of = doubled * 2
    for both in range(c):
        doubled += both
    return doubled - pair_of


@kernel
def no_result(trace: Memory, a: int, b: int, c: int) -> None:
    if a > b:
        return
    nothing(trace, c)
    for _ in range(b):
        if c:
            trace[FREE] += a
        else:
            return
