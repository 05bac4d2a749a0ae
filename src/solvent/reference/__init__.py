"""The executable specification: the whole engine in plain Python integers, one module a mechanism.

Read it top to bottom: `state` and `ledger` hold and move what people own; `rates`, `throttle` and
`pool` price and protect lending; `prices` and `margin` value accounts; `wallet`, `book` and
`orders` are what people do; `liquidation`, `backstop`, `policies`, `adl` and `deficit` are the
waterfall; `engine` takes commands and answers with events; `invariants` says what always holds.

It is the oracle of every faster engine: same commands, same events, same state, to the bit.
"""
