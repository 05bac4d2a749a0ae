"""The margin watch: which accounts a price can have made liquidatable, without asking them all."""
