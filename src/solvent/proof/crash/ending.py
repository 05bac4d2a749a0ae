"""Ending: a market's whole journal held against what was asked for, and its views made again."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.parameters import USDC, EngineParameters
from solvent.engine.engine import FastEngine
from solvent.history.followers.orders import Order
from solvent.history.market_views import Views
from solvent.history.tables.database import MEMORY, Value
from solvent.journal.durable import Journal
from solvent.proof.crash.client import Client
from solvent.proof.crash.result import Difference
from solvent.proof.crash.script import DESK, NO_COMMANDS, NOBODY, Op, source_of
from solvent.proof.crash.staff import CHANGE
from solvent.service.core.history_writer import apply_to_views
from solvent.service.core.market import Market, head_parameters
from solvent.service.core.opening import JOURNAL, VIEWS
from solvent.service.core.sequencer import replay

HOUSE = -2
"""The sender of openings and deposits; all else is the account's that it is about."""


def compare_journal(folder: Path, archive: Path, clients: Sequence[Client]) -> list[Difference]:
    """Whether the journal has all that was asked for, once and in the order of each client."""
    asked = _by_owner(op for client in clients for op in _asked(client))
    found = _by_owner(_found(folder / JOURNAL, archive))
    differences = []
    for owner in sorted(asked.keys() | found.keys()):
        ours, theirs = asked.get(owner, []), found.get(owner, [])
        if ours != theirs:
            lost, doubled = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
            text = f"the journal lost {dict(lost)}, doubled {dict(doubled)} or changed the order"
            differences.append(Difference(text, lost.total(), doubled.total()))
    return differences


def compare_views(folder: Path, archive: Path) -> list[Difference]:
    """Whether the views are those that the journal makes."""
    journal = Journal.open(folder / JOURNAL)
    parameters = head_parameters(journal.head)
    journal.close()
    views = Views.open(f"sqlite:///{folder / VIEWS}", parameters)
    kept = views.dump()
    views.close()
    made = _made_anew(folder / JOURNAL, archive, parameters)
    return [
        Difference(f"the views made anew differ in {name} from those that were kept")
        for name in made
        if made[name] != kept[name]
    ]


def _made_anew(
    place: Path, archive: Path, parameters: EngineParameters
) -> dict[str, list[tuple[Value, ...]]]:
    journal = Journal.open(place, archive=archive)
    views = Views.open(MEMORY, parameters)
    try:
        for outcomes in replay(journal, Market(journal.head, FastEngine)):
            apply_to_views(views, outcomes)
            views.commit()
        return views.dump()
    finally:
        views.close()
        journal.close()


def _by_owner(ops: Iterator[Op]) -> dict[int, list[Op]]:
    owners: dict[int, list[Op]] = {}
    for op in ops:
        is_house = op.verb in ("open", "deposit", "endow")
        owners.setdefault(HOUSE if is_house else op.account, []).append(op)
    return owners


def _asked(client: Client) -> Iterator[Op]:
    """What was asked for by a single command."""
    for step in range(client.step):
        yield from (op for op in client.script.plan(step).ops if op.verb not in NO_COMMANDS)


def _found(place: Path, archive: Path) -> Iterator[Op]:
    """What the journal's records did when they happened."""
    journal = Journal.open(place, archive=archive)
    market = Market(journal.head, FastEngine)
    try:
        for outcomes in replay(journal, market):
            for outcome in outcomes:
                for number, command, events in outcome.transcript:
                    is_refused = bool(events) and isinstance(events[0], Refused)
                    if not is_refused and not isinstance(command, c.TimeStep):
                        yield _op(command, outcome.orders.get(number, ()), market.parameters)
    finally:
        journal.close()


def _op(  # noqa: C901
    command: c.Command, orders: Sequence[Order], parameters: EngineParameters
) -> Op:
    match command:
        case c.OpenAccount(account):
            return Op(account, "open")
        case c.Deposit(account, asset, quantity) if asset == USDC:
            return Op(account, "deposit", quantity)
        case c.Deposit(account, asset, quantity):
            return Op(account, "endow", quantity // 10 ** parameters.assets[asset].decimals)
        case c.Withdraw(account, _, quantity):
            return Op(account, "withdraw", quantity)
        case c.Lend(account, _, quantity):
            return Op(account, "lend", quantity)
        case c.Redeem(account, _, quantity):
            return Op(account, "redeem", quantity)
        case c.PlaceTrigger() as order:
            return Op(order.account, "wait", order.client_id)
        case c.PlaceOrder(time_in_force=c.TimeInForce.IOC) as order:
            verb = "buy" if order.side is c.Side.BID else "sell"
            return Op(order.account, verb, order.client_id)
        case c.PlaceOrder() as order:
            return Op(order.account, "order", order.client_id)
        case c.CancelOrder(account):
            return Op(account, "cancel", orders[0].client_id)
        case c.CancelAllOrders(account):
            return Op(account, "cancel all")
        case c.UpdatePrice() as price:
            return Op(source_of(price.asset), "price", price.last)
        case c.ChangeParameter() as change:
            return Op(DESK, CHANGE, change.value)
        case command:
            return Op(NOBODY, type(command).__name__)
