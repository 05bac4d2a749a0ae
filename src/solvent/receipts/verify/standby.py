"""A relief, recomputed from its receipt alone.

On the state that the receipt describes the standby is asked again what he bears, and what the
receipt says is handed over again by the specification's own functions; both parties must come out
as written, and the receipt's own numbers must keep what a relief must keep. That the premium was
no more than the receiver could bear follows from the round before, which has its own receipt, and
the standby's own leverage limit from the run's log.
"""

from collections.abc import Iterator

from solvent.domain.labels import Stage
from solvent.domain.settlement_properties import Flaw
from solvent.domain.settlements import Relief, Transfer
from solvent.domain.standby_properties import relief_flaws
from solvent.domain.units import INT64_MAX
from solvent.domain.waterfall_events import (
    PartyBalance,
    PartyHealth,
    StandbySwapped,
)
from solvent.receipts.form import AssetTerms, Party, StandbyReceipt
from solvent.receipts.lines import AFTER, BEFORE, parties
from solvent.receipts.verify.compare import differences
from solvent.receipts.verify.reconstructed import ReconstructedState
from solvent.receipts.verify.settlement_properties import pool_recorded
from solvent.reference.standby.relief import Swap, capacity, hand_over
from solvent.reference.state import Standby
from solvent.reference.waterfall.record import Record, record_parties, touched


def relief_problems(receipt: StandbyReceipt) -> Iterator[str]:
    """Everything in a relief's receipt that recomputing does not confirm."""
    accounts = sorted({receipt.standby, receipt.receiver})
    if [party.account for party in receipt.before] != accounts:
        yield "before: must be the standby and the receiver, in order of account"
        return
    decimals = {terms.number: terms.decimals for terms in receipt.assets}
    for flaw in relief_flaws(_told(receipt), decimals):
        yield _said(flaw)
    yield from _handed_over_again(receipt)


def _said(flaw: Flaw) -> str:
    whose = "" if flaw.account is None else f"account {flaw.account}: "
    return f"{whose}{flaw.sentence}"


def _handed_over_again(receipt: StandbyReceipt) -> Iterator[str]:
    """The standby bears it, and both parties come out as written."""
    rebuilt = ReconstructedState(receipt, None, receipt.before)
    state, asset = rebuilt.state, rebuilt.asset(receipt.asset)
    terms = receipt.assets[asset]
    if receipt.mark != terms.mark or terms.stale:
        yield f"mark: must be the usable mark of {receipt.asset}"
    standby, receiver = rebuilt.account(receipt.standby), rebuilt.account(receipt.receiver)
    state.standbys[standby] = Standby(receipt.posted, receipt.rate)
    state.accounts[standby].leverage_limit = INT64_MAX
    if capacity(state, standby, asset, receipt.quantity) < receipt.quantity:
        yield "quantity: is more than the standby bears"
    parties_here = tuple(sorted((standby, receiver)))
    record = Record(Stage.STANDBY, receipt.swap)
    pairs = touched(state, parties_here)
    record_parties(state, record, parties_here, pairs, BEFORE)
    swap = Swap(
        standby=standby,
        receiver=receiver,
        asset=asset,
        form=receipt.form,
        quantity=receipt.quantity,
        shares=receipt.shares,
        value=receipt.value,
        rate=receipt.rate,
        premium=receipt.premium,
        paid=receipt.paid,
    )
    hand_over(state, swap)
    record_parties(state, record, parties_here, pairs | touched(state, parties_here), AFTER)
    transfer = rebuilt.take_transfer()
    yield from differences(receipt.before, parties(transfer, rebuilt.words, BEFORE), "before")
    yield from differences(receipt.after, parties(transfer, rebuilt.words, AFTER), "after")


def _told(receipt: StandbyReceipt) -> Relief:
    """The receipt as the events that it was made of."""
    terms = {each.symbol: each for each in receipt.assets}
    swapped = StandbySwapped(
        swap=receipt.swap,
        round=receipt.round,
        case=receipt.case,
        standby=receipt.standby,
        receiver=receipt.receiver,
        asset=terms[receipt.asset].number,
        mark=receipt.mark,
        form=receipt.form,
        quantity=receipt.quantity,
        shares=receipt.shares,
        value=receipt.value,
        rate=receipt.rate,
        premium=receipt.premium,
        paid=receipt.paid,
        posted=receipt.posted,
    )
    transfer = Transfer()
    for after, told in ((BEFORE, receipt.before), (AFTER, receipt.after)):
        for party in told:
            transfer.balances += _balances(receipt, terms, after, party)
            transfer.health.append(_health(receipt, after, party))
    return Relief(
        swapped,
        [pool_recorded(Stage.STANDBY, receipt.swap, each) for each in receipt.assets],
        transfer,
    )


def _balances(
    receipt: StandbyReceipt, terms: dict[str, AssetTerms], after: int, party: Party
) -> Iterator[PartyBalance]:
    for balance in party.balances:
        yield PartyBalance(
            stage=Stage.STANDBY,
            number=receipt.swap,
            match=0,
            after=after,
            account=party.account,
            asset=terms[balance.asset].number,
            available=balance.available,
            locked=balance.locked,
            unfunded=balance.unfunded,
            lent=balance.lent,
            debt=balance.debt,
            lent_shares=balance.lent_shares,
            debt_shares=balance.debt_shares,
        )


def _health(receipt: StandbyReceipt, after: int, party: Party) -> PartyHealth:
    return PartyHealth(
        stage=Stage.STANDBY,
        number=receipt.swap,
        match=0,
        after=after,
        account=party.account,
        total_value=party.total_value,
        net_equity=party.net_equity,
        initial=party.initial,
        maintenance=party.maintenance,
    )
