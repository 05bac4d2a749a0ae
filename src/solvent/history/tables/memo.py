"""What a client said with a command that the engine has no use for, kept for the histories."""

from typing import NamedTuple


class Memo(NamedTuple):
    """A withdrawal's client id, target address and blockchain; empty where none was given."""

    client_id: str = ""
    address: str = ""
    blockchain: str = ""
