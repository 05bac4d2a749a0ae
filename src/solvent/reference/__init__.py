"""The executable specification: the whole engine in plain Python integers, one module a mechanism.

Read it top to bottom:

- what there is: `state`, `ledger` (the only one that writes balances), `snapshot`
- lending: `rates`, `throttle`, `pool`
- worth: `prices`, `margin`
- what users do: `limits`, `wallet`, `book`, `matching`, `depth`, `orders`
- the waterfall: `liquidation` (the parent), `sizing`, `draws`, `book_stage`, `backstop`,
  `policies`, `adl` (a stuck lender), `default` (a borrower in default), `settlement`, `deficit`
- the engine: `dispatch`, `oracle`, `clock`, `governance`, `engine`; what can be asked: `queries`
- what always holds: `invariants` and the modules of checks beside it

It is the oracle of every faster engine: same commands, same events, same state, to the bit.
"""
