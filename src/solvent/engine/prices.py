"""Prices in kernels: from sources' quotes to an index, from the index and the book to a mark.

As in `reference.prices`: the index is the weighted mean of fresh sources, each clamped to their
median; the mark is the index plus a moving average of the book's premium, within a band.
"""

from solvent.domain.parameters import MAX_SOURCES, USDC
from solvent.domain.units import RATIO
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import asset_row
from solvent.engine.memory.layout import (
    ASK,
    ASSETS,
    BID,
    EWMA_TIME,
    HALTED,
    INDEX,
    INDEX_UPDATED,
    MARK,
    MARK_BAND,
    MARK_UPDATED,
    MAX_AGE,
    MAX_MOVE,
    NONE,
    NOW,
    PREMIUM,
    PRICE_STALENESS,
    PRICE_WIDTH,
    QUOTE_ASK,
    QUOTE_BID,
    QUOTE_LAST,
    QUOTE_TIME,
    QUOTE_WIDTH,
    QUOTES_PER_ASSET,
    SCRATCH_TOP,
    SOURCE_CLAMP,
    SOURCE_WEIGHTS,
    SOURCES,
    STALE,
    UPDATED,
)
from solvent.engine.memory.scratch import take
from solvent.engine.orderbook.book import best_price
from solvent.engine.units import divide_up
from solvent.kernels.language import Memory, Store, Wide, emit, kernel, narrow, wide


@kernel
def price_row(s: Store, asset: int) -> Memory:
    """Index, premium, mark and staleness of `asset`."""
    return s.prices.at(asset * PRICE_WIDTH)


@kernel
def quote_row(s: Store, asset: int, source: int) -> Memory:
    """What a source last said of `asset`."""
    return s.quotes.at(asset * QUOTES_PER_ASSET + source * QUOTE_WIDTH)


@kernel
def record_quote(s: Store, asset: int, source: int, bid: int, ask: int, last: int) -> None:
    """Take one source's quote and make the index and the mark anew."""
    quote = quote_row(s, asset, source)
    quote[QUOTE_BID] = bid
    quote[QUOTE_ASK] = ask
    quote[QUOTE_LAST] = last
    quote[QUOTE_TIME] = s.globals[NOW]
    price = price_row(s, asset)
    row = asset_row(s, asset)
    index = index_price(s, asset)
    if row[MAX_MOVE] and price[INDEX]:
        index = narrow(clamp_around(index, price[INDEX], row[MAX_MOVE]))
    price[INDEX] = index
    price[UPDATED] = s.globals[NOW]
    price[MARK] = mark_price(row, price)
    emit(s, INDEX_UPDATED, asset, price[INDEX], price[MARK])
    refresh_staleness(s, asset)


@kernel
def index_price(s: Store, asset: int) -> int:
    """Weighted mean of the fresh sources' prices, each clamped to their median; rounded down."""
    row = asset_row(s, asset)
    top = s.globals[SCRATCH_TOP]
    fresh = take(s, MAX_SOURCES)
    count = 0
    for source in range(row[SOURCES]):
        if _is_fresh(s, row, quote_row(s, asset, source)):
            fresh[count] = source_price(quote_row(s, asset, source))
            count += 1
    middle = median(s, fresh, count)
    total = wide(0)
    weights = 0
    for source in range(row[SOURCES]):
        quote = quote_row(s, asset, source)
        if _is_fresh(s, row, quote):
            weight = row[SOURCE_WEIGHTS + source]
            total += clamp_around(source_price(quote), middle, row[SOURCE_CLAMP]) * weight
            weights += weight
    s.globals[SCRATCH_TOP] = top
    return max(1, narrow(total // weights))


@kernel
def _is_fresh(s: Store, asset: Memory, quote: Memory) -> bool:
    return quote[QUOTE_TIME] >= 0 and s.globals[NOW] - quote[QUOTE_TIME] <= asset[MAX_AGE]


@kernel
def source_price(quote: Memory) -> int:
    """Median of a source's bid, ask and last; the ask is never below the bid."""
    return max(quote[QUOTE_BID], min(quote[QUOTE_ASK], quote[QUOTE_LAST]))


@kernel
def median(s: Store, values: Memory, count: int) -> int:
    """The middle of `count` values, or the mean of the middle two rounded down; sorts them."""
    sort_ascending(s, values, count)
    half = count // 2
    if count % 2:
        return values[half]
    return (values[half - 1] + values[half]) // 2


@kernel
def clamp_around(value: Wide, center: int, ratio: int) -> Wide:
    """`value` held within center * (1 -/+ ratio), the band rounded inward."""
    low = divide_up(wide(center) * (RATIO - ratio), RATIO)
    high = wide(center) * (RATIO + ratio) // RATIO
    return max(low, min(value, high))


@kernel
def mark_price(asset: Memory, price: Memory) -> int:
    """Index plus premium, within the band around the index; at least one unit."""
    premised = wide(price[INDEX]) + price[PREMIUM]
    return max(1, narrow(clamp_around(premised, price[INDEX], asset[MARK_BAND])))


@kernel
def step_prices(s: Store, elapsed: int) -> None:
    """Let premiums follow the books for `elapsed` microseconds, and find what became stale."""
    for asset in range(USDC + 1, s.globals[ASSETS]):
        price = price_row(s, asset)
        if price[UPDATED] >= 0:
            _follow_book(s, asset, price, elapsed)
            refresh_staleness(s, asset)


@kernel
def _follow_book(s: Store, asset: int, price: Memory, elapsed: int) -> None:
    """Move an asset's premium towards its book's, and its mark with it unless it is halted."""
    row = asset_row(s, asset)
    gap = wide(book_premium(s, asset)) - price[PREMIUM]
    price[PREMIUM] += narrow(gap * elapsed // (elapsed + row[EWMA_TIME]))
    mark = mark_price(row, price)
    if mark != price[MARK] and not price[HALTED]:
        price[MARK] = mark
        emit(s, MARK_UPDATED, asset, price[INDEX], mark)


@kernel
def book_premium(s: Store, asset: int) -> int:
    """Mid of the book less the index; 0 when a side is empty."""
    bid = best_price(s, asset, BID)
    ask = best_price(s, asset, ASK)
    if bid == NONE or ask == NONE:
        return 0
    return narrow((wide(bid) + ask) // 2 - price_row(s, asset)[INDEX])


@kernel
def refresh_staleness(s: Store, asset: int) -> None:
    """Set an asset's stale flag to what its age and the halt switch say."""
    price = price_row(s, asset)
    age = s.globals[NOW] - price[UPDATED]
    old = price[UPDATED] < 0 or age > asset_row(s, asset)[MAX_AGE]
    stale = 1 if price[HALTED] or old else 0
    if stale != price[STALE]:
        price[STALE] = stale
        emit(s, PRICE_STALENESS, asset, stale)
