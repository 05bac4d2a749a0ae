"""`solvent lab verify`: paths of a sweep computed again, to the bit."""

import secrets
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from solvent.cli.options import COUNT, NAMED, WHOLE

MISMATCH = 1


def verify(
    folder: Annotated[Path, NAMED],
    /,
    *,
    paths: Annotated[int, WHOLE, COUNT] = 5,
    seed: Annotated[int | None, WHOLE, Parameter(validator=Number(gte=0))] = None,
) -> int:
    """Compute some paths of a sweep again; every figure and hash must be as it says.

    Parameters
    ----------
    folder
        The folder of a sweep that is done.
    paths
        How many rows are computed again.
    seed
        Which of them; drawn afresh by default, so that nobody can know.
    """
    from solvent.cli.progress import say
    from solvent.engine.engine import machine
    from solvent.lab.sweeps.verifying import verify as check
    from solvent.lab.tail import folder as tails

    chosen = secrets.randbelow(2**32) if seed is None else seed
    machine(say)
    if tails.is_tail(folder):
        return _verify_tail(tails.verify(folder, paths, chosen), chosen)
    results = check(folder, paths, chosen)
    wrong = [each for each in results if not each.same]
    for each in results:
        word = "as it says" if each.same else "ANOTHER RESULT"
        print(f"point {each.said.point}, path {each.said.path}: {word}")
    print(
        f"{len(results) - len(wrong)} of {len(results)} rows are as the sweep says (seed {chosen})"
    )
    return MISMATCH if wrong else 0


def _verify_tail(found: "list[tuple[tuple[int, int], bool]]", seed: int) -> int:
    for (stratum, path), same in found:
        word = "as it says" if same else "ANOTHER RESULT"
        print(f"stratum {stratum}, path {path}, all leaves: {word}")
    right = sum(1 for _, same in found if same)
    print(f"{right} of {len(found)} paths are as the sample says (seed {seed})")
    return 0 if right == len(found) else MISMATCH
