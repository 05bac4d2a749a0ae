"""Model risk: one market under four models of its prices, and how well they cover what was."""
