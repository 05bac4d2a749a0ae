"""The stress lab: price paths, populations, scenarios and sweeps that drive the engine.

Everything here ends in commands for the engine; nothing here decides what happens to an account.
"""
