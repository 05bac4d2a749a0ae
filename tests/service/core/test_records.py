"""Records: what is read is what was written, and nothing else passes for a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.commands import Deposit, Lend, TimeStep
from solvent.service.core.records import (
    Record,
    RecordError,
    RecordKind,
    commands_record,
    decode_record,
    encode_record,
)
from tests.service.played import played

COMMANDS = [Deposit(2, 0, 5), Lend(2, 0, 3), TimeStep(9)]
RECORD = commands_record(
    7, list(COMMANDS), account=2, digest=b"d" * 16, expires=9, memo=("a", "é", "Solana")
)


def test_what_is_written_is_read() -> None:
    for record in [*played(4).records, RECORD, Record(RecordKind.CHECK, 0)]:
        again = decode_record(encode_record(record))
        assert again == record
        assert list(again.decoded) == list(record.decoded)
    assert list(RECORD.decoded) == COMMANDS


@given(st.binary(max_size=80))
def test_other_bytes_are_no_record(data: bytes) -> None:
    """Or they are one that is written in the same way again."""
    try:
        record = decode_record(data)
    except RecordError:
        return
    assert decode_record(encode_record(record)) == record


def test_a_record_cut_short_is_refused() -> None:
    data = encode_record(RECORD)
    for size in range(len(data)):
        with pytest.raises(RecordError):
            decode_record(data[:size])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RecordError, match="99"):
        decode_record(encode_record(Record(99, 0)))


def test_commands_that_are_none_are_refused() -> None:
    with pytest.raises(RecordError):
        _ = Record(RecordKind.COMMANDS, 0, commands=b"12345").decoded
