"""The waterfall in kernels: liquidation, book stage, backstop, ADL, defaults, deficits."""
