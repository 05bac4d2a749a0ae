"""What makes the writer of a market one of a cluster: its log, and how it follows it."""
