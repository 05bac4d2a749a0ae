"""Preload: what every process needs, made once in the one that the others are forked from."""

from solvent.engine.engine import machine
from solvent.proof.crash import process

__all__ = ["process"]

machine()
