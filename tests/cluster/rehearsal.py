"""A rehearsal with real processes: nodes, log servers and both are killed and paused under clients.

    python -m tests.cluster.rehearsal HARMS [SEED]

A harm is a process that is killed or paused; of many at once see `rehearsals`.

Clients place orders, each under a number of its own that makes a repeat harmless, and cancel old
ones. Now and then they read at some node and name the sequence that they know: it must have what
they placed and not what they cancelled. What they were told is held against the market that is
left: nothing acknowledged is missing, nothing is there twice, orders are numbered in the order of
real time, and some order of all calls explains what each was told.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import ccxt

from solvent.proof.cluster.search import Call, has_an_order
from solvent.proof.cluster.witness import Answered, Fault, order_flaw
from tests.cluster.nats_servers import until
from tests.cluster.trials import NODES, Clients, pid_of, running

MARKET = "SOL/USDC"
CLIENTS = 3
KEPT = 20
"""Orders that a client lets rest."""
TIMEOUT_MS = 3000
PAUSE_SECONDS = 3.0
CALM_SECONDS = 0.1
CALM_MORE = 0.4
HEAL_SECONDS = 90.0
LOGS = 3
KINDS = tuple(f"{how} {what}" for how in ("kill", "pause") for what in ("node", "log", "machine"))
"""A machine is a node and a log server at once."""
READS = 4
"""A client reads after one of so many orders."""


@dataclass
class Client:
    """Places and cancels orders until it is told to end."""

    number: int
    clients: Clients
    answers: list[Answered] = field(default_factory=list)
    resting: list[tuple[int, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    reads: int = 0
    flaw: Fault | None = None
    known: str = "0"
    """The sequence of the latest answer."""
    is_ending: bool = False
    fault: BaseException | None = None

    def run(self) -> None:
        """Until the end."""
        try:
            operation = self.number * 10**6
            while not self.is_ending:
                operation += 1
                self._place(operation)
                if len(self.resting) > KEPT:
                    self._cancel(self.resting.pop(0)[1])
                if not operation % READS:
                    self._read(self.clients.all[operation // READS % NODES])
        except BaseException as error:
            self.fault = error

    def _place(self, operation: int) -> None:
        asked = time.monotonic_ns()
        node, order = self.clients.ask(
            lambda client: client.create_order(
                MARKET, "limit", "buy", 0.01, 90, {"clientOrderId": operation}
            )
        )
        told = time.monotonic_ns()
        self._learn(self.clients.all[node])
        self.answers.append(Answered(operation, int(order["id"]), asked, told))
        self.resting.append((operation, order["id"]))

    def _cancel(self, order: str) -> None:
        def cancel(client: Any) -> None:
            try:
                client.cancel_order(order, MARKET)
            except ccxt.BaseError as error:
                # Then an attempt before was carried out and its answer did not come.
                if "Order Not Found" not in str(error):
                    raise

        node, _ = self.clients.ask(cancel)
        self._learn(self.clients.all[node])
        self.gone.append(order)

    def _learn(self, client: Any) -> None:
        self.known = client.last_response_headers["x-solvent-sequence"]

    def _read(self, client: Any) -> None:
        """Read at one node what this client did; a node that does not know it yet may say so."""
        client.headers = {"X-Solvent-Min-Sequence": self.known}
        try:
            found = {order["id"] for order in client.fetch_open_orders(MARKET)}
        except (ccxt.NetworkError, ccxt.ExchangeError):
            return
        finally:
            client.headers = {}
        self.reads += 1
        odd = {order for _, order in self.resting} - found | found & set(self.gone)
        if odd and self.flaw is None:
            self.flaw = Fault("a read is older than was asked for", tuple(sorted(map(int, odd))))


@dataclass
class Rehearsed:
    """What came of it: processes harmed, orders placed, reads, pauses by fault, a flaw.

    A pause is seconds of the client that waited longest.
    """

    harms: int
    orders: int
    reads: int
    pauses: dict[str, list[float]]
    flaw: Fault | str | None


def rehearse(place: Path, harms: int, seed: int) -> Rehearsed:
    """Harm so many processes, or one more, each when clients go on after the one before.

    What was paused may stand still yet: then there are two at once.
    """
    rng, harmed = Random(seed), 0
    pauses: dict[str, list[float]] = defaultdict(list)
    with running(place) as (folder, port):
        ports = range(port, port + NODES)
        clients = [Client(each + 1, Clients(ports, TIMEOUT_MS)) for each in range(CLIENTS)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        try:
            while harmed < harms:
                time.sleep(CALM_SECONDS + CALM_MORE * rng.random())
                kind, number = rng.choice(KINDS), rng.randrange(NODES)
                began = time.monotonic_ns()
                harmed += _harm(folder, kind, number)
                until(partial(_all_go_on, clients, began), HEAL_SECONDS)
                pauses[kind].append(max(_gap(client, began) for client in clients))
                until(lambda: _all_run(folder), HEAL_SECONDS)
        finally:
            for client in clients:
                client.is_ending = True
            for thread in threads:
                thread.join()
        for client in clients:
            if client.fault is not None:
                raise client.fault
        answers = [answer for client in clients for answer in client.answers]
        flaw = order_flaw(answers) or _calls_flaw(answers)
        flaw = flaw or next((client.flaw for client in clients if client.flaw), None)
        flaw = flaw or _resting_flaw(ports, clients)
    return Rehearsed(harmed, len(answers), sum(client.reads for client in clients), pauses, flaw)


def _harm(folder: Path, kind: str, number: int) -> int:
    """How many processes were harmed."""
    how, what = kind.split()
    names = ("node", "log") if what == "machine" else (what,)
    for each in names:
        pid = pid_of(folder, f"{each}-{number}")
        assert pid is not None
        if how == "kill":
            os.kill(pid, signal.SIGKILL)
            continue
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(PAUSE_SECONDS, _go_on, (pid,)).start()
    return len(names)


def _go_on(pid: int) -> None:
    # The fault after this one may have killed it while it stood still.
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _all_go_on(clients: list[Client], since: int) -> bool:
    """Whether each client was told of what it asked for after a fault."""
    for client in clients:
        assert client.fault is None, client.fault
    return all(client.answers and client.answers[-1].asked > since for client in clients)


def _gap(client: Client, since: int) -> float:
    """The longest time between two answers from a fault on, in seconds."""
    told = [answer.told for answer in client.answers]
    return max(after - before for before, after in pairwise(told) if after > since) / 1e9


def _all_run(folder: Path) -> bool:
    names = [f"node-{each}" for each in range(NODES)] + [f"log-{each}" for each in range(LOGS)]
    return all(pid_of(folder, name) is not None for name in names)


def _calls_flaw(answers: list[Answered]) -> Fault | None:
    """Whether no order of the calls explains that each order has a higher number than before."""
    calls = [Call(one.asked, one.told, one.place) for one in answers]
    if has_an_order(calls, -1, _numbered):
        return None
    return Fault("no order of what clients asked explains the numbers of orders", ())


def _numbered(last: int, call: Call) -> int | None:
    """A market whose orders have rising numbers, some of them others' orders."""
    return call.said if call.said is not None and call.said > last else None


def _resting_flaw(ports: range, clients: list[Client]) -> Fault | None:
    """Whether on every node exactly those orders rest that were placed and not cancelled, once."""
    wanted = sorted(int(order) for client in clients for _, order in client.resting)
    found: list[int] = []

    def agrees(port: int) -> bool:
        nonlocal found
        _, orders = Clients([port]).ask(lambda client: client.fetch_open_orders(MARKET))
        found = sorted(int(order["id"]) for order in orders if order["price"] == 90)
        return found == wanted

    for number, port in enumerate(ports):
        try:
            until(partial(agrees, port), HEAL_SECONDS)
        except AssertionError:
            odd = sorted(set(found) ^ set(wanted))
            return Fault(f"node {number} has other orders than were acknowledged", tuple(odd))
    return None


def say(done: Rehearsed) -> None:
    """Print what came of it."""
    did = f"{done.orders:,} orders placed, {done.reads:,} reads at any node"
    print(f"{done.harms} processes harmed, {did}; {done.flaw or 'no flaw'}")
    for kind, pauses in sorted(done.pauses.items()):
        print(
            f"{kind:13}  {len(pauses):3} times  pause of the client that waited longest: "
            f"median {median(pauses):.2f} s, most {max(pauses):.2f} s"
        )


def main() -> int:
    """A rehearsal by hand."""
    harms, seed = int(sys.argv[1]), int((sys.argv[2:] or ["1"])[0])
    with tempfile.TemporaryDirectory() as place:
        done = rehearse(Path(place), harms, seed)
    say(done)
    return int(done.flaw is not None)


if __name__ == "__main__":
    sys.exit(main())
