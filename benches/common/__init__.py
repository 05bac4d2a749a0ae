"""What benches share: markets, populations, streams of commands, timing, peers."""
