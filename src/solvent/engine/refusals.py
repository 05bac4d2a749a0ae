"""Refusals in kernels: one number that holds a code and the limit that binds; 0 is no refusal."""

from solvent.kernels.language import kernel

_LIMITS = 64


@kernel
def refuse(code: int, limit: int) -> int:
    """The refusal with this code and limit."""
    return code * _LIMITS + limit


@kernel
def refusal_code(refusal: int) -> int:
    """The code of a refusal."""
    return refusal // _LIMITS


@kernel
def refusal_limit(refusal: int) -> int:
    """The limit that a refusal names; 0 is none."""
    return refusal % _LIMITS
