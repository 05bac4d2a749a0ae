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

from collections.abc import Iterable

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.codec.transcript import Transcript
from solvent.domain.labels import Source
from solvent.domain.units import INDEX_SCALE
from solvent.history.followers.context import TWO_SIDED, Context
from solvent.history.followers.holding import BORROW, LEND, Holding
from solvent.history.followers.movements import (
    ADDING,
    BORROWED,
    LENT,
    REDEEMED,
    REPAID,
    SIDE_OF,
    Change,
    Movement,
    movements_of,
)
from solvent.history.followers.pools import PoolMirror, PoolMirrors
from solvent.history.tables.batch import Batch
from solvent.history.tables.database import Database, Value
from solvent.history.tables.schema import INTEREST, LOSSES, NEVER, POSITIONS
from solvent.reference.lending.rates import lenders_part

CACHED = 200_000
"""Positions kept in memory between batches."""

_SPOT_MARGIN = int(Source.SPOT_MARGIN)

Key = tuple[int, int, int]
"""(account, asset, side)."""


_NO_ASSET = -1
_ZERO = "0"


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

    def moved(self, context: Context, transcript: Transcript) -> None:
        """Take a transcript of nothing but the kinds of MOVED, each of which is one movement."""
        self._move_all(context, movements_of(transcript))

    def lent(
        self, context: Context, account: int, asset: int, quantity: int, shares: int, source: int
    ) -> None:
        """A claim rose."""
        self._move(context, account, asset, Change(LENT, quantity, shares, source))

    def redeemed(
        self, context: Context, account: int, asset: int, quantity: int, shares: int, source: int
    ) -> None:
        """A claim fell."""
        self._move(context, account, asset, Change(REDEEMED, quantity, -shares, source))

    def borrowed(
        self, context: Context, account: int, asset: int, quantity: int, shares: int, source: int
    ) -> None:
        """A debt rose."""
        self._move(context, account, asset, Change(BORROWED, quantity, shares, source))

    def repaid(
        self, context: Context, account: int, asset: int, quantity: int, shares: int, source: int
    ) -> None:
        """A debt fell."""
        self._move(context, account, asset, Change(REPAID, quantity, -shares, source))

    def netted(self, context: Context, event: e.Netted) -> None:
        """A claim and a debt cancelled each other."""
        self._cancel(context, event.account, event.account, event)

    def _cancel(self, context: Context, lender: int, borrower: int, event: e.Netted) -> None:
        asset, quantity = event.asset, event.quantity
        claim = Change(REDEEMED, quantity, -event.claim_shares, event.source)
        debt = Change(REPAID, quantity, -event.debt_shares, event.source)
        self._move(context, lender, asset, claim)
        self._move(context, borrower, asset, debt)

    def voided(self, context: Context, event: e.ClaimVoided) -> None:
        """Shares worth less than an atom ended: the position ends, and nothing moved."""
        row = Change(REDEEMED, 0, -event.shares, Source.RECONCILIATION)
        self._move(context, event.account, event.asset, row)

    def charged(self, context: Context, event: e.InterestCharged) -> None:
        """An hour's interest: new indices."""
        pool = self.pools.change(event.asset, context.time)
        parameters = self.pools.parameters.assets[event.asset].pool
        earned = lenders_part(parameters, event.apr, event.utilization)
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

    def accrued(self, context: Context, event: e.InterestAccrued) -> None:
        """What indices are before shares change, within an hour."""
        pool = self.pools.change(event.asset, context.time)
        pool.lend_index, pool.debt_index = event.lend_index, event.debt_index

    def rescaled(self, context: Context, event: e.SharesRescaled) -> None:
        """Shares of all holders and the index changed together: each position goes on with others.

        What they were worth after the last hour is settled with the shares and the index of then.
        """
        pool = self.pools.change(event.asset, context.time)
        side, kind = (BORROW, BORROWED) if event.of_debts else (LEND, LENT)
        movements: list[Movement] = []
        for key in self._open_keys(event.asset, side):
            holding = self._holding(key)
            assert holding is not None
            change = holding.shares * event.multiplier // event.divisor - holding.shares
            row = context.next_place(), key[0], event.asset, kind, 0, change
            movements.append((*row, int(Source.RECONCILIATION)))
        if event.of_debts:
            pool.debt_index = event.index
        else:
            pool.lend_index = event.index
        self._move_all(context, movements)

    def _open_keys(self, asset: int, side: int) -> list[Key]:
        """Who holds a claim on a pool, or owes it, in order."""
        keys = [
            key for key, held in self._held.items() if held is not None and key[1:] == (asset, side)
        ]
        if not self.complete:
            rows = self._database.fetch(
                "SELECT account FROM positions WHERE asset = ? AND side = ? AND closed = ?",
                (asset, side, NEVER),
            )
            found = ((int(account), asset, side) for (account,) in rows)
            keys += [key for key in found if key not in self._held]
        return sorted(keys)

    def taken_over(self, context: Context, event: w.BackstopFilled) -> None:
        """A provider took a debt over."""
        quantity, shares = event.debt_quantity, event.debt_shares
        source = Source.LIQUIDATION_BACKSTOP
        gone = Change(REPAID, quantity, -shares, source)
        come = Change(BORROWED, quantity, shares, source)
        self._move(context, event.account, event.debt_asset, gone)
        self._move(context, event.provider, event.debt_asset, come)

    def claim_handed(self, context: Context, leg: w.BackstopLeg | w.AdlLeg) -> None:
        """A claim went to a provider, the fund or a lender of a round."""
        is_backstop = isinstance(leg, w.BackstopLeg)
        source = Source.BACKSTOP_PROVIDER if is_backstop else Source.ADL_PROVIDER
        moved = leg.asset, leg.quantity, leg.shares
        self._hand(context, leg.giver, leg.receiver, moved, source)

    def claim_taken_over(self, context: Context, event: w.StandbySwapped) -> None:
        """A claim went on from a lender of a round to a standby."""
        moved = event.asset, event.quantity, event.shares
        self._hand(context, event.receiver, event.standby, moved, Source.ADL_PROVIDER)

    def _hand(
        self,
        context: Context,
        giver: int,
        receiver: int,
        moved: tuple[int, int, int],
        source: Source,
    ) -> None:
        """A claim, by asset, atoms and shares, went from one account to another."""
        asset, quantity, shares = moved
        self._move(context, giver, asset, Change(REDEEMED, quantity, -shares, source))
        self._move(context, receiver, asset, Change(LENT, quantity, shares, source))

    def matched(self, context: Context, event: w.AdlMatched) -> None:
        """A claim and a debt fell by the same quantity (A9)."""
        shares = event.claim_shares, event.debt_shares
        source = Source.LIQUIDATION_ADL
        netted = e.Netted(event.lender, event.asset, event.quantity, *shares, source)
        self._cancel(context, event.lender, event.payer, netted)

    def written_off(self, context: Context, event: w.DebtWrittenOff) -> None:
        """A part of a debt that nobody paid ended (I29)."""
        pool = self.pools.change(event.asset, context.time)
        owed, source = pool.debt(event.debt_shares), Source.RECONCILIATION
        row = Change(REPAID, owed, -event.debt_shares, source)
        self._move(context, event.account, event.asset, row)

    def written_down(self, context: Context, event: w.PoolWrittenDown) -> None:
        """Lenders of a pool bore a loss through the index, once a booking (I38).

        Where the pool starts anew afterwards, all claims were worth nothing.
        """
        pool = self.pools.change(event.asset, context.time)
        after = 0 if event.restarted else event.lend_index
        pool.noted = context.next_place()
        loss: list[Value] = [
            pool.noted,
            context.time,
            event.asset,
            event.booking,
            event.loss,
            event.lenders,
            event.value,
            pool.lend_index,
            after,
        ]
        self._batch.append(LOSSES, loss)
        pool.lend_index = event.lend_index

    # Positions.

    def _move(self, context: Context, account: int, asset: int, change: Change) -> None:
        """Change a position and write the movement down."""
        self._move_all(context, [(context.next_place(), account, asset, *change)])

    def _move_all(self, context: Context, movements: Iterable[Movement]) -> None:
        """Change positions and write the movements down, one after another."""
        time, rows, at, pool = context.time, self._batch.movements, _NO_ASSET, None
        for place, account, asset, kind, quantity, shares, source in movements:
            if asset != at or pool is None:
                pool, at = self.pools.change(asset, time), asset
            side = SIDE_OF[kind]
            key = (account, asset, side)
            origin = context.source_for(account, source) if source in TWO_SIDED else source
            holding = self._held.get(key) or self._holding(key)
            if holding is None:
                holding = self._open(key, origin, place, time, pool)
            else:
                self._batch.end_movement(holding.last, place, pays=holding.last < pool.noted)
                if holding.last < pool.charged:
                    holding.settle_hours(pool, side)
            holding.last = place
            holding.shares = left = holding.shares + shares
            if kind in ADDING:
                holding.added += quantity
            else:
                holding.removed += quantity
            if side == LEND:
                pool.lend_shares += shares
                held = left * pool.lend_index // INDEX_SCALE
            else:
                pool.debt_shares += shares
                held = pool.debt(left)
            net = holding.added - holding.removed
            settled = holding.settled
            closing = 0 if left else -net - settled
            rows[place] = [
                place,
                time,
                account,
                asset,
                kind,
                origin,
                quantity,
                holding.number,
                side,
                left,
                held,
                NEVER,
                context.orders[account] if origin == _SPOT_MARGIN else 0,
                str(net),
                str(settled) if settled else _ZERO,
                str(closing) if closing else _ZERO,
                1 if left or closing else 0,
            ]
            if left:
                self._dirty.add(key)
            else:
                self._close(key, holding, pool, place, time)

    def _open(self, key: Key, source: int, place: int, time: int, pool: PoolMirror) -> Holding:
        holding = Holding(self.next_position, source, place, time)
        self.next_position += 1
        holding.hours = pool.hours
        holding.rates = pool.lend_rates if key[2] == LEND else pool.borrow_rates
        self._held[key] = holding
        return holding

    def _close(self, key: Key, holding: Holding, pool: PoolMirror, place: int, time: int) -> None:
        """Write down that a position ended."""
        rates = pool.lend_rates if key[2] == LEND else pool.borrow_rates
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
            side,
            holding.source,
            holding.opened,
            holding.opened_at,
            *closed,
            holding.shares,
            str(holding.added),
            str(holding.removed),
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
            "SELECT id, source, opened, opened_at, shares, added, removed, settled, last, "
            "hours_before, rates_before FROM positions "
            "WHERE account = ? AND asset = ? AND side = ? AND closed = ?",
            (*key, NEVER),
        )
        if not found:
            return None
        numbers = [int(value) for value in found[0]]
        holding = Holding(*numbers[:4])
        holding.shares, holding.added, holding.removed = numbers[4:7]
        holding.settled, holding.last, holding.hours, holding.rates = numbers[7:]
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
