"""Audits: a recorded run or a market's folder replayed, with every byte compared."""
