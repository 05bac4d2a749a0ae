"""The audit log: every act of staff and what became of it, numbered and chained, only ever longer.

It follows from the journal. The market keeps the latest entries; all of them are in a file beside
the journal, a JSON object a line, and are pushed to whoever listens to the stream `audit`. Each
entry's hash covers the one before, so that a line taken out or changed shows. No key is in it: a
person is the number of a key.
"""

import hashlib
from collections import deque
from collections.abc import Iterator

import msgspec

from solvent.service.limits import AUDIT_KEPT

HASH_BYTES = 16


class AuditEntry(msgspec.Struct, array_like=True, frozen=True):
    """One act: when (microseconds UTC), whose (key number, role), what, about what, the outcome.

    `proposal` is the number of the proposal that it made or decided, 0 where there is none;
    `subject` a JSON object; `hash` hexadecimal.
    """

    number: int
    time: int
    actor: int
    role: str
    act: str
    subject: str
    outcome: str
    proposal: int
    hash: str

    def line(self) -> bytes:
        """The entry as a line of the file, without its end."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        fields["subject"] = msgspec.Raw(self.subject.encode())
        return msgspec.json.encode(fields)

    def follows(self, before: str) -> bool:
        """Whether its hash is right after an entry of hash `before`."""
        return self.hash == _hash(before, self)


class AuditLog:
    """The latest entries, and how many there were."""

    def __init__(self) -> None:
        self.count = 0
        self.latest: deque[AuditEntry] = deque(maxlen=AUDIT_KEPT)
        self.chained = ""
        """The hash of the last entry."""

    def add(
        self,
        time: int,
        actor: int,
        role: str,
        act: str,
        subject: object,
        outcome: str,
        proposal: int = 0,
    ) -> AuditEntry:
        """Add an entry."""
        text = msgspec.json.encode(subject).decode()
        self.count += 1
        entry = AuditEntry(self.count, time, actor, role, act, text, outcome, proposal, "")
        entry = msgspec.structs.replace(entry, hash=_hash(self.chained, entry))
        self.chained = entry.hash
        self.latest.append(entry)
        return entry

    def since(self, number: int) -> Iterator[AuditEntry]:
        """The entries that are kept, from this number on."""
        return (entry for entry in self.latest if entry.number >= number)

    def rows(self) -> tuple[int, list[AuditEntry], str]:
        """All of it, for a snapshot."""
        return self.count, list(self.latest), self.chained

    def restore(self, count: int, latest: list[AuditEntry], chained: str) -> None:
        """Put back what `rows` gave."""
        self.count, self.chained = count, chained
        self.latest.clear()
        self.latest.extend(latest)


def _hash(before: str, entry: AuditEntry) -> str:
    unsealed = msgspec.structs.replace(entry, hash=before)
    return hashlib.blake2b(msgspec.msgpack.encode(unsealed), digest_size=HASH_BYTES).hexdigest()
