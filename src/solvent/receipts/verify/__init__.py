"""Verification: a receipt computed again from its own figures, offline."""
