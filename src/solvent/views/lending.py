"""Lending: claims and debts of accounts, as movements, positions and interest.

A position is one claim or debt from its first share to its last. What it earned or cost so far is

    what it is worth + what was taken out - what was put in

A movement keeps the shares that it left, until when they were held, and its part of that sum (`net`
and, as of the last hour charged before it, `settled`). So the interest of any account and hour
follows from the indices after the hours when somebody asks, to the atom, and no row is written for
an account an hour (I5, I6). A deficit that falls on lenders is kept in the same way.

In the waterfall a movement's source says what the account was: the one liquidated
(LiquidationBackstop, LiquidationAdl) or the one that helped (BackstopProvider, AdlProvider).

Deliberately absent: tokens that are not lent or owed; the engine answers for balances.
"""

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.labels import Source
from solvent.domain.units import INDEX_SCALE, divide_up
from solvent.reference.rates import lend_apr
from solvent.views.batch import Batch
from solvent.views.context import Context
from solvent.views.database import Database, Value
from solvent.views.pools import PoolMirror, PoolMirrors
from solvent.views.rows import BorrowLendSide, MovementType
from solvent.views.schema import INTEREST, LOSSES, NEVER, POSITIONS

BORROW, LEND = BorrowLendSide.BORROW, BorrowLendSide.LEND
CACHED = 200_000
"""Positions kept in memory between batches."""

Key = tuple[int, int, BorrowLendSide]
"""(account, asset, side)."""


class Holding:
    """An open position. `last` is the place of its last movement, `fees` its entry fees.

    `settled` is what it had earned or cost when the last hour before that movement was charged.
    """

    __slots__ = (
        "added",
        "fees",
        "hours",
        "last",
        "number",
        "opened",
        "opened_at",
        "rates",
        "removed",
        "settled",
        "shares",
        "source",
    )

    def __init__(self, number: int, source: int, opened: int, opened_at: int) -> None:
        self.number = number
        self.source = source
        self.opened = opened
        self.opened_at = opened_at
        self.shares = 0
        self.added = 0
        self.removed = 0
        self.fees = 0
        self.settled = 0
        self.last = opened
        self.hours = 0
        self.rates = 0


class Lending:
    """What the events say of claims and debts, on its way to the tables."""

    def __init__(self, database: Database, batch: Batch, pools: PoolMirrors) -> None:
        self._database = database
        self._batch = batch
        self.pools = pools
        self.next_position = 1
        self.complete = False
        self._held: dict[Key, Holding | None] = {}
        self._dirty: set[Key] = set()

    # Events.

    def lent(self, context: Context, event: e.Lent) -> None:
        """A claim rose."""
        row = _Change(MovementType.LEND, event.quantity, event.shares, event.source)
        self._move(context, event.account, event.asset, row)

    def redeemed(self, context: Context, event: e.Redeemed) -> None:
        """A claim fell."""
        row = _Change(MovementType.LEND_REDEEM, event.quantity, -event.shares, event.source)
        self._move(context, event.account, event.asset, row)

    def borrowed(self, context: Context, event: e.Borrowed) -> None:
        """A debt rose; its entry fee is shared among the lenders."""
        pool = self.pools.change(event.asset, context.time)
        parameters = self.pools.parameters.assets[event.asset].pool
        rate = pool.entry_rate(parameters, event.quantity) if event.entry_fee else 0
        row = _Change(MovementType.BORROW, event.quantity, event.shares, event.source)
        row.entry_fee, row.rate = event.entry_fee, rate
        self._move(context, event.account, event.asset, row)
        pool.share_entry_fee(parameters, event.entry_fee)

    def repaid(self, context: Context, event: e.Repaid) -> None:
        """A debt fell."""
        row = _Change(MovementType.BORROW_REPAY, event.quantity, -event.shares, event.source)
        self._move(context, event.account, event.asset, row)

    def netted(self, context: Context, event: e.Netted) -> None:
        """A claim and a debt cancelled each other."""
        self._cancel(context, event.account, event.account, event)

    def _cancel(self, context: Context, lender: int, borrower: int, event: e.Netted) -> None:
        asset, quantity = event.asset, event.quantity
        claim = _Change(MovementType.LEND_REDEEM, quantity, -event.claim_shares, event.source)
        debt = _Change(MovementType.BORROW_REPAY, quantity, -event.debt_shares, event.source)
        self._move(context, lender, asset, claim)
        self._move(context, borrower, asset, debt)

    def voided(self, context: Context, event: e.ClaimVoided) -> None:
        """Shares worth less than an atom ended: the position ends, and nothing moved."""
        row = _Change(MovementType.LEND_REDEEM, 0, -event.shares, Source.RECONCILIATION)
        self._move(context, event.account, event.asset, row)

    def charged(self, context: Context, event: e.InterestCharged) -> None:
        """An hour's interest: new indices."""
        pool = self.pools.change(event.asset, context.time)
        parameters = self.pools.parameters.assets[event.asset].pool
        earned = lend_apr(parameters, event.utilization)
        place = context.next_place()
        row: list[Value] = [
            place,
            event.hour,
            event.asset,
            event.apr,
            earned,
            event.utilization,
            event.interest,
            event.fee,
            pool.charged,
            pool.lend_charged,
            event.lend_index,
            pool.debt_charged,
            event.debt_index,
        ]
        self._batch.append(INTEREST, row)
        pool.charged = pool.noted = place
        pool.lend_charged, pool.debt_charged = event.lend_index, event.debt_index
        pool.lend_index, pool.debt_index = event.lend_index, event.debt_index
        pool.hours += 1
        pool.borrow_rates += event.apr
        pool.lend_rates += earned

    def taken_over(self, context: Context, event: w.BackstopFilled) -> None:
        """A provider took a debt over."""
        pool = self.pools.change(event.debt_asset, context.time)
        quantity = event.debt_quantity
        holding = self._holding((event.account, event.debt_asset, BORROW))
        shares = pool.debt_shares_up(holding.shares if holding else 0, quantity)
        source = Source.LIQUIDATION_BACKSTOP
        gone = _Change(MovementType.BORROW_REPAY, quantity, -shares, source)
        come = _Change(MovementType.BORROW, quantity, shares, source)
        self._move(context, event.account, event.debt_asset, gone)
        self._move(context, event.provider, event.debt_asset, come)

    def backstop_claim(self, context: Context, giver: int, leg: w.BackstopLeg) -> None:
        """A claim went to a provider or the fund; its shares round down."""
        pool = self.pools.change(leg.asset, context.time)
        shares = pool.claim_shares_down(self._shares(giver, leg.asset), leg.quantity)
        self._hand_claim(context, giver, leg, shares, Source.BACKSTOP_PROVIDER)

    def adl_claim(self, context: Context, leg: w.AdlLeg) -> None:
        """A claim went to a lender of the round; its shares round up."""
        pool = self.pools.change(leg.asset, context.time)
        shares = pool.claim_shares_up(self._shares(leg.giver, leg.asset), leg.quantity)
        self._hand_claim(context, leg.giver, leg, shares, Source.ADL_PROVIDER)

    def _hand_claim(
        self,
        context: Context,
        giver: int,
        leg: w.BackstopLeg | w.AdlLeg,
        shares: int,
        source: Source,
    ) -> None:
        gone = _Change(MovementType.LEND_REDEEM, leg.quantity, -shares, source)
        come = _Change(MovementType.LEND, leg.quantity, shares, source)
        self._move(context, giver, leg.asset, gone)
        self._move(context, leg.receiver, leg.asset, come)

    def matched(self, context: Context, event: w.AdlMatched) -> None:
        """A claim and a debt fell by the same quantity (A9)."""
        asset = context.rounds[event.round].asset
        shares = event.claim_shares, event.debt_shares
        netted = e.Netted(event.lender, asset, event.quantity, *shares, Source.LIQUIDATION_ADL)
        self._cancel(context, event.lender, event.payer, netted)

    def written_off(self, context: Context, event: w.DeficitBooked, *, restarted: bool) -> None:
        """A debt that nobody paid ended, and lenders bore it through the index (I29).

        Where the pool starts anew afterwards, all claims were worth nothing.
        """
        pool = self.pools.change(event.asset, context.time)
        holding = self._holding((event.account, event.asset, BORROW))
        if holding is not None:
            owed, shares = pool.debt(holding.shares), holding.shares
            row = _Change(MovementType.BORROW_REPAY, owed, -shares, Source.RECONCILIATION)
            self._move(context, event.account, event.asset, row)
        after = 0 if restarted else event.lend_index
        pool.noted = context.next_place()
        loss: list[Value] = [
            pool.noted,
            context.time,
            event.asset,
            event.account,
            event.quantity,
            event.lenders,
            event.value,
            pool.lend_index,
            after,
        ]
        self._batch.append(LOSSES, loss)
        pool.lend_index = event.lend_index

    # Positions.

    def _shares(self, account: int, asset: int) -> int:
        holding = self._holding((account, asset, LEND))
        return holding.shares if holding else 0

    def _move(self, context: Context, account: int, asset: int, change: "_Change") -> None:
        """Change a position and write the movement down."""
        side = LEND if change.kind >= MovementType.LEND else BORROW
        key = (account, asset, side)
        place = context.next_place()
        pool = self.pools.change(asset, context.time)
        source = context.source_for(account, change.source)
        holding = self._holding(key)
        if holding is None:
            holding = self._open(key, source, place, context.time, pool)
        else:
            self._batch.end_movement(holding.last, place, pays=holding.last < pool.noted)
            _settle_hours(holding, pool, side)
        holding.last = place
        holding.shares += change.shares
        holding.fees += change.entry_fee
        if change.kind in (MovementType.LEND, MovementType.BORROW):
            holding.added += change.quantity
        else:
            holding.removed += change.quantity
        if side is LEND:
            pool.lend_shares += change.shares
            held = pool.claim(holding.shares)
        else:
            pool.debt_shares += change.shares
            held = pool.debt(holding.shares)
        net = holding.added + holding.fees - holding.removed
        closing = 0 if holding.shares else -net - holding.settled
        row: list[Value] = [
            place,
            context.time,
            account,
            asset,
            int(change.kind),
            int(source),
            change.quantity,
            change.entry_fee,
            change.rate,
            holding.number,
            int(side),
            holding.shares,
            held,
            NEVER,
            0,
            str(net),
            str(holding.settled),
            str(closing),
            int(holding.shares > 0 or closing != 0 or change.entry_fee > 0),
        ]
        self._batch.append_movement(row)
        if source is Source.SPOT_MARGIN:
            context.note_margin(account, row)
        self._settle(key, holding, pool, place, context.time)

    def _open(self, key: Key, source: Source, place: int, time: int, pool: PoolMirror) -> Holding:
        holding = Holding(self.next_position, int(source), place, time)
        self.next_position += 1
        holding.hours = pool.hours
        holding.rates = pool.lend_rates if key[2] is LEND else pool.borrow_rates
        self._held[key] = holding
        return holding

    def _settle(self, key: Key, holding: Holding, pool: PoolMirror, place: int, time: int) -> None:
        """Close a position without shares; remember to write an open one."""
        if holding.shares:
            self._dirty.add(key)
            return
        rates = pool.lend_rates if key[2] is LEND else pool.borrow_rates
        self._put(key, holding, (place, time), (pool.hours, rates))
        self._held[key] = None
        self._dirty.discard(key)

    def _put(
        self, key: Key, holding: Holding, closed: tuple[int, int], after: tuple[int, int]
    ) -> None:
        account, asset, side = key
        row = (
            holding.number,
            account,
            asset,
            int(side),
            holding.source,
            holding.opened,
            holding.opened_at,
            *closed,
            holding.shares,
            str(holding.added),
            str(holding.removed),
            str(holding.fees),
            str(holding.settled),
            holding.last,
            holding.hours,
            holding.rates,
            *after,
        )
        self._batch.put(POSITIONS, row)

    def _holding(self, key: Key) -> Holding | None:
        """The open position of an account in an asset and on a side, or None."""
        if key in self._held:
            return self._held[key]
        holding = None if self.complete else self._load(key)
        self._held[key] = holding
        return holding

    def _load(self, key: Key) -> Holding | None:
        found = self._database.fetch(
            "SELECT id, source, opened, opened_at, shares, added, removed, fees, settled, last, "
            "hours_before, rates_before FROM positions "
            "WHERE account = ? AND asset = ? AND side = ? AND closed = ?",
            (key[0], key[1], int(key[2]), NEVER),
        )
        if not found:
            return None
        numbers = [int(value) for value in found[0]]
        holding = Holding(*numbers[:4])
        holding.shares, holding.added, holding.removed = numbers[4:7]
        holding.fees, holding.settled, holding.last = numbers[7:10]
        holding.hours, holding.rates = numbers[10:]
        return holding

    def note_all(self) -> None:
        """Put every open position that changed into the batch."""
        for key in self._dirty:
            holding = self._held[key]
            if holding is not None:
                self._put(key, holding, (NEVER, 0), (0, 0))
        self._dirty.clear()

    def written(self) -> None:
        """The batch is in the database: forget what can be read there again."""
        if len(self._held) > CACHED:
            self._held.clear()
            self.complete = False


def _settle_hours(holding: Holding, pool: PoolMirror, side: BorrowLendSide) -> None:
    """Before a movement: what the position had earned or cost after the last hour charged."""
    if holding.last < pool.charged:
        if side is LEND:
            worth = holding.shares * pool.lend_charged // INDEX_SCALE
        else:
            worth = divide_up(holding.shares * pool.debt_charged, INDEX_SCALE)
        holding.settled = worth + holding.removed - holding.added - holding.fees


class _Change:
    """What is to happen to one position."""

    __slots__ = ("entry_fee", "kind", "quantity", "rate", "shares", "source")

    def __init__(self, kind: MovementType, quantity: int, shares: int, source: Source) -> None:
        self.kind = kind
        self.quantity = quantity
        self.shares = shares
        self.source = source
        self.entry_fee = 0
        self.rate = 0
