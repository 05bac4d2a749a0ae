"""`solvent keygen`: a key pair for one role."""

from pathlib import Path
from typing import Annotated

from solvent.cli.options import NAMED
from solvent.domain.errors import InputError

PRIVATE = 0o600


def keygen(*names: str, folder: Annotated[Path, NAMED] = Path()) -> int:
    """Make key pairs: NAME.secret, readable by its owner alone, and NAME.pub, to be given away.

    A key is for one market. What is signed in the published form does not say for which market: use
    no key here that a real exchange knows, and none there that is known here.

    Parameters
    ----------
    names
        Names of the keys, such as operator, oracle or a person's.
    folder
        Where the files are written. A file that is there is never written over.
    """
    import base64
    import os

    from nacl.signing import SigningKey

    if not names:
        raise InputError("keygen", "NAMES", "are missing; name a key, like operator")
    for name in names:
        if not name or Path(name).name != name or names.count(name) > 1:
            raise InputError("keygen", "NAMES", f"{name!r} must be a plain name, and given once")
    files = [folder / f"{name}{end}" for name in names for end in (".secret", ".pub")]
    for path in files:
        if path.exists():
            raise InputError(str(path), "key", "is there already; name another key or folder")
    for name in names:
        key = SigningKey.generate()
        number = os.open(folder / f"{name}.secret", os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
        with os.fdopen(number, "wb") as secret:
            secret.write(base64.b64encode(bytes(key)) + b"\n")
        public = base64.b64encode(bytes(key.verify_key)).decode()
        (folder / f"{name}.pub").write_text(f"{public}\n", encoding="ascii")
        print(f"{name}  {public}")
    print("keep what is in .secret where its owner works; never use a real exchange's key here")
    return 0
