"""Estimates: what a sample of paths says, and how sure it is. Floats from here on; none decides."""
