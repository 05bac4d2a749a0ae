"""Encoded commands and transcripts: the objects that went in, or the reason why there are none."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvent.domain import commands as c
from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.events import (
    EVENT_KINDS,
    encode_event,
    event_fields,
    event_numbers,
    kind_number,
)
from solvent.domain.codec.transcript import Entry, Transcript
from solvent.domain.events import Deposited, Event, Lent, Refused
from solvent.domain.labels import Source
from solvent.domain.rejections import Limit, RejectionCode
from tests.domain.strategies import records

any_command = st.one_of([records(kind) for kind in c.COMMAND_KINDS])
any_event = st.one_of([records(kind) for kind in EVENT_KINDS])
REFUSED = Refused(1, 2, 0, next(iter(RejectionCode)), next(iter(Limit)), 0)
LENT = Lent(2, 0, 5, 5, Source.MANUAL)


@given(st.lists(any_command, max_size=6))
def test_commands_are_those_that_were_encoded(commands: list[c.Command]) -> None:
    found = EncodedCommands.of(commands)
    assert list(found) == commands
    assert found[1:] == tuple(commands[1:])
    assert found[::-2] == tuple(commands[::-2])
    assert [c.COMMAND_KINDS[kind] for kind in found.kinds] == [type(each) for each in commands]
    assert all(found[place] is found[place] for place in range(len(commands)))
    with pytest.raises(IndexError):
        found[len(commands)]


@given(st.lists(any_command, max_size=5), st.data())
def test_bytes_are_refused_as_one_command_after_another_would_be(
    commands: list[c.Command], data: st.DataObject
) -> None:
    noise = bytearray(b"".join(map(c.encode_command, commands)))
    for _ in range(data.draw(st.integers(0, 2))):
        if noise:
            noise[data.draw(st.integers(0, len(noise) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(noise[: data.draw(st.integers(0, len(noise)))])
    expected, reason, place = [], "", 0
    while place < len(cut) and not reason:
        try:
            command, place = c.decode_command(cut, place)
            expected.append(command)
        except c.CommandEncodingError as error:
            reason = str(error)
    if reason:
        with pytest.raises(c.CommandEncodingError) as refused:
            EncodedCommands(cut)
        assert str(refused.value) == reason
    else:
        assert list(EncodedCommands(cut)) == expected


@given(
    st.lists(st.tuples(any_command, st.lists(any_event, max_size=4)), max_size=5),
    st.integers(0, 10**9),
    st.sets(st.sampled_from(EVENT_KINDS)),
)
def test_a_transcript_is_what_was_told(
    done: list[tuple[c.Command, list[Event]]], first: int, wanted: set[type[Event]]
) -> None:
    transcript = Transcript.of(first, done)
    entries = [
        Entry(first + place, command, tuple(events)) for place, (command, events) in enumerate(done)
    ]
    kinds = {kind_number(kind) for kind in wanted}
    assert (list(transcript), transcript.end) == (entries, first + len(done))
    assert transcript.present == {
        kind_number(type(event)) for entry in entries for event in entry.events
    }
    for index, entry in enumerate(entries):
        chosen = [event for event in entry.events if type(event) in wanted]
        assert transcript.events(index, kinds) == chosen
    found = [(index, transcript.events(index, kinds)) for index in range(len(entries))]
    assert list(transcript.by_command(kinds)) == [each for each in found if each[1]]
    assert transcript.of_kinds(kinds) == [
        event for entry in entries for event in entry.events if type(event) in wanted
    ]
    for number in range(max(0, first - 1), transcript.end + 2):
        left = transcript.since(number)
        assert list(left) == [entry for entry in entries if entry.number >= number]
        assert left.end == transcript.end


@given(any_event)
def test_numbers_of_an_event_are_its_fields(event: Event) -> None:
    words = memoryview(b"12345678" + encode_event(event)).cast("q")
    expected = tuple(int(getattr(event, name)) for name in event_fields(type(event)))
    assert event_numbers(words, kind_number(type(event)), 1) == expected


def test_a_transcript_reads_its_own_part_of_a_turn() -> None:
    turn = memoryview(b"".join(map(encode_event, (REFUSED, LENT, Deposited(3, 0, 1))))).cast("q")
    commands = EncodedCommands.of([c.Lend(2, 0, 5), c.CollectFees(0)])
    transcript = Transcript(8, commands, turn[7:13], [6, 6])
    assert [entry.events for entry in transcript] == [(LENT,), ()]


def test_no_commands_are_a_transcript() -> None:
    transcript = Transcript.of(3, [])
    assert (len(transcript), transcript.end, transcript.present) == (0, 3, frozenset())


def test_a_number_beyond_the_kinds_is_refused_where_it_stands() -> None:
    data = c.encode_command(c.Lend(2, 0, 5)) + struct.pack("<q", 99)
    with pytest.raises(c.CommandEncodingError, match="command at byte 32 has unknown kind 99"):
        EncodedCommands(data)
