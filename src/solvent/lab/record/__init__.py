"""The published record of auto-deleveraging: its figures beside those that come out here."""
