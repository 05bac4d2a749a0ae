"""Clients that know nothing of this service sign requests that it accepts."""

import json
from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import Protocol

import ccxt
import pytest
from backpack_exchange_sdk import AuthenticationClient
from backpack_exchange_sdk._base.utils import generate_ws_signature
from bpx.account import Account
from hypothesis import given
from hypothesis import strategies as st

from solvent.service.api.signing import verify_subscription
from solvent.service.errors import ApiError
from tests.service.api.signed_requests import (
    ACCOUNT,
    NOW,
    PUBLIC,
    SECRET,
    Recorder,
    Sent,
    recording,
    registry,
    signed,
)

ORDER: dict[str, object] = {
    "symbol": "SOL_USDC",
    "side": "Bid",
    "orderType": "Limit",
    "price": "200.5",
    "quantity": "1",
    "timeInForce": "GTC",
    "clientId": 12345,
    "autoBorrow": True,
    "autoLendRedeem": False,
}


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    """A server on loopback."""
    with recording() as found:
        yield found


class Implicit(Protocol):
    """A method of ccxt that is made of a path."""

    def __call__(self, params: object = ...) -> object: ...


def ccxt_client(recorder: Recorder) -> "ccxt.backpack":
    """ccxt, with nothing changed but its addresses."""
    urls = {"api": {"public": recorder.url, "private": recorder.url}}
    return ccxt.backpack({"apiKey": PUBLIC, "secret": SECRET, "urls": urls})


CCXT = [
    ("privateGetApiV1Capital", {}, "balanceQuery"),
    ("privateGetApiV1BorrowLendPositions", {}, "borrowLendPositionQuery"),
    ("privatePostApiV1BorrowLend", {"symbol": "SOL", "side": "Lend", "quantity": "1.5"},
     "borrowLendExecute"),
    ("privatePatchApiV1Account", {"autoLend": False, "leverageLimit": "2"}, "accountUpdate"),
    ("privatePostApiV1Order", ORDER, "orderExecute"),
    ("privateDeleteApiV1Order", {"symbol": "SOL_USDC", "orderId": "17"}, "orderCancel"),
    ("privateDeleteApiV1Orders", {"symbol": "SOL_USDC"}, "orderCancelAll"),
    ("privatePostApiV1Orders", [ORDER, {**ORDER, "side": "Ask"}], "orderExecute"),
    ("privateGetWapiV1HistoryBorrowLend", {"sources": "Manual,AutoLend", "limit": 5},
     "borrowHistoryQueryAll"),
    ("privateGetWapiV1HistoryBorrowLend", {"symbol": "a b/c+d@é", "limit": 5},
     "borrowHistoryQueryAll"),
    ("privateGetApiV1AccountLimitsOrder",
     {"symbol": "SOL_USDC", "side": "Bid", "reduceOnly": True, "autoBorrow": False},
     "maxOrderQuantity"),
    ("privatePostWapiV1CapitalWithdrawals",
     {"address": "a/b c+d:é", "blockchain": "Solana", "quantity": "1", "symbol": "SOL"},
     "withdraw"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "params", "instruction"),
    CCXT,
    ids=[f"{row[2]}-{place}" for place, row in enumerate(CCXT)],
)
def test_ccxt(recorder: Recorder, method: str, params: object, instruction: str) -> None:
    call: Implicit = getattr(ccxt_client(recorder), method)
    sent = recorder.caught(lambda: call(params))
    assert sent.verified(instruction).principal.account == ACCOUNT
    with pytest.raises(ApiError, match="Invalid signature"):
        sent.verified("somethingElse")


SdkCall = Callable[[AuthenticationClient], object]
SDK: list[tuple[str, SdkCall]] = [
    ("balanceQuery", lambda client: client.get_balances()),
    ("borrowLendPositionQuery", lambda client: client.get_borrow_lend_positions()),
    ("borrowLendExecute", lambda client: client.execute_borrow_lend("1.5", "Lend", "SOL")),
    ("accountUpdate", lambda client: client.update_account(autoLend=False, leverageLimit="3")),
    ("orderExecute", lambda client: client.execute_order(
        "Limit", "Bid", "SOL_USDC", True, 12345, 1400, "200.5", "1", "GTC", autoBorrow=True)),
    ("orderExecute", lambda client: client.execute_batch_orders([ORDER, {**ORDER, "side": "Ask"}])),
    ("orderCancel", lambda client: client.cancel_open_order("SOL_USDC", orderId="17")),
    ("orderCancelAll", lambda client: client.cancel_open_orders("SOL_USDC")),
    ("maxOrderQuantity", lambda client: client.get_max_order_quantity(
        "SOL_USDC", "Bid", price="200", reduceOnly=True, autoBorrow=False)),
    ("maxWithdrawalQuantity", lambda client: client.get_max_withdrawal_quantity(
        "SOL", autoBorrow=True, autoLendRedeem=False)),
    ("borrowHistoryQueryAll", lambda client: client.get_borrow_history(
        sources="Manual,AutoLend", limit=5, sortDirection="Asc")),
    ("depositQueryAll", lambda client: client.get_deposits(fromTimestamp=1, limit=5)),
]  # fmt: skip


@pytest.mark.parametrize(("instruction", "call"), SDK)
def test_backpack_exchange_sdk(recorder: Recorder, instruction: str, call: SdkCall) -> None:
    client = AuthenticationClient(PUBLIC, SECRET, base_url=f"{recorder.url}/")
    sent = recorder.caught(lambda: call(client))
    assert sent.verified(instruction).principal.account == ACCOUNT


BpxCall = Callable[[Account], object]
BPX: list[tuple[str, BpxCall]] = [
    ("accountQuery", lambda client: client.get_account()),
    ("accountUpdate", lambda client: client.update_account(auto_lend=True, leverage_limit="2")),
    ("borrowLendExecute", lambda client: client.execute_borrow_lend("1", "Borrow", "SOL")),
    ("maxBorrowQuantity", lambda client: client.get_max_borrow_quantity("SOL")),
    ("maxOrderQuantity", lambda client: client.get_max_order_quantity(
        "SOL_USDC", "Bid", reduce_only=True, auto_borrow=False)),
    ("maxWithdrawalQuantity", lambda client: client.get_max_withdrawal_quantity(
        "SOL", auto_borrow=True, auto_lend_redeem=False)),
    ("orderExecute", lambda client: client.execute_order(
        "SOL_USDC", "Bid", "Limit", "GTC", quantity="1", price="200", client_id=7, post_only=True,
        triggered_by="LastPrice", trigger_price="190", trigger_quantity="1")),
    ("orderCancel", lambda client: client.cancel_order("SOL_USDC", client_id=7)),
    ("orderCancelAll", lambda client: client.cancel_all_orders("SOL_USDC", window=60000)),
    ("borrowHistoryQueryAll", lambda client: client.get_borrow_history(symbol="SOL", limit=5)),
    ("withdraw", lambda client: client.withdrawal("abc", "Solana", "1", "SOL", auto_borrow=True)),
]  # fmt: skip


@pytest.mark.parametrize(("instruction", "call"), BPX)
def test_bpx_py(
    recorder: Recorder,
    instruction: str,
    call: BpxCall,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Account, "BPX_API_URL", f"{recorder.url}/")
    sent = recorder.caught(lambda: call(Account(PUBLIC, SECRET)))
    assert sent.verified(instruction).principal.account == ACCOUNT


# Clients in other languages, by their rules.


def locale_compare(one: str, other: str) -> int:
    """How JavaScript compares words of the same letters' case-blind order: small ones first."""
    left, right = (one.lower(), one.swapcase()), (other.lower(), other.swapcase())
    return (left > right) - (left < right)


def test_bpx_api_client_sorts_by_locale_and_has_the_longest_window() -> None:
    fields = {"triggeredBy": "LastPrice", "triggerPrice": "1", "triggerBy": "MarkPrice", "a": True}
    names = sorted(fields, key=cmp_to_key(locale_compare))
    assert names != sorted(fields), "the two orders agree, nothing is tested"
    words = "&".join(f"{name}={str(fields[name]).replace('True', 'true')}" for name in names)
    headers = signed(f"instruction=orderExecute&{words}", window=60_000)
    sent = Sent("POST", headers=headers, body=json.dumps(fields).encode())
    assert sent.verified("orderExecute").expires_ms == NOW + 60_000


def test_hummingbot_signs_decoded_values_of_a_form_encoded_query() -> None:
    text = "instruction=fillHistoryQueryAll&limit=5&marketType=SPOT&symbol=SOL_USDC"
    headers = signed(text) | {
        "content-type": "application/x-www-form-urlencoded",
        "x-broker-id": "2200",
    }
    sent = Sent(raw_query="symbol=SOL_USDC&limit=5&marketType=SPOT", headers=headers)
    assert sent.verified("fillHistoryQueryAll").principal.account == ACCOUNT


def test_the_official_rust_client_puts_the_query_before_the_body_and_repeats_keys() -> None:
    text = "instruction=x&marketType=SPOT&marketType=PERP&symbol=SOL&autoLend=true&quantity=1"
    sent = Sent(
        "POST",
        raw_query="marketType=SPOT&symbol=SOL&marketType=PERP",
        headers=signed(text),
        body=b'{"quantity":"1","autoLend":true,"price":null}',
    )
    assert sent.verified("x").principal.account == ACCOUNT


@pytest.mark.parametrize("window", [1, 5000, 60_000])
def test_a_subscription_is_signed_as_clients_do(window: int) -> None:
    subscription = generate_subscription(window)
    verified = verify_subscription(subscription, NOW, registry())
    assert verified.principal.account == ACCOUNT
    assert verified.expires_ms == NOW + window


def generate_subscription(window: int) -> list[str]:
    """The four words, signed by a client's own code."""
    client = AuthenticationClient(PUBLIC, SECRET)
    signature = generate_ws_signature(client.private_key_obj, NOW, window)
    return [PUBLIC, signature, str(NOW), str(window)]


@given(st.dictionaries(
    st.from_regex(r"[a-zA-Z]{1,8}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_characters="&=%"), max_size=8)
    .filter(str.isprintable) | st.integers(0, 2**32) | st.booleans(),
    min_size=1, max_size=6,
))  # fmt: skip
def test_any_fields_that_ccxt_signs_are_verified(fields: dict[str, str | int | bool]) -> None:
    client = ccxt.backpack({"apiKey": PUBLIC, "secret": SECRET})
    for name in ("instruction", "timestamp", "window"):
        fields.pop(name, None)
    for method, instruction in (("GET", "orderQuery"), ("POST", "orderExecute")):
        request = client.sign("api/v1/order", "private", method, dict(fields))
        body = (request["body"] or "").encode()
        headers = {name.lower(): value for name, value in request["headers"].items()}
        raw_query = request["url"].partition("?")[2]
        sent = Sent(method, raw_query=raw_query, headers=headers, body=body)
        assert sent.verified(instruction).principal.account == ACCOUNT
