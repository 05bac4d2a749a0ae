"""Agents: populations made from a seed, market makers, providers, and their actions."""
