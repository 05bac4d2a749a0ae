"""People: populations made from a seed, market makers, providers, and what they do."""
