"""How a test says what it proves: `@proves("A3", "I12")`."""

import pytest

from tests.requirements import TITLES


def proves(*ids: str) -> pytest.MarkDecorator:
    """Mark a test, a class, a row (`marks=`) or a module (`pytestmark =`) with what it proves.

    Raises ValueError for an id that tests/requirements.py does not list.
    """
    unknown = unknown_ids(ids)
    if unknown or not ids:
        raise ValueError(f"proves() takes ids like A3 or I12, got {unknown or 'none'}")
    return pytest.mark.proves(*ids)


def unknown_ids(ids: tuple[str, ...]) -> list[str]:
    """Return those that are the id of no requirement and no invariant."""
    return [given for given in ids if given not in TITLES]
