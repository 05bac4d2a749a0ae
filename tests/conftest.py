"""What holds for every test: the marker that says what it proves, and Hypothesis' own CI profile.

That profile draws the same examples in every run and sets no deadline: a slow machine is no defect.
"""

import pytest
from hypothesis import settings

from tests.proof import unknown_ids

settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "proves(*ids): the requirements and invariants it proves")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids that nobody defined, also where they came past `tests.proof.proves`."""
    for item in items:
        for marker in item.iter_markers("proves"):
            if unknown := unknown_ids(marker.args):
                raise pytest.UsageError(f"{item.nodeid} claims to prove {unknown}: no such id")
