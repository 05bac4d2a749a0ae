"""Mixed commands: the whole engine with every check, in batches, against the reference engine.

Two parts. With many accounts the fast engine goes through a long stream. With few, both engines go
through the same shorter one from the same snapshot, and must give the same event bytes and the same
state hash: the reference looks at every account at every price, so a ratio with many would say more
about that than about commands.
"""

from collections.abc import Iterator
from functools import partial

from benches.common.engines import (
    BATCH,
    apply_all,
    copy_of,
    engine_over,
    events_by_kind,
)
from benches.common.market import market
from benches.common.measure import agree, once, repeat
from benches.common.population import populated
from benches.common.rows import AT_LEAST, TIMES, Row, Target, of, rate
from benches.common.stream import mixed_stream
from solvent.domain.commands import decode_command
from solvent.domain.events import Refused
from solvent.engine.engine import FastEngine
from solvent.engine.memory.snapshot import write_snapshot
from solvent.reference.engine import ReferenceEngine

NAME = "commands"


def bench(*, quick: bool = False) -> Iterator[Row]:
    """Commands a second; and how many times the reference's."""
    many, few, times = (
        ((2_000, 20_000), (200, 1_000), 2)
        if quick
        else (
            (100_000, 1_000_000),
            (2_000, 20_000),
            5,
        )
    )
    yield _many(*many, times)
    yield _against_reference(*few)


def _many(accounts: int, count: int, times: int) -> Row:
    start = populated(market(), accounts)
    rows = mixed_stream(market(), accounts, count)
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [engine_over(copy_of(start))]

    timing, parts = repeat(lambda: apply_all(engines[0], rows), times, fresh)
    refused = len(events_by_kind(parts, Refused).get(Refused, ()))
    measured = (
        f"{count:,} commands in batches of {BATCH:,}, {accounts:,} accounts, "
        f"{refused / count:.0%} refused"
    )
    return Row(NAME, measured, rate(timing, count, "commands"), target=Target(AT_LEAST, 5))


def _against_reference(accounts: int, count: int) -> Row:
    start = write_snapshot(populated(market(), accounts))
    rows = mixed_stream(market(), accounts, count)
    commands = [decode_command(row.tobytes())[0] for row in rows]
    reference = ReferenceEngine.restore(start)
    took, answers = once(partial(reference.apply, commands))
    engines: list[FastEngine] = []

    def fresh() -> None:
        engines[:] = [FastEngine.restore(start)]

    timing, parts = repeat(lambda: apply_all(engines[0], rows), 3, fresh)
    events = b"".join(part.tobytes() for part in parts)
    agree("event bytes of both engines", events, answers.words.tobytes())
    agree("state hashes of both engines", engines[0].state_hash(), reference.state_hash())
    theirs = of("M commands/s", [count / took / 1e6])
    figure = rate(timing, count, "commands")
    measured = f"{count:,} of them, {accounts:,} accounts, same bytes and state"
    return Row(NAME, measured, figure, "the reference engine", theirs, Target(TIMES, 20))
