"""Preload: what every life needs, made once in the process that lives are forked from."""

from solvent.engine.engine import machine
from solvent.service.rehearsal import life

__all__ = ["life"]

machine()
