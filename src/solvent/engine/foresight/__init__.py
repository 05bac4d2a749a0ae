"""Foresight: what would hold at other marks, asked of an image of the columns."""
