"""Solvent: a borrow/lend engine with the whole liquidation waterfall."""

__version__ = "0.1.0"
