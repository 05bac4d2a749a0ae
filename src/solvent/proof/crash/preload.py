"""Preload: what every life needs, made once in the process that lives are forked from."""

from solvent.engine.engine import machine
from solvent.proof.crash import process as life

__all__ = ["life"]

machine()
