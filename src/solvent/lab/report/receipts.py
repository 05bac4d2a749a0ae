"""The receipts of a run, laid out for a reader: one match in full, and the first ADL rounds.

A round is told in the order in which it happened: which lender was stuck, why each stage before had
left it, which counterparties there were and what each was allotted, what changed hands, and what
each party was worth before and after. Nothing is computed again here: `solvent verify` does that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from solvent.domain.labels import AdlCase, LegForm, Tier
from solvent.domain.units import PRICE_DECIMALS, VALUE_DECIMALS, format_decimal, value_up
from solvent.lab.report.drawing.markup import Markup, join, table, tag
from solvent.lab.report.formatting import ABSENT, money, number, trimmed, utc, words
from solvent.receipts.form import (
    AdlReceipt,
    CandidateLine,
    Leg,
    MatchLine,
    Party,
    Receipt,
    Side,
)

ROUNDS_PER_CASE = 3
MATCHES_PER_ROUND = 4
SIDES_PER_ROUND = 8
CANDIDATES_PER_ROUND = 10
FUND_ACCOUNT = 0

CASE_TITLES = {
    AdlCase.STUCK_LENDER: "Stuck lender",
    AdlCase.BORROWER_DEFAULT: "Borrower default",
    AdlCase.OPPOSITES: "Opposites",
}
FORM_TITLES = {
    LegForm.AVAILABLE: "handed over as it was",
    LegForm.REDEEMED: "redeemed from its pool",
    LegForm.CLAIM: "claim on its pool",
    LegForm.BORROWED: "borrowed from its pool",
}
HOLDING_TITLES = {"available": "available", "locked": "in orders", "lent": "lent", "debt": "owed"}


@dataclass(slots=True)
class Chosen:
    """The receipts that are shown: the first rounds of each case, and the match in full."""

    rounds: dict[AdlCase, list[AdlReceipt]] = field(
        default_factory=lambda: {case: [] for case in AdlCase}
    )
    best: tuple[AdlReceipt, MatchLine] | None = None

    def take(self, receipt: Receipt) -> None:
        """Keep a receipt, the next of its run, if it is one that is shown.

        The match in full is the largest of a stuck lender; where none was stuck, the largest of
        a default.
        """
        if not isinstance(receipt, AdlReceipt) or not receipt.matches:
            return
        if len(self.rounds[receipt.case]) < ROUNDS_PER_CASE:
            self.rounds[receipt.case].append(receipt)
        if receipt.case is AdlCase.OPPOSITES:
            return
        for match in receipt.matches:
            if self.best is None or _rank(receipt, match) > _rank(*self.best):
                self.best = receipt, match


def chosen(receipts: Iterable[Receipt]) -> Chosen:
    """Those of some receipts that are shown."""
    kept = Chosen()
    for receipt in receipts:
        kept.take(receipt)
    return kept


def _rank(receipt: AdlReceipt, match: MatchLine) -> tuple[bool, int]:
    return receipt.case is AdlCase.STUCK_LENDER, match.value


def promise(kept: Chosen) -> Markup:
    """A lender made whole and a borrower worth what it was, side by side; nothing without ADL."""
    if kept.best is None:
        return Markup("")
    receipt, match = kept.best
    quantity = _said(receipt, receipt.asset, match.quantity)
    value = f"{_money(match.value)} USDC"
    when = utc(_time(receipt.time))
    stuck = receipt.case is AdlCase.STUCK_LENDER
    paid = _paid(receipt, match)
    lender = (
        f"Lent {receipt.asset} in a pool that could pay nothing out. At {when} {quantity} of the "
        if stuck
        else f"Had lent {receipt.asset} to a borrower who defaulted. At {when} {quantity} of the "
    )
    lender += f"claim was settled at the mark, {_mark(receipt)} USDC: {value}, paid as {paid}."
    borrower = f"Owed {receipt.asset}. Handed over {paid} and was rid of a debt of {quantity}, "
    borrower += (
        f"worth as much less the fee of the default, {_exact(match.fee)} USDC."
        if match.fee
        else "worth the same. No fee, no discount, and never more than the loan."
    )
    return tag(
        "section",
        tag("h2", "The promise, in one settlement"),
        tag(
            "p",
            f"Match {match.number + 1} of ADL round {receipt.round}: value changes its form, "
            "and nobody is worth less afterwards.",
        ),
        tag(
            "div",
            _person("A lender made whole", match.lender, lender, receipt, match),
            _person("A borrower worth what he was", match.payer, borrower, receipt, match),
            class_="pair",
        ),
    )


def _person(title: str, account: int, said: str, receipt: AdlReceipt, match: MatchLine) -> Markup:
    before, after = _party(match.before, account), _party(match.after, account)
    change = after.total_value - before.total_value
    kept = abs(change) <= _rounding_unit(receipt, match) + match.fee
    verdict = "Total value: the same to the last atom"
    if kept and match.fee and change:
        verdict = f"Total value: the same but for the stated fee ({_exact(change)} USDC)"
    elif change:
        same = "the same to the rounding of an atom" if kept else "NOT the same"
        verdict = f"Total value: {same} ({_exact(change)} USDC)"
    return tag(
        "div",
        tag("h3", f"{title}: account {account}"),
        tag("p", said),
        table(
            f"Holdings of account {account}",
            ("Asset", "", "Before", "After"),
            _holdings(receipt, before, after),
            text_columns=2,
        ),
        table(
            f"Worth of account {account}, USDC",
            ("At the mark", "Before", "After"),
            [
                ("Total value", _exact(before.total_value), _exact(after.total_value)),
                (
                    "Health: net equity less maintenance",
                    _exact(_surplus(before)),
                    _exact(_surplus(after)),
                ),
            ],
        ),
        tag("p", verdict, class_="verdict" if kept else "verdict broken"),
        class_="card",
    )


def _holdings(receipt: AdlReceipt, before: Party, after: Party) -> list[tuple[str, ...]]:
    """What the account has and owes, asset by asset, where there is any before or after."""
    was = {balance.asset: balance for balance in before.balances}
    became = {balance.asset: balance for balance in after.balances}
    rows = []
    for symbol in dict.fromkeys((*was, *became)):
        for name, title in HOLDING_TITLES.items():
            old = getattr(was[symbol], name) if symbol in was else 0
            new = getattr(became[symbol], name) if symbol in became else 0
            if old or new:
                amounts = (_atoms(receipt, symbol, amount) for amount in (old, new))
                rows.append((symbol, title, *amounts))
    return rows


def rounds(kept: Chosen) -> Markup:
    """The first rounds of each case; where there were none, that is said."""
    shown = []
    for case, receipts in kept.rounds.items():
        if not receipts:
            said = f"{CASE_TITLES[case]}: no such round in this run."
            shown.append(tag("p", said, class_="none"))
        shown.extend(_round(receipt, at == 0) for at, receipt in enumerate(receipts))
    return join(shown)


def _round(receipt: AdlReceipt, is_open: bool) -> Markup:
    hidden = len(receipt.matches) - MATCHES_PER_ROUND
    more = f"and {number(hidden)} more matches in receipts.jsonl" if hidden > 0 else None
    return tag(
        "details",
        tag(
            "summary",
            tag("strong", f"{CASE_TITLES[receipt.case]}, {receipt.asset}, round {receipt.round}"),
            f" {utc(_time(receipt.time))}",
        ),
        tag(
            "p",
            f"To be settled: {_said(receipt, receipt.asset, receipt.needed)} at a mark of "
            f"{_mark(receipt)} USDC; allotted "
            f"{_said(receipt, receipt.asset, receipt.allotted)} by policy "
            f"{words(receipt.policy.name)}.",
        ),
        _sides(receipt),
        _candidates(receipt),
        *(_match(receipt, match) for match in receipt.matches[:MATCHES_PER_ROUND]),
        *(tag("p", said, class_="soft") for said in (more,) if said),
        class_="card long",
        open="open" if is_open else None,
    )


def _sides(receipt: AdlReceipt) -> Markup:
    def row(side: Side) -> tuple[str, ...]:
        return (
            str(side.account),
            words(side.book_reason.name),
            words(side.backstop_reason.name),
            _money(side.net_equity),
            _money(side.maintenance),
            _atoms(receipt, receipt.asset, side.needed),
            _atoms(receipt, receipt.asset, side.allotted),
        )

    return table(
        _title("Who was stuck, and why the stages before failed", receipt.sides, SIDES_PER_ROUND),
        (
            "Account",
            "Why the book failed",
            "Why the backstop failed",
            "Net equity",
            "Maintenance",
            f"Needed, {receipt.asset}",
            f"Granted, {receipt.asset}",
        ),
        [row(side) for side in receipt.sides[:SIDES_PER_ROUND]],
        text_columns=3,
    )


def _candidates(receipt: AdlReceipt) -> Markup:
    """Counterparties, those with the most allotted first."""
    ordered = sorted(receipt.candidates, key=lambda one: (-one.allotted, one.account))
    owes = "Lent" if receipt.case is AdlCase.BORROWER_DEFAULT else "Owes"

    def row(one: CandidateLine) -> tuple[str, ...]:
        return (
            str(one.account),
            _atoms(receipt, receipt.asset, one.position),
            _money(one.assets_value),
            _money(one.total_value),
            _leverage(one),
            _atoms(receipt, receipt.asset, one.cap),
            _atoms(receipt, receipt.asset, one.allotted),
        )

    return table(
        _title("Candidates and what they were allotted", ordered, CANDIDATES_PER_ROUND),
        (
            "Account",
            f"{owes}, {receipt.asset}",
            "Assets, USDC",
            "Total value, USDC",
            "Leverage",
            f"Cap, {receipt.asset}",
            f"Allotted, {receipt.asset}",
        ),
        [row(one) for one in ordered[:CANDIDATES_PER_ROUND]],
    )


def _match(receipt: AdlReceipt, match: MatchLine) -> Markup:
    giver = "the backstop fund" if match.giver == FUND_ACCOUNT else f"account {match.giver}"
    quantity = _said(receipt, receipt.asset, match.quantity)
    said = (
        f"Lender {match.lender} gives up a claim of {quantity}, borrower {match.payer} is rid of "
        f"as much debt, and {giver} hands over "
        f"{_money(match.value)} USDC worth:"
    )
    people = dict.fromkeys((match.lender, match.payer, match.giver))
    return join(
        [
            tag("h4", f"Match {match.number + 1}"),
            tag("p", said),
            table(
                "What changed hands",
                ("From", "To", "Asset", "How", "Quantity", "Value, USDC"),
                [_leg(receipt, leg) for leg in match.legs],
                text_columns=4,
            ),
            table(
                "What everybody is worth, USDC",
                (
                    "Account",
                    "Total value before",
                    "After",
                    "Change",
                    "Health before",
                    "After",
                ),
                [_worth(match, account) for account in people],
            ),
        ]
    )


def _leg(receipt: AdlReceipt, leg: Leg) -> tuple[str, ...]:
    flag = ", flagged" if leg.tier is not None and leg.tier >= Tier.FLAGGED else ""
    return (
        str(leg.giver),
        str(leg.receiver),
        leg.asset,
        FORM_TITLES[leg.form] + flag,
        _atoms(receipt, leg.asset, leg.quantity),
        _exact(leg.value),
    )


def _worth(match: MatchLine, account: int) -> tuple[str, ...]:
    before, after = _party(match.before, account), _party(match.after, account)
    return (
        str(account),
        _exact(before.total_value),
        _exact(after.total_value),
        _exact(after.total_value - before.total_value),
        _exact(_surplus(before)),
        _exact(_surplus(after)),
    )


def _paid(receipt: AdlReceipt, match: MatchLine) -> str:
    """What changed hands in words: "2,000 USDC and 0.0012 BTC"."""
    totals: dict[str, int] = {}
    for leg in match.legs:
        totals[leg.asset] = totals.get(leg.asset, 0) + leg.quantity
    parts = [_said(receipt, symbol, total) for symbol, total in totals.items()]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _title(title: str, rows: Sequence[object], most: int) -> str:
    return title if len(rows) <= most else f"{title} (the first {most} of {number(len(rows))})"


def _party(parties: Sequence[Party], account: int) -> Party:
    return next(party for party in parties if party.account == account)


def _surplus(party: Party) -> int:
    return party.net_equity - party.maintenance


def _leverage(one: CandidateLine) -> str:
    """Assets over total value, to see with; the policy compares exactly."""
    return number(one.assets_value / one.total_value, 3) if one.total_value > 0 else ABSENT


def _rounding_unit(receipt: AdlReceipt, match: MatchLine) -> int:
    """What one atom of everything that changed hands is worth together, in 10^-6 USDC, up."""
    kinds = {receipt.asset, *(leg.asset for leg in match.legs)}
    terms = [asset for asset in receipt.assets if asset.symbol in kinds]
    return sum(1 + value_up(1, asset.mark, asset.decimals) for asset in terms)


def _decimals(receipt: AdlReceipt, symbol: str) -> int:
    return next(asset.decimals for asset in receipt.assets if asset.symbol == symbol)


def _atoms(receipt: AdlReceipt, symbol: str, quantity: int) -> str:
    """A quantity to its last atom, so that a column of them lines up."""
    decimals = _decimals(receipt, symbol)
    return number(format_decimal(quantity, decimals), decimals)


def _said(receipt: AdlReceipt, symbol: str, quantity: int) -> str:
    """A quantity and its symbol, for a sentence."""
    return f"{trimmed(format_decimal(quantity, _decimals(receipt, symbol)))} {symbol}"


def _mark(receipt: AdlReceipt) -> str:
    return trimmed(format_decimal(receipt.mark, PRICE_DECIMALS))


def _money(value: int) -> str:
    return money(format_decimal(value, VALUE_DECIMALS))


def _exact(value: int) -> str:
    """A value to its last atom: a report that rounds could not show that nothing is lost."""
    return number(format_decimal(value, VALUE_DECIMALS), VALUE_DECIMALS)


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 10**6, UTC).isoformat()
