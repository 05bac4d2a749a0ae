"""`solvent readmit`: an operator's key into a market that has lost its own."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED


def readmit(folder: Annotated[Path, NAMED], /, *, operator_key: str) -> int:
    """Let an operator's key into a market that nobody serves, when no operator is left.

    Whoever has the folder may do this; it is an act in the journal and in the audit log. Where two
    people are needed behind a key, do it for two.

    Parameters
    ----------
    folder
        Folder of the market.
    operator_key
        Public key (base64) of the operator.
    """
    from solvent.service.core.opening import readmit as let_in

    let_in(folder, operator_key)
    print(f"{folder}: the operator may act; `solvent up --folder {folder}` serves the market")
    return 0
