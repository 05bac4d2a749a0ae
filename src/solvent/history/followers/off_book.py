"""Off the book: what backstop fills, ADL matches and deficits exchange, as fills and settlements.

Whoever watches an account sees each stage of the waterfall among its fills: a debt that somebody
takes over is bought back at the mark, collateral that goes with it is sold, and the other side of
both is the provider's, the fund's or the counterparty's. USDC has no market and so no fills.

Settlements carry the value of every leg, below zero for the giver. Those of one backstop fill or
one ADL match sum to zero.
"""

from solvent.domain import waterfall_events as w
from solvent.domain.commands import Side
from solvent.domain.parameters import USDC
from solvent.history.followers.context import Context
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Value
from solvent.history.tables.rows import FillKind, SettlementSource
from solvent.history.tables.schema import FILLS, SETTLEMENTS

FUND = 0
"""Account number of the backstop fund."""

_PROVIDER = SettlementSource.BACKSTOP_PROVIDER_LIQUIDATION
_FUND_PROCEEDS = SettlementSource.BACKSTOP_LIQUIDITY_FUND_PROCEEDS
_ADL = SettlementSource.BACKSTOP_ADL_LIQUIDATION


class Exchange:
    """One leg: `quantity` atoms of an asset, worth `value`, from one account to another."""

    __slots__ = ("asset", "buyer", "kind", "mark", "number", "part", "quantity", "seller", "value")

    def __init__(
        self, asset: int, mark: int, quantity: int, value: int, seller: int, buyer: int
    ) -> None:
        self.asset = asset
        self.mark = mark
        self.quantity = quantity
        self.value = value
        self.seller = seller
        self.buyer = buyer
        self.kind = FillKind.ADL
        self.number = 0
        self.part = 0


class OffBook:
    """What stages off the book exchange, on its way to the tables."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def taken_over(self, context: Context, event: w.BackstopFilled) -> None:
        """A provider took a debt over: the account buys it back from him."""
        leg = Exchange(
            event.debt_asset,
            event.mark,
            event.debt_quantity,
            event.debt_value,
            seller=event.provider,
            buyer=event.account,
        )
        leg.kind, leg.number = FillKind.BACKSTOP, event.fill
        self._exchange(context, leg, _PROVIDER, _PROVIDER)

    def backstop_leg(self, context: Context, event: w.BackstopLeg) -> None:
        """Collateral went to a provider or the fund."""
        leg = _handed(event)
        leg.kind, leg.number = FillKind.BACKSTOP, event.fill
        gained = _FUND_PROCEEDS if event.receiver == FUND else _PROVIDER
        self._exchange(context, leg, _PROVIDER, gained)

    def adl_leg(self, context: Context, event: w.AdlLeg) -> None:
        """Value went to a lender."""
        leg = _handed(event)
        leg.number, leg.part = event.round, event.match
        self._exchange(context, leg, _ADL, _ADL)

    def matched(self, context: Context, event: w.AdlMatched) -> None:
        """A lender gave up a claim, and a payer was rid of a debt."""
        terms = event.asset, event.mark, event.quantity, event.value
        leg = Exchange(*terms, event.lender, event.payer)
        leg.number, leg.part = event.round, event.match
        self._exchange(context, leg, _ADL, _ADL)

    def written_off(self, context: Context, event: w.DeficitBooked) -> None:
        """An account was relieved of what nobody paid."""
        source = SettlementSource.SYSTEM_LIABILITY_TRANSFER
        quantities = event.quantity, event.value
        self._settle(context, event.account, source, event.asset, quantities, 0)

    def _exchange(
        self,
        context: Context,
        leg: Exchange,
        given: SettlementSource,
        gained: SettlementSource,
    ) -> None:
        quantities = -leg.quantity, -leg.value
        self._settle(context, leg.seller, given, leg.asset, quantities, leg.number)
        quantities = leg.quantity, leg.value
        self._settle(context, leg.buyer, gained, leg.asset, quantities, leg.number)
        if leg.asset != USDC and leg.seller != leg.buyer:
            self._fill(context, leg, leg.seller, Side.ASK)
            self._fill(context, leg, leg.buyer, Side.BID)

    def _settle(
        self,
        context: Context,
        account: int,
        source: SettlementSource,
        asset: int,
        quantities: tuple[int, int],
        number: int,
    ) -> None:
        place = context.next_place()
        row: list[Value] = [place, context.time, account, int(source), asset, *quantities, number]
        self._batch.append(SETTLEMENTS, row)

    def _fill(self, context: Context, leg: Exchange, account: int, side: Side) -> None:
        row: list[Value] = [
            context.next_place(),
            context.time,
            account,
            leg.asset,
            0,
            0,
            int(side),
            leg.mark,
            leg.quantity,
            leg.value,
            0,
            int(account not in context.liquidated),
            int(leg.kind),
            leg.number,
            leg.part,
            0,
        ]
        self._batch.append(FILLS, row)


def _handed(leg: w.BackstopLeg | w.AdlLeg) -> Exchange:
    return Exchange(leg.asset, leg.mark, leg.quantity, leg.value, leg.giver, leg.receiver)
