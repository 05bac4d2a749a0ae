"""Foresight: what would hold at other prices, asked of a copy of the live book.

    moves       which marks are asked about: by asset, or all by beta
    what_if     who becomes liquidatable there, what could take it, what lenders would lose
    forecast    how a round of ADL would treat an account, and who could cause it
    leaving     the least that the account could do so that it would not
    flows       when pools are throttled and full if they go on as they do

An engine is held only while a copy of it is made or brought up to date; questions run beside it.
"""
