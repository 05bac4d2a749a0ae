"""The waterfall in public: each step as it happens, with stage, reason, round and amounts.

Whose step it was is a pseudonym: a keyed hash of the account's number, the same for as long as the
market's journal is, and of no use to who does not have the journal. What a settlement was computed
from (candidates, balances, health of parties) is in receipts, for those who took part.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import fields
from hashlib import blake2b

from solvent.domain import waterfall_events as w
from solvent.domain.codec.events import EVENT_KINDS, kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event, Filled
from solvent.domain.labels import AdlCase, Reason, Stage, SystemOrder
from solvent.domain.parameters import EngineParameters
from solvent.service.api.objects.streams import StepAmount, StepParty, WaterfallStep
from solvent.service.api.shapes import price_text, quantity_text, value_text

KEPT = 10_000
"""Steps that may be asked for; older ones are in histories and receipts."""
NAME_BYTES = 8
_INNER = (
    w.PoolRecorded,
    w.PartyBalance,
    w.PartyHealth,
    w.BackstopOffered,
    w.BackstopCandidate,
    w.AdlStuck,
    w.AdlCandidate,
    w.ReservesRecorded,
)
TOLD = frozenset(
    kind_number(kind)
    for kind in EVENT_KINDS
    if kind is Filled or (kind.__module__ == w.__name__ and kind not in _INNER)
)
"""Kinds of events, by number, that are steps; of fills those of a liquidation's orders."""
BOOK_FILLED = "BookFilled"
_OF_ADL = (w.AdlOpened, w.AdlMatched, w.AdlLeg)
_PARTIES = ("account", "provider", "giver", "receiver", "lender", "payer", "debtor", "standby")
_ATOMS = (
    *("quantity", "debt_quantity", "needed", "allotted", "principal", "interest"),
    *("claims", "loss", "fees", "treasury", "residue", "lenders"),
)
"""Of the asset of their event."""
_ROUNDS = ("booking", "round", "fill")
_VALUES = ("net_equity", "maintenance", "exposure", "premium", "paid", "posted", "fee", "shortfall")
_VALUES_OF_ALL = ("loss", "fund")
"""Values where an event has no asset; elsewhere atoms, or a flag."""


class Waterfall:
    """The latest steps of a market; `secret` is what pseudonyms are made with."""

    def __init__(self, parameters: EngineParameters, secret: bytes) -> None:
        self.latest: deque[WaterfallStep] = deque(maxlen=KEPT)
        self._parameters = parameters
        self._secret = secret
        # The case of the round that is being told: its matches and legs stand behind its opening.
        self._case = AdlCase.STUCK_LENDER

    def follow(self, now: int, transcript: Transcript) -> Iterator[WaterfallStep]:
        """The steps in what happened, which are kept."""
        for index, events in transcript.by_command(TOLD):
            for event in events:
                if isinstance(event, Filled) and event.system_order is SystemOrder.USER:
                    continue
                step = self._step(now, transcript.first + index, event)
                self.latest.append(step)
                yield step

    def _step(self, now: int, command: int, event: Event) -> WaterfallStep:
        found = _figures(event)
        if isinstance(event, w.AdlOpened):
            self._case = event.case
        asset = found.get("asset", found.get("debt_asset"))
        number = next((found[name] for name in _ROUNDS if name in found), None)
        return WaterfallStep(
            told=now,
            command=command,
            step=BOOK_FILLED if isinstance(event, Filled) else type(event).__name__,
            stage=Stage(found["stage"]).name if "stage" in found else _stage_of(event),
            reason=Reason(found["reason"]).name if found.get("reason") else None,
            case=self._case.name if isinstance(event, _OF_ADL) else None,
            round=number,
            symbol=None if asset is None else self._parameters.assets[asset].symbol,
            parties=[
                StepParty(role=name, account=self._name(found[name]))
                for name in _PARTIES
                if name in found
            ],
            amounts=[
                StepAmount(name=name, amount=text)
                for name, number in found.items()
                if (text := self._amount(name, number, asset)) is not None
            ],
        )

    def _amount(self, name: str, number: int, asset: int | None) -> str | None:
        if name in _ATOMS and asset is not None:
            return quantity_text(self._parameters, asset, number)
        if name in ("mark", "price"):
            return price_text(number)
        is_value = name.endswith("value") or name in _VALUES
        is_value |= asset is None and name in _VALUES_OF_ALL
        return value_text(number) if is_value else None

    def _name(self, account: int) -> str:
        word = account.to_bytes(8, "little", signed=True)
        return blake2b(word, digest_size=NAME_BYTES, key=self._secret).hexdigest()


def _figures(event: Event) -> dict[str, int]:
    """What a step tells of its event; of a fill what the liquidated account did, `value` USDC."""
    if isinstance(event, Filled):
        return {
            "account": event.taker,
            "asset": event.asset,
            "price": event.price,
            "quantity": event.quantity,
            "value": event.quote,
        }
    return {each.name: getattr(event, each.name) for each in fields(event)}


def _stage_of(event: Event) -> str | None:
    """The stage whose own step it is."""
    for word, stage in (
        ("Filled", Stage.BOOK),
        ("Backstop", Stage.BACKSTOP),
        ("Adl", Stage.ADL),
        ("Standby", Stage.STANDBY),
    ):
        if type(event).__name__.startswith(word):
            return stage.name
    return None if isinstance(event, w.LiquidationStarted | w.LiquidationEnded) else "BOOKING"
