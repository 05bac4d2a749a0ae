"""Sorting in kernels: a row of numbers in place, by any strict order of them.

A heap sort: O(n log n) whatever the row holds, without recursion and without memory of its own. It
is not stable, so an order must tell any two numbers of the row apart, or they must be alike.
"""

from collections.abc import Callable
from typing import TypeVar

from solvent.engine.memory.store import Store
from solvent.kernels.language import kernel
from solvent.kernels.rows import Memory

Asked = TypeVar("Asked")
Before = Callable[[Store, Asked, int, int], bool]
"""(s, context, one, other) -> whether `one` comes before `other`."""


@kernel
def sort_ascending(s: Store, row: Memory, count: int) -> None:
    """Sort the first `count` numbers of `row`, smallest first."""
    sort_by(s, row, count, _smaller, row)


@kernel
def _smaller(s: Store, context: Memory, one: int, other: int) -> bool:  # noqa: ARG001
    return one < other


@kernel
def sort_by(s: Store, row: Memory, count: int, before: Before[Asked], context: Asked) -> None:
    """Sort the first `count` numbers of `row` by `before`, which is asked with `context`."""
    for root in range(count // 2 - 1, -1, -1):
        _sink(s, row, root, count, before, context)
    for last in range(count - 1, 0, -1):
        largest = row[0]
        row[0] = row[last]
        row[last] = largest
        _sink(s, row, 0, last, before, context)


@kernel
def _sink(
    s: Store, row: Memory, root: int, count: int, before: Before[Asked], context: Asked
) -> None:
    """Let the number at `root` fall until nothing below it in the heap comes after it."""
    sinking = row[root]
    place = root
    child = 2 * place + 1
    while child < count:
        if child + 1 < count and before(s, context, row[child], row[child + 1]):
            child += 1
        if not before(s, context, sinking, row[child]):
            break
        row[place] = row[child]
        place = child
        child = 2 * place + 1
    row[place] = sinking
