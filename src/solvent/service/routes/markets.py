"""Assets and markets: what is traded, at what prices, and on what terms it is collateral."""

from solvent.domain.parameters import USDC, AssetParameters, Haircut, HaircutKind
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects.enums import Blockchain, DepthLimit, MarketType, OrderBookState
from solvent.service.api.objects.markets import (
    AssetsQuery,
    CollateralFunction,
    CollateralSummary,
    Depth,
    DepthQuery,
    FundingIntervalRate,
    FundingRatesQuery,
    IdentityHaircut,
    InverseSqrtHaircut,
    Market,
    MarketAsset,
    MarketQuery,
    MarketSession,
    MarketsQuery,
    MarkPrice,
    MarkPricesQuery,
    OpenInterest,
    OpenInterestQuery,
    OrderBookFilters,
    PriceFilter,
    QuantityFilter,
    Security,
    Token,
)
from solvent.service.api.pages import page_headers
from solvent.service.api.params import Params, bad_request
from solvent.service.api.shapes import (
    margin_function,
    market_symbol,
    price_text,
    quantity_text,
    ratio_text,
)
from solvent.service.wire import naive_time

TAG = "Assets/markets"
_DEPTH_LIMITS = tuple(int(limit) for limit in DepthLimit)
_WHEN_OPENED = "2025-01-01T00:00:00"


async def assets(call: Call) -> Reply:
    """Every asset; tokens come and go through the operator, on no chain."""
    parameters = call.node.market.parameters
    found: list[MarketAsset] = []
    for number, about in enumerate(parameters.assets):
        smallest = quantity_text(parameters, number, 1)
        token = Token(
            display_name=about.symbol,
            blockchain=Blockchain.SOLANA,
            contract_address=None,
            deposit_enabled=True,
            minimum_deposit=smallest,
            withdraw_enabled=True,
            minimum_withdrawal=smallest,
            maximum_withdrawal=None,
            withdrawal_fee="0",
            native_decimals=about.decimals,
        )
        found.append(
            MarketAsset(
                symbol=about.symbol,
                display_name=about.symbol,
                coingecko_id=None,
                tokens=[token],
            )
        )
    return json_reply(found)


async def collateral(call: Call) -> Reply:
    """Weights and margin functions of every asset."""
    found = [
        CollateralSummary(
            symbol=about.symbol,
            imf_function=margin_function(about.initial),
            mmf_function=margin_function(about.maintenance),
            haircut_function=_haircut(about.haircut),
        )
        for about in call.node.market.parameters.assets
    ]
    return json_reply(found)


def _haircut(haircut: Haircut) -> CollateralFunction:
    kind: IdentityHaircut | InverseSqrtHaircut = IdentityHaircut()
    if haircut.kind is HaircutKind.INVERSE_SQUARE_ROOT:
        kind = InverseSqrtHaircut(
            base=ratio_text(haircut.base), positive_curve_penalty=ratio_text(haircut.penalty)
        )
    return CollateralFunction(weight=ratio_text(haircut.weight), kind=kind)


def _market(call: Call, asset: int, about: AssetParameters) -> Market:
    parameters = call.node.market.parameters
    market = about.market
    assert market is not None
    start = naive_time(parameters.start_time) if parameters.start_time else _WHEN_OPENED
    return Market(
        symbol=market_symbol(parameters, asset),
        base_symbol=about.symbol,
        quote_symbol=parameters.assets[USDC].symbol,
        market_type=MarketType.SPOT,
        filters=OrderBookFilters(
            price=PriceFilter(
                min_price=price_text(market.tick),
                max_price=None,
                tick_size=price_text(market.tick),
                max_multiplier=ratio_text(market.max_multiplier),
                min_multiplier=ratio_text(market.min_multiplier),
                max_impact_multiplier=ratio_text(market.max_impact_multiplier),
                min_impact_multiplier=ratio_text(market.min_impact_multiplier),
            ),
            quantity=QuantityFilter(
                min_quantity=quantity_text(parameters, asset, market.min_quantity),
                max_quantity=None,
                step_size=quantity_text(parameters, asset, market.lot),
            ),
        ),
        imf_function=margin_function(about.initial),
        mmf_function=margin_function(about.maintenance),
        funding_interval=None,
        open_interest_limit="0",
        order_book_state=OrderBookState.OPEN,
        created_at=start,
        visible=True,
    )


async def markets(call: Call) -> Reply:
    """Every market; other kinds than spot have none."""
    kinds = call.lists.get("marketType", ())
    for kind in kinds:
        Params({"marketType": kind}, call.node.market.parameters).choice("marketType", MarketType)
    if kinds and MarketType.SPOT not in kinds:
        return json_reply([])
    return json_reply(
        [
            _market(call, asset, about)
            for asset, about in enumerate(call.node.market.parameters.assets)
            if about.market
        ]
    )


async def market(call: Call) -> Reply:
    """One market."""
    asset = call.params.market()
    return json_reply(_market(call, asset, call.node.market.parameters.assets[asset]))


async def depth(call: Call) -> Reply:
    """The book: asks and bids by rising price, so that the best bid comes last."""
    fields = call.params
    asset = fields.market()
    limit = fields.integer("limit", 1000, 1, 1000)
    if limit not in _DEPTH_LIMITS:
        raise bad_request(f"limit must be one of {', '.join(map(str, _DEPTH_LIMITS))}")
    return json_reply(call.node.publisher.depth(asset, limit))


async def mark_prices(call: Call) -> Reply:
    """Index and mark of every market or of one."""
    fields = call.params
    if fields.choice("marketType", MarketType, MarketType.SPOT) is not MarketType.SPOT:
        return json_reply([])
    only = fields.market() if fields.has("symbol") else None
    node = call.node
    parameters = node.market.parameters
    async with node.reading():
        found: list[MarkPrice] = []
        for asset in range(1, len(parameters.assets)):
            if only in (None, asset):
                price = node.market.queries.price(asset)
                found.append(
                    MarkPrice(
                        index_price=price_text(price.index),
                        mark_price=price_text(price.mark),
                        symbol=market_symbol(parameters, asset),
                    )
                )
    return json_reply(found)


async def none_with_symbol(call: Call) -> Reply:
    """Nothing, for a market that there is."""
    if call.params.has("symbol"):
        call.params.market()
    return json_reply([])


async def none_on_a_page(call: Call) -> Reply:
    """Nothing, on no page, for a market that there is."""
    call.params.market()
    return json_reply([], page_headers(call.params, 0))


async def none(call: Call) -> Reply:  # noqa: ARG001
    """Nothing."""
    return json_reply([])


ENDPOINTS = [
    Endpoint(TAG, "GET", "/api/v1/assets", assets, query=AssetsQuery, returns=list[MarketAsset]),
    Endpoint(TAG, "GET", "/api/v1/collateral", collateral, returns=list[CollateralSummary]),
    Endpoint(TAG, "GET", "/api/v1/markets", markets, query=MarketsQuery, returns=list[Market]),
    Endpoint(TAG, "GET", "/api/v1/market", market, query=MarketQuery, returns=Market),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/depth",
        depth,
        query=DepthQuery,
        returns=Depth,
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/markPrices",
        mark_prices,
        query=MarkPricesQuery,
        returns=list[MarkPrice],
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/openInterest",
        none_with_symbol,
        query=OpenInterestQuery,
        returns=list[OpenInterest],
        deviations="always empty: there are no futures here",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/fundingRates",
        none_on_a_page,
        query=FundingRatesQuery,
        returns=list[FundingIntervalRate],
        deviations="always empty: there are no futures here",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/securities",
        none,
        returns=list[Security],
        deviations="always empty: there are no securities here",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/market-sessions",
        none,
        returns=list[MarketSession],
        deviations="always empty: markets never close",
    ),
]
