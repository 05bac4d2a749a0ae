"""Allotting: how a total is split: by largest remainder, by selection or by water filling."""
