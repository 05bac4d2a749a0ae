"""Attackers: strategies that aim to gain or to hurt, and the measure of what they were worth."""
