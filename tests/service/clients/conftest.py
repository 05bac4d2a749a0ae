"""A demo market for each module of client tests, which listens by itself and by gateways."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.clients.served import Service, serving


@pytest.fixture(
    scope="module",
    params=[(), pytest.param(("--gateways", "2"), marks=pytest.mark.slow)],
    ids=["alone", "gateways"],
)
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service as `up --demo` starts it."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with serving(folder, "--demo", *request.param) as service:
        yield service
