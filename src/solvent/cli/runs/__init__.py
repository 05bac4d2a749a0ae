"""What the commands share that carry out a run: its request, its folder, its prices, its tables."""
