"""Schemas: the objects and enums of the public API, as words `name?:type`.

`dec` is a decimal as a string, `ndt` a time without a zone, `dt` one with; `[X]` is a list. The
names are those that the public API publishes; fields that are never sent are left out. The OpenAPI
document and the conformance tests are made of this table.
"""

OBJECTS = {
    "BorrowLendPositionWithMargin": (
        "cumulativeInterest:dec id:str imf:dec imfFunction:PositionImfFunction "
        "netQuantity:dec markPrice:dec mmf:dec mmfFunction:PositionImfFunction "
        "netExposureQuantity:dec netExposureNotional:dec symbol:Asset estLiquidationPrice:dec"
    ),
    "PositionEstimatedLiquidationPrice": "liquidationPrice?:dec markPrice:dec",
    "BorrowLendMovement": (
        "eventType:BorrowLendEventType positionId:str positionQuantity?:dec quantity:dec "
        "source:BorrowLendSource symbol:str timestamp:ndt spotMarginOrderId?:str"
    ),
    "BorrowLendPositionRow": (
        "positionId:str quantity:dec symbol:str source:BorrowLendSource "
        "cumulativeInterest:dec avgInterestRate:dec side:BorrowLendSide createdAt:ndt"
    ),
    "InterestPayment": (
        "paymentType:PaymentType interestRate:dec interval:u64 marketSymbol:str "
        "positionId:str quantity:dec symbol:Asset timestamp:ndt"
    ),
    "BorrowLendMarket": (
        "state:BorrowLendBookState assetMarkPrice:dec borrowInterestRate:dec "
        "borrowedQuantity:dec fee:dec lendInterestRate:dec lentQuantity:dec "
        "maxUtilization:dec openBorrowLendLimit:dec optimalUtilization:dec symbol:Asset "
        "timestamp:dt throttleUtilizationThreshold:dec throttleUtilizationBound:dec "
        "throttleUpdateFraction:dec utilization:dec stepSize:dec"
    ),
    "BorrowLendHistory": (
        "borrowInterestRate:dec borrowedQuantity:dec lendInterestRate:dec lentQuantity:dec "
        "timestamp:dt utilization:dec"
    ),
    "ApyRates": "borrowLend:[BorrowLendApyRate] staking:[object]",
    "BorrowLendApyRate": "symbol:Asset borrowRate:dec lendRate:dec",
    "AccountSummary": (
        "autoBorrowSettlements:bool autoLend:bool autoRealizePnl:bool autoRepayBorrows:bool "
        "borrowLimit:dec futuresMakerFee:dec futuresTakerFee:dec leverageLimit:dec "
        "limitOrders:u64 liquidating:bool positionLimit:dec spotMakerFee:dec spotTakerFee:dec "
        "triggerOrders:u64"
    ),
    "MaxBorrowQuantity": "maxBorrowQuantity:dec symbol:str",
    "MaxOrderQuantity": (
        "autoBorrow?:bool autoBorrowRepay?:bool autoLendRedeem?:bool maxOrderQuantity:dec "
        "price?:dec side:str symbol:str reduceOnly?:bool"
    ),
    "MaxWithdrawalQuantity": (
        "autoBorrow?:bool autoLendRedeem?:bool maxWithdrawalQuantity:dec symbol:str"
    ),
    "DustConversion": "id:u64 quantity:dec symbol:str usdcReceived:dec timestamp:ndt",
    "MarginAccountSummary": (
        "assetsValue:dec borrowLiability:dec collateral:[Collateral] imf:dec "
        "unsettledEquity:dec liabilitiesValue:dec marginFraction?:dec mmf:dec netEquity:dec "
        "netEquityAvailable:dec netEquityLocked:dec netExposureFutures:dec pnlUnrealized:dec"
    ),
    "Collateral": (
        "symbol:str assetMarkPrice:dec totalQuantity:dec balanceNotional:dec "
        "collateralWeight:dec collateralValue:dec openOrderQuantity:dec lendQuantity:dec "
        "availableQuantity:dec"
    ),
    "CollateralSummary": (
        "symbol:str imfFunction:PositionImfFunction mmfFunction:PositionImfFunction "
        "haircutFunction:CollateralFunction"
    ),
    "Deposit": (
        "id:i32 toAddress?:str fromAddress?:str source:str status:DepositStatus "
        "transactionHash?:str symbol:Asset quantity:dec createdAt:ndt platformMemo?:str"
    ),
    "DepositAddress": "address:str",
    "Withdrawal": (
        "id:i32 blockchain:Blockchain clientId?:str identifier?:str quantity:dec fee:dec "
        "symbol:Asset status:WithdrawalStatus subaccountId?:u16 toAddress:str "
        "transactionHash?:str createdAt:ndt isInternal:bool"
    ),
    "WithdrawalDelay": (
        "currentWithdrawalDelayHours?:i32 pendingWithdrawalDelayHours?:i32 "
        "pendingWithdrawalDelayHoursEnabledAt?:ndt"
    ),
    "Settlement": (
        "quantity:dec source:SettlementSource subaccountId?:i32 timestamp:ndt userId:i32 "
        "positionId?:str engineSequence?:u64"
    ),
    "MarketAsset": "symbol:Asset displayName:str coingeckoId?:str tokens:[Token]",
    "Token": (
        "displayName:str blockchain:Blockchain contractAddress?:str depositEnabled:bool "
        "minimumDeposit:dec withdrawEnabled:bool minimumWithdrawal:dec maximumWithdrawal?:dec "
        "withdrawalFee:dec nativeDecimals?:u8"
    ),
    "Market": (
        "symbol:str baseSymbol:str quoteSymbol:str marketType:MarketType "
        "filters:OrderBookFilters imfFunction?:PositionImfFunction "
        "mmfFunction?:PositionImfFunction fundingInterval?:u64 fundingRateUpperBound?:dec "
        "fundingRateLowerBound?:dec openInterestLimit?:dec orderBookState:OrderBookState "
        "createdAt:ndt visible:bool positionLimitWeight?:dec"
    ),
    "PriceFilter": (
        "minPrice:dec maxPrice?:dec tickSize:dec maxMultiplier?:dec minMultiplier?:dec "
        "maxImpactMultiplier?:dec minImpactMultiplier?:dec"
    ),
    "QuantityFilter": "minQuantity:dec maxQuantity?:dec stepSize:dec",
    "Ticker": (
        "symbol:str firstPrice:dec lastPrice:dec priceChange:dec priceChangePercent:dec "
        "high:dec low:dec volume:dec quoteVolume:dec trades:str"
    ),
    "Depth": "asks:[[dec]] bids:[[dec]] lastUpdateId:str timestamp:i64",
    "Kline": (
        "start:str end:str open?:str high?:str low?:str close?:str volume:str quoteVolume:str "
        "trades:str"
    ),
    "MarkPrice": (
        "fundingRate?:dec indexPrice?:dec markPrice:dec nextFundingTimestamp?:i64 symbol:str"
    ),
    "OpenInterest": "symbol:str openInterest?:dec timestamp:i64",
    "FundingIntervalRate": "symbol:str intervalEndTimestamp:ndt fundingRate:dec",
    "Trade": ("id?:i64 price:dec quantity:dec quoteQuantity:dec timestamp:i64 isBuyerMaker:bool"),
    "Order": (
        "id:str createdAt:ndt executedQuantity?:dec executedQuoteQuantity?:dec "
        "expiryReason?:OrderExpiryReason orderType:OrderTypeEnum postOnly?:bool price?:dec "
        "quantity?:dec quoteQuantity?:dec selfTradePrevention:SelfTradePrevention "
        "status:OrderStatus side:Side symbol:str timeInForce:TimeInForce clientId?:u32 "
        "systemOrderType?:SystemOrderType"
    ),
    "OrderFill": (
        "clientId?:str fee:dec feeSymbol:str isMaker:bool orderId:str price:dec quantity:dec "
        "side:Side symbol:str systemOrderType?:SystemOrderType timestamp:ndt tradeId?:i64"
    ),
    "FuturePositionWithMargin": (
        "breakEvenPrice:dec entryPrice:dec estLiquidationPrice:dec imf:dec "
        "imfFunction:PositionImfFunction markPrice:dec mmf:dec "
        "mmfFunction:PositionImfFunction netCost:dec netQuantity:dec netExposureQuantity:dec "
        "netExposureNotional:dec pnlRealized:dec pnlUnrealized:dec "
        "cumulativeFundingPayment:dec subaccountId?:u16 symbol:str userId:i32 positionId:str "
        "cumulativeInterest:dec"
    ),
    "PositionHistoryRow": (
        "id:str symbol:str netQuantity:dec netExposureQuantity:dec netExposureNotional:dec "
        "netCost:dec markPrice:dec entryPrice:dec cumulativePnlRealized:dec unrealizedPnl:dec "
        "fundingQuantity:dec interest:dec liquidated:dec imf:dec fees:dec state:PositionState "
        "closedVolume:dec liquidationFees:dec closingPrice?:dec accountLeverage?:dec "
        "openedAt?:ndt closedAt?:ndt"
    ),
    "FundingPayment": (
        "userId:i32 subaccountId?:u16 symbol:str quantity:dec intervalEndTimestamp:ndt "
        "fundingRate:dec"
    ),
    "StatusAndMessage": "status:Status message?:str",
    "WalletResponse": "blockchain:str address:str",
    "ApiErrorResponse": "code:ApiErrorCode message:str",
    "OrderType": (
        "id:str clientId?:u32 createdAt:i64 executedQuantity:dec executedQuoteQuantity:dec "
        "orderType:OrderTypeEnum postOnly?:bool price?:dec quantity?:dec quoteQuantity?:dec "
        "reduceOnly?:bool selfTradePrevention:SelfTradePrevention side:Side status:OrderStatus "
        "symbol:str timeInForce:TimeInForce"
    ),
    "BatchCommandOrderResult": (
        "operation:str code?:ApiErrorCode message?:str id?:str clientId?:u32 createdAt?:i64 "
        "executedQuantity?:dec executedQuoteQuantity?:dec orderType?:OrderTypeEnum postOnly?:bool "
        "price?:dec quantity?:dec quoteQuantity?:dec reduceOnly?:bool "
        "selfTradePrevention?:SelfTradePrevention side?:Side status?:OrderStatus symbol?:str "
        "timeInForce?:TimeInForce"
    ),
    "OrderBookFilters": "price:PriceFilter quantity:QuantityFilter",
    "PositionImfFunction": "type:str base:dec factor:dec",
    "CollateralFunction": "weight:dec kind:object",
    "Bound": "quantity:dec limit:LimitName code?:ApiErrorCode message?:str",
    "Limits": (
        "symbol:Asset lend:Bound redeem:Bound borrow:Bound repay:Bound withdraw:Bound "
        "utilization:dec utilizationBound:dec throttleThreshold:dec maxUtilization:dec "
        "poolCash:dec redeemable:dec gated:bool stalePrice:bool markPrice:dec"
    ),
    "OrderLimit": (
        "symbol:str side:Side quantity:dec limit:LimitName code?:ApiErrorCode message?:str"
    ),
    "AdlForecast": (
        "symbol:Asset candidate:bool liquidatedBelow?:dec liquidatedAbove?:dec distance?:dec "
        "marginRatio?:dec leverage?:dec rank?:u64 candidates?:u64 settled?:dec share?:dec "
        "settledValue?:dec cashLeft?:dec"
    ),
    "PoolSolvency": (
        "symbol:Asset claims:dec cash:dec borrowed:dec fees:dec deficit:dec covered:bool"
    ),
    "Solvency": (
        "pools:[PoolSolvency] liquidating:u64 stateHash:str records:u64 journalDigest:str"
    ),
    "Security": "symbol:str",
    "MarketSession": "symbol:str",
}

ENUMS = {
    "ApiErrorCode": (
        "ACCOUNT_DEACTIVATED ACCOUNT_LIQUIDATING BORROW_LIMIT BORROW_REQUIRES_LEND_REDEEM "
        "FORBIDDEN INSUFFICIENT_FUNDS INSUFFICIENT_MARGIN INSUFFICIENT_SUPPLY "
        "INVALID_ASSET INVALID_CLIENT_REQUEST INVALID_MARKET INVALID_ORDER INVALID_PRICE "
        "INVALID_POSITION_ID INVALID_QUANTITY INVALID_RANGE INVALID_SIGNATURE "
        "INVALID_SOURCE INVALID_SYMBOL INVALID_TWO_FACTOR_CODE LEND_LIMIT "
        "LEND_REQUIRES_BORROW_REPAY MAINTENANCE MAX_LEVERAGE_REACHED NOT_IMPLEMENTED "
        "ORDER_LIMIT POSITION_LIMIT PRECONDITION_FAILED RESOURCE_NOT_FOUND SERVER_ERROR "
        "TIMEOUT TOO_EARLY TOO_MANY_REQUESTS TRADING_PAUSED UNAUTHORIZED"
    ),
    "BorrowLendBookState": "Open Closed RepayOnly",
    "BorrowLendEventType": "Borrow BorrowRepay Lend LendRedeem",
    "BorrowLendSide": "Borrow Lend",
    "BorrowLendPositionState": "Open Closed",
    "BorrowLendSource": (
        "AdlProvider AutoBorrowRepay AutoLend BackstopProvider DustConversion Interest "
        "Liquidation LiquidationAdl LiquidationBackstop Manual Reconciliation Rfq "
        "SpotMargin Withdrawal"
    ),
    "BorrowLendMarketHistoryInterval": "1d 1w 1month 1year",
    "CancelOrderTypeEnum": "RestingLimitOrder ConditionalOrder",
    "DepositStatus": (
        "cancelled confirmed declined expired initiated ownershipVerificationRequired "
        "pending refunded senderVerificationCompleted senderVerificationRequired"
    ),
    "WithdrawalStatus": (
        "confirmed ownershipVerificationRequired pending recipientInformationProvided "
        "recipientInformationRequired"
    ),
    "DepthLimit": "5 10 20 50 100 500 1000",
    "FillType": (
        "User BookLiquidation Adl Backstop Liquidation AllLiquidation "
        "CollateralConversion CollateralConversionAndSpotLiquidation"
    ),
    "InterestPaymentSource": "UnrealizedPnl BorrowLend",
    "KlineInterval": "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1month",
    "KlinePriceType": "Last Index Mark",
    "LimitName": (
        "AvailableBalance LentClaim OutstandingDebt PoolState OpenBorrowLendLimit PoolCash "
        "UtilizationBound MaxUtilization InsolvencyGate InitialMargin Leverage PriceBand "
        "StalePrice SupplyCap OrderCount BookLiquidity AccountLiquidating "
        "LendRequiresBorrowRepay BorrowRequiresLendRedeem InvalidQuantity InvalidPrice "
        "InvalidOrder"
    ),
    "MarketType": "SPOT PERP IPERP DATED PREDICTION RFQ",
    "OrderBookState": "Open Closed CancelOnly LimitOnly PostOnly",
    "OrderExpiryReason": (
        "AccountTradingSuspended BorrowRequiresLendRedeem FillOrKill "
        "InsufficientBorrowableQuantity InsufficientFunds InsufficientLiquidity "
        "InvalidPrice InvalidQuantity ImmediateOrCancel InsufficientMargin Liquidation "
        "NegativeEquity PostOnlyMode PostOnlyTaker PriceOutOfBounds ReduceOnlyNotReduced "
        "SelfTradePrevention StopWithoutPosition PriceImpact Unknown UserPermissions "
        "MaxStopOrdersPerPosition PositionLimit SlippageToleranceExceeded"
    ),
    "OrderStatus": "Cancelled Expired Filled New PartiallyFilled TriggerPending TriggerFailed",
    "OrderTypeEnum": "Market Limit",
    "PaymentType": "EntryFee Borrow Lend UnrealizedPositivePnl UnrealizedNegativePnl",
    "PositionState": "Open Closed",
    "SelfTradePrevention": "RejectTaker RejectMaker RejectBoth",
    "SettlementSource": (
        "TradingFees TradingFeesSystem FundingPayment CulledBorrowInterest "
        "CulledRealizePnlAuto CulledRealizePnlBookUtilisation "
        "CulledRealizePnlAccountThreshold CulledRealizePnlSystemThreshold RealizePnl "
        "BackstopProviderLiquidation BackstopAdlLiquidation BackstopLiquidityFundProceeds "
        "SystemLiabilityTransfer"
    ),
    "SettlementSourceFilter": (
        "BackstopLiquidation CulledBorrowInterest CulledRealizePnl "
        "CulledRealizePnlBookUtilization FundingPayment RealizePnl TradingFees "
        "TradingFeesSystem"
    ),
    "Side": "Bid Ask",
    "SlippageToleranceType": "TickSize Percent",
    "SortDirection": "Asc Desc",
    "Status": "Ok Maintenance",
    "SystemOrderType": (
        "CollateralConversion FutureExpiry LiquidatePositionOnAdl LiquidatePositionOnBook "
        "LiquidatePositionOnBackstop OrderBookClosed"
    ),
    "TickerInterval": "1d 1w",
    "TimeInForce": "GTC IOC FOK",
    "Blockchain": (
        "0G Aptos Arbitrum Avalanche Base Berachain Bitcoin BitcoinCash Bsc Cardano "
        "Dogecoin Eclipse EqualsMoney Ethereum Fogo HyperEVM Hyperliquid Linea Litecoin "
        "Monad Near Optimism Plasma Polygon Sei Sui Solana Stable Story Tron XRP Zcash"
    ),
}
"""Values of an enum, as words."""
