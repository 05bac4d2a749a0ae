"""A member of a cluster: whether it leads, what it appends, what it carries out, whom it answers.

All of it is decided here, and from the log alone: no clock, socket, thread or random number is in
here. The caller says what time it is and what the log said; what is to be done comes back as
effects, in order. So the same code runs in a market and under the simulator.

A leader appends one frame at a time, at the end that it knows. Who hears nothing for a while
appends the beginning of the next epoch there: if that is stored, it leads, having carried out all
that came before. A leader whose append is refused is none any more; one that hands over says so
in its last frame, and the next stands without waiting for silence. An append that is not answered
is sent again, and nobody is told anything before the log has said what became of it; `AskAgain`
claims nothing either way, for whoever repeats a request gets its first answer.

The same frames lead to the same effects on every node; a frame of an epoch that is over does
nothing on any of them.
"""

from collections.abc import Hashable, Sequence
from enum import Enum
from typing import NamedTuple

from solvent.cluster.frames import (
    LEAVES,
    VERSION,
    Frame,
    FrameError,
    FrameVersionError,
    Position,
    decode_frame,
    digest_of,
    encode_frame,
    is_whole,
)
from solvent.cluster.log import Appended, Refused, Stored
from solvent.domain.units import SECOND

MILLISECOND = SECOND // 1000
FRAME_RECORDS = 512
FRAME_BYTES = 256 * 1024
"""A frame takes no more records once it has so many, or so many bytes."""


class Part(Enum):
    """What a member is now."""

    FOLLOWS = "follows"
    STANDS = "stands"
    LEADS = "leads"
    HALTED = "halted"


class Timing(NamedTuple):
    """When a member does something by itself, in microseconds.

    A leader appends after `beat` at the latest. A follower that heard nothing for `silence` and
    `rank` times its number stands for the next epoch. What was not answered is sent `again`.
    """

    beat: int = 250 * MILLISECOND
    silence: int = SECOND
    rank: int = 150 * MILLISECOND
    again: int = 20 * MILLISECOND


class Append(NamedTuple):
    """Append this to the log, and say what it answered with `Member.appended`."""

    expected: int
    key: str
    frame: bytes


class Apply(NamedTuple):
    """Keep this frame in the node's own journal, then let its records happen."""

    sequence: int
    data: bytes
    records: Sequence[bytes]
    is_over: bool = False
    """Whether it belongs to an epoch that is over, so that its records do not happen."""


class Done(NamedTuple):
    """Answer who handed in record `place` of frame `sequence`, which has been carried out."""

    ticket: Hashable
    sequence: int
    place: int


class AskAgain(NamedTuple):
    """Tell them that they may ask again, here or elsewhere."""

    tickets: Sequence[Hashable]


class Fetch(NamedTuple):
    """Read frame `sequence` again, from another node's journal, and say so with `fetched`."""

    sequence: int


class Halt(NamedTuple):
    """Stop this node: it and the log do not agree. One line."""

    reason: str


Effect = Append | Apply | Done | AskAgain | Fetch | Halt


class _Flight(NamedTuple):
    """The append that has no answer yet; `again` is when to send it once more, if known."""

    append: Append
    frame: Frame
    tickets: Sequence[Hashable]
    since: int
    again: int | None = None


class Member:
    """A member that knows the log up to `position`, which its own journal holds."""

    def __init__(
        self, node: int, position: Position, now: int, timing: Timing | None = None
    ) -> None:
        self.node = node
        self.position = position
        self.part = Part.FOLLOWS
        self.leader: int | None = None
        """The node that wrote the latest frame in force."""
        self._timing = timing or Timing()
        self._heard = self._written = now
        self._number = 0
        self._flight: _Flight | None = None
        self._is_leaving = self._is_holding = self._is_alone = False
        self._waiting: list[tuple[Hashable, bytes]] = []

    @property
    def leads(self) -> bool:
        """Whether requests can be handed in here."""
        return self.part is Part.LEADS and not self._is_leaving

    def submit(self, ticket: Hashable, record: bytes, now: int) -> list[Effect]:
        """Take a record in, or tell its ticket to ask again where another node leads."""
        if not self.leads:
            return [AskAgain((ticket,))]
        self._waiting.append((ticket, record))
        return [] if self._flight or self._is_holding else self._write(now)

    @property
    def is_idle(self) -> bool:
        """Whether it leads and no append is in flight, so that it knows the end of the log."""
        return self.leads and self._flight is None

    def hold(self) -> None:
        """Append nothing more until `write_alone`, so that it becomes idle though many ask."""
        self._is_holding = self.leads and not self._is_alone

    def write_alone(self, record: bytes, now: int) -> list[Effect]:
        """Append a record in a frame of its own; only while `is_idle`."""
        assert self.is_idle
        self._is_holding, self._is_alone = False, True
        return self._send(self.position.epoch, (record,), [], now)

    def hand_over(self, now: int) -> list[Effect]:
        """Lead no more once the log has said so; who waits may ask whoever leads then."""
        if not self.leads:
            return []
        tickets, self._waiting = [ticket for ticket, _ in self._waiting], []
        self._is_leaving = True
        asked: list[Effect] = [AskAgain(tickets)] if tickets else []
        return asked if self._flight else [*asked, *self._send_last(now)]

    def leave(self) -> list[Effect]:
        """Take no further part; who waits here may ask elsewhere."""
        asked = self._step_down()
        self.part = Part.HALTED
        return asked

    def tick(self, now: int) -> list[Effect]:
        """What is due by now."""
        if self.part is Part.HALTED:
            return []
        if self._flight is not None:
            return self._press(self._flight, now)
        if self.leads:
            is_due = self._waiting or now - self._written >= self._timing.beat
            return self._write(now) if is_due and not self._is_holding else []
        if now - self._heard >= self._timing.silence + self._timing.rank * self.node:
            return self._stand(now)
        return []

    def appended(self, key: str, answer: Appended, now: int) -> list[Effect]:
        """What the log said of an append; of one that is over, nothing follows."""
        flight = self._flight
        if flight is None or flight.append.key != key:
            return []
        if isinstance(answer, Stored):
            if answer.sequence != flight.append.expected + 1:
                return self._halt(f"the log stored frame {answer.sequence} out of its place")
            return self._take(flight.append.frame, flight.frame, now)
        if isinstance(answer, Refused):
            self._heard = now
            return self._step_down()
        self._flight = flight._replace(again=now + self._timing.again)
        return []

    def heard(self, sequence: int, data: bytes, now: int) -> list[Effect]:
        """A frame of the log, however often and in whatever order they come."""
        last = self.position
        if self.part is Part.HALTED or sequence < last.sequence:
            return []
        if sequence == last.sequence:
            return self._compare(data)
        if sequence > last.sequence + 1:
            return [Fetch(last.sequence + 1)]
        try:
            frame = decode_frame(data, last.digest)
        except FrameVersionError as error:
            return self._halt(f"frame {sequence}: {error}")
        except FrameError:
            return [Fetch(sequence)]
        return self._take(data, frame, now)

    def fetched(self, sequence: int, data: bytes, now: int) -> list[Effect]:
        """A frame out of another node's journal. One that does not fit here ends this node."""
        if self.part is Part.HALTED or sequence != self.position.sequence + 1:
            return []
        try:
            frame = decode_frame(data, self.position.digest)
        except FrameError as error:
            return self._halt(f"frame {sequence} of another node: {error}")
        return self._take(data, frame, now)

    # Writing.

    def _write(self, now: int) -> list[Effect]:
        """Append what waits, or nothing at all to be heard."""
        size = count = 0
        while count < min(len(self._waiting), FRAME_RECORDS) and size < FRAME_BYTES:
            size += len(self._waiting[count][1])
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        records = tuple(record for _, record in batch)
        return self._send(self.position.epoch, records, [ticket for ticket, _ in batch], now)

    def _send_last(self, now: int) -> list[Effect]:
        self._number = LEAVES
        return self._send(self.position.epoch, (), [], now)

    def _stand(self, now: int) -> list[Effect]:
        self.part, self._number = Part.STANDS, 0
        return self._send(self.position.epoch + 1, (), [], now)

    def _send(
        self, epoch: int, records: tuple[bytes, ...], tickets: Sequence[Hashable], now: int
    ) -> list[Effect]:
        expected = self.position.sequence
        frame = Frame(VERSION, epoch, self.node, self._number, self.position.digest, records)
        data = encode_frame(frame)
        # Known by its content: a node that lost its journal would give a counted key twice.
        append = Append(expected, digest_of(data).hex(), data)
        self._number += 1
        self._written = now
        self._flight = _Flight(append, frame, tickets, now)
        return [append]

    def _press(self, flight: _Flight, now: int) -> list[Effect]:
        """Send what was not answered again; leave it to others where that takes too long."""
        if flight.again is None or now < flight.again:
            return []
        if now - flight.since >= self._timing.silence:
            self._heard = now
            return self._step_down()
        self._flight = flight._replace(again=None)
        return [flight.append]

    # Following.

    def _take(self, data: bytes, frame: Frame, now: int) -> list[Effect]:
        """Take the next frame of the log, whoever wrote it."""
        last, flight = self.position, self._flight
        self._heard = now
        self.position = Position(last.sequence + 1, max(last.epoch, frame.epoch), digest_of(data))
        is_over = frame.epoch < last.epoch
        records = () if is_over else frame.records
        apply = Apply(self.position.sequence, data, records, is_over)
        if not is_over:
            self.leader = frame.node
        is_last = frame.number == LEAVES and not is_over
        if flight is None or flight.append.frame != data:
            if is_last:
                self._heard = now - self._timing.silence
            return [apply, *self._step_down()]
        self._flight, self._is_alone = None, False
        if is_last:
            return [apply, *self._step_down()]
        self.part = Part.LEADS
        done = [Done(ticket, apply.sequence, at) for at, ticket in enumerate(flight.tickets)]
        more = self._write(now) if self._waiting and not self._is_holding else []
        if self._is_leaving:
            more = self._send_last(now)
        return [apply, *done, *more]

    def _step_down(self) -> list[Effect]:
        """Follow from now on, and let those ask again who wait here."""
        tickets = [ticket for ticket, _ in self._waiting]
        if self._flight is not None:
            tickets = [*self._flight.tickets, *tickets]
        self._waiting, self._flight = [], None
        self._is_leaving = self._is_holding = self._is_alone = False
        self.part = Part.FOLLOWS
        return [AskAgain(tickets)] if tickets else []

    def _compare(self, data: bytes) -> list[Effect]:
        """The last frame that was taken comes again. It is this node's own bytes or a fork."""
        if digest_of(data) == self.position.digest or not is_whole(data):
            return []
        return self._halt(f"frame {self.position.sequence} of the log is another than before")

    def _halt(self, reason: str) -> list[Effect]:
        return [*self.leave(), Halt(reason)]
