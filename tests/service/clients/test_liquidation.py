"""Accounts that are liquidated, stage by stage, read with three clients what happened to them.

A market of its own, in which the oracle's prices are the test's: SOL falls three times. First the
book takes what must be sold, then a backstop provider, and last, when nobody has committed to
anything, the lenders are settled with. Each of the three is asked what his histories say.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import ccxt
import pytest
from backpack_exchange_sdk import AuthenticationClient
from bpx.account import Account
from websockets.sync.client import connect

from tests.service.clients.served import (
    FUNDER,
    OPERATOR,
    ORACLE,
    Key,
    Service,
    Staff,
    key_of,
    serving,
    until,
)

MARKET = "SOL_USDC"


class Town:
    """A market with a staff, and accounts that it opens."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.operator = Staff(service, OPERATOR)
        self.oracle = Staff(service, ORACLE)
        self.funder = Staff(service, FUNDER)

    def quote(self, price: int) -> None:
        """SOL costs so much, all sources say."""
        said = {"symbol": "SOL", **dict.fromkeys(("bid", "ask", "last"), str(price))}
        quotes = [{**said, "source": source} for source in range(3)]
        self.oracle.post_digest("/solvent/v1/oracle/prices", "oraclePrices", {"prices": quotes})

    def opened(self, name: str, role: str = "user", **tokens: str) -> Key:
        """An account with tokens."""
        key = key_of(name)
        proof = self.operator.proof(key, role, "new")
        body = {"role": role, "publicKey": key.public, "proof": proof}
        reply = self.operator.post_digest("/solvent/v1/admin/accounts", "adminOpen", body)
        for symbol, quantity in tokens.items():
            fields = {"account": reply["account"], "symbol": symbol, "quantity": quantity}
            self.funder.post("/solvent/v1/admin/deposits", "adminDeposit", fields)
        return key

    def sdk(self, key: Key) -> AuthenticationClient:
        """A client of backpack-exchange-sdk."""
        return AuthenticationClient(*key, base_url=f"{self.service.rest}/")

    def borrower(self, name: str, quantity: str) -> Key:
        """Somebody who owes USDC against 100 SOL."""
        key = self.opened(name, SOL="100")
        client = self.sdk(key)
        client.execute_borrow_lend(quantity, "Borrow", "USDC")
        client.request_withdrawal("home", "Solana", quantity, "USDC")
        return key


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A market with SOL at 180, a lender of USDC and somebody who bids for SOL."""
    folder: Path = tmp_path_factory.mktemp("town")
    with serving(folder, "--scenario", str(_at_once(folder))) as service:
        town = Town(service)
        town.quote(180)
        town.opened("lender", USDC="100000")
        town.sdk(key_of("lender")).execute_borrow_lend("100000", "Lend", "USDC")
        yield town


def _at_once(folder: Path) -> Path:
    """The demo's market where prices fall and commitments are withdrawn at once, stage by stage."""
    text = files("solvent.lab.scenarios").joinpath("demo-market.toml").read_text()
    text = text.replace("[waterfall]\n", "[waterfall]\nnotice_seconds = 0\n")
    head, groups, rest = text.partition("[[groups]]")
    path = folder / "town.toml"
    path.write_text(f"{head}[assets.price]\nmax_move = 1\n\n{groups}{rest}")
    return path


Rows = list[dict[str, Any]]


def values(rows: Rows, name: str) -> set[str]:
    """All values of a field."""
    return {row[name] for row in rows}


@contextmanager
def listening(service: Service) -> Iterator[list[dict[str, Any]]]:
    """What the stream of liquidations brings, as a list at the end of the block."""
    seen: list[dict[str, Any]] = []
    with connect(service.streams) as stream:
        stream.send(json.dumps({"method": "SUBSCRIBE", "params": ["liquidation"]}))
        yield seen
        with suppress(TimeoutError):
            while True:
                seen.append(json.loads(stream.recv(timeout=1))["data"])


@pytest.mark.slow
def test_the_book_then_the_backstop_then_the_lenders(town: Town) -> None:
    with listening(town.service) as seen:
        _stages(town)
    on_the_book = [each for each in seen if each["p"] == "165"]
    assert {(each["S"], each["s"]) for each in on_the_book} == {("Ask", MARKET)}
    assert len(seen) >= len(on_the_book) + 2


def _stages(town: Town) -> None:
    bidder = town.sdk(town.opened("bidder", USDC="20000"))
    bidder.execute_order("Limit", "Bid", MARKET, price="165", quantity="100")
    _on_the_book(town, town.borrower("ann", "14600"))
    bidder.cancel_open_orders(MARKET)
    provider = town.opened("provider", "blp", USDC="1000000")
    _on_the_backstop(town, town.borrower("cat", "13400"), provider)
    _on_the_lenders(town, town.borrower("dan", "11800"))


def _on_the_book(town: Town, key: Key) -> None:
    urls = {"api": {"public": town.service.rest, "private": town.service.rest}}
    client = ccxt.backpack({"apiKey": key.public, "secret": key.secret, "urls": urls})

    def fills(kind: str) -> Rows:
        found: Rows = client.fetch_my_trades("SOL/USDC", params={"fillType": kind})
        return found

    assert fills("AllLiquidation") == []
    town.quote(166)
    sold = until(lambda: fills("AllLiquidation"))
    assert {fill["info"]["systemOrderType"] for fill in sold} == {"LiquidatePositionOnBook"}
    assert {(fill["side"], fill["price"]) for fill in sold} == {("sell", 165)}
    assert fills("BookLiquidation")
    assert fills("User") == []
    orders = client.fetch_orders("SOL/USDC")
    assert {order["info"]["systemOrderType"] for order in orders} == {"LiquidatePositionOnBook"}
    until(lambda: client.privateGetApiV1Account()["liquidating"] is False)
    repaid = client.privateGetWapiV1HistoryBorrowLend({"sources": "Liquidation"})
    assert values(repaid, "eventType") == {"BorrowRepay"}
    fees = client.privateGetWapiV1HistorySettlement({"source": "TradingFeesSystem"})
    assert len(fees) == len(fills("BookLiquidation"))


def _on_the_backstop(town: Town, key: Key, provider: Key) -> None:
    staff = Staff(town.service, provider)
    committed = {"symbol": "USDC", "quantity": "50000"}
    staff.post("/solvent/v1/backstop", "backstopPost", committed)
    client = Account(*key)
    client.BPX_API_URL = f"{town.service.rest}/"
    town.quote(145)
    fills = until(lambda: client.get_fill_history(fill_type="Backstop"))
    assert values(fills, "systemOrderType") == {"LiquidatePositionOnBackstop"}
    moved = client.get_borrow_history(sources="LiquidationBackstop")
    assert values(moved, "eventType") == {"BorrowRepay"}
    settled = client.get_settlements_history()
    assert values(settled, "source") == {"BackstopProviderLiquidation"}
    took = town.sdk(provider)
    taken = took.get_borrow_history(sources="BackstopProvider")
    assert values(taken, "eventType") == {"Borrow"}
    assert values(took.get_settlement_history(source="BackstopLiquidation"), "source") == {
        "BackstopProviderLiquidation"
    }
    assert values(took.get_fill_history(fillType="Backstop"), "side") == {"Bid"}
    (left,) = staff.get("/solvent/v1/backstop", "backstopQuery")
    assert 0 < float(left["committed"]) < 50_000
    fields = {"symbol": "USDC", "quantity": left["committed"]}
    staff.post("/solvent/v1/backstop", "backstopWithdraw", fields, method="DELETE")
    until(lambda: staff.get("/solvent/v1/backstop", "backstopQuery") == [])


def _on_the_lenders(town: Town, key: Key) -> None:
    client, lender = town.sdk(key), town.sdk(key_of("lender"))
    town.quote(127)
    until(lambda: client.get_fill_history(fillType="Adl"))
    for each, side in ((client, "Ask"), (lender, "Bid")):
        fills = each.get_fill_history(fillType="Adl")
        assert values(fills, "systemOrderType") == {"LiquidatePositionOnAdl"}
        assert values(fills, "side") == {side}
        settled = each.get_settlement_history(source="BackstopLiquidation")
        assert values(settled, "source") == {"BackstopAdlLiquidation"}
        assert sum(float(row["quantity"]) for row in settled) == pytest.approx(0)
    moved = client.get_borrow_history(sources="LiquidationAdl")
    assert values(moved, "eventType") == {"BorrowRepay"}
    swapped = lender.get_borrow_history(sources="AdlProvider")
    assert values(swapped, "eventType") == {"LendRedeem"}
    assert float(lender.get_balances()["SOL"]["available"]) > 0
