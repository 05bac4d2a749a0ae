"""Client libraries of the public API, unmodified, against the real service on loopback."""
