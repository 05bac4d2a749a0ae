"""State machines: a pool against fractions and a book against a list.

Each model is a few lines of the plainest Python, compared after every step. Settings are small.
Hypothesis draws constants that it finds in the modules that happen to be imported, so another
selection of tests may try other steps: what is compared holds for all of them. A failure is shown
as it was found; add Phase.shrink to look for a shorter one.
"""

from hypothesis.stateful import run_state_machine_as_test

from tests.proof import proves
from tests.reference.machines import SMALL, BookMachine, PoolMachine


@proves("I1", "I2", "I3", "I4", "I6")
def test_a_pool_against_fractions() -> None:
    run_state_machine_as_test(PoolMachine, settings=SMALL)


@proves("I3", "I20")
def test_a_book_against_a_list() -> None:
    run_state_machine_as_test(BookMachine, settings=SMALL)
