"""Foresight: what would hold at other prices, asked of a copy of the live book.

    moves       which marks are asked about: by asset, or all by beta
    what_if     who becomes liquidatable there, what could take it, what lenders would lose

An engine is held only while a copy of it is brought up to date; questions run beside it.
"""
