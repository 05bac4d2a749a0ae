"""Possession: whoever brings a new key shows that he has its secret half.

Without that, an operator could be given somebody else's key, and a key with a typing error would
lock its owner out. The new key signs

    instruction=keyPossession&account=ACCOUNT&market=MARKET&publicKey=KEY&role=ROLE

where ACCOUNT is the number of an account, `new` where one is opened and `none` where the role has
none, and MARKET the market's identity. So the proof is of use for nothing else, nor elsewhere.
"""

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from solvent.service.core.keys import NO_ACCOUNT, Role, decode_base64
from solvent.service.errors import ApiError, ApiErrorCode

SIGNATURE_BYTES = 64
_BAD_REQUEST = 400
NEW_ACCOUNT = "new"


def possession_text(market: str, key: str, role: Role, account: int | str) -> bytes:
    """What a new key signs; `key` in base64."""
    shown = "none" if account == NO_ACCOUNT else account
    text = f"instruction=keyPossession&account={shown}&market={market}"
    return f"{text}&publicKey={key}&role={role.value}".encode()


def check_possession(key: bytes, proof: str, text: bytes) -> None:
    """Raise ApiError unless `proof`, in base64, is the key's signature of the text."""
    signature = decode_base64(proof, SIGNATURE_BYTES)
    if signature is None:
        raise _refused("proof must be 64 bytes in base64")
    try:
        VerifyKey(key).verify(text, signature)
    except BadSignatureError:
        raise _refused(f"proof is no signature by the new key of {text.decode()}") from None


def _refused(message: str) -> ApiError:
    return ApiError(_BAD_REQUEST, ApiErrorCode.INVALID_SIGNATURE, message)
