"""Commands that look ahead: what would hold, before it does."""
