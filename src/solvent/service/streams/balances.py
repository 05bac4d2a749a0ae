"""Balances: which accounts events touched, and what of their balances clients do not know yet.

Values are absolute, so that one message says all that several changes did. Absent: balances
themselves, which are asked of the engine when they are told, for accounts that somebody watches.
"""

from collections.abc import Sequence
from typing import Protocol

from solvent.domain.codec.events import EVENT_KINDS, event_fields
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event, Refused
from solvent.domain.parameters import EngineParameters
from solvent.domain.readings import Balance
from solvent.service.streams import payloads
from solvent.service.streams.subscriptions import BALANCES, Subscriptions, Topic

_PARTIES = (
    "account",
    "taker",
    "maker",
    "provider",
    "receiver",
    "lender",
    "payer",
    "giver",
    "standby",
)


def _parties(kind: type[Event]) -> tuple[int, ...]:
    """Which numbers say whom an event touched; a refusal touches nobody, who may not even exist."""
    if kind is Refused:
        return ()
    return tuple(place for place, name in enumerate(event_fields(kind), 1) if name in _PARTIES)


_PARTIES_OF = tuple(map(_parties, EVENT_KINDS))


class Holdings(Protocol):
    """Who knows balances."""

    def balances(self, account: int) -> Sequence[Balance]:
        """What the account has, by asset number."""


class BalanceWatch:
    """Tells of balances that changed."""

    def __init__(self, parameters: EngineParameters, subscriptions: Subscriptions) -> None:
        self._parameters = parameters
        self._subscriptions = subscriptions
        self._touched: set[int] = set()
        self._told: dict[int, list[tuple[int, int]]] = {}

    def note(self, transcript: Transcript) -> None:
        """Remember whom events touched."""
        words, events = transcript.words, zip(transcript.kinds, transcript.places, strict=True)
        self._touched.update(
            [words[place + party] for kind, place in events for party in _PARTIES_OF[kind]]
        )

    def tell(self, holdings: Holdings, now: int) -> None:
        """Tell of what changed; of an account watched anew, all of it, for what is known is not."""
        for account in sorted(self._touched):
            topic = Topic(BALANCES, account)
            if not self._subscriptions.has(topic):
                self._told.pop(account, None)
                continue
            found = [(each.available, each.locked) for each in holdings.balances(account)]
            before = self._told.get(account)
            self._told[account] = found
            for asset, pair in enumerate(found):
                if before is None or before[asset] != pair:
                    shape = payloads.balance(self._parameters, asset, *pair, now)
                    self._subscriptions.send(topic, shape)
        self._touched.clear()
