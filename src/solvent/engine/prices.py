"""Prices in kernels: from sources' quotes to an index, from the index and the book to a mark.

As in `reference.prices`: the index is the weighted mean of fresh sources, each clamped to their
median; the mark is the index plus a moving average of the book's premium, within a band.
"""

from solvent.domain.commands import Side
from solvent.domain.events import IndexUpdated, MarkUpdated, PriceStaleness
from solvent.domain.parameters import MAX_SOURCES, USDC
from solvent.domain.units import RATIO
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import asset_row
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Asset, Price, Quote
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.book import best_price
from solvent.engine.units import divide_up
from solvent.kernels.language import Wide, emit, kernel, narrow, wide
from solvent.kernels.rows import Memory


@kernel
def price_row(s: Store, asset: int) -> Price:
    """Index, premium, mark and staleness of `asset`."""
    return s.prices[asset]


@kernel
def quote_row(s: Store, asset: int, source: int) -> Quote:
    """What a source last said of `asset`."""
    return s.quotes[asset * MAX_SOURCES + source]


@kernel
def record_quote(s: Store, asset: int, source: int, bid: int, ask: int, last: int) -> None:
    """Take one source's quote and make the index and the mark anew."""
    quote = quote_row(s, asset, source)
    quote.bid = bid
    quote.ask = ask
    quote.last = last
    quote.time = s.globals.now
    price = price_row(s, asset)
    row = asset_row(s, asset)
    index = index_price(s, asset)
    if row.max_move and price.index:
        index = narrow(clamp_around(index, price.index, row.max_move))
    price.index = index
    price.updated = s.globals.now
    price.mark = mark_price(row, price)
    emit(s, IndexUpdated(asset=asset, index=price.index, mark=price.mark))
    refresh_staleness(s, asset)


@kernel
def index_price(s: Store, asset: int) -> int:
    """Weighted mean of the fresh sources' prices, each clamped to their median; rounded down."""
    row = asset_row(s, asset)
    top = s.globals.scratch_top
    fresh = take(s, MAX_SOURCES)
    count = 0
    for source in range(row.sources):
        if _is_fresh(s, row, quote_row(s, asset, source)):
            fresh[count] = source_price(quote_row(s, asset, source))
            count += 1
    middle = median(s, fresh, count)
    total = wide(0)
    weights = 0
    for source in range(row.sources):
        quote = quote_row(s, asset, source)
        if _is_fresh(s, row, quote):
            weight = row.source_weights[source]
            total += clamp_around(source_price(quote), middle, row.source_clamp) * weight
            weights += weight
    s.globals.scratch_top = top
    return max(1, narrow(total // weights))


@kernel
def _is_fresh(s: Store, asset: Asset, quote: Quote) -> bool:
    return quote.time >= 0 and s.globals.now - quote.time <= asset.max_age


@kernel
def source_price(quote: Quote) -> int:
    """Median of a source's bid, ask and last; the ask is never below the bid."""
    return max(quote.bid, min(quote.ask, quote.last))


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
def mark_price(asset: Asset, price: Price) -> int:
    """Index plus premium, within the band around the index; at least one unit."""
    premised = wide(price.index) + price.premium
    return max(1, narrow(clamp_around(premised, price.index, asset.mark_band)))


@kernel
def step_prices(s: Store, elapsed: int) -> None:
    """Let premiums follow the books for `elapsed` microseconds, and find what became stale."""
    for asset in range(USDC + 1, s.globals.assets):
        price = price_row(s, asset)
        if price.updated >= 0:
            _follow_book(s, asset, price, elapsed)
            refresh_staleness(s, asset)


@kernel
def _follow_book(s: Store, asset: int, price: Price, elapsed: int) -> None:
    """Move an asset's premium towards its book's, and its mark with it unless it is halted."""
    row = asset_row(s, asset)
    gap = wide(book_premium(s, asset)) - price.premium
    price.premium += narrow(gap * elapsed // (elapsed + row.ewma_time))
    mark = mark_price(row, price)
    if mark != price.mark and not price.halted:
        price.mark = mark
        emit(s, MarkUpdated(asset=asset, index=price.index, mark=mark))


@kernel
def book_premium(s: Store, asset: int) -> int:
    """Mid of the book less the index; 0 when a side is empty."""
    bid = best_price(s, asset, Side.BID)
    ask = best_price(s, asset, Side.ASK)
    if bid == NONE or ask == NONE:
        return 0
    return narrow((wide(bid) + ask) // 2 - price_row(s, asset).index)


@kernel
def refresh_staleness(s: Store, asset: int) -> None:
    """Set an asset's stale flag to what its age and the halt switch say."""
    price = price_row(s, asset)
    age = s.globals.now - price.updated
    old = price.updated < 0 or age > asset_row(s, asset).max_age
    stale = 1 if price.halted or old else 0
    if stale != price.stale:
        price.stale = stale
        emit(s, PriceStaleness(asset=asset, stale=stale))
