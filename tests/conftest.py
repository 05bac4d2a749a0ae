"""What holds for every test: markers, sizes, the order, and Hypothesis' own CI profile.

That profile draws the same examples in every run and sets no deadline: a slow machine is no defect.
"""

import pytest
from hypothesis import settings

from tests.proof import unknown_ids
from tests.sizes import Size, choose

settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the sizes, see `tests.sizes`."""
    for option, size, said in (
        ("--quick", Size.QUICK, "small sizes, and without what is marked slow"),
        ("--full", Size.FULL, "the largest sizes of tests that have several"),
    ):
        parser.addoption(
            option, dest="size", action="store_const", const=size, default=Size.USUAL, help=said
        )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and take the size."""
    config.addinivalue_line("markers", "proves(*ids): the requirements and invariants it proves")
    config.addinivalue_line("markers", "slow: takes over three seconds; first, and not in --quick")
    choose(config.getoption("size"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse unknown ids; slow tests go first, or not at all."""
    refuse_unknown_ids(items)
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    if config.getoption("size") is Size.QUICK and not config.getoption("markexpr"):
        config.hook.pytest_deselected(items=slow)
        slow = []
    items[:] = slow + others


def refuse_unknown_ids(items: list[pytest.Item]) -> None:
    """Refuse ids that nobody defined, also where they came past `tests.proof.proves`."""
    for item in items:
        for marker in item.iter_markers("proves"):
            if unknown := unknown_ids(marker.args):
                raise pytest.UsageError(f"{item.nodeid} claims to prove {unknown}: no such id")
