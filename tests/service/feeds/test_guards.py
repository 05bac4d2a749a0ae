"""The guards of a served market's prices: three sources, a quorum, a cap on moves."""

from pathlib import Path
from typing import Any

import httpx

from solvent.domain.parameters import USDC
from solvent.domain.units import RATIO
from solvent.lab.live.guards import MOST_MOVE, guarded
from solvent.lab.scenario.catalog import load_scenario
from tests.cli.helpers import solvent
from tests.lab.run_helpers import SMALL, written
from tests.service.clients.served import ORACLE, Service, Staff, serving

FIRST = 200.0


def mark(service: Service) -> dict[str, Any]:
    """What SOL costs."""
    found = httpx.get(f"{service.rest}/api/v1/markPrices", params={"symbol": "SOL_USDC"})
    row: dict[str, Any] = found.json()[0]
    return row


def quote(service: Service, *sources: int, price: str) -> list[str]:
    """Let these sources say a price; return what each was answered."""
    prices = [
        {"symbol": "SOL", "source": source, **dict.fromkeys(("bid", "ask", "last"), price)}
        for source in sources
    ]
    body = {"prices": prices}
    items = Staff(service, ORACLE).post_digest("/solvent/v1/oracle/prices", "oraclePrices", body)
    return [item["operation"] for item in items]


def test_one_source_of_a_served_market_does_not_make_its_price(tmp_path: Path) -> None:
    """S23: 200 to 1 in one quote, from one source of three, and then from all of them."""
    secret = tmp_path / "oracle.secret"
    secret.write_text(ORACLE.secret)
    with serving(tmp_path) as service:
        quote(service, 0, price="200")
        assert float(mark(service)["markPrice"]) == 0, "one source is no quorum"
        options = ("--key-file", secret, "--url", service.rest, "--readings", "3")
        fed = solvent(
            *("feed", "synthetic", *options, "--sources", "3", "--interval", "0.1"),
            *("--start", "BTC=100000,ETH=4000,SOL=200"),
        )
        assert (fed.returncode, "not taken" in fed.stderr) == (0, False), fed.stderr
        before = float(mark(service)["markPrice"])
        assert abs(before - FIRST) < FIRST / 100
        assert quote(service, 1, price="1") == ["Ok"]
        after = float(mark(service)["markPrice"])
        assert before * (1 - 0.0035) < after <= before
        assert quote(service, 0, 1, 2, price="1") == ["Ok"] * 3
        assert float(mark(service)["indexPrice"]) > 0.9 * before


def test_what_a_scenario_says_of_prices_stays(tmp_path: Path) -> None:
    """S23: and what it does not say is guarded, but for the unit of account."""
    text = "[assets.price]\nsource_weights = [2, 1]\nmax_move = 0.05\n"
    parts = SMALL.split("[[assets]]")
    told = "[[assets]]".join([*parts[:2], f"{parts[2].rstrip()}\n\n{text}\n", *parts[3:]])
    scenario = load_scenario(written(tmp_path, told))
    assets = guarded(scenario, 5).parameters.assets
    assert assets[USDC] == scenario.parameters.assets[USDC]
    assert (assets[1].price.source_weights, assets[1].price.max_move) == ((2, 1), RATIO // 20)
    plain = guarded(load_scenario(written(tmp_path, SMALL))).parameters.assets[1].price
    assert (plain.source_weights, plain.quorum, plain.max_move) == ((1, 1, 1), 2, MOST_MOVE)
