"""Writes COMPATIBILITY.md: every endpoint and stream of the public API, and how far it is served.

`python -m tests.compatibility` writes the page; tests/service/test_compatibility.py fails when it
is stale. What is served comes from the endpoints' rows, what is public from the list here, and
each row names the test that proves it.
"""

from pathlib import Path
from typing import NamedTuple

from solvent.service.api.endpoints import Endpoint
from solvent.service.routes.all import ENDPOINTS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "COMPATIBILITY.md"
PREFIXES = ("/api/v1/", "/wapi/v1/")

PUBLIC = """
Borrow/lend
POST /api/v1/borrowLend
GET /api/v1/borrowLend/positions
GET /api/v1/borrowLend/position/liquidationPrice
GET /wapi/v1/history/borrowLend
GET /wapi/v1/history/borrowLend/positions
GET /wapi/v1/history/interest
GET /api/v1/borrowLend/markets
GET /api/v1/borrowLend/markets/history
GET /api/v1/borrowLend/apy
Account
GET /api/v1/account
PATCH /api/v1/account
GET /api/v1/account/limits/borrow
GET /api/v1/account/limits/order
GET /api/v1/account/limits/withdrawal
POST /api/v1/account/convertDust
Capital
GET /api/v1/capital
GET /api/v1/capital/collateral
GET /wapi/v1/capital/deposits
GET /wapi/v1/capital/deposit/address
GET /wapi/v1/capital/withdrawals
POST /wapi/v1/capital/withdrawals
GET /wapi/v1/capital/withdrawals/delay
POST /wapi/v1/capital/withdrawals/delay
PATCH /wapi/v1/capital/withdrawals/delay
GET /wapi/v1/history/settlement
GET /wapi/v1/history/dust
Assets/markets
GET /api/v1/assets
GET /api/v1/collateral
GET /api/v1/markets
GET /api/v1/market
GET /api/v1/ticker
GET /api/v1/tickers
GET /api/v1/depth
GET /api/v1/klines
GET /api/v1/markPrices
GET /api/v1/openInterest
GET /api/v1/fundingRates
GET /api/v1/trades
GET /api/v1/trades/history
GET /api/v1/securities
GET /api/v1/market-sessions
Orders
GET /api/v1/order
POST /api/v1/order
DELETE /api/v1/order
POST /api/v1/orders
GET /api/v1/orders
DELETE /api/v1/orders
GET /wapi/v1/history/orders
GET /wapi/v1/history/fills
Positions
GET /api/v1/position
GET /wapi/v1/history/position
GET /wapi/v1/history/funding
System
GET /api/v1/status
GET /api/v1/ping
GET /api/v1/time
GET /api/v1/wallets
RFQ
POST /api/v1/rfq
POST /api/v1/rfq/quote
POST /api/v1/rfq/accept
POST /api/v1/rfq/refresh
POST /api/v1/rfq/cancel
GET /api/v1/rfqs
GET /wapi/v1/history/rfq
GET /wapi/v1/history/rfq/fill
GET /wapi/v1/history/quote
GET /wapi/v1/history/quote/fill
Strategy
GET /api/v1/strategy
POST /api/v1/strategy
DELETE /api/v1/strategy
GET /api/v1/strategies
DELETE /api/v1/strategies
GET /wapi/v1/history/strategies
Vaults
GET /api/v1/vaults
GET /api/v1/vaults/history
POST /api/v1/vault/mint
POST /api/v1/vault/redeem
DELETE /api/v1/vault/redeem
GET /api/v1/vault/redeems/pending
GET /api/v1/vault/nav
""".strip().splitlines()
"""Every endpoint of the public API, under its section."""

REASONS = {
    "RFQ": "no quotes on request: all trading is on the book",
    "Strategy": "no strategies: no engine here places orders over time",
    "Vaults": "no vaults: they hold futures, and there are none here",
}
"""Why endpoints of a section are not served."""

_SOCKETS = "tests/service/streams/test_sockets.py"
_PUBLISHER = "tests/service/streams/test_publisher.py"
_HEARD = f"{_SOCKETS}::test_a_trade_is_heard_on_every_stream"
_SILENT = f"{_SOCKETS}::test_silent_streams_are_accepted"
_DEPTH = f"{_PUBLISHER}::test_depth_messages_keep_a_clients_book"
_NO_FUTURES = "accepted and silent: there are no futures here"
STREAMS = (
    ("bookTicker.SYMBOL", "", _HEARD),
    ("depth.SYMBOL", "", _DEPTH),
    ("depth.200ms.SYMBOL, depth.600ms.SYMBOL, depth.1000ms.SYMBOL", "", _DEPTH),
    (
        "kline.INTERVAL.SYMBOL",
        "",
        "tests/service/streams/test_candles.py::test_candles_are_those_of_all_their_trades",
    ),
    ("liquidation", "", f"{_PUBLISHER}::test_trades_and_liquidations_are_told_once_each"),
    ("markPrice.SYMBOL", "", _HEARD),
    ("ticker.SYMBOL", "", _HEARD),
    ("openInterest.SYMBOL", _NO_FUTURES, _SILENT),
    ("trade.SYMBOL", "", f"{_PUBLISHER}::test_trades_and_liquidations_are_told_once_each"),
    (
        "account.orderUpdate, account.orderUpdate.SYMBOL",
        "",
        f"{_SOCKETS}::test_an_order_is_told_with_all_its_fields",
    ),
    ("account.balanceUpdate", "", f"{_PUBLISHER}::test_balance_updates_add_up_to_the_balances"),
    ("account.positionUpdate, account.positionUpdate.SYMBOL", _NO_FUTURES, _SILENT),
    (
        "account.rfqUpdate, account.rfqUpdate.SYMBOL",
        "accepted and silent: there are no quotes on request here",
        _SILENT,
    ),
    (
        "Ping every 60 s, Close on shutdown",
        "",
        "tests/service/streams/test_pings.py::test_who_answers_stays_and_who_does_not_is_cut_off",
    ),
)
"""Streams and what keeps them: name, how it deviates, the test that proves it."""

_DEVIATIONS = "tests/service/test_deviations.py"
_EMPTY = f"{_DEVIATIONS}::test_there_are_no_futures_sessions_and_chains"
_ORDER = f"{_DEVIATIONS}::test_what_an_order_may_not_say_is_refused_by_name"
_WITHDRAWAL = f"{_DEVIATIONS}::test_a_withdrawal_is_confirmed_at_once_and_never_delayed"
PROVED = {
    "GET /api/v1/borrowLend/position/liquidationPrice": "tests/service/api/test_insight.py"
    "::test_who_owes_nothing_has_no_such_price_and_who_may_not_borrow_is_told_why",
    "GET /api/v1/borrowLend/apy": f"{_DEVIATIONS}::test_rates_have_no_tiers_and_no_staking",
    "GET /wapi/v1/capital/deposit/address": f"{_DEVIATIONS}::test_an_address_names_the_account",
    "POST /wapi/v1/capital/withdrawals": _WITHDRAWAL,
    "GET /wapi/v1/capital/withdrawals/delay": _WITHDRAWAL,
    "POST /wapi/v1/capital/withdrawals/delay": _WITHDRAWAL,
    "PATCH /wapi/v1/capital/withdrawals/delay": _WITHDRAWAL,
    "GET /api/v1/openInterest": _EMPTY,
    "GET /api/v1/fundingRates": _EMPTY,
    "GET /api/v1/securities": _EMPTY,
    "GET /api/v1/market-sessions": _EMPTY,
    "POST /api/v1/order": _ORDER,
    "POST /api/v1/orders": _ORDER,
    "GET /api/v1/position": _EMPTY,
    "GET /wapi/v1/history/position": _EMPTY,
    "GET /wapi/v1/history/funding": _EMPTY,
    "GET /api/v1/wallets": _EMPTY,
}
"""What proves how an endpoint differs; of the others the example that is answered as published."""

_SHAPES = "tests/service/api/test_client_shapes.py"
_PAGES = "tests/service/api/test_pages.py"
_ONCE = "tests/service/core/test_exactly_once.py"
_WAITS = "tests/service/core/test_conditional_orders.py"
MANNERS = (
    (
        "a field of a query that only reads and was not asked for",
        "passed over",
        f"{_SHAPES}::test_a_query_may_say_more_than_is_asked",
    ),
    (
        "such a field of a body, or beside one",
        "stricter: refused, also `triggeredBy`, as one client spells `triggerBy`",
        f"{_SHAPES}::test_a_body_or_a_query_that_changes_something_says_no_more_than_is_asked",
    ),
    (
        "a field in query and body",
        "taken where both say the same, and signed once",
        f"{_SHAPES}::test_a_field_may_be_in_query_and_body_when_both_say_the_same",
    ),
    (
        "a field that differs in query and body",
        "stricter: refused",
        f"{_SHAPES}::test_a_field_that_differs_in_query_and_body_is_refused",
    ),
    (
        "optional keys of answers",
        "always there, null where they do not apply; an order has the keys of both its kinds",
        f"{_SHAPES}::test_an_answer_has_every_published_key_and_no_other",
    ),
    (
        "quantity of an order by quote",
        "what the order got",
        f"{_SHAPES}::test_orders_and_fills_have_their_optional_keys",
    ),
    (
        "`triggerPrice` without `triggerBy`",
        "the mark is looked at; a price that is reached already is refused",
        f"{_WAITS}::test_an_order_waits_and_holds_nothing_until_its_price_is_reached",
    ),
    (
        "quantity of an order with `triggerPrice`",
        "under either name, `triggerQuantity` or `quantity`, and answered under both",
        f"{_WAITS}::test_a_limit_order_that_fires_rests_under_its_number",
    ),
    (
        "`stopLoss...`, `takeProfit...`, a `triggerQuantity` in per cent",
        "refused: orders are not attached to another, and there are no positions",
        f"{_WAITS}::test_what_cannot_wait_is_refused_with_what_to_do",
    ),
    (
        "an order that is refused when its price is reached",
        "`TriggerFailed`; `expiryReason` and `R` say why, `InsufficientMargin` also for leverage, "
        "`Unknown` where no published word fits",
        f"{_WAITS}::test_an_order_that_is_refused_when_it_fires_has_failed",
    ),
    (
        "an order whose price is reached",
        "told as `orderAccepted`, under the number and the `createdAt` that it has",
        f"{_SOCKETS}::test_an_order_that_waits_is_told_as_it_waits_enters_and_fails",
    ),
    (
        "`orderType` of a cancellation of all",
        "as published; without it what rests and what waits",
        f"{_WAITS}::test_what_rests_and_what_waits_are_cancelled_apart_or_together",
    ),
    (
        "headers of pages",
        "on every list with `limit` and `offset`, also an empty one",
        f"{_PAGES}::test_a_page_beyond_the_end_is_empty_and_says_where_it_stands",
    ),
    (
        "candles",
        "a row an interval that has begun, prices null where nothing happened; at most 1,000, and "
        "where more are asked for the first is the market's",
        f"{_SHAPES}::test_candles_are_a_row_an_interval",
    ),
    (
        "a client id in use",
        "looser: the same order gets the first answer; another is refused",
        f"{_ONCE}::test_a_client_id_is_one_order",
    ),
    (
        "a client id whose order has ended",
        "names another order; 0 is a client id",
        f"{_ONCE}::test_a_client_id_names_another_order_after_its_own_has_ended",
    ),
    (
        "a client id twice in a list",
        "stricter: the first order has it, whatever becomes of that",
        f"{_ONCE}::test_client_ids_of_batches_are_one_order",
    ),
    (
        "the signature of a subscription",
        "stricter: good on one connection; where its key acts no more, connections on which it "
        "signed end",
        "tests/service/streams/test_signed_streams.py::test_a_signature_is_good_on_one_connection",
    ),
    (
        "a list of orders",
        "stricter: counts as so many requests; more than 100 are refused unread",
        "tests/service/api/test_costs.py::test_a_command_of_a_batch_costs_a_token",
    ),
    (
        "an `offset` beyond 1,000,000 rows",
        "stricter: refused; times, or `before` on `trades/history`, go on from there",
        "tests/service/api/test_costs.py::test_rows_that_are_too_far_are_refused_and_cost_nothing",
    ),
    (
        "a query of more than 64 fields",
        "stricter: refused",
        "tests/service/api/test_costs.py::test_a_query_of_too_many_fields_is_not_taken_apart",
    ),
    (
        "a page's `Origin`, a name in `Host`",
        "stricter: must be listed by the operator",
        "tests/service/test_front.py::test_a_served_market_checks_both",
    ),
    (
        "header `X-Market`",
        "added: what is signed ends with the market's identity and is good there alone",
        "tests/service/api/signing/test_signing_markets.py"
        "::test_a_request_that_names_its_market_is_good_there_alone",
    ),
    (
        "opposites in histories and streams",
        "under the published labels of ADL (`Adl`, `BackstopAdlLiquidation`, "
        "`LiquidatePositionOnAdl`, origin `ADL_AUTOCLOSE`); which case it was says `case` of "
        "`/solvent/v1/waterfall` and of the receipt of the round",
        "tests/service/streams/test_waterfall.py::test_every_step_of_a_round_names_its_case",
    ),
    (
        "an order that is not there",
        "400 to a cancellation, 404 to a query",
        f"{_SHAPES}::test_an_order_that_is_not_there_is_a_bad_request_to_cancel",
    ),
)
"""What holds for many endpoints: of what, how it is, the test that proves it."""

HEADER = """\
# Compatibility

Every endpoint and stream of the public API that Solvent speaks: served in full, in part (what
differs is said), or not. Written by `python -m tests.compatibility`; the tests fail when it is
stale. What is under `/solvent/v1` is Solvent's own:
[docs/reference/service.md](docs/reference/service.md).
"""
_COLUMNS = "\n| {} | served | what differs | proved by |\n|---|---|---|---|\n"


_MANNERS = """
## All endpoints

| of | here | proved by |
|---|---|---|
"""


class Row(NamedTuple):
    """One endpoint or stream: its name, how far it is served, how it deviates, what proves it."""

    name: str
    served: str
    deviations: str
    test: str

    @property
    def text(self) -> str:
        """The row as Markdown."""
        link = f"[{self.test}]({self.test.partition('::')[0]})" if self.test else ""
        return f"| `{self.name}` | {self.served} | {self.deviations} | {link} |\n"


def sections() -> dict[str, list[Row]]:
    """The rows of every section."""
    served = {f"{each.method} {each.path}": each for each in ENDPOINTS}
    found: dict[str, list[Row]] = {}
    section = ""
    for line in PUBLIC:
        if "/api/" not in line and "/wapi/" not in line:
            section = line
        else:
            found.setdefault(section, []).append(_row(section, line, served.get(line)))
    return found


def _row(section: str, name: str, endpoint: Endpoint | None) -> Row:
    if endpoint is None:
        return Row(name, "no", REASONS[section], "")
    test = PROVED.get(name, f"tests/service/api/test_endpoints.py::test_endpoint[{name}]")
    is_refused = endpoint.deviations.startswith("refused")
    served = "no" if is_refused else "partial" if endpoint.deviations else "full"
    return Row(name, served, endpoint.deviations, test)


def stream_rows() -> list[Row]:
    """The rows of the streams."""
    return [
        Row(name, "partial" if deviations else "full", deviations, test)
        for name, deviations, test in STREAMS
    ]


def unlisted() -> list[str]:
    """What is served under the public prefixes and is not in the list."""
    return [
        name
        for each in ENDPOINTS
        if each.path.startswith(PREFIXES) and (name := f"{each.method} {each.path}") not in PUBLIC
    ]


def page() -> str:
    """The text of the page."""
    groups = {**sections(), "Streams": stream_rows()}
    rows = [row for group in groups.values() for row in group]
    counts = [f"{sum(row.served == word for row in rows)} {word}" for word in ("full", "partial")]
    total = f"\nOf {len(rows)}: {', '.join(counts)}, the others not.\n"
    parts = [
        f"\n## {name}\n"
        + _COLUMNS.format("stream" if name == "Streams" else "endpoint")
        + "".join(row.text for row in group)
        for name, group in groups.items()
    ]
    return HEADER + total + _manners() + "".join(parts)


def _manners() -> str:
    rows = [
        f"| {what} | {how} | [{test}]({test.partition('::')[0]}) |\n" for what, how, test in MANNERS
    ]
    return _MANNERS + "".join(rows)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
