"""Layout: where everything is. Names of columns and of the numbers in their rows.

    globals     one row: clock, counters, counts
    rules       one row: waterfall and engine parameters
    assets      a row an asset: its parameters
    pools       a row an asset: cash, shares, indices, throttle, and the world outside
    prices      a row an asset: index, premium, mark, staleness
    quotes      MAX_SOURCES rows an asset
    accounts    a row an account: role, settings, its orders
    positions   a row an account and asset, two of them in a cache line
    pledges     a row an account and asset: what it has promised, which most never do
    orders      a row a slot: an order that rests, or a free slot
    order_index a table from order ids to slots
    books       two rows an asset, bids then asks: how many levels the side has
    levels      LEVEL_CAPACITY rows a side: its prices from worst to best, each with its orders
    liquidating account ids in the waterfall
    providers   account ids of backstop providers, ascending

The order of numbers inside a row is ours; snapshots have their own order (`snapshot`).
"""

from solvent.domain import commands as c
from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.codec.events import EVENT_KINDS
from solvent.domain.parameters import MAX_CURVE_POINTS, MAX_SOURCES

# globals
NOW = 0
STEPS = 1
NEXT_ORDER = 2
NEXT_TRADE = 3
NEXT_FILL = 4
NEXT_ROUND = 5
ASSETS = 6
"""How many assets there are."""
ACCOUNTS = 7
"""How many accounts there are."""
ORDERS = 8
"""How many orders rest."""
LIQUIDATING_COUNT = 9
SCRATCH_TOP = 10
"""How much of `scratch` is taken."""
LARGEST = 11
"""The largest amount that would have passed, of the refusal being made."""
ORDER_SLOTS = 12
"""Slots of `orders` ever used; those below it that are free form a list."""
FREE_ORDER = 13
"""First free slot of `orders`, or NONE."""
ORDER_INDEX_SIZE = 14
"""Places of the table from order ids to slots, a power of two."""
LEVEL_CAPACITY = 15
"""Rows of `levels` that each side of a market has."""
ORDER_CAPACITY = 16
ACCOUNT_CAPACITY = 17
SCRATCH_CAPACITY = 18
BATCH_NEXT = 19
"""The next command of the batch to apply."""
EVENT_LIMIT = 20
"""A batch stops after the command that took the events past this many numbers."""
PROVIDER_COUNT = 21
WALKS = 22
"""How many walks through a book counted only makers that surely fill."""
GLOBALS_WIDTH = 64

NONE = -1
"""No slot, no account, no price."""

# rules
TARGET_BUFFER = 0
BOOK_FRACTION = 1
BOOK_PROBABILITY = 2
BOOK_FEE = 3
BOOK_LIMIT = 4
AUTO_CLOSE_DIVISOR = 5
AUTO_CLOSE_OFFSET = 6
MAX_DISCOUNT = 7
FUND_SHARE = 8
STALE_DOUBT = 9
LENDER_POLICY = 10
DEFAULT_POLICY = 11
MAKER_FEE = 12
TAKER_FEE = 13
MAX_LEVERAGE = 14
MAX_ORDERS = 15
SEED = 16
RULES_WIDTH = 32

# assets
DECIMALS = 0
VALUE_DIVISOR = 1
"""quantity * price / VALUE_DIVISOR = value in 10^-6 USDC."""
FINE_FACTOR = 2
FINE_DIVISOR = 3
"""quantity * price * FINE_FACTOR / FINE_DIVISOR = value in 10^-12 USDC; one of the two is 1."""
UNIT = 4
"""Atoms of one whole token: 10^decimals."""
WEIGHT = 5
HAIRCUT_KIND = 6
HAIRCUT_BASE = 7
HAIRCUT_PENALTY = 8
SIZE_BY = 9
INITIAL_BASE = 10
INITIAL_FACTOR = 11
MAINTENANCE_BASE = 12
MAINTENANCE_FACTOR = 13
POOL_FEE = 14
OPTIMAL_UTILIZATION = 15
MAX_UTILIZATION = 16
THROTTLE_THRESHOLD = 17
THROTTLE_UPDATE_FRACTION = 18
OPEN_BORROW_LEND_LIMIT = 19
POOL_STATE = 20
TICK = 21
LOT = 22
MIN_QUANTITY = 23
MIN_MULTIPLIER = 24
MAX_MULTIPLIER = 25
MIN_IMPACT_MULTIPLIER = 26
MAX_IMPACT_MULTIPLIER = 27
SOURCE_CLAMP = 28
MARK_BAND = 29
EWMA_TIME = 30
MAX_MOVE = 31
MAX_AGE = 32
SOURCES = 33
SOURCE_WEIGHTS = 34
CURVE_POINTS = SOURCE_WEIGHTS + MAX_SOURCES
"""How many points the curve has; they follow as pairs of utilization and rate."""
CURVE = CURVE_POINTS + 1
ASSET_WIDTH = CURVE + 2 * MAX_CURVE_POINTS

# pools
CASH = 0
LEND_SHARES = 1
DEBT_SHARES = 2
LEND_INDEX = 3
DEBT_INDEX = 4
FEES = 5
RESIDUE = 6
BOUND = 7
DEFICIT = 8
OUTSIDE = 9
"""Tokens in the world outside: the negative of all that came in."""
POOL_WIDTH = 16

# prices
INDEX = 0
PREMIUM = 1
MARK = 2
UPDATED = 3
HALTED = 4
STALE = 5
PRICE_WIDTH = 8

# quotes
QUOTE_BID = 0
QUOTE_ASK = 1
QUOTE_LAST = 2
QUOTE_TIME = 3
QUOTE_WIDTH = 4
QUOTES_PER_ASSET = MAX_SOURCES * QUOTE_WIDTH

# accounts
ROLE = 0
LEVERAGE_LIMIT = 1
AUTO_LEND = 2
AUTO_REPAY_BORROWS = 3
AUTO_BORROW_SETTLEMENTS = 4
IS_LIQUIDATING = 5
DEBTS = 6
"""Assets in which the account has debt shares, as bits."""
HELD = 7
"""Assets that the account may hold or owe, as bits; a bit may be set for one it no longer has."""
UNFUNDEDS = 8
"""Assets in which open orders would borrow, as bits."""
FIRST_ORDER = 9
"""Slot of the account's oldest resting order, or NONE."""
LAST_ORDER = 10
ORDER_COUNT = 11
LAST_WALK = 12
"""Number of the last such walk that counted an order of the account."""
ACCOUNT_WIDTH = 16

# positions
AVAILABLE = 0
LOCKED = 1
LENT = 2
"""Claim shares."""
DEBT = 3
"""Debt shares."""
POSITION_WIDTH = 4

# pledges
UNFUNDED = 0
"""Atoms that open orders would borrow."""
COMMITTED = 1
"""Atoms of debts that a backstop provider offers to take over."""
PLEDGE_WIDTH = 2

# orders; the first 13 are a snapshot's row
ORDER_ID = 0
ORDER_ACCOUNT = 1
ORDER_ASSET = 2
ORDER_SIDE = 3
ORDER_PRICE = 4
ORDER_QUANTITY = 5
ORDER_LOCKED = 6
ORDER_UNFUNDED = 7
REDUCE_ONLY = 8
AUTO_BORROW = 9
AUTO_BORROW_REPAY = 10
SELF_TRADE_PREVENTION = 11
CLIENT_ID = 12
ORDER_ROW = 13
ORDER_NEXT = 13
"""Slot of the next order at the same price, or of the next free slot."""
ORDER_PREVIOUS = 14
ACCOUNT_NEXT = 15
"""Slot of the account's next younger order."""
ACCOUNT_PREVIOUS = 16
ORDER_WIDTH = 20

# books and levels
LEVEL_COUNT = 0
BOOK_WIDTH = 4
LEVEL_PRICE = 0
LEVEL_FIRST = 1
"""Slot of the oldest order at this price."""
LEVEL_LAST = 2
LEVEL_WIDTH = 4

# order_index: pairs of an order id (0: free) and its slot, by open addressing with linear probing
ENTRY_ORDER = 0
ENTRY_SLOT = 1
ENTRY_WIDTH = 2
INDEX_BLOCK = 4
"""As many ids that follow each other lie side by side, in one cache line."""
INDEX_FACTOR = 0x9E3779B97F4A7C15 - 2**64
"""2^64 over the golden ratio: blocks that follow each other land far apart."""

# attempts: a row for each account that a time step takes through the waterfall, by account id
ATTEMPT_ACCOUNT = 0
ATTEMPT_BOOK_REASON = 1
"""Why the book handed the account over, or NO_REASON."""
ATTEMPT_BACKSTOP_REASON = 2
"""Why the backstop handed the account over, or NO_REASON."""
ATTEMPT_STUCK = 3
"""Whether a redemption of the account's claims found too little cash."""
ATTEMPT_ACTED = 4
ATTEMPT_TRIED = 5
ATTEMPT_POSTPONED = 6
ATTEMPT_IS_STUCK_LENDER = 7
"""Whether the account takes part in the rounds of ADL case L."""
ATTEMPT_DEFAULTED = 8
"""Whether the account takes part in the rounds of ADL case B."""
ATTEMPT_WIDTH = 10
NO_REASON = 0

# commands: a kind and its fields
COMMAND_WIDTH = 16
COMMAND_KIND = 0

# a screen of `scan`: one row an asset
SCREEN_WIDTH = 16


def kind_of(command: type[c.Command]) -> int:
    """Number of a command's kind."""
    return c.COMMAND_KINDS.index(command)


def field_of(command: type[c.Command], name: str) -> int:
    """Place of a field in a command's row."""
    return 1 + c.command_fields(command).index(name)


BID = 0
ASK = 1
FUND = 0
TREASURY = 1


def _kind(event: type[e.Event]) -> int:
    return EVENT_KINDS.index(event)


REFUSED = _kind(e.Refused)
ACCOUNT_OPENED = _kind(e.AccountOpened)
DEPOSITED = _kind(e.Deposited)
WITHDRAWN = _kind(e.Withdrawn)
LENT_EVENT = _kind(e.Lent)
REDEEMED = _kind(e.Redeemed)
CLAIM_VOIDED = _kind(e.ClaimVoided)
BORROWED = _kind(e.Borrowed)
REPAID = _kind(e.Repaid)
NETTED = _kind(e.Netted)
ORDER_ACCEPTED = _kind(e.OrderAccepted)
ORDER_RESTED = _kind(e.OrderRested)
ORDER_CANCELLED = _kind(e.OrderCancelled)
ORDER_EXPIRED = _kind(e.OrderExpired)
FILLED = _kind(e.Filled)
SETTINGS_UPDATED = _kind(e.SettingsUpdated)
DUST_CONVERTED = _kind(e.DustConverted)
BACKSTOP_COMMITTED = _kind(e.BackstopCommitted)
INDEX_UPDATED = _kind(e.IndexUpdated)
MARK_UPDATED = _kind(e.MarkUpdated)
PRICE_STALENESS = _kind(e.PriceStaleness)
INTEREST_CHARGED = _kind(e.InterestCharged)
THROTTLE_MOVED = _kind(e.ThrottleMoved)
PARAMETER_CHANGED = _kind(e.ParameterChanged)
FEES_COLLECTED = _kind(e.FeesCollected)
STEPPED = _kind(e.Stepped)
LIQUIDATION_STARTED = _kind(w.LiquidationStarted)
LIQUIDATION_ENDED = _kind(w.LiquidationEnded)
HANDED_OVER = _kind(w.HandedOver)
POOL_RECORDED = _kind(w.PoolRecorded)
PARTY_BALANCE = _kind(w.PartyBalance)
PARTY_HEALTH = _kind(w.PartyHealth)
BACKSTOP_OFFERED = _kind(w.BackstopOffered)
BACKSTOP_CANDIDATE = _kind(w.BackstopCandidate)
BACKSTOP_FILLED = _kind(w.BackstopFilled)
BACKSTOP_LEG = _kind(w.BackstopLeg)
ADL_OPENED = _kind(w.AdlOpened)
ADL_STUCK = _kind(w.AdlStuck)
ADL_CANDIDATE = _kind(w.AdlCandidate)
ADL_MATCHED = _kind(w.AdlMatched)
ADL_LEG = _kind(w.AdlLeg)
DEFICIT_BOOKED = _kind(w.DeficitBooked)
