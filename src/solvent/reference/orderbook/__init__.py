"""The order book: levels, orders, matching."""
