"""Passes: a time step is judged pass by pass, each between the states that it led from and to.

A step over n intervals makes up to n passes, and what happens does not depend on how time was cut
(section 7.2 of the specification). So whoever checks an engine carries a step out in steps of one
pass each: the events are the same, and every invariant is asked of every pass. Waiting orders that
were fired are parts of their own, as the orders that they are.
"""

from collections.abc import Iterator
from copy import deepcopy

from solvent.domain.commands import Command, TimeStep
from solvent.reference.clock import next_pass, time_refusal
from solvent.reference.engine import Part, ReferenceEngine
from solvent.reference.prices import take_effect
from solvent.reference.state import State


def parts_of(engine: ReferenceEngine, command: Command) -> Iterator[Part]:
    """Carry out a command part by part: its passes, and each waiting order that they fired.

    Each comes with what happened; between two of them the state is whole.
    """
    for each in passes_of(engine.state, command):
        yield from engine.parts(each)


def passes_of(state: State, command: Command) -> Iterator[Command]:
    """A command's passes, each to be carried out before the next is asked for.

    A command that is no time step, or one that is refused, is its own only pass.
    """
    if not isinstance(command, TimeStep) or time_refusal(state, command) is not None:
        yield command
        return
    while state.now < command.time:
        yield TimeStep(_first_pass(state, command.time))


def _first_pass(state: State, end: int) -> int:
    """Where the first pass of a time step ends."""
    if any(price.given for price in state.prices):
        # What a step does first decides whether the waterfall sleeps.
        state = deepcopy(state)
        take_effect(state)
    return next_pass(state, end)
