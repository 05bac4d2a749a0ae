"""A market on several nodes: what a cluster's file says, one node of it, and a trial of all."""
