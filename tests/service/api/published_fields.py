"""The fields of the published API's answers; one with a question mark may be null.

`OrderType` is LimitOrder and MarketOrder in one: what either of them lacks may be null.
"""

TABLE = """
AccountSummary: autoBorrowSettlements autoLend autoRealizePnl autoRepayBorrows borrowLimit
  futuresMakerFee futuresTakerFee leverageLimit limitOrders liquidating positionLimit
  spotMakerFee spotTakerFee triggerOrders
ApiErrorResponse: code message
ApyRates: borrowLend staking
Balance: available locked staked
BorrowLendApyRate: symbol borrowRate lendRate
BorrowLendHistory: borrowInterestRate borrowedQuantity lendInterestRate lentQuantity timestamp
  utilization
BorrowLendMarket: state assetMarkPrice borrowInterestRate borrowedQuantity fee lendInterestRate
  lentQuantity maxUtilization openBorrowLendLimit optimalUtilization symbol timestamp
  throttleUtilizationThreshold throttleUtilizationBound throttleUpdateFraction utilization
  stepSize
BorrowLendMovement: eventType positionId positionQuantity? quantity source symbol timestamp
  spotMarginOrderId?
BorrowLendPositionRow: positionId quantity symbol source cumulativeInterest avgInterestRate side
  createdAt
BorrowLendPositionWithMargin: cumulativeInterest id imf imfFunction netQuantity markPrice mmf
  mmfFunction netExposureQuantity netExposureNotional symbol estLiquidationPrice
Collateral: symbol assetMarkPrice totalQuantity balanceNotional collateralWeight collateralValue
  openOrderQuantity lendQuantity availableQuantity
CollateralSummary: symbol imfFunction mmfFunction haircutFunction
Deposit: id toAddress? fromAddress? source status transactionHash? symbol quantity createdAt
  fiatAmount? fiatCurrency? institutionBic? platformMemo?
DepositAddress: address
Depth: asks bids lastUpdateId timestamp
DustConversion: id quantity symbol usdcReceived timestamp
FundingIntervalRate: symbol intervalEndTimestamp fundingRate
FundingPayment: userId subaccountId? symbol quantity intervalEndTimestamp fundingRate
FuturePositionWithMargin: breakEvenPrice entryPrice estLiquidationPrice imf imfFunction
  markPrice mmf mmfFunction netCost netQuantity netExposureQuantity netExposureNotional
  pnlRealized pnlUnrealized cumulativeFundingPayment subaccountId? symbol userId positionId
  cumulativeInterest
InterestPayment: paymentType interestRate interval marketSymbol positionId quantity symbol
  timestamp
Kline: start end open? high? low? close? volume quoteVolume trades
MarginAccountSummary: assetsValue borrowLiability collateral imf unsettledEquity
  liabilitiesValue marginFraction? mmf netEquity netEquityAvailable netEquityLocked
  netExposureFutures pnlUnrealized
MarkPrice: fundingRate? indexPrice? markPrice nextFundingTimestamp? symbol
Market: symbol baseSymbol quoteSymbol marketType filters imfFunction? mmfFunction?
  fundingInterval? fundingRateUpperBound? fundingRateLowerBound? openInterestLimit?
  orderBookState createdAt visible positionLimitWeight?
MarketAsset: symbol displayName coingeckoId? tokens
MaxBorrowQuantity: maxBorrowQuantity symbol
MaxOrderQuantity: autoBorrow? autoBorrowRepay? autoLendRedeem? maxOrderQuantity price? side
  symbol reduceOnly?
MaxWithdrawalQuantity: autoBorrow? autoLendRedeem? maxWithdrawalQuantity symbol
OpenInterest: symbol openInterest? timestamp
Order: id createdAt executedQuantity? executedQuoteQuantity? expiryReason? orderType postOnly?
  price? quantity? quoteQuantity? selfTradePrevention status side stopLossTriggerPrice?
  stopLossLimitPrice? stopLossTriggerBy? symbol takeProfitTriggerPrice? takeProfitLimitPrice?
  takeProfitTriggerBy? timeInForce triggerBy? triggerPrice? triggerQuantity? clientId?
  systemOrderType? strategyId? slippageTolerance? slippageToleranceType?
OrderFill: clientId? fee feeSymbol isMaker orderId price quantity side symbol systemOrderType?
  timestamp tradeId?
OrderType: orderType id clientId? createdAt executedQuantity executedQuoteQuantity quantity?
  quoteQuantity? reduceOnly? timeInForce selfTradePrevention side status stopLossTriggerPrice?
  stopLossLimitPrice? stopLossTriggerBy? symbol takeProfitTriggerPrice? takeProfitLimitPrice?
  takeProfitTriggerBy? triggerBy? triggerPrice? triggerQuantity? triggeredAt? relatedOrderId?
  strategyId? slippageTolerance? slippageToleranceType? postOnly? price?
PositionEstimatedLiquidationPrice: liquidationPrice markPrice
PositionHistoryRow: id symbol netQuantity netExposureQuantity netExposureNotional netCost
  markPrice entryPrice cumulativePnlRealized unrealizedPnl fundingQuantity interest liquidated
  imf fees state closedVolume liquidationFees closingPrice? accountLeverage? openedAt? closedAt?
PriceFilter: minPrice maxPrice? tickSize maxMultiplier? minMultiplier? maxImpactMultiplier?
  minImpactMultiplier? meanMarkPriceBand? meanPremiumBand? borrowEntryFeeMaxMultiplier?
  borrowEntryFeeMinMultiplier? maxPriceUpdateMultiplier? minPriceUpdateMultiplier?
QuantityFilter: minQuantity maxQuantity? stepSize
Settlement: quantity source subaccountId? timestamp userId positionId? engineSequence?
StatusAndMessage: status message?
Ticker: symbol firstPrice lastPrice priceChange priceChangePercent high low volume quoteVolume
  trades
Token: displayName blockchain contractAddress? depositEnabled minimumDeposit withdrawEnabled
  minimumWithdrawal maximumWithdrawal? withdrawalFee nativeDecimals?
Trade: id? price quantity quoteQuantity timestamp isBuyerMaker
WalletResponse: blockchain address
Withdrawal: id blockchain clientId? identifier? quantity fee fiatFee? fiatState? fiatSymbol?
  providerId? symbol status subaccountId? toAddress transactionHash? createdAt isInternal
  bankName? bankIdentifier? accountIdentifier? triggerAt?
WithdrawalDelay: currentWithdrawalDelayHours? pendingWithdrawalDelayHours?
  pendingWithdrawalDelayHoursEnabledAt?
"""


def _fields() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in TABLE.replace("\n  ", " ").strip().splitlines():
        name, _, words = row.partition(": ")
        found[name] = frozenset(words.split())
    return found


FIELDS = _fields()
