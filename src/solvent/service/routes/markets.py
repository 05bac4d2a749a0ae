"""Assets and markets: what is traded, at what prices, and on what terms it is collateral."""

from enum import StrEnum

from solvent.domain.parameters import USDC, AssetParameters, Haircut, HaircutKind
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.params import Params, bad_request
from solvent.service.api.shapes import (
    Object,
    market_symbol,
    price_text,
    quantity_text,
    ratio_text,
)
from solvent.service.routes.borrow_lend import margin_object
from solvent.service.strict_json import JsonValue
from solvent.service.wire import naive_time

TAG = "Assets/markets"
_DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
_WHEN_OPENED = "2025-01-01T00:00:00"


class MarketType(StrEnum):
    """Kinds of markets; here there are spot markets only."""

    SPOT = "SPOT"
    PERP = "PERP"
    IPERP = "IPERP"
    DATED = "DATED"
    PREDICTION = "PREDICTION"
    RFQ = "RFQ"


async def assets(call: Call) -> Reply:
    """Every asset; tokens come and go through the operator, on no chain."""
    parameters = call.desk.market.parameters
    found: list[JsonValue] = []
    for number, about in enumerate(parameters.assets):
        smallest = quantity_text(parameters, number, 1)
        token: Object = {
            "displayName": about.symbol,
            "blockchain": "Solana",
            "contractAddress": None,
            "depositEnabled": True,
            "minimumDeposit": smallest,
            "withdrawEnabled": True,
            "minimumWithdrawal": smallest,
            "maximumWithdrawal": None,
            "withdrawalFee": "0",
            "nativeDecimals": about.decimals,
        }
        found.append(
            {
                "symbol": about.symbol,
                "displayName": about.symbol,
                "coingeckoId": None,
                "tokens": [token],
            }
        )
    return json_reply(found)


async def collateral(call: Call) -> Reply:
    """Weights and margin functions of every asset."""
    found: list[JsonValue] = [
        {
            "symbol": about.symbol,
            "imfFunction": margin_object(about.initial),
            "mmfFunction": margin_object(about.maintenance),
            "haircutFunction": _haircut(about.haircut),
        }
        for about in call.desk.market.parameters.assets
    ]
    return json_reply(found)


def _haircut(haircut: Haircut) -> Object:
    kind: Object = {"type": "identity"}
    if haircut.kind is HaircutKind.INVERSE_SQUARE_ROOT:
        kind = {
            "type": "inverseSqrt",
            "base": ratio_text(haircut.base),
            "positiveCurvePenalty": ratio_text(haircut.penalty),
        }
    return {"weight": ratio_text(haircut.weight), "kind": kind}


def _market(call: Call, asset: int, about: AssetParameters) -> Object:
    parameters = call.desk.market.parameters
    market = about.market
    assert market is not None
    start = naive_time(parameters.start_time) if parameters.start_time else _WHEN_OPENED
    return {
        "symbol": market_symbol(parameters, asset),
        "baseSymbol": about.symbol,
        "quoteSymbol": parameters.assets[USDC].symbol,
        "marketType": MarketType.SPOT,
        "filters": {
            "price": {
                "minPrice": price_text(market.tick),
                "maxPrice": None,
                "tickSize": price_text(market.tick),
                "maxMultiplier": ratio_text(market.max_multiplier),
                "minMultiplier": ratio_text(market.min_multiplier),
                "maxImpactMultiplier": ratio_text(market.max_impact_multiplier),
                "minImpactMultiplier": ratio_text(market.min_impact_multiplier),
            },
            "quantity": {
                "minQuantity": quantity_text(parameters, asset, market.min_quantity),
                "maxQuantity": None,
                "stepSize": quantity_text(parameters, asset, market.lot),
            },
        },
        "imfFunction": margin_object(about.initial),
        "mmfFunction": margin_object(about.maintenance),
        "fundingInterval": None,
        "openInterestLimit": "0",
        "orderBookState": "Open",
        "createdAt": start,
        "visible": True,
    }


async def markets(call: Call) -> Reply:
    """Every market; other kinds than spot have none."""
    kinds = call.lists.get("marketType", ())
    for kind in kinds:
        Params({"marketType": kind}, call.desk.market.parameters).choice("marketType", MarketType)
    if kinds and MarketType.SPOT not in kinds:
        return json_reply([])
    return json_reply(
        [
            _market(call, asset, about)
            for asset, about in enumerate(call.desk.market.parameters.assets)
            if about.market
        ]
    )


async def market(call: Call) -> Reply:
    """One market."""
    asset = call.params.market()
    return json_reply(_market(call, asset, call.desk.market.parameters.assets[asset]))


async def depth(call: Call) -> Reply:
    """The book: asks and bids by rising price, so that the best bid comes last."""
    fields = call.params
    asset = fields.market()
    limit = fields.integer("limit", 1000, 1, 1000)
    if limit not in _DEPTH_LIMITS:
        raise bad_request(f"limit must be one of {', '.join(map(str, _DEPTH_LIMITS))}")
    return json_reply(call.desk.publisher.depth(asset, limit))


async def mark_prices(call: Call) -> Reply:
    """Index and mark of every market or of one."""
    fields = call.params
    if fields.choice("marketType", MarketType, MarketType.SPOT) is not MarketType.SPOT:
        return json_reply([])
    only = fields.market() if fields.has("symbol") else None
    desk = call.desk
    parameters = desk.market.parameters
    async with desk.reading():
        found: list[JsonValue] = []
        for asset in range(1, len(parameters.assets)):
            if only in (None, asset):
                price = desk.market.queries.price(asset)
                found.append(
                    {
                        "indexPrice": price_text(price.index),
                        "markPrice": price_text(price.mark),
                        "symbol": market_symbol(parameters, asset),
                    }
                )
    return json_reply(found)


async def none_with_symbol(call: Call) -> Reply:
    """Nothing, for a market that there is."""
    if call.params.has("symbol"):
        call.params.market()
    return json_reply([])


async def none(call: Call) -> Reply:  # noqa: ARG001
    """Nothing."""
    return json_reply([])


ENDPOINTS = [
    Endpoint(TAG, "GET", "/api/v1/assets", assets, query="country?:str", returns="[MarketAsset]"),
    Endpoint(TAG, "GET", "/api/v1/collateral", collateral, returns="[CollateralSummary]"),
    Endpoint(
        TAG, "GET", "/api/v1/markets", markets, query="marketType?:[MarketType]", returns="[Market]"
    ),
    Endpoint(TAG, "GET", "/api/v1/market", market, query="symbol:str", returns="Market"),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/depth",
        depth,
        query="symbol:str limit?:DepthLimit",
        returns="Depth",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/markPrices",
        mark_prices,
        query="symbol?:str marketType?:MarketType",
        returns="[MarkPrice]",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/openInterest",
        none_with_symbol,
        query="symbol?:str",
        returns="[OpenInterest]",
        lacks="always empty: there are no futures here",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/fundingRates",
        none_with_symbol,
        query="symbol:str limit?:u64 offset?:u64",
        returns="[FundingIntervalRate]",
        lacks="always empty: there are no futures here",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/securities",
        none,
        returns="[Security]",
        lacks="always empty: there are no securities here",
    ),
    Endpoint(
        TAG,
        "GET",
        "/api/v1/market-sessions",
        none,
        returns="[MarketSession]",
        lacks="always empty: markets never close",
    ),
]
