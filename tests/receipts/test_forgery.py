"""A receipt is rejected after every single change of it, and most of them without any digest.

Two forgers try every change of every leaf, list item and key of real receipts. One leaves the
digest as it was: he is always caught. The other computes it anew: he is caught wherever the field
follows from others, and what he can change is listed here, field by field.
"""

from typing import Any

import pytest

from solvent.domain.labels import Stage
from solvent.receipts.codec import receipt_document
from solvent.receipts.settlements import stage_and_number
from solvent.receipts.verify.check import verify_receipt
from tests.journal.small_run import busy_run, receipts_of
from tests.proof import proves
from tests.receipts.forging import Forgery, forgeries, resealed

# Fields that follow from nothing else in a receipt, or not always: the digest and the run's log
# cover them. Whatever is not listed is recomputed.
ONLY_IN_THE_LOG = {
    # When, and the name of it.
    "command",
    "time",
    "round",
    "fill",
    "offer.first_fill",
    # The trigger and what the stages before said: bounded, ordered and named, but not recomputed.
    "started.command",
    "started.time",
    "started.net_equity",
    "started.maintenance",
    "started.exposure",
    "started.total_value",
    "handed_over.asset",
    "handed_over.reason",
    "handed_over.value",
    # Who was not matched: as far as the policy's answer does not depend on it.
    "candidates",
    "candidates.position",
    "candidates.cap",
    "candidates.assets_value",
    "candidates.total_value",
    "candidates.account of nothing",
    "policy",
    # All matches of a round, with all that they tell of its accounts: those who pay in borrowed
    # USDC, in kind or out of the fund may have come to pay nothing.
    "all matches",
    # Providers beside the one who was filled.
    "offer.providers.account",
    "offer.providers.capacity",
    "offer.providers.committed",
    "offer.taken",
    # An atom of an opening, or a share of less than one, that makes no difference to any sum.
    "offer.opening.balances.available",
    "offer.opening.balances.lent_shares",
    "offer.opening.balances.debt_shares",
    "before.balances.lent_shares",
    "matches.before.balances.lent_shares",
    # Parameters and pools, as far as they have no influence on the result.
    "assets.number",
    "assets.mark",
    "assets.stale",
    "assets.haircut.kind",
    "assets.haircut.weight",
    "assets.haircut.base",
    "assets.haircut.penalty",
    "assets.haircut.size_by",
    "assets.initial.base",
    "assets.initial.factor",
    "assets.maintenance.base",
    "assets.lend_shares",
    "assets.lend_index",
    "assets.debt_shares",
    "assets.debt_index",
    "borrowing.bound",
    "borrowing.curve",
    "borrowing.open_borrow_lend_limit",
    "borrowing.throttle_threshold",
    "borrowing.throttle_update_fraction",
    "waterfall.target_buffer",
    "waterfall.book_fee",
    "waterfall.opposites_fee",
    "waterfall.stale_doubt",
    "offer.providers.leverage_limit",
    "terms.max_discount",
    "terms.fund_share",
}

RECEIPTS = receipts_of(*busy_run())
DOCUMENTS: list[dict[str, Any]] = [dict(receipt_document(receipt)) for receipt in RECEIPTS]
NUMBERED = {Stage.ADL: "round", Stage.BACKSTOP: "fill", Stage.DEFICIT: "booking"}
NAMES = [f"{NUMBERED[stage]}-{number}" for stage, number in map(stage_and_number, RECEIPTS)]

TRIED = [NAMES.index(name) for name in ("round-1", "round-3", "round-6", "round-10", "fill-2")]
"""Every case, the fund as payer, borrowed legs and claims, a shared offer."""

tried = pytest.mark.parametrize(
    "document", [DOCUMENTS[place] for place in TRIED], ids=[NAMES[place] for place in TRIED]
)


def place_of(forgery: Forgery) -> str:
    """The field that was changed, whether it stands on a side of a round or on a fill."""
    match forgery.path:
        case ("matches",) if not forgery.document.get("matches"):
            return "all matches"
        case ("candidates", int() as line, "account"):
            matched = forgery.document["candidates"][line]["allotted"] != "0"
            return forgery.place if matched else f"{forgery.place} of nothing"
    return forgery.place.removeprefix("sides.")


@proves("A8", "A9", "A10", "A11", "A12", "I22", "I23", "I24", "I26")
@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_a_real_receipt_is_good(document: dict[str, Any]) -> None:
    assert verify_receipt(document) == []


@pytest.mark.slow
@tried
def test_every_single_change_is_rejected(document: dict[str, Any]) -> None:
    count = 0
    for forgery in forgeries(document):
        count += 1
        assert verify_receipt(forgery.document), (forgery.what, forgery.path)
    assert count > 1000


@pytest.mark.slow
@proves("A8", "A9", "A10", "A11", "I22", "I23", "I26")
@tried
def test_a_forger_with_a_digest_of_his_own_changes_nothing_that_matters(
    document: dict[str, Any],
) -> None:
    passed = {
        place_of(forgery)
        for forgery in forgeries(document)
        if forgery.path != ("digest",)
        and "digest" in forgery.document
        and not verify_receipt(resealed(forgery.document))
    }
    assert passed <= ONLY_IN_THE_LOG
    if document.get("case") == "OPPOSITES":
        assert "waterfall.opposites_fee" not in passed
