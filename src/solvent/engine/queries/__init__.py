"""Queries of the fast engine: what can be asked without changing anything."""
