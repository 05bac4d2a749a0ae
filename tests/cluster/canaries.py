"""Planted bugs of members and nodes: a promise of the cluster broken as it would be in earnest."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import msgspec

from solvent.cluster.frames import DIGEST_BYTES, Frame, Position
from solvent.cluster.log import Appended, Refused, Unknown
from solvent.cluster.member import Append, Apply, Done, Effect, Member, Part
from solvent.proof.cluster.nodes import Node
from solvent.proof.cluster.world import World


class AnswersOnUnknown(Member):
    """What may or may not be in the log is answered as done."""

    def appended(self, key: str, answer: Appended, now: int) -> list[Effect]:
        flight = self._flight
        if isinstance(answer, Unknown) and flight is not None and flight.append.key == key:
            return self._take(flight.append.frame, flight.frame, now)
        return super().appended(key, answer, now)


class AnswersOnRefusal(Member):
    """A leader that is refused tells its clients that it is done."""

    def appended(self, key: str, answer: Appended, now: int) -> list[Effect]:
        flight = self._flight
        if isinstance(answer, Refused) and flight is not None and flight.append.key == key:
            return self._take(flight.append.frame, flight.frame, now)
        return super().appended(key, answer, now)


class AnswersBeforeTheLog(Member):
    """An operation is answered when it is sent."""

    def _send(
        self, epoch: int, records: tuple[bytes, ...], tickets: Sequence[Hashable], now: int
    ) -> list[Effect]:
        sent = super()._send(epoch, records, [], now)
        at = self.position.sequence + 1
        return [*sent, *(Done(ticket, at, place) for place, ticket in enumerate(tickets))]


class CountsItsKeys(Member):
    """A key is epoch, node and number: a node that lost its journal gives it twice."""

    def _send(
        self, epoch: int, records: tuple[bytes, ...], tickets: Sequence[Hashable], now: int
    ) -> list[Effect]:
        (append,) = super()._send(epoch, records, tickets, now)
        assert isinstance(append, Append)
        assert self._flight is not None
        counted = append._replace(key=f"{epoch}.{self.node}.{self._flight.frame.number}")
        self._flight = self._flight._replace(append=counted)
        return [counted]


class TakesAGap(Member):
    """Frames are taken as they come, whatever is missing before them."""

    def heard(self, sequence: int, data: bytes, now: int) -> list[Effect]:
        if sequence <= self.position.sequence + 1:
            return super().heard(sequence, data, now)
        self.position = Position(sequence - 1, self.position.epoch, self.position.digest)
        frame = _read(data)
        return self._take(data, frame, now) if frame else []


class TakesWhatIsDamaged(Member):
    """A frame is read without asking whether it is whole and follows the last."""

    def heard(self, sequence: int, data: bytes, now: int) -> list[Effect]:
        frame = _read(data) if sequence == self.position.sequence + 1 else None
        return self._take(data, frame, now) if frame else super().heard(sequence, data, now)


class AppliesALowerEpoch(Member):
    """A frame of an epoch that is over has its records carried out."""

    def _take(self, data: bytes, frame: Frame, now: int) -> list[Effect]:
        return [
            effect._replace(records=frame.records) if isinstance(effect, Apply) else effect
            for effect in super()._take(data, frame, now)
        ]


class LeadsOn(Member):
    """A leader that hears of another's frame goes on leading."""

    def _take(self, data: bytes, frame: Frame, now: int) -> list[Effect]:
        led = self.leads
        effects = super()._take(data, frame, now)
        if led:
            self.part = Part.LEADS
        return effects


class ForgetsItsWaiters(Member):
    """Who steps down leaves those who wait without a word, and without the end of their wait."""

    def _step_down(self) -> list[Effect]:
        super()._step_down()
        return []

    def tick(self, now: int) -> list[Effect]:
        return super().tick(now) if self.leads or self._flight else []


@dataclass(slots=True)
class ReadsItsFuture(Node):
    """A node tells readers of what it has only sent."""

    def said(self) -> tuple[int, int]:
        sequence, total = self.member.position.sequence, self.machine.count
        flight = self.member._flight
        return (sequence + 1, total + len(flight.tickets)) if flight else (sequence, total)


@dataclass(slots=True)
class ForgetsInItsJournal(Node):
    """A node carries out a frame, and its journal does not have it after a restart."""

    def said(self) -> tuple[int, int]:
        if self.life and self.machine.places:
            self.machine.places.popitem()
            self.life -= 1
        return self.member.position.sequence, self.machine.count


class SkipsTheExpectation(World):
    """Node 1 appends at the end of the log, wherever that is."""

    def _append(self, node: Node, append: Append) -> None:
        if node.number == 1:
            append = append._replace(expected=self.log.tail())
        super()._append(node, append)


def _read(data: bytes) -> Frame | None:
    try:
        return msgspec.msgpack.decode(data[DIGEST_BYTES:], type=Frame)
    except msgspec.MsgspecError:
        return None


MEMBERS = (
    AnswersOnUnknown,
    AnswersOnRefusal,
    AnswersBeforeTheLog,
    CountsItsKeys,
    TakesAGap,
    TakesWhatIsDamaged,
    AppliesALowerEpoch,
    LeadsOn,
    ForgetsItsWaiters,
)
NODES = (ReadsItsFuture, ForgetsInItsJournal)
