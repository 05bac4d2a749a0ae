"""The order book in kernels: levels, depth, orders, matching."""
