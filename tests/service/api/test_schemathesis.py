"""What the OpenAPI document allows, and then some, never makes the service fail.

Schemathesis draws requests from the document; each is sent as it came and once more with a right
signature and the name of a market or an asset, so that handlers are reached.
"""

import random
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.core.result import Ok

from solvent.service.api.endpoints import Endpoint
from solvent.service.api.openapi import document
from solvent.service.routes.all import ENDPOINTS
from solvent.service.serve import application
from tests.service.api.examples import EXAMPLES, LISTS
from tests.service.api.malformed import Maker, Request
from tests.service.api.test_malformed import ask
from tests.service.harness import House, endless, with_house

EACH = 25
"""Requests drawn for each endpoint."""
SYMBOLS = ("SOL", "USDC", "SOL_USDC", "BTC_USDC")
Drawn = tuple[Endpoint, Any, Any]


def _drawn() -> list[Drawn]:
    """Fields of query and body that schemathesis draws from the document."""
    served = {(each.method, each.path): each for each in ENDPOINTS}
    found: list[Drawn] = []

    def draw(operation: Any) -> None:
        @seed(1)
        @settings(
            max_examples=EACH,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy())
        def keep(case: Any) -> None:
            endpoint = served[case.method.upper(), case.path]
            body = case.body if isinstance(case.body, dict | list) else {}
            found.append((endpoint, dict(case.query or {}), body))

        keep()

    for result in schemathesis.openapi.from_dict(document(ENDPOINTS)).get_all_operations():
        assert isinstance(result, Ok), result
        draw(result.ok())
    return found


def _requests(drawn: list[Drawn]) -> list[Request]:
    rng = random.Random(1)
    maker = Maker(1)
    found = []
    for endpoint, query, body in drawn:
        if endpoint.path in LISTS:
            who = LISTS[endpoint.path][0]
        else:
            who = EXAMPLES[endpoint.method, endpoint.path].who
        fields = body[0] if isinstance(body, list) and body else body or query
        if not isinstance(fields, dict):
            fields = {}
        found.append(maker.signed(endpoint, "nobody", fields, "as it came"))
        if "symbol" in endpoint.fields:
            fields = {**fields, "symbol": rng.choice(SYMBOLS)}
        found.append(maker.signed(endpoint, who, fields, "signed"))
    return found


@pytest.mark.slow
def test_the_document_leads_to_no_server_error(tmp_path: Path) -> None:
    requests = _requests(_drawn())

    async def story(house: House) -> list[tuple[str, int, bytes]]:
        app = application(house.node, endless())
        answers = [(request.wrong, await ask(app, request)) for request in requests]
        return [(wrong, said.status, said.body) for wrong, said in answers]

    answers = with_house(tmp_path, story)
    assert [answer for answer in answers if not 200 <= answer[1] < 500] == []
    done = {wrong.split(" of ")[0] for wrong, status, _ in answers if status < 300}
    assert len(done) > len(ENDPOINTS) // 2
