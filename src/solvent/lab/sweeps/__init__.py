"""Sweeps: many paths at many points, on any number of workers, with the same bytes in the end."""
