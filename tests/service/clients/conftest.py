"""A demo market for each module of client tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.clients.served import Service, serving


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as `up --demo` starts it."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with serving(folder, "--demo") as service:
        yield service
