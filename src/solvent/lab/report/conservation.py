"""Conservation: that no settlement changed what a party is worth.

From the balances of all parties before and after each match, each party's change is added up asset
by asset and valued at the marks in force. The largest drift of a run is given in USDC and in atoms:
how many atoms of the coarsest asset of that match it is worth. Where the fund pays for a debtor,
what the fund loses is what the debtor gains, and the two are taken as one party. The fee that the
rules state is no drift.

Balances come by the million, so they are read as columns. Changes are integers, exact. Their values
go through a float only to leave out parties that cannot have the largest drift; the others are
valued exactly, and that decides.
"""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from solvent.domain.codec.events import event_fields, kind_number
from solvent.domain.codec.transcript import Transcript
from solvent.domain.events import Event
from solvent.domain.labels import AdlCase, Stage
from solvent.domain.parameters import USDC
from solvent.domain.units import format_decimal
from solvent.domain.waterfall_events import AdlLeg, AdlMatched, AdlOpened, PartyBalance
from solvent.foresight.marks import Marks, exact_text

ATOM_PLACES = 3
FUND = 0
BALANCE = kind_number(PartyBalance)
MANY = 1 << 19
"""Balances read before the end of a command, where a round ends."""

_FIELDS = event_fields(PartyBalance)
_SLACK = 1e-12
"""More than rounding can do to a float sum of one party's changes, as a ratio of their sizes."""
_SAFE = 1 << 60
"""Amounts up to here can be added up four at a time in 64 bits."""

Numbers = npt.NDArray[Any]


class _Match(NamedTuple):
    """One match: which account pays for which, and the coarsest atom's exact value."""

    giver: int
    payer: int
    atom: int


def fees_of(opened: AdlOpened, match: AdlMatched) -> list[tuple[int, int]]:
    """Who gained and lost by the fee of a match, in atoms of USDC; nobody where there is none."""
    if not match.fee:
        return []
    if opened.case is AdlCase.OPPOSITES:
        return [(match.lender, -match.fee), (match.payer, match.fee)]
    receiver = FUND if opened.paid_in == USDC else match.lender
    return [(match.payer, -match.fee), (receiver, match.fee)]


class _Changes(NamedTuple):
    """Each party's changes, ordered: a row per match, party and asset, and where parties begin."""

    match: Numbers
    person: Numbers
    asset: Numbers
    change: Numbers
    starts: Numbers


class Conservation:
    """The largest drift in a match; `read` a transcript, then feed it the events of `KINDS`.

    `note` takes the places of the balances, `close` ends a command.
    """

    KINDS = (AdlOpened, AdlMatched, AdlLeg)

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._words: memoryview | None = None
        self._places: list[int] = []
        self._atoms: dict[tuple[int, int], int] = {}
        self._matches: dict[tuple[int, int], _Match] = {}
        self._fees: list[tuple[int, int, int]] = []
        self._opened: AdlOpened | None = None
        self.settlements = 0
        self._drift = 0
        self._in_atoms = Fraction(0)
        self._account: int | None = None

    def read(self, transcript: Transcript) -> None:
        """Begin with the events of some commands."""
        self._words = transcript.words

    def forget(self) -> None:
        """Let go of the transcript that was read last."""
        self._words = None

    def note(self, place: int) -> None:
        """A balance stands at this place."""
        self._places.append(place)

    def update(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, AdlOpened):
            if len(self._places) > MANY:
                self.close()
            self._opened = event
        elif isinstance(event, AdlLeg):
            key = event.round, event.match
            self._atoms[key] = max(self._atoms.get(key, 0), self._marks.exact(event.asset, 1))
        elif isinstance(event, AdlMatched):
            self.settlements += 1
            key = event.round, event.match
            atom = max(self._atoms.pop(key, 0), self._marks.exact(event.asset, 1))
            assert self._opened is not None
            for account, change in fees_of(self._opened, event):
                self._fees.append((len(self._matches), account, change))
            self._matches[key] = _Match(event.giver, event.payer, atom)

    def close(self) -> None:
        """Judge the matches whose balances have all been seen; marks must not have moved since."""
        if self._matches:
            self._judge(self._changes(), list(self._matches.values()))
        self._places, self._matches, self._fees = [], {}, []

    def _changes(self) -> _Changes:
        """Changes of every party in the matches at hand."""
        assert self._words is not None
        words = np.frombuffer(self._words, dtype=np.int64)
        rows = words[np.array(self._places)[:, None] + np.arange(1, 1 + len(_FIELDS))]
        rows = rows[rows[:, _FIELDS.index("stage")] == Stage.ADL]
        column = {name: rows[:, place] for place, name in enumerate(_FIELDS)}
        keys = np.array(list(self._matches), dtype=np.int64)
        match = _places_of(column["number"], column["match"], keys)
        matches = self._matches.values()
        givers = np.array([each.giver for each in matches])[match]
        payers = np.array([each.payer for each in matches])[match]
        person = np.where(column["account"] == givers, payers, column["account"])
        amounts = [column[name] for name in ("available", "locked", "lent", "debt")]
        if max(int(np.abs(amount).max()) for amount in amounts) > _SAFE:
            amounts = [amount.astype(object) for amount in amounts]
        held = amounts[0] + amounts[1] + amounts[2] - amounts[3]
        held = np.where(column["after"] == 1, held, -held)
        asset = column["asset"]
        if self._fees:
            # What a fee changed is taken back, as a row of its own.
            charged, charged_person, fee = np.array(self._fees, dtype=np.int64).T
            match, person = np.append(match, charged), np.append(person, charged_person)
            asset, held = np.append(asset, np.full(len(fee), USDC)), np.append(held, -fee)
        order = np.lexsort((asset, person, match))
        match, person, asset = match[order], person[order], asset[order]
        is_new = np.ones(len(order), dtype=bool)
        is_new[1:] = np.diff(match) != 0
        is_new[1:] |= np.diff(person) != 0
        is_asset = is_new.copy()
        is_asset[1:] |= np.diff(asset) != 0
        first = np.flatnonzero(is_asset)
        change = np.add.reduceat(held[order], first)
        starts = np.flatnonzero(is_new[first])
        return _Changes(match[first], person[first], asset[first], change, starts)

    def _judge(self, changes: _Changes, matches: list[_Match]) -> None:
        """Value the parties that can have the largest drift exactly, in order."""
        worth = np.array([float(self._marks.exact(n, 1)) for n in range(len(self._marks.symbols))])
        terms = changes.change.astype(float) * worth[changes.asset]
        drift = np.abs(np.add.reduceat(terms, changes.starts))
        slack = _SLACK * np.add.reduceat(np.abs(terms), changes.starts)
        atoms = np.array([float(each.atom) for each in matches])[changes.match[changes.starts]]
        least = max(float((drift - slack).max()), float(self._drift) * (1 - _SLACK))
        least_atoms = max(
            float(((drift - slack) / atoms).max()), float(self._in_atoms) * (1 - _SLACK)
        )
        can_be = (drift + slack >= least) | ((drift + slack) / atoms >= least_atoms)
        ends = np.append(changes.starts[1:], len(changes.match))
        for party in np.flatnonzero(can_be).tolist():
            rows = range(int(changes.starts[party]), int(ends[party]))
            exact = abs(
                sum(
                    self._marks.exact(int(changes.asset[row]), int(changes.change[row]))
                    for row in rows
                )
            )
            if exact > self._drift or self._account is None:
                self._drift, self._account = exact, int(changes.person[rows[0]])
            atom = matches[int(changes.match[rows[0]])].atom
            self._in_atoms = max(self._in_atoms, Fraction(exact, atom))

    def result(self) -> dict[str, Any]:
        """The record of conservation; atoms are rounded up to a thousandth."""
        atoms = self._in_atoms * 10**ATOM_PLACES
        return {
            "settlements": self.settlements,
            "largest_drift_usdc": exact_text(self._drift),
            "largest_drift_atoms": format_decimal(
                -(-atoms.numerator // atoms.denominator), ATOM_PLACES
            ),
            "largest_drift_account": self._account,
        }


def _places_of(rounds: Numbers, matches: Numbers, keys: Numbers) -> Numbers:
    """For each row the place in `keys`, pairs in ascending order, of its round and match."""
    width = int(max(keys[:, 1].max(), matches.max())) + 1
    return np.searchsorted(keys[:, 0] * width + keys[:, 1], rounds * width + matches)
