"""People who trade with each other all the time, so that a market tells a hundred trades a second.

Each is a newcomer to a demo, with a key and an account of his own, who signs what he asks for. Two
take turns at a beat: one asks for the best price that is not anybody's yet, in a batch, the other
takes all of it, in another. What was bought is sold at the next beat, so nobody runs out.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
from nacl.signing import SigningKey

from solvent.service.authority.possession import possession_text
from solvent.service.core.keys import Role
from tests.service.clients.served import Service

SYMBOL = "SOL_USDC"
LOTS = "0.01"
PAIRS = 3
BEAT_SECONDS = 0.1
GIFTS = {"SOL": "200", "USDC": "90000"}
TICK = Decimal("0.01")


class Trader:
    """A newcomer with tokens and money."""

    def __init__(self, service: Service, http: httpx.Client) -> None:
        self._http = http
        self._signing = SigningKey.generate()
        self._public = base64.b64encode(bytes(self._signing.verify_key)).decode()
        self._market = http.get(f"{service.rest}/solvent/v1/identity").json()["market"]
        self._rest = service.rest
        text = possession_text(self._market, self._public, Role.USER, "new")
        proof = base64.b64encode(self._signing.sign(text).signature).decode()
        fields = {"publicKey": self._public, "proof": proof}
        answer = http.post(f"{self._rest}/solvent/v1/demo/accounts", json=fields)
        assert answer.status_code == 200, answer.text
        for symbol, quantity in GIFTS.items():
            gift = {"quantity": quantity, "symbol": symbol}
            words = f"instruction=demoDeposit&quantity={quantity}&symbol={symbol}"
            self._post("/solvent/v1/demo/deposits", words, json.dumps(gift).encode())

    def batch(self, commands: list[dict[str, Any]]) -> list[Any]:
        """What became of each command."""
        raw = json.dumps({"commands": commands}).encode()
        words = f"instruction=batchExecute&sha256={hashlib.sha256(raw).hexdigest()}"
        found: list[Any] = self._post("/solvent/v1/batch", words, raw)
        return found

    def _post(self, path: str, words: str, raw: bytes) -> Any:
        stamp = time.time_ns() // 10**6
        text = f"{words}&timestamp={stamp}&window=30000&market={self._market}"
        headers = {
            "content-type": "application/json",
            "X-API-Key": self._public,
            "X-Signature": base64.b64encode(self._signing.sign(text.encode()).signature).decode(),
            "X-Timestamp": str(stamp),
            "X-Window": "30000",
            "X-Market": self._market,
        }
        answer = self._http.post(self._rest + path, content=raw, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def trading(service: Service, rate: float) -> Iterator[None]:
    """So many trades a second, in a thread, until the end of the block; it fails as they do."""
    ended = threading.Event()
    failed: list[BaseException] = []

    def trade() -> None:
        try:
            _trade(service, rate, ended)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=trade)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if failed:
        raise failed[0]


def _trade(service: Service, rate: float, ended: threading.Event) -> None:
    with httpx.Client(timeout=30) as http:
        pairs = [(Trader(service, http), Trader(service, http)) for _ in range(PAIRS)]
        began, beat, owed = time.monotonic(), 0, 0.0
        while not ended.wait(max(0.0, began + beat * BEAT_SECONDS - time.monotonic())):
            owed += rate * BEAT_SECONDS
            first, second = pairs[beat // 2 % PAIRS]
            seller, buyer = (first, second) if beat % 2 else (second, first)
            price = _between(http, service)
            offers = [{"verb": "cancelAll", "symbol": SYMBOL}]
            offers += [_order("Ask", price, "GTC")] * int(owed)
            seller.batch(offers)
            buyer.batch([_order("Bid", price, "IOC")] * int(owed))
            owed -= int(owed)
            beat += 1


def _order(side: str, price: Decimal, lasts: str) -> dict[str, str]:
    return {
        "verb": "order",
        "symbol": SYMBOL,
        "side": side,
        "orderType": "Limit",
        "price": str(price),
        "quantity": LOTS,
        "timeInForce": lasts,
    }


def _between(http: httpx.Client, service: Service) -> Decimal:
    """The best price at which an offer would be the first that is taken."""
    book = http.get(f"{service.rest}/api/v1/depth", params={"symbol": SYMBOL}).json()
    bid, ask = Decimal(book["bids"][-1][0]), Decimal(book["asks"][0][0])
    return max(bid + TICK, ask - TICK)
