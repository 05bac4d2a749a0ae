"""The event hash: equal streams have equal hashes however they are cut, others do not."""

import hashlib
import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from solvent.domain.codec.events import encode_event
from solvent.domain.events import Deposited, Event, Stepped
from solvent.journal.event_hash import BLOCK_BYTES, EventHasher
from tests.proof import proves

EVENTS: list[Event] = [Deposited(2, number % 3, number + 1) for number in range(6000)]


def hash_of(events: list[Event]) -> str:
    hasher = EventHasher()
    hasher.update(events)
    return hasher.hexdigest()


@proves("I35")
@given(cuts=st.lists(st.integers(0, len(EVENTS)), max_size=8))
def test_batches_make_no_difference(cuts: list[int]) -> None:
    hasher = EventHasher()
    edges = [0, *sorted(cuts), len(EVENTS)]
    for start, end in pairwise(edges):
        hasher.update(EVENTS[start:end])
    assert hasher.hexdigest() == hash_of(EVENTS)


@proves("I35")
def test_bytes_cut_anywhere_make_no_difference() -> None:
    data = b"".join(map(encode_event, EVENTS))
    assert len(data) > 2 * BLOCK_BYTES
    for size in (1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(data)):
        hasher = EventHasher()
        for start in range(0, len(data), size):
            hasher.update_encoded(data[start : start + size])
        assert hasher.hexdigest() == hash_of(EVENTS)


def test_the_hash_is_the_documented_one() -> None:
    data = b"".join(map(encode_event, EVENTS))
    digest, start = bytes(32), 0
    while start + 65536 <= len(data):
        digest = hashlib.blake2b(digest + data[start : start + 65536], digest_size=32).digest()
        start += 65536
    last = digest + data[start:] + struct.pack("<Q", len(data))
    assert hash_of(EVENTS) == hashlib.blake2b(last, digest_size=32).hexdigest()


def test_a_hash_can_be_read_and_go_on() -> None:
    hasher = EventHasher()
    hasher.update(EVENTS[:10])
    assert hasher.hexdigest() == hasher.hexdigest() == hash_of(EVENTS[:10])
    hasher.update(EVENTS[10:])
    assert hasher.hexdigest() == hash_of(EVENTS)


@proves("I35")
def test_other_streams_have_other_hashes() -> None:
    first, second = EVENTS[:2]
    streams: list[list[Event]] = [
        [],
        [first],
        [second],
        [first, second],
        [second, first],
        [Stepped(2, 0)],
    ]
    assert len({hash_of(stream) for stream in streams}) == len(streams)
