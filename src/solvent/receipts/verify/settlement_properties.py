"""What a settlement must do, checked on the receipt's own numbers with plain arithmetic.

A receipt says what events say, in symbols. Its matches are told as events again and judged by
`domain.settlement_properties`, which asks nothing of the engine: were the engine wrong, its
receipts would say so.
"""

from collections.abc import Iterable, Iterator

from solvent.domain.labels import Stage
from solvent.domain.settlement_properties import Flaw, Parties, Scales, match_flaws, payer_flaws
from solvent.domain.settlements import Transfer
from solvent.domain.waterfall_events import (
    AdlLeg,
    AdlMatched,
    PartyBalance,
    PartyHealth,
    PoolRecorded,
)
from solvent.receipts.form import AdlReceipt, AssetTerms, MatchLine, Party
from solvent.receipts.lines import AFTER, BEFORE


def property_problems(receipt: AdlReceipt) -> Iterator[str]:
    """Every property that an ADL receipt's numbers do not keep."""
    pools = [pool_recorded(Stage.ADL, receipt.round, terms) for terms in receipt.assets]
    decimals = {terms.number: terms.decimals for terms in receipt.assets}
    scales = Scales(pools, decimals)
    told = _Told(receipt)
    transfers: list[Parties] = []
    for place, line in enumerate(receipt.matches):
        parties = Parties(told.transfer(line), scales)
        transfers.append(parties)
        for flaw in match_flaws(receipt.case, parties):
            yield f"matches[{place}]: {_said(flaw)}"
    for flaw in payer_flaws(receipt.case, transfers):
        yield f"matches: {_said(flaw)}"


def _said(flaw: Flaw) -> str:
    whose = "" if flaw.account is None else f"account {flaw.account}: "
    return f"{whose}{flaw.sentence}"


def pool_recorded(stage: Stage, number: int, terms: AssetTerms) -> PoolRecorded:
    """The pool of a receipt's asset as the event that the receipt was made of."""
    return PoolRecorded(
        stage=stage,
        number=number,
        asset=terms.number,
        mark=terms.mark,
        stale=int(terms.stale),
        lend_shares=terms.lend_shares,
        lend_index=terms.lend_index,
        debt_shares=terms.debt_shares,
        debt_index=terms.debt_index,
        bound=0,
    )


class _Told:
    """The matches of a receipt as the events that they were made of."""

    def __init__(self, receipt: AdlReceipt) -> None:
        self._receipt = receipt
        self._terms = {terms.symbol: terms for terms in receipt.assets}

    def transfer(self, line: MatchLine) -> Transfer:
        """One match."""
        transfer = Transfer()
        for after, parties in ((BEFORE, line.before), (AFTER, line.after)):
            transfer.balances += self._balances(line, after, parties)
            transfer.health += self._healths(line, after, parties)
        transfer.legs += self._legs(line)
        terms = self._terms[self._receipt.asset]
        transfer.matched = AdlMatched(
            round=self._receipt.round,
            match=line.number,
            lender=line.lender,
            payer=line.payer,
            giver=line.giver,
            asset=terms.number,
            mark=terms.mark,
            quantity=line.quantity,
            value=line.value,
            claim_shares=line.claim_shares,
            debt_shares=line.debt_shares,
            fee=line.fee,
        )
        return transfer

    def _balances(
        self, line: MatchLine, after: int, parties: Iterable[Party]
    ) -> Iterator[PartyBalance]:
        for party in parties:
            for balance in party.balances:
                yield PartyBalance(
                    stage=Stage.ADL,
                    number=self._receipt.round,
                    match=line.number,
                    after=after,
                    account=party.account,
                    asset=self._terms[balance.asset].number,
                    available=balance.available,
                    locked=balance.locked,
                    unfunded=balance.unfunded,
                    lent=balance.lent,
                    debt=balance.debt,
                    lent_shares=balance.lent_shares,
                    debt_shares=balance.debt_shares,
                )

    def _healths(
        self, line: MatchLine, after: int, parties: Iterable[Party]
    ) -> Iterator[PartyHealth]:
        for party in parties:
            yield PartyHealth(
                stage=Stage.ADL,
                number=self._receipt.round,
                match=line.number,
                after=after,
                account=party.account,
                total_value=party.total_value,
                net_equity=party.net_equity,
                initial=party.initial,
                maintenance=party.maintenance,
            )

    def _legs(self, line: MatchLine) -> Iterator[AdlLeg]:
        for leg in line.legs:
            terms = self._terms[leg.asset]
            yield AdlLeg(
                round=self._receipt.round,
                match=line.number,
                giver=leg.giver,
                receiver=leg.receiver,
                asset=terms.number,
                mark=terms.mark,
                form=leg.form,
                quantity=leg.quantity,
                value=leg.value,
                shares=0,
                tier=leg.tier or self._receipt.tier,
            )
