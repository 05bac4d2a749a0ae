"""Off the book: transfers of the waterfall as rows of fills and settlements.

Whoever watches an account sees each stage of the waterfall among its fills: a debt that is taken
over is bought back at the mark, collateral that goes with it is sold, and the other side of both is
the provider's, the fund's or the counterparty's. USDC has no market and so no fills.

Settlements carry the value of every leg, below zero for the giver. Those of one backstop fill or
one ADL match sum to zero.
"""

from solvent.domain import waterfall_events as w
from solvent.domain.commands import Side
from solvent.history.followers.context import Context
from solvent.history.followers.transfers import Transfer
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Value
from solvent.history.tables.rows import FillKind, SettlementSource
from solvent.history.tables.schema import FILLS, SETTLEMENTS

FUND = 0
"""Account number of the backstop fund."""

_GIVEN = {
    FillKind.BACKSTOP: SettlementSource.BACKSTOP_PROVIDER_LIQUIDATION,
    FillKind.ADL: SettlementSource.BACKSTOP_ADL_LIQUIDATION,
}
_FUND_PROCEEDS = SettlementSource.BACKSTOP_LIQUIDITY_FUND_PROCEEDS


class OffBook:
    """What stages off the book move, on its way to the tables."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def transferred(self, context: Context, transfer: Transfer) -> None:
        """Tokens, a claim or a debt went from one account to another."""
        given = gained = _GIVEN[transfer.kind]
        if transfer.kind is FillKind.BACKSTOP and transfer.buyer == FUND:
            gained = _FUND_PROCEEDS
        asset, number = transfer.asset, transfer.number
        quantities = -transfer.quantity, -transfer.value
        self._settle(context, transfer.seller, given, asset, quantities, number)
        quantities = transfer.quantity, transfer.value
        self._settle(context, transfer.buyer, gained, asset, quantities, number)
        if transfer.is_fill:
            self._fill(context, transfer, transfer.seller, Side.ASK)
            self._fill(context, transfer, transfer.buyer, Side.BID)

    def written_off(self, context: Context, event: w.DebtWrittenOff) -> None:
        """An account was relieved of what was not paid."""
        source = SettlementSource.SYSTEM_LIABILITY_TRANSFER
        quantities = event.quantity, event.value
        self._settle(context, event.account, source, event.asset, quantities, 0)

    def fund_paid(self, context: Context, event: w.FundPaid) -> None:
        """The fund paid for an account that is insolvent."""
        source = SettlementSource.SYSTEM_LIABILITY_TRANSFER
        taken, given = (-event.quantity, -event.value), (event.quantity, event.value)
        self._settle(context, FUND, source, event.asset, taken, event.booking)
        self._settle(context, event.account, source, event.asset, given, event.booking)

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

    def _fill(self, context: Context, transfer: Transfer, account: int, side: Side) -> None:
        row: list[Value] = [
            context.next_place(),
            context.time,
            account,
            transfer.asset,
            0,
            0,
            int(side),
            transfer.mark,
            transfer.quantity,
            transfer.value,
            0,
            int(account not in context.liquidated),
            int(transfer.kind),
            transfer.number,
            transfer.part,
            0,
        ]
        self._batch.append(FILLS, row)
