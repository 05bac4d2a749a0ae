"""A search for an order: whether what clients were told can have happened one after another.

The witness looks into the log. This looks at clients alone, as somebody does who is shown nothing
else: is there an order of all calls in which each comes between its question and its answer, and
says what it must after those before it? So a log that is wrong in itself is no excuse.

The search is that of Wing and Gong (1993) with the memory of Lowe (2017): it takes the next call of
those that had been asked before the first answer that is still to come, and never tries twice to
go on from the same calls and state. A call without an answer may have happened, or may never.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, TypeVar

from solvent.proof.cluster.witness import Answered, Fault

State = TypeVar("State", bound=Hashable)


class Call(NamedTuple):
    """What a client asked for at `asked`, and what it was told at `told`; None: it was not."""

    asked: int
    told: int | None
    said: int | None


def has_an_order(
    calls: Sequence[Call], begin: State, step: Callable[[State, Call], State | None]
) -> bool:
    """Whether some order explains all calls; `step` is the state after one, None where it lies."""
    calls = sorted(calls, key=lambda call: call.asked)
    stack: list[tuple[int, frozenset[int], State]] = [(0, frozenset(), begin)]
    seen = set(stack)
    while stack:
        first, ahead, state = stack.pop()
        if first == len(calls):
            return True
        found = [
            (*_without(first, ahead, each), after)
            for each in _candidates(calls, first, ahead)
            if (after := step(state, calls[each])) is not None
        ]
        if calls[first].told is None:
            found.append((*_without(first, ahead, first), state))
        stack += [each for each in found if each not in seen]
        seen.update(found)
    return False


def clients_flaw(answers: Sequence[Answered], unanswered: Sequence[int] = ()) -> Fault | None:
    """Answers that no order explains; `unanswered` are times of questions that had none."""
    first: dict[int, Answered] = {}
    for one in sorted(answers, key=lambda each: each.told):
        was = first.setdefault(one.operation, one)
        if was.place != one.place:
            return Fault("a repeat is answered otherwise", (one.operation, was.place, one.place))
    calls = [Call(one.asked, one.told, one.place) for one in first.values()]
    calls += [Call(asked, None, None) for asked in unanswered]
    if not has_an_order(calls, 0, counted):
        return Fault("no order of what clients asked explains what they were told", ())
    return None


def counted(count: int, call: Call) -> int | None:
    """A market that tells each operation how many came before it, for `has_an_order`."""
    return count + 1 if call.said in (None, count) else None


def _candidates(calls: Sequence[Call], first: int, ahead: frozenset[int]) -> list[int]:
    """Calls that may be next: those asked before any answer that is still to come."""
    found: list[int] = []
    deadline: int | None = None
    for number in range(first, len(calls)):
        if number in ahead:
            continue
        asked, told, _ = calls[number]
        if deadline is not None and asked > deadline:
            break
        found.append(number)
        if told is not None and (deadline is None or told < deadline):
            deadline = told
    return found


def _without(first: int, ahead: frozenset[int], taken: int) -> tuple[int, frozenset[int]]:
    """All calls before `first` are taken, and those in `ahead`; the same, with one more."""
    ahead |= {taken}
    while first in ahead:
        ahead -= {first}
        first += 1
    return first, ahead
