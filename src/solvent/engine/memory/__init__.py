"""Memory: where everything of the fast engine is, and how columns are made, grown and saved."""
