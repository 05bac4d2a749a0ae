"""Prices in kernels: from sources' quotes to an index, from the index and the book to a mark.

As in `reference.prices`: the index is the weighted mean of fresh sources, each clamped to their
median; the mark is the index plus a moving average of how far the book's impact mid is from it,
within a band.
"""

from solvent.domain.commands import Side
from solvent.domain.events import IndexUpdated, MarkUpdated, PriceStaleness
from solvent.domain.parameters import MAX_SOURCES, MAX_SUPPLY, USDC
from solvent.domain.units import INDEX_SCALE, INT64_MAX, RATIO
from solvent.engine.allot.sorting import sort_ascending
from solvent.engine.ledger import asset_row, pool_row, source_price
from solvent.engine.memory.layout import NONE
from solvent.engine.memory.rows import Asset, Price, Quote
from solvent.engine.memory.scratch import take
from solvent.engine.memory.store import Store
from solvent.engine.orderbook.depth import walk
from solvent.engine.orderbook.levels import best_slot
from solvent.engine.units import divide_up
from solvent.kernels.language import Wide, bit, emit, kernel, narrow, wide
from solvent.kernels.rows import Memory

IMPACT_SHARE = RATIO // 100
"""The book's sample is asked of at least this part of what is borrowed of the asset."""

GIVEN_HALT, GIVEN_QUOTE = 1, 2
"""What of a moment that is not over waits to take effect."""
MOST_STRETCHES = 3600
"""After a silence the cap on moves allows for at most so many stretches of `move_time`."""


@kernel
def price_row(s: Store, asset: int) -> Price:
    """Index, premium, mark and staleness of `asset`."""
    return s.prices[asset]


@kernel
def quote_row(s: Store, asset: int, source: int) -> Quote:
    """What a source last said of `asset`."""
    return s.quotes[asset * MAX_SOURCES + source]


@kernel
def give_quote(s: Store, asset: int, source: int, bid: int, ask: int, last: int) -> None:
    """Take one source's quote, which waits for the end of its moment."""
    quote = quote_row(s, asset, source)
    quote.bid = bid
    quote.ask = ask
    quote.last = last
    quote.time = s.globals.now
    price_row(s, asset).given = GIVEN_QUOTE


@kernel
def give_halt(s: Store, asset: int, halted: int) -> None:
    """Halt a price or let it go on, at the end of the moment."""
    price = price_row(s, asset)
    price.halted = halted
    price.given = max(price.given, GIVEN_HALT)


@kernel
def take_effect(s: Store) -> None:
    """End a moment: compute index and mark from the quotes given in it, where a quorum is fresh."""
    for asset in range(USDC + 1, s.globals.assets):
        price = price_row(s, asset)
        if price.given:
            quoted = price.given == GIVEN_QUOTE
            price.given = 0
            if quoted and has_quorum(s, asset):
                price.updated = s.globals.now
                follow_quotes(s, asset)
            refresh_staleness(s, asset)


@kernel
def has_quorum(s: Store, asset: int) -> bool:
    """Whether enough sources of an asset are fresh for an index."""
    row = asset_row(s, asset)
    fresh = 0
    for source in range(row.sources):
        if _is_fresh(s, row, quote_row(s, asset, source)):
            fresh += 1
    return fresh >= row.quorum


@kernel
def follow_quotes(s: Store, asset: int) -> None:
    """Compute the index and the mark from fresh quotes, as far as the cap on moves lets them."""
    price = price_row(s, asset)
    row = asset_row(s, asset)
    quoted = index_price(s, asset)
    price.index = capped_index(s, row, price, quoted)
    price.in_doubt = 1 if price.index != quoted else 0
    price.mark = mark_price(row, price)
    s.globals.asleep = 0
    s.globals.printed = s.globals.printed | bit(asset)
    emit(s, IndexUpdated(asset=asset, index=price.index, mark=price.mark))


@kernel
def capped_index(s: Store, asset: Asset, price: Price, quoted: int) -> int:
    """As near to the quoted index as the cap lets it come by now; moves the cap's anchor on."""
    if not asset.max_move:
        return quoted
    if not price.index:
        price.anchor = quoted
        price.anchored = s.globals.now
    stretches = (s.globals.now - price.anchored) // asset.move_time
    if stretches:
        price.anchor = price.index
        price.anchored += stretches * asset.move_time
    index = _moved_towards(quoted, price.anchor, asset.max_move)
    for _ in range(min(MOST_STRETCHES, stretches) - 1):
        if index == quoted:
            break
        price.anchor = index
        index = _moved_towards(quoted, index, asset.max_move)
    return index


@kernel
def _moved_towards(quoted: int, anchor: int, most: int) -> int:
    """`quoted`, held within what an index may move from `anchor`: `most` of it, or one unit."""
    held = narrow(clamp_around(quoted, anchor, most))
    if held == anchor:
        return max(anchor - 1, min(quoted, anchor + 1))
    return held


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
def follow_books(s: Store, intervals: int) -> None:
    """Let premiums follow their books as these are, a sample an interval."""
    if intervals > 0:
        for asset in range(USDC + 1, s.globals.assets):
            price = price_row(s, asset)
            if price.updated >= 0:
                _follow_book(s, asset, price, intervals)


@kernel
def step_prices(s: Store, intervals: int) -> None:
    """Find what became stale, let an index in doubt catch up, and let premiums follow the books.

    A premium takes one sample of its book in each interval that began.
    """
    for asset in range(USDC + 1, s.globals.assets):
        price = price_row(s, asset)
        if price.updated >= 0:
            if price.in_doubt and not price.halted and has_quorum(s, asset):
                follow_quotes(s, asset)
            refresh_staleness(s, asset)
            if intervals:
                _follow_book(s, asset, price, intervals)
                _follow_premium(s, asset, price)


@kernel
def _follow_book(s: Store, asset: int, price: Price, intervals: int) -> None:
    """Move an asset's premium towards its book's."""
    row = asset_row(s, asset)
    target = wide(book_premium(s, asset))
    interval = s.rules.interval
    for _ in range(intervals):
        change = (target - price.premium) * interval // (interval + row.ewma_time)
        if change == 0:
            break
        price.premium += narrow(change)
        s.globals.asleep = 0


@kernel
def _follow_premium(s: Store, asset: int, price: Price) -> None:
    """Move an asset's mark with its premium unless it is halted."""
    mark = mark_price(asset_row(s, asset), price)
    if mark != price.mark and not price.halted:
        price.mark = mark
        s.globals.asleep = 0
        s.globals.printed = s.globals.printed | bit(asset)
        emit(s, MarkUpdated(asset=asset, index=price.index, mark=mark))


@kernel
def book_premium(s: Store, asset: int) -> int:
    """The impact mid, held within the mark's band, less the index; 0 when a side is too thin."""
    middle = impact_mid(s, asset)
    if middle < 0:
        return 0
    index = price_row(s, asset).index
    return narrow(clamp_around(middle, index, asset_row(s, asset).mark_band) - index)


@kernel
def impact_mid(s: Store, asset: int) -> Wide:
    """Mean of what the impact quantity sells and is bought for; NONE when a side lacks it.

    Only orders count that surely fill and lie within the market's price band around the index.
    """
    if best_slot(s, asset, Side.BID) == NONE or best_slot(s, asset, Side.ASK) == NONE:
        return wide(NONE)
    row = asset_row(s, asset)
    index = wide(price_row(s, asset).index)
    wanted = impact_quantity(s, asset)
    lowest = narrow(divide_up(index * row.min_multiplier, RATIO))
    sold = walk(s, NONE, asset, Side.ASK, lowest, wanted, True)
    if sold.quantity < wanted:
        return wide(NONE)
    highest = narrow(min(wide(INT64_MAX), index * row.max_multiplier // RATIO))
    bought = walk(s, NONE, asset, Side.BID, highest, wanted, True)
    if bought.quantity < wanted:
        return wide(NONE)
    return (sold.quote + bought.quote) * row.value_divisor // (wide(2) * wanted)


@kernel
def impact_quantity(s: Store, asset: int) -> int:
    """Atoms worth the impact notional at the index, at least a share of what is borrowed."""
    row = asset_row(s, asset)
    worth = divide_up(wide(row.impact_notional) * row.value_divisor, price_row(s, asset).index)
    pool = pool_row(s, asset)
    borrowed = divide_up(wide(pool.debt_shares) * pool.debt_base, INDEX_SCALE)
    share = divide_up(borrowed * IMPACT_SHARE, RATIO)
    return narrow(min(wide(MAX_SUPPLY), max(worth, share)))


@kernel
def refresh_staleness(s: Store, asset: int) -> None:
    """Set an asset's stale flag to what its sources, the cap and the halt switch say."""
    price = price_row(s, asset)
    unknown = price.updated < 0 or price.in_doubt != 0 or not has_quorum(s, asset)
    stale = 1 if price.halted or unknown else 0
    if stale != price.stale:
        price.stale = stale
        s.globals.asleep = 0
        s.globals.printed = s.globals.printed | bit(asset)
        emit(s, PriceStaleness(asset=asset, stale=stale))
