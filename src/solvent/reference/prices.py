"""Prices: from sources' quotes to an index, from the index and the book to a mark.

A source's price is the median of its bid, ask and last. Each is held within a clamp of the median
of all fresh sources, and the index is their weighted mean. The mark is the index plus a moving
average of (book mid - index), held within a band of the index. Marks value accounts; last trades
never do.

A price whose index is older than `max_age`, or that is halted, is stale: its asset takes no new
lends or borrows, its market no orders, and no account is liquidated because of it (`margin` gives
the benefit of the doubt). USDC is worth one USDC, always.

Specification: section 6.4.
"""

from solvent.domain.events import IndexUpdated, MarkUpdated, PriceStaleness
from solvent.domain.parameters import USDC, PriceParameters
from solvent.domain.units import RATIO, divide_up
from solvent.reference.state import Price, Quote, State


def record_quote(state: State, asset: int, source: int, quote: Quote) -> None:
    """Take one source's quote and compute the index and the mark from it."""
    price = state.prices[asset]
    price.quotes[source] = quote
    parameters = state.asset(asset).price
    index = index_price(parameters, price.quotes, state.now)
    # The first quote has no index to stay near.
    if parameters.max_move and price.index:
        index = clamp_around(index, price.index, parameters.max_move)
    price.index = index
    price.updated = state.now
    price.mark = mark_price(parameters, price)
    state.emit(IndexUpdated(asset, price.index, price.mark))
    refresh_staleness(state, asset)


def index_price(parameters: PriceParameters, quotes: list[Quote], now: int) -> int:
    """Weighted mean of the fresh sources' prices, each clamped to their median; rounded down."""
    fresh = [
        (source_price(quote), weight)
        for quote, weight in zip(quotes, parameters.source_weights, strict=True)
        if quote.time >= 0 and now - quote.time <= parameters.max_age
    ]
    middle = median([price for price, _ in fresh])
    total = sum(
        clamp_around(price, middle, parameters.source_clamp) * weight for price, weight in fresh
    )
    # The quote just recorded is fresh, so there is a weight to divide by.
    return max(1, total // sum(weight for _, weight in fresh))


def source_price(quote: Quote) -> int:
    """Median of a source's bid, ask and last."""
    return sorted((quote.bid, quote.ask, quote.last))[1]


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


def step_prices(state: State, elapsed: int) -> None:
    """Let premiums follow the books for `elapsed` microseconds, and find what became stale.

    The moving average is the implicit step p += (x - p) * dt / (dt + tau), exact for any dt.
    """
    for asset, price in enumerate(state.prices):
        if asset == USDC or price.updated < 0:
            continue
        parameters = state.asset(asset).price
        target = book_premium(state, asset)
        # Rounded down, also below zero: a premium drifts down by up to a unit a step.
        change = (target - price.premium) * elapsed // (elapsed + parameters.ewma_time)
        price.premium += change
        mark = mark_price(parameters, price)
        # The premium goes on following the book under a halt, and the mark jumps when it ends.
        if mark != price.mark and not price.halted:
            price.mark = mark
            state.emit(MarkUpdated(asset, price.index, mark))
        refresh_staleness(state, asset)


def book_premium(state: State, asset: int) -> int:
    """Mid of the book less the index; 0 when a side is empty."""
    book = state.books[asset]
    if not book.bids or not book.asks:
        return 0
    bid = state.orders[book.bids[0]].price
    ask = state.orders[book.asks[0]].price
    return (bid + ask) // 2 - state.prices[asset].index


def refresh_staleness(state: State, asset: int) -> None:
    """Set an asset's stale flag to what its age and the halt switch say."""
    price = state.prices[asset]
    age = state.now - price.updated
    stale = price.halted or price.updated < 0 or age > state.asset(asset).price.max_age
    if stale != price.stale:
        price.stale = stale
        state.emit(PriceStaleness(asset, int(stale)))
