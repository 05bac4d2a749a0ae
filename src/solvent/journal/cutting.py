"""Cutting: a copy of a journal, ended before a record that is whole.

It is for a copy that nobody has open, never for a journal: what is cut off is gone. Where the
record stands within a batch, the batch is written again with the records before it; what it is
chained to stays as it was, so that the copy is a beginning of what was copied, to the byte but for
that batch.
"""

from pathlib import Path

from solvent.journal.archive import BASE
from solvent.journal.disk import Files, put_in_place
from solvent.journal.journal_errors import JournalError
from solvent.journal.segments import (
    TEMPORARY,
    decode_frame,
    decode_header,
    encode_frame,
    encode_payload,
    is_blank,
    segment_number,
    segment_path,
    split_records,
)
from solvent.journal.snapshots import snapshot_path, snapshot_sequences


def cut(files: Files, place: Path, at: int) -> None:
    """End a whole journal before record number `at`: remove that one and all later ones.

    Raises JournalError where it does not reach so far or begins behind it, and OSError.
    """
    names = files.names(place)
    numbers = sorted(number for name in names if (number := segment_number(name)))
    firsts = {n: decode_header(files.read(segment_path(place, n))).first for n in numbers}
    begins = decode_header(files.read(place / BASE)).first if BASE in names else 0
    if at < begins:
        reason = f"before {begins} are in the archive; name it with --archive"
        raise JournalError(place.parent, "records", reason)
    last = max(number for number in numbers if firsts[number] <= at)
    content = _until(files.read(segment_path(place, last)), at)
    if content is None:
        reason = f"end before {at}; name a record that there is, or leave --at out"
        raise JournalError(place.parent, "records", reason)
    for sequence in snapshot_sequences(names):
        if sequence > at:
            files.remove(snapshot_path(place, sequence))
    for number in numbers:
        if number > last:
            files.remove(segment_path(place, number))
    files.close(put_in_place(files, place / TEMPORARY, segment_path(place, last), content))


def _until(data: bytes, at: int) -> bytes | None:
    """A segment's bytes with the records before number `at`; None where it ends before that."""
    header = decode_header(data)
    sequence, offset = header.first, header.end
    while sequence < at:
        if is_blank(data, offset):
            return None
        frame = decode_frame(data, offset, header.marker)
        if frame.is_seal:
            return None
        sequence += frame.records
        if sequence > at:
            records = split_records(frame)[: at - frame.first]
            payload = encode_payload(records)
            kept = encode_frame(header.marker, frame.first, frame.previous, payload, len(records))
            return data[:offset] + kept
        offset = frame.end
    return data[:offset]
