"""Invariants: what must hold of every state and of every change from one state to the next."""
