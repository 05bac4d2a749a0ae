"""Price paths that a scenario draws: the weather of path 0, 1, 2, ..., the same for everybody."""
