"""Lending: pools, rates, the throttle, and what an account does with its own tokens."""
