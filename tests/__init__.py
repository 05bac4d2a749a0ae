"""The tests mirror the package; each says what it proves (see tests/proof.py)."""
