"""Prices: files of prices, read exactly, as the paths that a run plays."""
