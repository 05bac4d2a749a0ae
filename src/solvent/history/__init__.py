"""History: what people ask for later, rebuilt from events and from nothing else.

`tables` says what SQL keeps, `followers` make rows of events, `questions` answer from them, and
`market_views` connects the three.
"""
