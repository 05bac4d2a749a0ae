"""Pages: every list that comes in pages says where a page stands, also where it is empty."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple, get_origin

import httpx
import pytest

from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects.pages import Slice
from solvent.service.core.keys import Role
from solvent.service.routes.all import ENDPOINTS
from tests.service.api.published import openapi
from tests.service.harness import House, opened

PAGED = [each for each in ENDPOINTS if each.query is not None and issubclass(each.query, Slice)]
HEADERS = ("x-page-count", "x-current-page", "x-page-size", "x-total")
REQUIRED = {"symbol": "SOL_USDC"}
"""What must come with some of them."""


class Quiet(NamedTuple):
    """A house in which nothing has happened but its beginning, on a loop of its own."""

    runner: asyncio.Runner
    house: House

    def ask(self, endpoint: Endpoint, **fields: str) -> httpx.Response:
        """A page of a list."""
        return self.runner.run(self._ask(endpoint, fields))

    async def _ask(self, endpoint: Endpoint, fields: dict[str, str]) -> httpx.Response:
        fields |= {name: REQUIRED[name] for name in endpoint.required}
        if endpoint.instruction is None:
            return await self.house.http.get(endpoint.path, params=fields)
        who = self.house.ann if Role.USER in endpoint.roles else self.house.operator
        return await who.get(endpoint.path, endpoint.instruction, **fields)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quiet]:
    runner = asyncio.Runner()
    house = runner.run(opened(tmp_path_factory.mktemp("quiet")))
    runner.run(house.start())
    yield Quiet(runner, house)
    runner.run(house.http.aclose())
    runner.run(house.node.close())
    runner.close()


def test_endpoints_of_pages_are_those_of_the_published_api() -> None:
    """With `limit` and `offset` published; all of them are among ours."""
    paths = {each.path for each in PAGED}
    assert len(paths) == len(PAGED)
    assert {"/api/v1/fundingRates", "/api/v1/trades/history"} <= paths
    histories = {each.path for each in ENDPOINTS if each.path.startswith("/wapi/v1/history/")}
    assert histories <= paths


@pytest.mark.parametrize("endpoint", PAGED, ids=lambda each: str(each.path))
def test_a_page_beyond_the_end_is_empty_and_says_where_it_stands(
    quiet: Quiet, endpoint: Endpoint
) -> None:
    """Case f07."""
    reply = quiet.ask(endpoint, limit="10", offset="1000")
    assert reply.status_code == 200, reply.text
    assert reply.text in ("[]", "")
    count, current, size, total = (int(reply.headers[name]) for name in HEADERS)
    assert (current, size) == (101, 10)
    assert count == -(-total // 10)
    assert total < 1000


@pytest.mark.parametrize("endpoint", PAGED, ids=lambda each: str(each.path))
def test_pages_are_announced(endpoint: Endpoint) -> None:
    """The document names their headers, and so it does for no list that has no pages."""
    answer = openapi()["paths"][endpoint.path]["get"]["responses"]["200"]
    assert tuple(name.lower() for name in answer["headers"]) == HEADERS
    assert endpoint.method == "GET"
    assert get_origin(endpoint.returns) is list or endpoint.media != "application/json"
