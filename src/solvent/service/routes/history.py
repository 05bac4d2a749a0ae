"""History of lending and capital, page by page, newest first unless asked otherwise."""

from collections.abc import Sequence

from solvent.domain.labels import Source
from solvent.history.tables import rows as r
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.objects.borrow_lend import (
    BorrowLendMovement,
    BorrowLendPositionRow,
    BorrowLendPositionsQuery,
    InterestPayment,
    InterestQuery,
    MovementsQuery,
)
from solvent.service.api.objects.capital import (
    Deposit,
    DepositsQuery,
    DustConversion,
    DustQuery,
    Settlement,
    SettlementsQuery,
    Withdrawal,
    WithdrawalsQuery,
)
from solvent.service.api.objects.enums import (
    BorrowLendEventType,
    BorrowLendPositionState,
    BorrowLendSide,
    BorrowLendSource,
    DepositStatus,
    InterestPaymentSource,
    PaymentType,
    SettlementSource,
)
from solvent.service.api.objects.pages import FAR
from solvent.service.api.pages import page_headers
from solvent.service.api.params import bad_request
from solvent.service.api.shapes import quantity_text, ratio_text, value_text, withdrawal
from solvent.service.routes.histories import (
    asset_of,
    history_endpoint,
    number_of,
    one_of,
    page,
    times_of,
)
from solvent.service.wire import naive_time

_SOURCES = {source: BorrowLendSource[source.name] for source in Source}
_KINDS = {kind: BorrowLendEventType[kind.name] for kind in r.MovementType}
_SIDES = {side: BorrowLendSide[side.name] for side in r.BorrowLendSide}
_PAYMENTS = {payment: PaymentType[payment.name] for payment in r.PaymentType}
_SETTLEMENTS = {source: SettlementSource[source.name] for source in r.SettlementSource}
_SOURCES_ASKED = {str(name): source for source, name in _SOURCES.items()}
_KINDS_ASKED = {str(name): kind for kind, name in _KINDS.items()}
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
_NOT_SERVED = InterestPaymentSource.UNREALIZED_PNL


def _sources(call: Call) -> Sequence[Source] | None:
    text = call.params.text("sources")
    if not text:
        return None
    found = []
    for word in text.split(","):
        if word not in _SOURCES_ASKED and word not in ("Interest", "Rfq"):
            raise bad_request("sources: unknown value")
        if word in _SOURCES_ASKED:
            found.append(_SOURCES_ASKED[word])
    return found


async def movements(call: Call) -> Reply:
    """Every borrow, repayment, lend and redemption."""
    kind = one_of(call, "type", _KINDS_ASKED)
    sources, position, asset = _sources(call), number_of(call, "positionId"), asset_of(call)
    parameters = call.node.market.parameters

    def shape(row: r.Movement) -> BorrowLendMovement:
        return BorrowLendMovement(
            event_type=_KINDS[row.kind],
            position_id=str(row.position),
            position_quantity=quantity_text(parameters, row.asset, row.position_quantity),
            quantity=quantity_text(parameters, row.asset, row.quantity),
            source=_SOURCES[row.source],
            symbol=parameters.assets[row.asset].symbol,
            timestamp=naive_time(row.time),
            spot_margin_order_id=str(row.order) if row.order else None,
        )

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
    side = call.params.choice("side", BorrowLendSide)
    state = call.params.choice("state", BorrowLendPositionState)
    asset = asset_of(call)
    parameters = call.node.market.parameters

    def shape(row: r.Position) -> BorrowLendPositionRow:
        return BorrowLendPositionRow(
            position_id=str(row.position),
            quantity=quantity_text(parameters, row.asset, row.quantity),
            symbol=parameters.assets[row.asset].symbol,
            source=_SOURCES[row.source],
            cumulative_interest=quantity_text(parameters, row.asset, row.interest),
            avg_interest_rate=ratio_text(row.rate),
            side=_SIDES[row.side],
            created_at=naive_time(row.opened_at),
        )

    return await page(
        call,
        lambda views, paging: views.positions(
            call.account,
            asset=asset,
            side=None if side is None else r.BorrowLendSide[side.name],
            is_open=None if state is None else state is BorrowLendPositionState.OPEN,
            paging=paging,
        ),
        shape,
    )


async def interest(call: Call) -> Reply:
    """Interest of every hour; there are no entry fees."""
    name = "asset" if call.params.has("asset") else "symbol"
    asset, position = asset_of(call, name), number_of(call, "positionId")
    if call.params.choice("source", InterestPaymentSource) is _NOT_SERVED:
        return json_reply([], page_headers(call.params, 0))
    parameters = call.node.market.parameters

    def shape(row: r.InterestPayment) -> InterestPayment:
        symbol = parameters.assets[row.asset].symbol
        return InterestPayment(
            payment_type=_PAYMENTS[row.payment],
            interest_rate=ratio_text(row.rate),
            interval=3_600_000,
            market_symbol=symbol,
            position_id=str(row.position),
            quantity=quantity_text(parameters, row.asset, row.quantity),
            symbol=symbol,
            timestamp=naive_time(row.time),
        )

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
    parameters = call.node.market.parameters

    def shape(row: r.DepositRow) -> Deposit:
        return Deposit(
            id=row.sequence,
            source="administrator",
            status=DepositStatus.CONFIRMED,
            symbol=parameters.assets[row.asset].symbol,
            quantity=quantity_text(parameters, row.asset, row.quantity),
            created_at=naive_time(row.time),
        )

    return await page(
        call,
        lambda views, paging: views.deposits(call.account, first=first, end=end, paging=paging),
        shape,
    )


async def withdrawals(call: Call) -> Reply:
    """Tokens that left."""
    first, end = times_of(call)
    number = call.params.integer("id", 0, 0, FAR) if call.params.has("id") else None
    client_id = call.params.text("clientId") or None
    parameters = call.node.market.parameters

    def shape(row: r.WithdrawalRow) -> Withdrawal:
        memo = row.client_id, row.address, row.blockchain
        return withdrawal(parameters, row.sequence, row.asset, row.quantity, row.time, memo)

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

    def shape(row: r.Settlement) -> Settlement:
        return Settlement(
            quantity=value_text(row.value),
            source=_SETTLEMENTS[row.source],
            timestamp=naive_time(row.time),
            user_id=row.account,
            engine_sequence=row.sequence,
        )

    return await page(
        call,
        lambda views, paging: views.settlements(call.account, sources=sources, paging=paging),
        shape,
    )


async def dust(call: Call) -> Reply:
    """Balances that were converted."""
    number, asset = number_of(call, "id"), asset_of(call)
    parameters = call.node.market.parameters

    def shape(row: r.DustRow) -> DustConversion:
        return DustConversion(
            id=row.sequence,
            quantity=quantity_text(parameters, row.asset, row.quantity),
            symbol=parameters.assets[row.asset].symbol,
            usdc_received=value_text(row.received),
            timestamp=naive_time(row.time),
        )

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
        MovementsQuery,
        BorrowLendMovement,
    ),
    history_endpoint(
        "Borrow/lend",
        "history/borrowLend/positions",
        positions,
        "borrowPositionHistoryQueryAll",
        BorrowLendPositionsQuery,
        BorrowLendPositionRow,
    ),
    history_endpoint(
        "Borrow/lend",
        "history/interest",
        interest,
        "interestHistoryQueryAll",
        InterestQuery,
        InterestPayment,
    ),
    history_endpoint(
        "Capital",
        "capital/deposits",
        deposits,
        "depositQueryAll",
        DepositsQuery,
        Deposit,
    ),
    history_endpoint(
        "Capital",
        "capital/withdrawals",
        withdrawals,
        "withdrawalQueryAll",
        WithdrawalsQuery,
        Withdrawal,
    ),
    history_endpoint(
        "Capital",
        "history/settlement",
        settlements,
        "settlementHistoryQueryAll",
        SettlementsQuery,
        Settlement,
    ),
    history_endpoint(
        "Capital",
        "history/dust",
        dust,
        "dustHistoryQueryAll",
        DustQuery,
        DustConversion,
    ),
]
