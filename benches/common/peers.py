"""Peers that may not be installed: each is imported when it is asked for, and None otherwise."""

from importlib import import_module
from typing import Any


def peer(module: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        return None
