"""History of lending and capital, page by page, newest first unless asked otherwise."""

from collections.abc import Sequence
from enum import StrEnum

from solvent.domain.labels import Source
from solvent.history.tables import rows as r
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.pages import page_headers
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import Object, quantity_text, ratio_text, value_text
from solvent.service.routes.histories import (
    asset_of,
    history_endpoint,
    number_of,
    one_of,
    page,
    times_of,
    words,
)
from solvent.service.wire import naive_time

SOURCES = {words(source.name): source for source in Source}
_MOVEMENTS = {words(kind.name): kind for kind in r.MovementType}
_FILTERS = {
    "BackstopLiquidation": (
        r.SettlementSource.BACKSTOP_PROVIDER_LIQUIDATION,
        r.SettlementSource.BACKSTOP_ADL_LIQUIDATION,
        r.SettlementSource.BACKSTOP_LIQUIDITY_FUND_PROCEEDS,
    ),
    "TradingFees": (r.SettlementSource.TRADING_FEES,),
    "TradingFeesSystem": (r.SettlementSource.TRADING_FEES_SYSTEM,),
    "CulledBorrowInterest": (),
    "CulledRealizePnl": (),
    "CulledRealizePnlBookUtilization": (),
    "FundingPayment": (),
    "RealizePnl": (),
}
_FAR = 2**53


class PositionState(StrEnum):
    """Whether a position still stands."""

    OPEN = "Open"
    CLOSED = "Closed"


class PositionSide(StrEnum):
    """A debt or a claim."""

    BORROW = "Borrow"
    LEND = "Lend"


class InterestSource(StrEnum):
    """What interest was paid for."""

    UNREALIZED_PNL = "UnrealizedPnl"
    BORROW_LEND = "BorrowLend"


def _sources(call: Call) -> Sequence[Source] | None:
    text = call.params.text("sources")
    if not text:
        return None
    found = []
    for word in text.split(","):
        if word not in SOURCES and word not in ("Interest", "Rfq"):
            raise bad_request("sources: unknown value")
        if word in SOURCES:
            found.append(SOURCES[word])
    return found


async def movements(call: Call) -> Reply:
    """Every borrow, repayment, lend and redemption."""
    kind = one_of(call, "type", _MOVEMENTS)
    sources, position, asset = _sources(call), number_of(call, "positionId"), asset_of(call)
    parameters = call.desk.market.parameters

    def shape(row: r.Movement) -> Object:
        found: Object = {
            "eventType": words(row.kind.name),
            "positionId": str(row.position),
            "positionQuantity": quantity_text(parameters, row.asset, row.position_quantity),
            "quantity": quantity_text(parameters, row.asset, row.quantity),
            "source": words(row.source.name),
            "symbol": parameters.assets[row.asset].symbol,
            "timestamp": naive_time(row.time),
        }
        if row.order:
            found["spotMarginOrderId"] = str(row.order)
        return found

    return await page(
        call,
        lambda views, paging: views.movements(
            call.account,
            kind=kind,
            sources=sources,
            position=position,
            asset=asset,
            paging=paging,
        ),
        shape,
    )


async def positions(call: Call) -> Reply:
    """Every claim and debt, also those that ended."""
    side = call.params.choice("side", PositionSide)
    state = call.params.choice("state", PositionState)
    asset = asset_of(call)
    parameters = call.desk.market.parameters

    def shape(row: r.Position) -> Object:
        interest = quantity_text(parameters, row.asset, abs(row.interest))
        return {
            "positionId": str(row.position),
            "quantity": quantity_text(parameters, row.asset, row.quantity),
            "symbol": parameters.assets[row.asset].symbol,
            "source": words(row.source.name),
            "cumulativeInterest": ("-" if row.interest < 0 else "") + interest,
            "avgInterestRate": ratio_text(row.rate),
            "side": words(row.side.name),
            "createdAt": naive_time(row.opened_at),
        }

    return await page(
        call,
        lambda views, paging: views.positions(
            call.account,
            asset=asset,
            side=None if side is None else r.BorrowLendSide[side.name],
            is_open=None if state is None else state is PositionState.OPEN,
            paging=paging,
        ),
        shape,
    )


async def interest(call: Call) -> Reply:
    """Interest of every hour, and entry fees."""
    name = "asset" if call.params.has("asset") else "symbol"
    asset, position = asset_of(call, name), number_of(call, "positionId")
    if call.params.choice("source", InterestSource) is InterestSource.UNREALIZED_PNL:
        return json_reply([], page_headers(call.params, 0))
    parameters = call.desk.market.parameters

    def shape(row: r.InterestPayment) -> Object:
        symbol = parameters.assets[row.asset].symbol
        return {
            "paymentType": words(row.payment.name),
            "interestRate": ratio_text(row.rate),
            "interval": 3_600_000,
            "marketSymbol": symbol,
            "positionId": str(row.position),
            "quantity": quantity_text(parameters, row.asset, row.quantity),
            "symbol": symbol,
            "timestamp": naive_time(row.time),
        }

    return await page(
        call,
        lambda views, paging: views.interest(
            call.account, asset=asset, position=position, paging=paging
        ),
        shape,
    )


async def deposits(call: Call) -> Reply:
    """Tokens that came in."""
    first, end = times_of(call)
    parameters = call.desk.market.parameters

    def shape(row: r.DepositRow) -> Object:
        return {
            "id": row.sequence,
            "source": "administrator",
            "status": "confirmed",
            "symbol": parameters.assets[row.asset].symbol,
            "quantity": quantity_text(parameters, row.asset, row.quantity),
            "createdAt": naive_time(row.time),
        }

    return await page(
        call,
        lambda views, paging: views.deposits(call.account, first=first, end=end, paging=paging),
        shape,
    )


async def withdrawals(call: Call) -> Reply:
    """Tokens that left."""
    first, end = times_of(call)
    number = call.params.integer("id", 0, 0, _FAR) if call.params.has("id") else None
    client_id = call.params.text("clientId") or None
    parameters = call.desk.market.parameters

    def shape(row: r.WithdrawalRow) -> Object:
        found: Object = {
            "id": row.sequence,
            "blockchain": row.blockchain or "Solana",
            "quantity": quantity_text(parameters, row.asset, row.quantity),
            "fee": "0",
            "symbol": parameters.assets[row.asset].symbol,
            "status": "confirmed",
            "toAddress": row.address,
            "createdAt": naive_time(row.time),
            "isInternal": False,
        }
        if row.client_id:
            found["clientId"] = row.client_id
        return found

    return await page(
        call,
        lambda views, paging: views.withdrawals(
            call.account,
            sequence=number,
            client_id=client_id,
            first=first,
            end=end,
            paging=paging,
        ),
        shape,
    )


async def settlements(call: Call) -> Reply:
    """What fees and the waterfall's stages gave or took, valued in USDC."""
    sources = one_of(call, "source", _FILTERS)
    if sources == ():
        return json_reply([], page_headers(call.params, 0))

    def shape(row: r.Settlement) -> Object:
        return {
            "quantity": ("-" if row.value < 0 else "") + value_text(abs(row.value)),
            "source": words(row.source.name),
            "timestamp": naive_time(row.time),
            "userId": row.account,
            "engineSequence": row.sequence,
        }

    return await page(
        call,
        lambda views, paging: views.settlements(call.account, sources=sources, paging=paging),
        shape,
    )


async def dust(call: Call) -> Reply:
    """Balances that were converted."""
    number, asset = number_of(call, "id"), asset_of(call)
    parameters = call.desk.market.parameters

    def shape(row: r.DustRow) -> Object:
        return {
            "id": row.sequence,
            "quantity": quantity_text(parameters, row.asset, row.quantity),
            "symbol": parameters.assets[row.asset].symbol,
            "usdcReceived": value_text(row.received),
            "timestamp": naive_time(row.time),
        }

    return await page(
        call,
        lambda views, paging: views.dust(call.account, sequence=number, asset=asset, paging=paging),
        shape,
    )


ENDPOINTS = [
    history_endpoint(
        "Borrow/lend",
        "history/borrowLend",
        movements,
        "borrowHistoryQueryAll",
        "type?:BorrowLendEventType sources?:str positionId?:str symbol?:str",
        "BorrowLendMovement",
    ),
    history_endpoint(
        "Borrow/lend",
        "history/borrowLend/positions",
        positions,
        "borrowPositionHistoryQueryAll",
        "symbol?:str side?:BorrowLendSide state?:BorrowLendPositionState",
        "BorrowLendPositionRow",
    ),
    history_endpoint(
        "Borrow/lend",
        "history/interest",
        interest,
        "interestHistoryQueryAll",
        "asset?:str symbol?:str positionId?:str source?:InterestPaymentSource",
        "InterestPayment",
    ),
    history_endpoint(
        "Capital",
        "capital/deposits",
        deposits,
        "depositQueryAll",
        "from?:i64 to?:i64 excludePlatform?:bool",
        "Deposit",
    ),
    history_endpoint(
        "Capital",
        "capital/withdrawals",
        withdrawals,
        "withdrawalQueryAll",
        "id?:i32 clientId?:str from?:i64 to?:i64",
        "Withdrawal",
    ),
    history_endpoint(
        "Capital",
        "history/settlement",
        settlements,
        "settlementHistoryQueryAll",
        "source?:SettlementSourceFilter",
        "Settlement",
    ),
    history_endpoint(
        "Capital",
        "history/dust",
        dust,
        "dustHistoryQueryAll",
        "id?:i64 symbol?:str",
        "DustConversion",
    ),
]
