"""What the command line is called here, for hints that can be typed as they are printed."""

import os
import shlex

VARIABLE = "SOLVENT_COMMAND"
"""Set by the `run` script of a clone to its own name, as it was typed."""


def called() -> str:
    """`solvent`, or what stands for it, such as `./run` in a clone; fit for a shell."""
    return shlex.quote(os.environ.get(VARIABLE) or "solvent")
