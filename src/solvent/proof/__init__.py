"""Proof: what shows that the product does what it says, kept apart from the product.

`invariants` says what always holds, `fuzz` lets seeded commands loose on the engines, `crash` kills
the service at random moments, `audit` replays what was recorded.
"""
