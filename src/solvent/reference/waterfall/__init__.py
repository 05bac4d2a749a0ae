"""The waterfall: liquidation (the parent), book stage, backstop, ADL, defaults, deficits."""
