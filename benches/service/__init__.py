"""Benches of the service: sockets, signatures, journal, recovery."""
