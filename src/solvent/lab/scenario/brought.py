"""Price files that a scenario names and nobody may ship: where they are looked for, and their hash.

The file lies where one is, or in the folder that the environment variable SOLVENT_DATA names. What
is read has the hash that the scenario says, or nothing is read.
"""

import os
from hashlib import sha256
from pathlib import Path

from solvent.lab.scenario.model import Scenario

DATA = "SOLVENT_DATA"


def brought(name: str) -> Path:
    """Where a file that has to be brought is looked for."""
    return Path(os.environ.get(DATA) or ".") / name


def price_bytes(scenario: Scenario, file: Path) -> bytes:
    """The bytes of a price file of the scenario.

    InputError, which says what to bring, where it cannot be read or is another one.
    """
    source = scenario.prices
    field = "prices.file" if source.model is None else "prices.model.file"
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        reason = f"{file} does not exist; its path is from the scenario's folder"
        if source.bring:
            reason = (
                f"{file.name} is not shipped; bring {source.bring}, and put it where you are or"
                f" into the folder that {DATA} names"
            )
        raise scenario.error(field, reason) from None
    except OSError as error:
        reason = f"{file}: {(error.strerror or 'cannot be read').lower()}; mend the path"
        raise scenario.error(field, reason) from None
    found = sha256(content).hexdigest()
    if source.sha256 and found != source.sha256:
        reason = f"of {file} is {found}, not {source.sha256}; bring {source.bring or 'that file'}"
        raise scenario.error("prices.sha256", reason)
    return content
