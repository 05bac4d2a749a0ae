"""Genuine receipts of every kind that there is, each of a market that really settled it."""

from functools import cache
from typing import Any

from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.codec import receipt_document
from solvent.receipts.form import Receipt, StandbyReceipt
from tests.receipts.test_booking_receipts import web
from tests.receipts.test_receipts import fills, rounds
from tests.tables.story import Story, run_story
from tests.tables.waterfall.test_standby_stories import IN_DEFAULT, STUCK

RELIEVED = (
    f"{STUCK}stand_by s 5,000 at 1%\nprice SOL 190\nstep +1s",
    f"{STUCK}lend j BTC 0.4\ndeposit k USDC 90,000\nborrow k BTC 0.39\n"
    "stand_by s 5,000 at 1%\nprice SOL 190\nstep +1s",
    f"{IN_DEFAULT}stand_by s 50,000 at 0.4%\nprice SOL 176\nsteps 8 +1s",
)
"""A stuck lender, paid in tokens or a claim, and the lender of a default are relieved."""


def reliefs() -> list[StandbyReceipt]:
    """Receipts of what standbys took over."""
    found = [receipt for text in RELIEVED for receipt in _receipts(run_story(text))]
    return [each for each in found if isinstance(each, StandbyReceipt)]


def _receipts(story: Story) -> list[Receipt]:
    builder, engine = ReceiptBuilder(story.parameters), Story.engines(story.parameters)
    answered = [engine.apply_one(command) for command in story.log]
    return [each for at, events in enumerate(answered) for each in builder.feed(at, events)]


@cache
def of_every_kind() -> dict[str, tuple[dict[str, Any], ...]]:
    """Documents by the name of what counts them: round, fill, booking, swap."""
    found: dict[str, list[Receipt]] = {
        "round": [*rounds()],
        "fill": [*fills()],
        "booking": [web()],
        "swap": [*reliefs()],
    }
    return {kind: tuple(map(receipt_document, those)) for kind, those in found.items()}
