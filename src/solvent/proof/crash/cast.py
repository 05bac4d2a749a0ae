"""The cast: who asks for what in one market, and what accounts and staff must have of it."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from random import Random

from solvent.domain.parameters import EngineParameters
from solvent.proof.crash.client import Client
from solvent.proof.crash.conditional import Conditional
from solvent.proof.crash.inspection import Reader, judge
from solvent.proof.crash.listener import Listener
from solvent.proof.crash.players import Pair, Trader
from solvent.proof.crash.result import Difference
from solvent.proof.crash.script import (
    BASE,
    CONDITIONAL,
    FAILS,
    FIRES,
    FIRST_ACCOUNT,
    REMOVAL,
    Holding,
    Place,
    Script,
)
from solvent.proof.crash.signed import fingerprint_of
from solvent.proof.crash.staff import Desk, Operator, Oracle

TRADERS = 3
Note = Callable[[Difference], None]
"""Told of what is otherwise than it must be."""


class Cast:
    """Clients and a listener. `on_answer` is called in a client's thread when it was answered."""

    def __init__(
        self, parameters: EngineParameters, rng: Random, on_answer: Callable[[], None]
    ) -> None:
        place, other = Place.of(parameters, BASE), Place.of(parameters, CONDITIONAL)
        traders = range(FIRST_ACCOUNT, FIRST_ACCOUNT + TRADERS)
        pair = (traders.stop, traders.stop + 1)
        waiting = (pair[1] + 1, pair[1] + 2)
        self._places = dict.fromkeys((*traders, *pair), place) | dict.fromkeys(waiting, other)
        self._held = {account: Holding() for account in self._places}
        self._opened = self._removed = 0
        self.fired = self.rotated = 0
        """Orders that fired, and keys that took the place of others."""
        self._desk_script = Desk(place)
        endowed = dict.fromkeys(pair, place) | dict.fromkeys(waiting, other)
        operator = Operator(place, list(self._places), endowed)
        self.set_up = operator.set_up
        """After how many of the operator's steps every client has what it needs."""

        def client(script: Script) -> Client:
            return Client(script, Random(rng.random()), on_answer)

        self.operator, self.oracle = client(operator), client(Oracle(place))
        self._desk = client(self._desk_script)
        self.clients = [
            self.operator,
            self.oracle,
            self._desk,
            *(client(Trader(place, account)) for account in traders),
            client(Pair(place, pair)),
            client(Conditional(other, waiting)),
        ]
        self._settled = dict.fromkeys(self.clients, 0)
        self.listener = Listener(place, {place: pair[0], other: waiting[0]})

    def compare(self, port: int, threads: Executor, note: Note) -> None:
        """Hold the market against what was asked for; clients learn what became of that.

        Raises InspectionError where a question is not answered.
        """
        self._settle()
        reader = Reader(port, self._places)
        done = self._compare_holdings(reader, threads, note)
        done |= self._compare_account(reader, note)
        done |= self._compare_price(reader, note)
        done |= self._compare_desk(reader, note)
        for client, is_done in done.items():
            client.seen(is_done=is_done)

    def _compare_holdings(
        self, reader: Reader, threads: Executor, note: Note
    ) -> dict[Client, bool]:
        done: dict[Client, bool] = {}
        seen = threads.map(reader.holding, self._held)
        for (account, held), has in zip(self._held.items(), seen, strict=True):
            pending = {
                client: client.pending.plan
                for client in self.clients
                if client.pending and client.pending.plan.touches(account)
            }
            found = judge(account, held, has, list(pending.values()))
            if isinstance(found, Difference):
                note(found)
                continue
            for client, plan in pending.items():
                is_done = plan in found
                if done.setdefault(client, is_done) != is_done:
                    note(Difference(f"only a part was carried out of {plan.ops}"))
        return done

    def _compare_account(self, reader: Reader, note: Note) -> dict[Client, bool]:
        """Whether the account opened last acts, and the one whose key went last does not."""
        pending = self.operator.pending
        op = pending.plan.ops[0] if pending is not None else None
        may_be_gone = {self._removed, op.account if op is not None and op.verb == REMOVAL else 0}
        if self._opened and self._opened not in may_be_gone and not reader.acts(self._opened):
            note(Difference(f"account {self._opened} may not act", lost=1))
        if self._removed and reader.acts(self._removed):
            note(Difference(f"account {self._removed} acts again", lost=1))
        if op is None or op.verb not in ("open", REMOVAL):
            return {}
        return {self.operator: reader.acts(op.account) == (op.verb == "open")}

    def _compare_price(self, reader: Reader, note: Note) -> dict[Client, bool]:
        oracle = self.oracle
        if oracle.step == 0:
            return {}
        steps = (oracle.step - 1, oracle.step)
        last, following = (oracle.script.plan(step).ops[0].number for step in steps)
        price = reader.price()
        is_done = oracle.pending is not None and price == following
        if price != last and not is_done:
            note(Difference(f"the price is {price}, expected {last}", lost=1))
        return {} if oracle.pending is None else {oracle: is_done}

    def _compare_desk(self, reader: Reader, note: Note) -> dict[Client, bool]:
        """Whether what was proposed waits until it is approved, and whose keys act."""
        desk, script = self._desk, self._desk_script
        waiting = {number for number, approved in reader.proposals().items() if not approved}
        keys = reader.staff()

        def is_after(step: int) -> bool:
            return waiting == script.waiting(step) and _is_staff(keys, script.acting(step))

        is_done = desk.pending is not None and is_after(desk.step + 1)
        if not is_done and not is_after(desk.step):
            expected = f"{script.waiting(desk.step)} and {script.acting(desk.step)}"
            text = f"proposals {waiting} wait and keys {keys} act, expected {expected}"
            note(Difference(f"{text} after {desk.step} steps", lost=1))
        retired = script.retired(desk.step)
        if retired and reader.is_let_in(retired):
            note(Difference(f"the key of {retired} acts again", lost=1))
        return {} if desk.pending is None else {desk: is_done}

    def _settle(self) -> None:
        """Move what must be there on to what was answered."""
        for client in self.clients:
            for step in range(self._settled[client], client.step):
                plan = client.script.plan(step)
                self.rotated += plan.retires
                for op in plan.ops:
                    self.fired += op.verb in (FIRES, FAILS)
                    if op.verb == "open":
                        self._opened = op.account
                    if op.verb == REMOVAL:
                        self._removed = op.account
                    if op.account in self._held:
                        self._held[op.account] = self._held[op.account].after([op])
            self._settled[client] = client.step


def _is_staff(seen: Mapping[str, int], expected: Mapping[str, int]) -> bool:
    """Whether these keys act under these numbers; an expected 0 is any number."""
    named = {fingerprint_of(name): number for name, number in expected.items()}
    return seen.keys() == named.keys() and all(
        number in (0, seen[key]) for key, number in named.items()
    )
