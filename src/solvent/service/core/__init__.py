"""The core: the node and its one writer, the market, keys, and what is journaled."""
