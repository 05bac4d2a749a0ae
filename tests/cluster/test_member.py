"""One member, told step by step what the log said."""

import pytest

from solvent.cluster.frames import (
    LEAVES,
    VERSION,
    Frame,
    FrameError,
    Position,
    beginning,
    decode_frame,
    digest_of,
    encode_frame,
    is_whole,
)
from solvent.cluster.log import Refused, Stored, Unknown
from solvent.cluster.member import (
    FRAME_BYTES,
    FRAME_RECORDS,
    Append,
    Apply,
    AskAgain,
    Done,
    Effect,
    Fetch,
    Halt,
    Member,
    Part,
    Timing,
)
from solvent.cluster.memory_log import MemoryLog

BEGIN = beginning(b"market")
TIMING = Timing(beat=100, silence=1000, rank=10, again=5)


def sent(effects: list[Effect]) -> Append:
    appends = [effect for effect in effects if isinstance(effect, Append)]
    assert len(appends) == 1
    return appends[0]


def leader(node: int = 0) -> tuple[Member, int]:
    """A member that leads, and the time."""
    member = Member(node, BEGIN, 0, TIMING)
    now = TIMING.silence + node * TIMING.rank
    append = sent(member.tick(now))
    member.appended(append.key, Stored(1), now)
    assert member.leads
    return member, now


def frame_after(last: Position, epoch: int, *records: bytes, node: int = 1) -> bytes:
    return encode_frame(Frame(VERSION, epoch, node, 0, last.digest, records))


class TestHandingOver:
    def test_who_waits_is_told_and_the_last_frame_says_so(self) -> None:
        member, now = leader()
        first = sent(member.submit("a", b"1", now))
        member.submit("b", b"2", now)
        assert member.hand_over(now) == [AskAgain(["b"])]
        assert not member.leads
        assert member.submit("c", b"3", now) == [AskAgain(("c",))]
        effects = member.appended(first.key, Stored(2), now)
        assert Done("a", 2, 0) in effects
        last = sent(effects)
        assert decode_frame(last.frame, digest_of(first.frame)).number == LEAVES
        member.appended(last.key, Stored(3), now)
        assert member.part is Part.FOLLOWS
        assert member.tick(now + TIMING.silence - 1) == []

    def test_the_others_stand_by_their_numbers_without_a_wait_for_silence(self) -> None:
        for node in (1, 2):
            member = Member(node, BEGIN, 0, TIMING)
            begun = frame_after(BEGIN, 1, node=0)
            last = encode_frame(Frame(VERSION, 1, 0, LEAVES, digest_of(begun)))
            member.heard(1, begun, 5)
            member.heard(2, last, 6)
            assert member.tick(5 + TIMING.rank * node) == []
            assert sent(member.tick(6 + TIMING.rank * node)).expected == 2

    def test_a_last_frame_of_an_epoch_that_is_over_hurries_nobody(self) -> None:
        member = Member(1, BEGIN, 0, TIMING)
        begun = frame_after(BEGIN, 2, node=0)
        last = encode_frame(Frame(VERSION, 1, 0, LEAVES, digest_of(begun)))
        member.heard(1, begun, 5)
        member.heard(2, last, 6)
        assert member.tick(6 + TIMING.silence) == []

    def test_one_that_was_refused_follows_and_may_lead_again(self) -> None:
        member, now = leader()
        last = sent(member.hand_over(now))
        member.appended(last.key, Refused(), now)
        assert member.part is Part.FOLLOWS
        assert member.hand_over(now) == []
        again = sent(member.tick(now + TIMING.silence))
        member.appended(again.key, Stored(2), now + TIMING.silence)
        assert member.leads


class TestHolding:
    def test_what_waits_is_held_until_a_record_was_written_alone(self) -> None:
        member, now = leader()
        first = sent(member.submit("a", b"1", now))
        member.submit("b", b"2", now)
        member.hold()
        assert member.appended(first.key, Stored(2), now)[1:] == [Done("a", 2, 0)]
        assert member.is_idle
        assert member.submit("c", b"3", now) == []
        assert member.tick(now + TIMING.beat) == []
        alone = sent(member.write_alone(b"alone", now))
        member.hold()
        effects = member.appended(alone.key, Stored(3), now)
        assert decode_frame(sent(effects).frame, digest_of(alone.frame)).records == (b"2", b"3")

    def test_who_leads_no_more_holds_nothing(self) -> None:
        member, now = leader()
        first = sent(member.submit("a", b"1", now))
        member.hold()
        member.appended(first.key, Refused(), now)
        again = sent(member.tick(now + TIMING.silence))
        member.appended(again.key, Stored(2), now + TIMING.silence)
        assert sent(member.submit("b", b"2", now + TIMING.silence)).expected == 2


class TestLeading:
    def test_who_hears_nothing_for_a_while_stands_for_the_next_epoch(self) -> None:
        member = Member(2, BEGIN, 0, TIMING)
        assert member.tick(1019) == []
        append = sent(member.tick(1020))
        assert append.expected == 0
        assert decode_frame(append.frame, BEGIN.digest) == Frame(VERSION, 1, 2, 0, BEGIN.digest)
        assert member.part is Part.STANDS
        assert member.submit("a", b"1", 1020) == [AskAgain(("a",))]

    def test_a_stored_beginning_leads_and_a_refused_one_waits_anew(self) -> None:
        member = Member(0, BEGIN, 0, TIMING)
        append = sent(member.tick(1000))
        assert member.appended(append.key, Refused(), 1001) == []
        assert member.part is Part.FOLLOWS
        assert member.tick(2000) == []
        append = sent(member.tick(2001))
        assert member.appended(append.key, Stored(1), 2002) == [Apply(1, append.frame, ())]
        assert member.leads
        assert member.position.epoch == 1

    def test_one_append_at_a_time_and_what_waits_goes_together(self) -> None:
        member, now = leader()
        first = sent(member.submit("a", b"1", now))
        assert member.submit("b", b"2", now) == []
        assert member.submit("c", b"3", now) == []
        apply, done, second = member.appended(first.key, Stored(2), now)
        assert apply == Apply(2, first.frame, (b"1",))
        assert done == Done("a", 2, 0)
        assert isinstance(second, Append)
        assert second.expected == 2
        assert decode_frame(second.frame, digest_of(first.frame)).records == (b"2", b"3")

    def test_its_frame_heard_before_the_answer_is_the_answer(self) -> None:
        member, now = leader()
        append = sent(member.submit("a", b"1", now))
        assert member.heard(2, append.frame, now) == [
            Apply(2, append.frame, (b"1",)),
            Done("a", 2, 0),
        ]
        assert member.appended(append.key, Stored(2), now) == []
        assert member.leads

    def test_silence_ends_with_an_empty_frame(self) -> None:
        member, now = leader()
        assert member.tick(now + 99) == []
        assert (
            decode_frame(sent(member.tick(now + 100)).frame, member.position.digest).records == ()
        )

    @pytest.mark.parametrize(
        ("size", "expected"), [(1, FRAME_RECORDS), (FRAME_BYTES - 1, 2), (FRAME_BYTES, 1)]
    )
    def test_a_frame_has_its_limits(self, size: int, expected: int) -> None:
        member, now = leader()
        first = sent(member.submit("first", b"", now))
        for number in range(FRAME_RECORDS + 1):
            member.submit(number, bytes(size), now)
        second = sent(member.appended(first.key, Stored(2), now))
        assert len(decode_frame(second.frame, digest_of(first.frame)).records) == expected


class TestNotKnowing:
    def test_nobody_is_told_before_the_log_has_spoken(self) -> None:
        member, now = leader()
        append = sent(member.submit("a", b"1", now))
        assert member.appended(append.key, Unknown(), now) == []
        assert member.tick(now + 4) == []
        assert member.tick(now + 5) == [append]
        assert member.tick(now + 50) == []
        assert member.appended(append.key, Stored(2), now + 60)[1] == Done("a", 2, 0)

    def test_after_a_silence_it_is_left_to_others(self) -> None:
        member, now = leader()
        append = sent(member.submit("a", b"1", now))
        member.submit("b", b"2", now)
        member.appended(append.key, Unknown(), now + 995)
        assert member.tick(now + 1000) == [AskAgain(["a", "b"])]
        assert member.part is Part.FOLLOWS
        # It was stored all the same: its own frame, which it takes like anybody's.
        assert member.heard(2, append.frame, now) == [Apply(2, append.frame, (b"1",))]
        assert not member.leads

    def test_a_refused_leader_is_none_any_more(self) -> None:
        member, now = leader()
        append = sent(member.submit("a", b"1", now))
        assert member.appended(append.key, Refused(), now) == [AskAgain(["a"])]
        assert member.part is Part.FOLLOWS
        assert member.submit("b", b"2", now) == [AskAgain(("b",))]

    def test_another_in_its_place_ends_its_lead(self) -> None:
        member, now = leader()
        append = sent(member.submit("a", b"1", now))
        other = frame_after(member.position, 2)
        assert member.heard(2, other, now) == [Apply(2, other, ()), AskAgain(["a"])]
        assert member.appended(append.key, Refused(), now) == []
        assert member.leader == 1
        assert member.position.epoch == 2

    def test_a_place_that_the_log_cannot_have_given_halts(self) -> None:
        member, now = leader()
        append = sent(member.submit("a", b"1", now))
        asked, halt = member.appended(append.key, Stored(3), now)
        assert asked == AskAgain(["a"])
        assert isinstance(halt, Halt)
        assert member.tick(now + 10_000) == []
        assert member.submit("b", b"2", now) == [AskAgain(("b",))]


class TestFollowing:
    def test_frames_come_in_order_once(self) -> None:
        member = Member(1, BEGIN, 0, TIMING)
        first = frame_after(BEGIN, 1, b"1")
        after = Position(1, 1, digest_of(first))
        second = frame_after(after, 1, b"2")
        assert member.heard(2, second, 1) == [Fetch(1)]
        assert member.heard(1, first, 1) == [Apply(1, first, (b"1",))]
        assert member.heard(1, first, 1) == []
        assert member.heard(2, second, 1) == [Apply(2, second, (b"2",))]
        assert member.heard(1, first, 1) == []

    def test_every_flipped_bit_is_fetched_again(self) -> None:
        frame = frame_after(BEGIN, 1, b"1")
        for place in range(8 * len(frame)):
            member = Member(1, BEGIN, 0, TIMING)
            changed = bytearray(frame)
            changed[place // 8] ^= 1 << place % 8
            assert not is_whole(bytes(changed))
            assert member.heard(1, bytes(changed), 1) == [Fetch(1)]
            assert member.fetched(1, frame, 1) == [Apply(1, frame, (b"1",))]

    def test_a_frame_of_another_market_is_not_taken(self) -> None:
        member = Member(1, BEGIN, 0, TIMING)
        foreign = frame_after(beginning(b"another"), 1, b"1")
        assert member.heard(1, foreign, 1) == [Fetch(1)]
        (halt,) = member.fetched(1, foreign, 1)
        assert isinstance(halt, Halt)
        assert "does not follow" in halt.reason

    def test_a_frame_of_an_epoch_that_is_over_does_nothing(self) -> None:
        last = BEGIN._replace(epoch=5)
        member = Member(1, last, 0, TIMING)
        stale = frame_after(BEGIN, 4, b"1")
        assert member.heard(1, stale, 1) == [Apply(1, stale, (), is_over=True)]
        assert member.position == Position(1, 5, digest_of(stale))
        assert member.leader is None

    def test_two_frames_in_one_place_halt(self) -> None:
        member = Member(1, BEGIN, 0, TIMING)
        member.heard(1, frame_after(BEGIN, 1, b"1"), 1)
        (halt,) = member.heard(1, frame_after(BEGIN, 1, b"2"), 1)
        assert isinstance(halt, Halt)
        assert member.part is Part.HALTED

    def test_another_form_is_named(self) -> None:
        frame = encode_frame(Frame(VERSION + 1, 1, 0, 0, BEGIN.digest))
        with pytest.raises(FrameError, match="has form 2, and this release reads forms up to 1"):
            decode_frame(frame, BEGIN.digest)

    def test_what_is_no_frame_is_named(self) -> None:
        with pytest.raises(FrameError, match="damaged"):
            decode_frame(b"", BEGIN.digest)


@pytest.mark.parametrize("remembers", [True, False])
def test_the_memory_log_stores_where_it_ends(remembers: bool) -> None:
    log = MemoryLog(remembers=remembers)
    assert log.append(1, "a", b"1") == Refused()
    assert log.append(0, "a", b"1") == Stored(1)
    assert log.append(0, "a", b"1") == (Stored(1) if remembers else Refused())
    assert log.append(1, "b", b"2") == Stored(2)
    assert (log.tail(), list(log.read(2, 5))) == (2, [b"2"])


class TestAMemberWhoseJournalIsLost:
    """It begins anew, and what it writes may be asked of a log that remembers what it wrote once.

    A log answers a key that it has seen lately with the place of the frame that it stored then.
    """

    @pytest.mark.parametrize("again", [b"1", b"2"])
    def test_it_is_told_of_no_other_frame_than_its_own(self, again: bytes) -> None:
        log = MemoryLog()
        _, first = self._asked(log, b"1")
        member, said = self._asked(log, again)
        assert Done("a", 2, 0) in first
        if again == b"1":
            assert Done("a", 2, 0) in said
        else:
            assert said == [AskAgain(["a"])]
            assert not member.leads

    def _asked(self, log: MemoryLog, record: bytes) -> tuple[Member, list[Effect]]:
        """What a new member says of a record, once it stood, having read nothing of the log."""
        member, now = Member(0, BEGIN, 0, TIMING), TIMING.silence
        stood = sent(member.tick(now))
        member.appended(stood.key, log.append(*stood), now)
        append = sent(member.submit("a", record, now))
        return member, member.appended(append.key, log.append(*append), now)
