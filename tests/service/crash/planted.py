"""Lives with a planted fault, each of which a rehearsal must find.

A killed process finds these functions by their names, so they are in a module that loads quickly.
"""

from collections.abc import Sequence
from itertools import count
from multiprocessing.connection import Connection

import msgspec

from solvent.domain import commands as c
from solvent.domain.codec.commands import EncodedCommands
from solvent.domain.codec.transcript import Transcript
from solvent.domain.engine_face import EngineFactory
from solvent.domain.events import Filled
from solvent.domain.parameters import EngineParameters
from solvent.history.market_views import Views
from solvent.history.tables.memo import Memo
from solvent.history.tables.rows import OrderStatus
from solvent.journal.durable import Journal
from solvent.journal.segments import FlawError, decode_frame, decode_header, segment_path
from solvent.proof.crash.process import Launch, serve_until_killed
from solvent.service.api.objects.governance import ProposalState
from solvent.service.api.objects.streams import TradeMessage
from solvent.service.authority.desk import Desk
from solvent.service.authority.proposals import Proposal
from solvent.service.core.idempotency import Answer, ClientRow, DigestRow, FirstAnswers
from solvent.service.core.keys import KeyRegistry
from solvent.service.core.market import Market, Outcome
from solvent.service.core.opening import JOURNAL
from solvent.service.core.plans import Plan
from solvent.service.streams import payloads
from solvent.service.streams.payloads import Moment
from solvent.service.streams.subscriptions import Subscriptions, Topic

HELD_BACK = 5
LEFT_OUT = 5


def acknowledges_early(launch: Launch, pipe: Connection) -> None:
    """Answers before the batch is written; it is written with those that follow."""
    held: list[bytes] = []
    append, snapshot, close = Journal.append, Journal.snapshot, Journal.close

    def flush(journal: Journal) -> None:
        if held:
            append(journal, held)
            held.clear()

    def hold(journal: Journal, records: Sequence[bytes]) -> int:
        held.extend(records)
        if len(held) > HELD_BACK:
            flush(journal)
        return 0

    def flush_and_snapshot(journal: Journal, data: bytes) -> None:
        flush(journal)
        snapshot(journal, data)

    def flush_and_close(journal: Journal) -> None:
        flush(journal)
        close(journal)

    Journal.append = hold  # type: ignore[method-assign, assignment]
    Journal.snapshot = flush_and_snapshot  # type: ignore[method-assign, assignment]
    Journal.close = flush_and_close  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def loses_the_tail(launch: Launch, pipe: Connection) -> None:
    """Finds a journal without its last batch, and no snapshot that would tell."""
    journal = launch.folder / JOURNAL
    path = segment_path(journal, 1)
    if path.exists():
        for snapshot in journal.glob("snapshot-*"):
            snapshot.unlink()
        data = path.read_bytes()
        end = _last_batch(data)
        path.write_bytes(data[:end] + bytes(len(data) - end))
    serve_until_killed(launch, pipe)


def _last_batch(data: bytes) -> int:
    """Where the last frame with records begins."""
    header = decode_header(data)
    offset = last = header.end
    while True:
        try:
            frame = decode_frame(data, offset, header.marker)
        except FlawError:
            return last
        last = frame.start if frame.records else last
        offset = frame.end


def forgets_answers(launch: Launch, pipe: Connection) -> None:
    """Carries out again what was answered without a word."""
    find = FirstAnswers.find

    def forget(answers: FirstAnswers, digest: bytes) -> Answer | None:
        first = find(answers, digest)
        return first if first and first.body else None

    FirstAnswers.find = forget  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def saves_no_answers(launch: Launch, pipe: Connection) -> None:
    """Takes snapshots in which the answers without a word are missing."""
    rows = FirstAnswers.rows

    def some(answers: FirstAnswers) -> tuple[list[DigestRow], list[ClientRow]]:
        digests, clients = rows(answers)
        return [row for row in digests if row[-1]], clients

    FirstAnswers.rows = some  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def answers_otherwise(launch: Launch, pipe: Connection) -> None:
    """Says something else to a request that comes again."""
    find = FirstAnswers.find

    def other(answers: FirstAnswers, digest: bytes) -> Answer | None:
        first = find(answers, digest)
        return first and Answer(first.status, first.body + b" ")

    FirstAnswers.find = other  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def keeps_no_fifth(launch: Launch, pipe: Connection) -> None:
    """Has histories in which every fifth command is missing."""
    apply = Views.apply

    def leave_out(
        views: Views, time_us: int, transcript: Transcript, memo: Memo | None = None
    ) -> None:
        left = [
            (command, events if number % LEFT_OUT else ()) for number, command, events in transcript
        ]
        apply(views, time_us, Transcript.of(transcript.first, left), memo)

    Views.apply = leave_out  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def tells_no_seventh(launch: Launch, pipe: Connection) -> None:
    """Has streams in which every seventh message is missing."""
    say, said = Subscriptions.say, count()

    def leave_out(told: Subscriptions, topic: Topic, text: str, key: str | None = None) -> None:
        if next(said) % 7:
            say(told, topic, text, key)

    Subscriptions.say = leave_out  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def tells_twice(launch: Launch, pipe: Connection) -> None:
    """Has streams in which a message comes again."""
    say, said = Subscriptions.say, count()

    def repeat(told: Subscriptions, topic: Topic, text: str, key: str | None = None) -> None:
        for _ in range(1 if next(said) % 7 else 2):
            say(told, topic, text, key)

    Subscriptions.say = repeat  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def tells_other_prices(launch: Launch, pipe: Connection) -> None:
    """Has streams whose trades have other prices than histories."""
    trade = payloads.trade

    def other(parameters: EngineParameters, fill: Filled, when: Moment) -> TradeMessage:
        return msgspec.structs.replace(trade(parameters, fill, when), price="1")

    payloads.trade = other
    serve_until_killed(launch, pipe)


def removes_no_key(launch: Launch, pipe: Connection) -> None:
    """Says that a key was removed, and it acts on."""
    KeyRegistry.remove = _leave  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def _leave(registry: KeyRegistry, key: bytes) -> None:
    """Leave a key as it is."""


def saves_no_proposals(launch: Launch, pipe: Connection) -> None:
    """Takes snapshots in which no change waits."""
    rows = Desk.rows

    def none(desk: Desk) -> bytes:
        waiting, desk.waiting = desk.waiting, {}
        saved = rows(desk)
        desk.waiting = waiting
        return saved

    Desk.rows = none  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def makes_changes_twice(launch: Launch, pipe: Connection) -> None:
    """Forgets that a change was made, once."""
    kept = Desk._kept
    made: set[int] = set()

    def forget(desk: Desk, proposal: Proposal, ends: ProposalState | None, reason: str) -> Proposal:
        if ends is ProposalState.MADE and proposal.number not in made:
            made.add(proposal.number)
            return kept(desk, proposal, None, reason)
        return kept(desk, proposal, ends, reason)

    Desk._kept = forget  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def fires_none(launch: Launch, pipe: Connection) -> None:
    """Lets orders wait for a price that never comes."""
    wait = c.waiting_order

    def in_vain(order: c.PlaceOrder, trigger_price: int, trigger_by: c.TriggerBy) -> c.PlaceTrigger:
        return wait(order, 2 * trigger_price, trigger_by)

    c.waiting_order = in_vain
    serve_until_killed(launch, pipe)


def fires_twice(launch: Launch, pipe: Connection) -> None:
    """Lets an order that fired enter a second time."""
    apply = Market._apply

    def again(market: Market, plans: Sequence[Plan]) -> list[Outcome]:
        outcomes = apply(market, plans)
        fired = (
            order
            for outcome in outcomes
            for orders in outcome.orders.values()
            for order in orders
            if order.triggered and order.status is OrderStatus.FILLED
        )
        twins = [
            c.PlaceOrder(
                order.account, order.asset, order.side, price=order.price, quantity=order.quantity
            )
            for order in fired
        ]
        if twins:
            last = outcomes[-1]
            (entered,) = market.engine.apply_groups(market.commands, [EncodedCommands.of(twins)])
            market.commands = entered.end
            more = market._follow(entered, last.record.time)
            rows = [row[1:] for told in (last.transcript, entered) for row in told]
            outcomes[-1] = last._replace(
                transcript=Transcript.of(last.transcript.first, rows),
                orders={**last.orders, **more},
            )
        return outcomes

    Market._apply = again  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def forgets_what_waits(launch: Launch, pipe: Connection) -> None:
    """Comes back from a snapshot without the orders that wait for a price."""
    begin = Market._begin

    def forget(market: Market, head: bytes, engines: EngineFactory, saved: bytes | None) -> None:
        begin(market, head, engines, saved)
        waiting = [
            each for each in market.orders.all() if each.status is OrderStatus.TRIGGER_PENDING
        ]
        cancels = EncodedCommands.of(c.CancelOrder(each.account, each.order) for each in waiting)
        if saved is not None and waiting:
            (gone,) = market.engine.apply_groups(market.commands, [cancels])
            market.commands = gone.end
            market._follow(gone, 0)

    Market._begin = forget  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def saves_no_rotation(launch: Launch, pipe: Connection) -> None:
    """Takes snapshots in which whoever took another key has the old one."""
    rotate, encode = KeyRegistry.rotate, KeyRegistry.encode
    before: list[bytes] = []

    def remember(registry: KeyRegistry, number: int, key: bytes) -> None:
        before[:] = [encode(registry)]
        rotate(registry, number, key)

    def forget(registry: KeyRegistry) -> bytes:
        return before.pop() if before else encode(registry)

    KeyRegistry.rotate = remember  # type: ignore[method-assign, assignment]
    KeyRegistry.encode = forget  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def keeps_old_keys(launch: Launch, pipe: Connection) -> None:
    """Lets a key that was replaced act beside the new one."""
    rotate = KeyRegistry.rotate

    def keep(registry: KeyRegistry, number: int, key: bytes) -> None:
        old = registry._acting[number]
        held = registry._principals[old]
        rotate(registry, number, key)
        registry._principals[old] = held

    KeyRegistry.rotate = keep  # type: ignore[method-assign, assignment]
    serve_until_killed(launch, pipe)


def ends_by_itself(_launch: Launch, _pipe: Connection) -> None:
    """Never serves."""
    raise SystemExit(7)
