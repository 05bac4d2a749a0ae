"""Prices: from sources' quotes to an index, from the index and the book to a mark.

A source's price is the median of its bid, ask and last. Each is held within a clamp of the median
of all fresh sources, and the index is their weighted mean. The mark is the index plus a moving
average of how far the book's impact mid is from it, held within a band of the index. The impact mid
is what a stated notional would sell and be bought for, on average, to orders that surely fill:
where either side lacks that much, the book says nothing. Marks value accounts; last trades never
do.

An index needs a quorum of fresh sources. A price without one, or that is halted, is stale: its
asset takes no new lends or borrows, its market no orders, and no account is liquidated because of
it (`margin` gives the benefit of the doubt). The index moves by a capped ratio in each stretch of
time, however many quotes come in it; while it catches up with them it is in doubt, and therefore
stale. USDC is worth one USDC, always.

Specification: section 6.4.
"""

from solvent.domain.commands import Side
from solvent.domain.events import IndexUpdated, MarkUpdated, PriceStaleness
from solvent.domain.parameters import MAX_SUPPLY, USDC, PriceParameters
from solvent.domain.units import INDEX_SCALE, RATIO, divide_up, value_divisor
from solvent.reference.orderbook.book import market_of
from solvent.reference.orderbook.depth import walk
from solvent.reference.state import Price, Quote, State

IMPACT_SHARE = RATIO // 100
"""The book's sample is asked of at least this part of what is borrowed of the asset."""
NO_ACCOUNT = -1
GIVEN_HALT, GIVEN_QUOTE = 1, 2
"""What of a moment that is not over waits to take effect."""
MOST_STRETCHES = 3600
"""After a silence the cap on moves allows for at most so many stretches of `move_time`."""


def give_quote(state: State, asset: int, source: int, quote: Quote) -> None:
    """Take one source's quote, which waits for the end of its moment."""
    price = state.prices[asset]
    price.quotes[source] = quote
    price.given = GIVEN_QUOTE


def give_halt(state: State, asset: int, *, halted: bool) -> None:
    """Halt a price or let it go on, at the end of the moment."""
    price = state.prices[asset]
    price.halted = halted
    price.given = max(price.given, GIVEN_HALT)


def take_effect(state: State) -> None:
    """End a moment: compute index and mark from the quotes given in it, where a quorum is fresh."""
    for asset, price in enumerate(state.prices):
        if not price.given:
            continue
        quoted = price.given == GIVEN_QUOTE
        price.given = 0
        if quoted and has_quorum(state, asset):
            price.updated = state.now
            follow_quotes(state, asset)
        refresh_staleness(state, asset)


def has_quorum(state: State, asset: int) -> bool:
    """Whether enough sources of an asset are fresh for an index."""
    parameters = state.asset(asset).price
    fresh = sum(is_fresh(parameters, quote, state.now) for quote in state.prices[asset].quotes)
    return fresh >= parameters.quorum


def is_fresh(parameters: PriceParameters, quote: Quote, now: int) -> bool:
    """Whether a quote was given, and not too long ago."""
    return quote.time >= 0 and now - quote.time <= parameters.max_age


def follow_quotes(state: State, asset: int) -> None:
    """Compute the index and the mark from fresh quotes, as far as the cap on moves lets them."""
    price, parameters = state.prices[asset], state.asset(asset).price
    quoted = index_price(parameters, price.quotes, state.now)
    price.index = capped_index(parameters, price, quoted, state.now)
    price.in_doubt = price.index != quoted
    price.mark = mark_price(parameters, price)
    state.asleep = False
    state.emit(IndexUpdated(asset, price.index, price.mark))


def capped_index(parameters: PriceParameters, price: Price, quoted: int, now: int) -> int:
    """As near to the quoted index as the cap lets it come by now; moves the cap's anchor on."""
    if not parameters.max_move:
        return quoted
    if not price.index:
        price.anchor, price.anchored = quoted, now
    stretches = (now - price.anchored) // parameters.move_time
    if stretches:
        price.anchor = price.index
        price.anchored += stretches * parameters.move_time
    index = moved_towards(quoted, price.anchor, parameters.max_move)
    for _ in range(min(MOST_STRETCHES, stretches) - 1):
        if index == quoted:
            break
        price.anchor = index
        index = moved_towards(quoted, index, parameters.max_move)
    return index


def moved_towards(quoted: int, anchor: int, most: int) -> int:
    """`quoted`, held within what an index may move from `anchor`: `most` of it, or one unit."""
    held = clamp_around(quoted, anchor, most)
    if held == anchor:
        return max(anchor - 1, min(quoted, anchor + 1))
    return held


def index_price(parameters: PriceParameters, quotes: list[Quote], now: int) -> int:
    """Weighted mean of the fresh sources' prices, each clamped to their median; rounded down."""
    fresh = [
        (quote.price, weight)
        for quote, weight in zip(quotes, parameters.source_weights, strict=True)
        if is_fresh(parameters, quote, now)
    ]
    # A quorum is fresh, so there is a weight to divide by.
    middle = median([price for price, _ in fresh])
    total = sum(
        clamp_around(price, middle, parameters.source_clamp) * weight for price, weight in fresh
    )
    return max(1, total // sum(weight for _, weight in fresh))


def median(values: list[int]) -> int:
    """The middle value, or the mean of the middle two rounded down."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) // 2


def clamp_around(value: int, center: int, ratio: int) -> int:
    """`value` held within center * (1 -/+ ratio), the band rounded inward."""
    low = divide_up(center * (RATIO - ratio), RATIO)
    high = center * (RATIO + ratio) // RATIO
    return max(low, min(value, high))


def mark_price(parameters: PriceParameters, price: Price) -> int:
    """Index plus premium, within the band around the index; at least one unit."""
    return max(1, clamp_around(price.index + price.premium, price.index, parameters.mark_band))


def follow_books(state: State, intervals: int) -> None:
    """Let premiums follow their books as these are, a sample an interval.

    The moving average is the implicit step p += (x - p) * dt / (dt + tau), once an interval.
    """
    for asset, price in enumerate(state.prices):
        if asset != USDC and price.updated >= 0 and intervals > 0:
            _follow_book(state, asset, intervals)


def step_prices(state: State, intervals: int) -> None:
    """Find what became stale, let an index in doubt catch up, and let premiums follow the books.

    A premium takes one sample of its book in each interval that began.
    """
    for asset, price in enumerate(state.prices):
        if asset == USDC or price.updated < 0:
            continue
        if price.in_doubt and not price.halted and has_quorum(state, asset):
            follow_quotes(state, asset)
        refresh_staleness(state, asset)
        if intervals:
            _follow_book(state, asset, intervals)
            _follow_premium(state, asset)


def _follow_book(state: State, asset: int, intervals: int) -> None:
    """Move an asset's premium towards its book's."""
    price, parameters = state.prices[asset], state.asset(asset).price
    target, interval = book_premium(state, asset), state.parameters.waterfall.interval
    for _ in range(intervals):
        # Rounded down, also below zero: a premium drifts down by up to a unit an interval.
        change = (target - price.premium) * interval // (interval + parameters.ewma_time)
        if not change:
            break
        price.premium += change
        state.asleep = False


def _follow_premium(state: State, asset: int) -> None:
    """Move an asset's mark with its premium unless it is halted."""
    price = state.prices[asset]
    mark = mark_price(state.asset(asset).price, price)
    # The premium goes on following the book under a halt, and the mark jumps when it ends.
    if mark != price.mark and not price.halted:
        price.mark = mark
        state.asleep = False
        state.emit(MarkUpdated(asset, price.index, mark))


def book_premium(state: State, asset: int) -> int:
    """The impact mid, held within the mark's band, less the index; 0 when a side is too thin."""
    index = state.prices[asset].index
    middle = impact_mid(state, asset)
    if middle is None:
        return 0
    return clamp_around(middle, index, state.asset(asset).price.mark_band) - index


def impact_mid(state: State, asset: int) -> int | None:
    """Mean of what the impact quantity sells and is bought for; None when a side lacks it.

    Only orders count that surely fill and lie within the market's price band around the index.
    """
    book = state.books[asset]
    if not book.bids or not book.asks:
        return None
    index, market = state.prices[asset].index, market_of(state, asset)
    wanted = impact_quantity(state, asset)
    lowest = divide_up(index * market.min_multiplier, RATIO)
    highest = index * market.max_multiplier // RATIO
    sold = walk(state, NO_ACCOUNT, asset, Side.ASK, lowest, wanted, sure=True)
    bought = walk(state, NO_ACCOUNT, asset, Side.BID, highest, wanted, sure=True)
    if min(sold.quantity, bought.quantity) < wanted:
        return None
    divisor = value_divisor(state.asset(asset).decimals)
    return (sold.quote + bought.quote) * divisor // (2 * wanted)


def impact_quantity(state: State, asset: int) -> int:
    """Atoms worth the impact notional at the index, at least a share of what is borrowed.

    Without the interest of this hour, so that all samples of an hour ask the same (I43).
    """
    parameters = state.asset(asset)
    notional = parameters.price.impact_notional * value_divisor(parameters.decimals)
    pool = state.pools[asset]
    borrowed = divide_up(pool.debt_shares * pool.debt_base, INDEX_SCALE)
    share = divide_up(borrowed * IMPACT_SHARE, RATIO)
    return min(MAX_SUPPLY, max(divide_up(notional, state.prices[asset].index), share))


def refresh_staleness(state: State, asset: int) -> None:
    """Set an asset's stale flag to what its sources, the cap and the halt switch say."""
    price = state.prices[asset]
    unknown = price.updated < 0 or price.in_doubt or not has_quorum(state, asset)
    stale = price.halted or unknown
    if stale != price.stale:
        price.stale = stale
        state.asleep = False
        state.emit(PriceStaleness(asset, int(stale)))
