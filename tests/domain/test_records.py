"""Commands and events as bytes: whole or refused with the reason, for every kind."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvent.domain import commands as c
from solvent.domain.codec import events as codec
from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from tests.domain.strategies import records
from tests.proof import proves


@proves("I35")
@pytest.mark.parametrize("kind", c.COMMAND_KINDS, ids=lambda kind: kind.__name__)
def test_commands_go_and_come_back(kind: type[c.Command]) -> None:
    @settings(max_examples=30)
    @given(records(kind))
    def there_and_back(command: c.Command) -> None:
        data = c.encode_command(command)
        assert c.decode_command(data) == (command, len(data))
        assert c.decode_command(b"skipped." + data, 8) == (command, 8 + len(data))

    there_and_back()


@proves("I35")
@pytest.mark.parametrize("kind", codec.EVENT_KINDS, ids=lambda kind: kind.__name__)
def test_events_go_and_come_back(kind: type[Event]) -> None:
    @settings(max_examples=30)
    @given(records(kind))
    def there_and_back(event: Event) -> None:
        data = codec.encode_event(event)
        again, end = codec.decode_event(data)
        assert (again, end) == (event, len(data))
        assert type(again) is kind
        assert codec.encode_event(again) == data

    there_and_back()


@given(st.lists(st.one_of([records(kind) for kind in c.COMMAND_KINDS]), max_size=5), st.data())
def test_a_log_cut_anywhere_gives_whole_commands_and_then_says_so(
    commands: list[c.Command], data: st.DataObject
) -> None:
    encoded = [c.encode_command(command) for command in commands]
    log = b"".join(encoded)
    cut = data.draw(st.integers(0, len(log)))
    seen, offset, reason = [], 0, ""
    while offset < cut and not reason:
        try:
            command, offset = c.decode_command(log[:cut], offset)
        except c.CommandEncodingError as error:
            reason = str(error)
        else:
            seen.append(command)
    whole = 0
    while sum(map(len, encoded[: whole + 1])) <= cut and whole < len(encoded):
        whole += 1
    assert seen == commands[:whole]
    assert bool(reason) is (cut > sum(map(len, encoded[:whole])))
    assert not reason or "cut short" in reason


def test_a_field_beyond_64_bits_is_refused() -> None:
    with pytest.raises(c.CommandEncodingError, match=r"^Deposit\.quantity: .*not fit 64 bits"):
        c.encode_command(c.Deposit(2, 0, 2**63))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "cut short"),
        ([-1], "unknown kind -1"),
        ([len(c.COMMAND_KINDS)], f"unknown kind {len(c.COMMAND_KINDS)}"),
        ([1, 2, 0], "Deposit at byte 0 is cut short"),
        ([0, 2, 9], "OpenAccount.role: 9 is not a valid Role"),
        ([15, 1, 2, 0], "HaltPrice.halted: 2 is neither 0 nor 1"),
        ([17, 0, 99, 0, 0], "ChangeParameter.field: 99 is not a valid ParameterField"),
    ],
)
def test_damaged_commands(row: list[int], reason: str) -> None:
    data = struct.pack(f"<{len(row)}q", *row)
    with pytest.raises(c.CommandEncodingError, match=reason):
        c.decode_command(data)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "cut short"),
        ([-1], "unknown kind -1"),
        ([len(codec.EVENT_KINDS)], f"unknown kind {len(codec.EVENT_KINDS)}"),
        ([2, 2, 0], "Deposited at byte 0 is cut short"),
        ([0, 1, 2, 0, 999, 0, 0], "Refused.code: 999 is not a valid RejectionCode"),
    ],
)
def test_damaged_events(row: list[int], reason: str) -> None:
    data = struct.pack(f"<{len(row)}q", *row)
    with pytest.raises(codec.EventEncodingError, match=reason):
        codec.decode_event(data)


@given(
    st.lists(
        st.lists(st.one_of([records(kind) for kind in codec.EVENT_KINDS]), max_size=3), max_size=4
    )
)
def test_events_of_many_commands_come_back_together(groups: list[list[Event]]) -> None:
    data = b""
    ends = []
    for group in groups:
        data += b"".join(map(codec.encode_event, group))
        ends.append(len(data) // 8)
    told = transcript(data, ends)
    assert [entry.events for entry in told] == [tuple(group) for group in groups]
    starts = [0, *ends]
    for place, (start, end) in enumerate(pairwise(starts)):
        assert told.encoded(place) == data[8 * start : 8 * end]


def transcript(data: bytes, ends: list[int]) -> Transcript:
    """Events of as many time steps as there are ends."""
    steps = EncodedCommands.of([c.TimeStep(1)] * len(ends))
    return Transcript(0, steps, memoryview(data).cast("q"), ends)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([-1], "byte 0 has unknown kind -1"),
        ([len(codec.EVENT_KINDS)], f"byte 0 has unknown kind {len(codec.EVENT_KINDS)}"),
        ([2, 2, 0], "Deposited at byte 0 is cut short"),
        ([2, 2, 0, 5, 2, 2], "Deposited at byte 32 is cut short"),
        ([0, 1, 2, 0, 999, 0, 0], "Refused.code: 999 is not a valid RejectionCode"),
    ],
)
def test_damaged_events_among_many(row: list[int], reason: str) -> None:
    with pytest.raises(codec.EventEncodingError, match=reason):
        list(transcript(struct.pack(f"<{len(row)}q", *row), [0, len(row), len(row)]))


@given(st.binary(max_size=120))
def test_noise_is_refused_or_is_what_it_encodes_to(noise: bytes) -> None:
    try:
        command, end = c.decode_command(noise)
    except c.CommandEncodingError:
        pass
    else:
        assert c.encode_command(command) == noise[:end]
    try:
        event, end = codec.decode_event(noise)
    except codec.EventEncodingError:
        pass
    else:
        assert codec.encode_event(event) == noise[:end]


def test_kinds_are_told_apart_by_name_and_number() -> None:
    names = [kind.__name__ for kind in c.COMMAND_KINDS + codec.EVENT_KINDS]
    assert len(set(names)) == len(names)
    for kind in c.COMMAND_KINDS:
        assert c.command_fields(kind)
    assert codec.event_fields(codec.EVENT_KINDS[0])[0] == "command"
