"""The order book: levels, depth, orders, matching."""
