"""Every view that shows something of the market has it as data: `.json` and `.csv`."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from solvent.service.api.calls import JSON_TYPE, Reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.views import VIEWS, Asked, asked, table
from solvent.service.console.bundle import VIEWS as PAGES
from solvent.service.core.keys import Role
from solvent.service.routes.all import ENDPOINTS
from tests.service.clients.served import DEMO_KEYS, Service
from tests.service.console.signing import signed

WITHOUT = {"", "key", "settings", "ask"}
"""Pages that show nothing of the market that another does not."""
BY_PATH: dict[str, Endpoint] = {each.path: each for each in ENDPOINTS if each.method == "GET"}
HISTORY = "/api/v1/borrowLend/markets/history"
STARS = {
    "markets/*": "markets/SOL",
    "trade/*": "trade/SOL_USDC",
    "account/of/*": "account/of/1",
    **{
        f"account/{move}/*": f"account/{move}/SOL" for move in ("lend", "redeem", "borrow", "repay")
    },
}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_page_has_its_data() -> None:
    assert {name.partition("/")[0] for name in VIEWS} == PAGES - WITHOUT


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_each_is_the_answer_of_an_endpoint(view: str) -> None:
    there = VIEWS[view]
    endpoint = BY_PATH[there.path]
    for form in ("json", "csv"):
        found = asked("GET", f"/{STARS.get(view, view)}.{form}", "limit=5")
        assert (found.path, found.form) == (there.path, form)
        named = {part.partition("=")[0] for part in found.raw_query.split("&")} - {"limit"}
        assert named <= endpoint.fields
        assert set(endpoint.required) <= named


@pytest.mark.parametrize(
    ("path", "query", "path_then", "query_then"),
    [
        ("/trade/SOL_USDC.json", "", "/api/v1/trades", "symbol=SOL_USDC"),
        ("/trade/a%26limit=9.json", "", "/api/v1/trades", "symbol=a%26limit%3D9"),
        ("/trade/a&limit=9.json", "", "/api/v1/trades", "symbol=a%26limit%3D9"),
        ("/markets/SOL.csv", "interval=1w", HISTORY, "interval=1w&symbol=SOL"),
        ("/trade/a/b.json", "", "/trade/a/b.json", ""),
        ("/account/lend/SOL.json", "", "/solvent/v1/limits", "symbol=SOL"),
        ("/account/of/7/8.json", "", "/account/of/7/8.json", ""),
        ("/account/history/loans.csv", "limit=3", "/wapi/v1/history/borrowLend", "limit=3"),
        ("/key.json", "", "/key.json", ""),
        ("/markets", "limit=1", "/markets", "limit=1"),
        ("/markets.xml", "", "/markets.xml", ""),
        ("/.json", "", "/.json", ""),
        ("/api/v1/time", "", "/api/v1/time", ""),
    ],
)  # fmt: skip
def test_addresses(path: str, query: str, path_then: str, query_then: str) -> None:
    found = asked("GET", path, query)
    assert (found.path, found.raw_query) == (path_then, query_then)
    assert (found.form is None) == (found.path == path)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_is_changed_at_them(method: str) -> None:
    """Proposals are made at one address."""
    assert asked(method, "/risk/changes.json", "") == Asked("/risk/changes.json", "")
    assert asked("HEAD", "/risk/changes.json", "").path == "/solvent/v1/proposals"


def test_what_is_in_parts_is_json_in_its_cell() -> None:
    given: list[dict[str, Any]] = [
        {"a": 'x,"y"', "b": None},
        {"b": True, "c": [["0", 1]], "d": 12345678901234567890},
    ]
    found = rows(table(given).decode())
    assert found[0] == {"a": 'x,"y"', "b": "", "c": "", "d": ""}
    assert found[1] == {"a": "", "b": "true", "c": '[["0",1]]', "d": "12345678901234567890"}


def test_lines_become_a_list_and_errors_stay() -> None:
    lines = Reply(200, b'{"a":"1"}\n{"a":"2"}\n', "application/x-ndjson")
    assert Asked("/", "", "json").shaped(lines).body == b'[{"a":"1"},{"a":"2"}]'
    assert Asked("/", "", "csv").shaped(lines).body == b"a\n1\n2\n"
    error = Reply(401, b'{"code":"UNAUTHORIZED"}', JSON_TYPE)
    assert Asked("/", "", "csv").shaped(error) is error


OWN = {Role.USER}
"""Roles whose key has an account: what they may ask is of their own."""


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_view_is_data_for_whom_its_endpoint_is(demo: Service, staff: Path, view: str) -> None:
    """Public ones for whoever looks, one's own and the house's with the endpoint's signature."""
    there, address = VIEWS[view], f"{demo.rest}/{STARS.get(view, view)}"
    endpoint = BY_PATH[there.path]
    instruction = endpoint.instruction
    if instruction is None:
        plain, sheet = (httpx.get(f"{address}.{form}") for form in ("json", "csv"))
        if view == "replay":
            assert plain.json()["code"] == sheet.json()["code"] == "RESOURCE_NOT_FOUND"
            return
        assert httpx.head(f"{address}.csv").status_code == 200
    else:
        assert httpx.get(f"{address}.csv").status_code in (400, 401)
        secret = json.loads(staff.read_text())["risk-admin"]["secret"]
        user, path = DEMO_KEYS["user"].secret, address.removeprefix(demo.rest)
        said = {there.field: path.rpartition("/")[2]} if there.field else {}
        is_own = bool(OWN & endpoint.roles) and view != "account/of/*"
        if not is_own:
            assert signed(user, demo, f"{path}.json", instruction, said).status_code == 403
        plain, sheet = (
            signed(user if is_own else secret, demo, f"{path}.{form}", instruction, said)
            for form in ("json", "csv")
        )
    assert plain.status_code == 200, plain.text
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    told = plain.json()
    if not isinstance(told, list):
        told = told[there.rows] if there.rows else [told]
    found = rows(sheet.text)
    if found and told:
        assert {*found[0]} == {name for row in told for name in row}
    if endpoint.instruction is not None or view in ("markets", "trade"):
        assert len(found) == len(told)
