"""Members of a cluster under a simulated network, clock and log, with every fault there is."""
