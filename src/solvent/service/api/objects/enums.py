"""Enums: the closed lists of words that objects carry, as the public API has them.

All published words are here, also those that this service never sends, so that a client's own list
fits. Those that only one request has are beside it.
"""

from enum import IntEnum, StrEnum


class Blockchain(StrEnum):
    """Names of chains; nothing here is on one."""

    ZERO_G = "0G"
    APTOS = "Aptos"
    ARBITRUM = "Arbitrum"
    AVALANCHE = "Avalanche"
    BASE = "Base"
    BERACHAIN = "Berachain"
    BITCOIN = "Bitcoin"
    BITCOIN_CASH = "BitcoinCash"
    BSC = "Bsc"
    CARDANO = "Cardano"
    DOGECOIN = "Dogecoin"
    ECLIPSE = "Eclipse"
    EQUALS_MONEY = "EqualsMoney"
    ETHEREUM = "Ethereum"
    FOGO = "Fogo"
    HYPER_EVM = "HyperEVM"
    HYPERLIQUID = "Hyperliquid"
    LINEA = "Linea"
    LITECOIN = "Litecoin"
    MONAD = "Monad"
    NEAR = "Near"
    OPTIMISM = "Optimism"
    PLASMA = "Plasma"
    POLYGON = "Polygon"
    SEI = "Sei"
    SUI = "Sui"
    SOLANA = "Solana"
    STABLE = "Stable"
    STORY = "Story"
    TRON = "Tron"
    XRP = "XRP"
    ZCASH = "Zcash"


class BorrowLendBookState(StrEnum):
    """What a pool takes: everything, nothing, or repayments and redemptions only."""

    OPEN = "Open"
    CLOSED = "Closed"
    REPAY_ONLY = "RepayOnly"


class BorrowLendEventType(StrEnum):
    """What a movement did to a claim or a debt."""

    BORROW = "Borrow"
    BORROW_REPAY = "BorrowRepay"
    LEND = "Lend"
    LEND_REDEEM = "LendRedeem"


class BorrowLendSide(StrEnum):
    """Borrow (or redeem) and Lend (or repay)."""

    BORROW = "Borrow"
    LEND = "Lend"


class BorrowLendPositionState(StrEnum):
    """Whether a claim or a debt still stands."""

    OPEN = "Open"
    CLOSED = "Closed"


class BorrowLendSource(StrEnum):
    """Why a claim or a debt moved."""

    ADL_PROVIDER = "AdlProvider"
    AUTO_BORROW_REPAY = "AutoBorrowRepay"
    AUTO_LEND = "AutoLend"
    BACKSTOP_PROVIDER = "BackstopProvider"
    DUST_CONVERSION = "DustConversion"
    INTEREST = "Interest"
    LIQUIDATION = "Liquidation"
    LIQUIDATION_ADL = "LiquidationAdl"
    LIQUIDATION_BACKSTOP = "LiquidationBackstop"
    MANUAL = "Manual"
    RECONCILIATION = "Reconciliation"
    RFQ = "Rfq"
    SPOT_MARGIN = "SpotMargin"
    WITHDRAWAL = "Withdrawal"


class BorrowLendMarketHistoryInterval(StrEnum):
    """How far a pool's history reaches."""

    DAY = "1d"
    WEEK = "1w"
    MONTH = "1month"
    YEAR = "1year"


class DepositStatus(StrEnum):
    """Where a deposit stands; here it is confirmed at once."""

    CANCELLED = "cancelled"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"
    INITIATED = "initiated"
    OWNERSHIP_VERIFICATION_REQUIRED = "ownershipVerificationRequired"
    PENDING = "pending"
    REFUNDED = "refunded"
    SENDER_VERIFICATION_COMPLETED = "senderVerificationCompleted"
    SENDER_VERIFICATION_REQUIRED = "senderVerificationRequired"


class WithdrawalStatus(StrEnum):
    """Where a withdrawal stands; here it is confirmed at once."""

    CONFIRMED = "confirmed"
    OWNERSHIP_VERIFICATION_REQUIRED = "ownershipVerificationRequired"
    PENDING = "pending"
    RECIPIENT_INFORMATION_PROVIDED = "recipientInformationProvided"
    RECIPIENT_INFORMATION_REQUIRED = "recipientInformationRequired"


class DepthLimit(IntEnum):
    """How many levels of a side may be asked for."""

    FIVE = 5
    TEN = 10
    TWENTY = 20
    FIFTY = 50
    HUNDRED = 100
    FIVE_HUNDRED = 500
    THOUSAND = 1000


class FillType(StrEnum):
    """Whose fills are asked for: the account's own orders' or those of a stage of liquidation."""

    USER = "User"
    BOOK_LIQUIDATION = "BookLiquidation"
    ADL = "Adl"
    BACKSTOP = "Backstop"
    LIQUIDATION = "Liquidation"
    ALL_LIQUIDATION = "AllLiquidation"
    COLLATERAL_CONVERSION = "CollateralConversion"
    COLLATERAL_CONVERSION_AND_SPOT_LIQUIDATION = "CollateralConversionAndSpotLiquidation"


class InterestPaymentSource(StrEnum):
    """What interest is paid for; only borrowing and lending here."""

    UNREALIZED_PNL = "UnrealizedPnl"
    BORROW_LEND = "BorrowLend"


class KlineInterval(StrEnum):
    """How long a candle lasts."""

    SECOND = "1s"
    MINUTE = "1m"
    MINUTES_3 = "3m"
    MINUTES_5 = "5m"
    MINUTES_15 = "15m"
    MINUTES_30 = "30m"
    HOUR = "1h"
    HOURS_2 = "2h"
    HOURS_4 = "4h"
    HOURS_6 = "6h"
    HOURS_8 = "8h"
    HOURS_12 = "12h"
    DAY = "1d"
    DAYS_3 = "3d"
    WEEK = "1w"
    MONTH = "1month"


class KlinePriceType(StrEnum):
    """Whose price a candle is made of: the last trade's, the index or the mark."""

    LAST = "Last"
    INDEX = "Index"
    MARK = "Mark"


class LimitName(StrEnum):
    """Which limit binds; where none of an amount does, the code of the refusal."""

    AVAILABLE_BALANCE = "AvailableBalance"
    LENT_CLAIM = "LentClaim"
    OUTSTANDING_DEBT = "OutstandingDebt"
    POOL_STATE = "PoolState"
    OPEN_BORROW_LEND_LIMIT = "OpenBorrowLendLimit"
    POOL_CASH = "PoolCash"
    UTILIZATION_BOUND = "UtilizationBound"
    MAX_UTILIZATION = "MaxUtilization"
    INSOLVENCY_GATE = "InsolvencyGate"
    INITIAL_MARGIN = "InitialMargin"
    LEVERAGE = "Leverage"
    PRICE_BAND = "PriceBand"
    STALE_PRICE = "StalePrice"
    SUPPLY_CAP = "SupplyCap"
    ORDER_COUNT = "OrderCount"
    ATOM_VALUE = "AtomValue"
    UNCERTAIN_LOSS = "UncertainLoss"
    BOOK_LIQUIDITY = "BookLiquidity"
    ACCOUNT_LIQUIDATING = "AccountLiquidating"
    LEND_REQUIRES_BORROW_REPAY = "LendRequiresBorrowRepay"
    BORROW_REQUIRES_LEND_REDEEM = "BorrowRequiresLendRedeem"
    INVALID_QUANTITY = "InvalidQuantity"
    INVALID_PRICE = "InvalidPrice"
    INVALID_ORDER = "InvalidOrder"


class MarketType(StrEnum):
    """Kinds of markets; here there are spot markets only."""

    SPOT = "SPOT"
    PERP = "PERP"
    IPERP = "IPERP"
    DATED = "DATED"
    PREDICTION = "PREDICTION"
    RFQ = "RFQ"


class OrderBookState(StrEnum):
    """What a book takes; here it is always open."""

    OPEN = "Open"
    CLOSED = "Closed"
    CANCEL_ONLY = "CancelOnly"
    LIMIT_ONLY = "LimitOnly"
    POST_ONLY = "PostOnly"


class OrderExpiryReason(StrEnum):
    """Why an order ended without its owner asking."""

    ACCOUNT_TRADING_SUSPENDED = "AccountTradingSuspended"
    BORROW_REQUIRES_LEND_REDEEM = "BorrowRequiresLendRedeem"
    FILL_OR_KILL = "FillOrKill"
    INSUFFICIENT_BORROWABLE_QUANTITY = "InsufficientBorrowableQuantity"
    INSUFFICIENT_FUNDS = "InsufficientFunds"
    INSUFFICIENT_LIQUIDITY = "InsufficientLiquidity"
    INVALID_PRICE = "InvalidPrice"
    INVALID_QUANTITY = "InvalidQuantity"
    IMMEDIATE_OR_CANCEL = "ImmediateOrCancel"
    INSUFFICIENT_MARGIN = "InsufficientMargin"
    LIQUIDATION = "Liquidation"
    NEGATIVE_EQUITY = "NegativeEquity"
    POST_ONLY_MODE = "PostOnlyMode"
    POST_ONLY_TAKER = "PostOnlyTaker"
    PRICE_OUT_OF_BOUNDS = "PriceOutOfBounds"
    REDUCE_ONLY_NOT_REDUCED = "ReduceOnlyNotReduced"
    SELF_TRADE_PREVENTION = "SelfTradePrevention"
    STOP_WITHOUT_POSITION = "StopWithoutPosition"
    PRICE_IMPACT = "PriceImpact"
    UNKNOWN = "Unknown"
    USER_PERMISSIONS = "UserPermissions"
    MAX_STOP_ORDERS_PER_POSITION = "MaxStopOrdersPerPosition"
    POSITION_LIMIT = "PositionLimit"
    SLIPPAGE_TOLERANCE_EXCEEDED = "SlippageToleranceExceeded"


class OrderStatus(StrEnum):
    """Where an order stands."""

    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    FILLED = "Filled"
    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    TRIGGER_PENDING = "TriggerPending"
    TRIGGER_FAILED = "TriggerFailed"


class OrderTypeEnum(StrEnum):
    """Market or limit."""

    MARKET = "Market"
    LIMIT = "Limit"


class PaymentType(StrEnum):
    """What an interest payment is for."""

    ENTRY_FEE = "EntryFee"
    BORROW = "Borrow"
    LEND = "Lend"
    UNREALIZED_POSITIVE_PNL = "UnrealizedPositivePnl"
    UNREALIZED_NEGATIVE_PNL = "UnrealizedNegativePnl"


class PositionState(StrEnum):
    """Whether a position still stands."""

    OPEN = "Open"
    CLOSED = "Closed"


class SelfTradePrevention(StrEnum):
    """Which order ends when two of one account would trade with each other."""

    REJECT_TAKER = "RejectTaker"
    REJECT_MAKER = "RejectMaker"
    REJECT_BOTH = "RejectBoth"


class SettlementSource(StrEnum):
    """What a settlement is for."""

    TRADING_FEES = "TradingFees"
    TRADING_FEES_SYSTEM = "TradingFeesSystem"
    FUNDING_PAYMENT = "FundingPayment"
    CULLED_BORROW_INTEREST = "CulledBorrowInterest"
    CULLED_REALIZE_PNL_AUTO = "CulledRealizePnlAuto"
    CULLED_REALIZE_PNL_BOOK_UTILISATION = "CulledRealizePnlBookUtilisation"
    CULLED_REALIZE_PNL_ACCOUNT_THRESHOLD = "CulledRealizePnlAccountThreshold"
    CULLED_REALIZE_PNL_SYSTEM_THRESHOLD = "CulledRealizePnlSystemThreshold"
    REALIZE_PNL = "RealizePnl"
    BACKSTOP_PROVIDER_LIQUIDATION = "BackstopProviderLiquidation"
    BACKSTOP_ADL_LIQUIDATION = "BackstopAdlLiquidation"
    BACKSTOP_LIQUIDITY_FUND_PROCEEDS = "BackstopLiquidityFundProceeds"
    SYSTEM_LIABILITY_TRANSFER = "SystemLiabilityTransfer"


class SettlementSourceFilter(StrEnum):
    """Which settlements are asked for."""

    BACKSTOP_LIQUIDATION = "BackstopLiquidation"
    CULLED_BORROW_INTEREST = "CulledBorrowInterest"
    CULLED_REALIZE_PNL = "CulledRealizePnl"
    CULLED_REALIZE_PNL_BOOK_UTILIZATION = "CulledRealizePnlBookUtilization"
    FUNDING_PAYMENT = "FundingPayment"
    REALIZE_PNL = "RealizePnl"
    TRADING_FEES = "TradingFees"
    TRADING_FEES_SYSTEM = "TradingFeesSystem"


class Side(StrEnum):
    """Bid buys, Ask sells."""

    BID = "Bid"
    ASK = "Ask"


class SortDirection(StrEnum):
    """Oldest or newest first."""

    ASC = "Asc"
    DESC = "Desc"


class Status(StrEnum):
    """Whether the service carries out requests."""

    OK = "Ok"
    MAINTENANCE = "Maintenance"


class SystemOrderType(StrEnum):
    """Which stage of liquidation sent an order."""

    COLLATERAL_CONVERSION = "CollateralConversion"
    FUTURE_EXPIRY = "FutureExpiry"
    LIQUIDATE_POSITION_ON_ADL = "LiquidatePositionOnAdl"
    LIQUIDATE_POSITION_ON_BOOK = "LiquidatePositionOnBook"
    LIQUIDATE_POSITION_ON_BACKSTOP = "LiquidatePositionOnBackstop"
    ORDER_BOOK_CLOSED = "OrderBookClosed"


class TickerInterval(StrEnum):
    """How far back a ticker looks."""

    DAY = "1d"
    WEEK = "1w"


class TriggerBy(StrEnum):
    """Which price a conditional order waits for."""

    MARK_PRICE = "MarkPrice"
    LAST_PRICE = "LastPrice"
    INDEX_PRICE = "IndexPrice"


class TimeInForce(StrEnum):
    """How long an order may rest: until cancelled, not at all, or all of it now or nothing."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
