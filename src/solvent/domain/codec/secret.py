"""A secret key as text: 32 bytes in base64, as everything here writes and reads one."""

from base64 import b64decode

from solvent.domain.errors import InputError

KEY_BYTES = 32


def secret_key(file: str, text: str) -> bytes:
    """The bytes of the key in `text`, which stood in `file`.

    InputError, which never repeats the text, where it is none.
    """
    try:
        key = b64decode(text.strip().encode("ascii"), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise InputError(file, "key", f"must hold {KEY_BYTES} bytes in base64")
    return key
