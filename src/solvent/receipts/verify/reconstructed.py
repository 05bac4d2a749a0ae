"""A reconstructed state: the piece of the engine's state that one receipt describes, set up again.

Marks, pools, parameters and the parties come from the receipt and from nowhere else, so whatever
the specification's functions answer about it is recomputed offline. Accounts and assets get
new numbers, in their old order; the fund and the treasury keep theirs. What a party's open orders
lock and would borrow stands in one order per asset.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from solvent.domain.commands import NO_CLIENT_ID, Role, SelfTradePrevention, Side
from solvent.domain.parameters import (
    USDC,
    AssetParameters,
    Curve,
    EngineParameters,
    MarketParameters,
    PoolParameters,
    PoolState,
    WaterfallParameters,
)
from solvent.domain.settlements import Transfer
from solvent.domain.units import INDEX_SCALE, PRICE_SCALE, RATIO
from solvent.receipts.form import (
    AdlReceipt,
    AssetTerms,
    BookingReceipt,
    BorrowTerms,
    Party,
    Receipt,
    StandbyReceipt,
)
from solvent.receipts.lines import Words
from solvent.reference.ledger import borrowed_total, exact_sink, lent_total
from solvent.reference.orderbook.book import insert
from solvent.reference.state import (
    FUND,
    TREASURY,
    Order,
    OrderBook,
    Pool,
    Price,
    State,
    new_account,
)

_ANY_MARKET = MarketParameters(
    tick=1,
    lot=1,
    min_quantity=1,
    min_multiplier=0,
    max_multiplier=RATIO,
    min_impact_multiplier=0,
    max_impact_multiplier=RATIO,
)
_NO_CURVE = Curve(((0, 0), (RATIO, 0)))


class ReconstructionError(ValueError):
    """The receipt's terms describe no state that an engine could be in. One line."""


class ReconstructedState:
    """State made of a receipt's terms, with `parties` in it.

    Accounts that are only `named` are there too, with nothing in them.
    """

    def __init__(
        self,
        receipt: Receipt,
        borrowing: BorrowTerms | None,
        parties: Iterable[Party],
        named: Iterable[int] = (),
    ) -> None:
        terms = receipt.assets
        _check_terms(terms)
        self._terms = terms
        self._place = {each.symbol: place for place, each in enumerate(terms)}
        known = {party.account: party for party in parties}
        others = sorted({*known, *named} - {FUND, TREASURY})
        self._accounts = [FUND, TREASURY, *others]
        self._number = {account: number for number, account in enumerate(self._accounts)}
        self.known = known.keys()
        parameters = EngineParameters(
            assets=tuple(_asset(each, borrowing) for each in terms),
            waterfall=_waterfall(receipt),
            start_time=receipt.time,
        )
        bound = borrowing.bound if borrowing else 0
        self.state = State(
            parameters=parameters,
            now=receipt.time,
            accounts=[new_account(parameters, Role.USER) for _ in self._accounts],
            pools=[_pool(each, bound) for each in terms],
            prices=[Price([], index=each.mark, mark=each.mark, stale=each.stale) for each in terms],
            books=[OrderBook() for _ in terms],
            orders={},
            external=[0 for _ in terms],
            doubtful=[0 for _ in terms],
            taken=[0 for _ in terms],
        )
        for party in known.values():
            self._load(party)

    @property
    def words(self) -> Words:
        """The receipt's names for what is numbered here."""
        return Words(
            symbols=[each.symbol for each in self._terms],
            decimals=[each.decimals for each in self._terms],
            marks=[each.mark for each in self._terms],
            accounts=dict(enumerate(self._accounts)),
        )

    def asset(self, symbol: str) -> int:
        """The number here of an asset. Raises ReconstructionError where the receipt lists none."""
        if symbol not in self._place:
            raise ReconstructionError(f"{symbol} is not among its assets")
        return self._place[symbol]

    def account(self, account: int) -> int:
        """The number here of an account. Raises ReconstructionError where there is none."""
        if account not in self._number:
            raise ReconstructionError(f"no balances of account {account} are given")
        return self._number[account]

    def knows(self, number: int) -> bool:
        """Whether the balances of account `number`, as counted here, are given."""
        return self._accounts[number] in self.known

    def take_transfer(self) -> Transfer:
        """The events since the last call, as those of one match or fill."""
        events, self.state.events = self.state.events, []
        transfer = Transfer()
        for event in events:
            transfer.take(event)
        return transfer

    def _load(self, party: Party) -> None:
        account = self._number[party.account]
        holder = self.state.accounts[account]
        for balance in party.balances:
            place = self.asset(balance.asset)
            holder.available[place] = balance.available
            holder.locked[place] = balance.locked
            holder.unfunded[place] = balance.unfunded
            holder.lent_shares[place] = balance.lent_shares
            holder.debt_shares[place] = balance.debt_shares
            if balance.locked or balance.unfunded:
                self._rest(account, place, balance.locked, balance.unfunded)

    def _rest(self, account: int, place: int, locked: int, unfunded: int) -> None:
        """Let one order stand for all that lock this asset: one that pays with it."""
        number = self.state.next_order
        self.state.next_order += 1
        order = Order(
            order=number,
            account=account,
            asset=place,
            side=Side.ASK,
            price=1,
            quantity=1,
            locked=locked,
            unfunded=unfunded,
            reduce_only=False,
            auto_borrow=False,
            auto_borrow_repay=False,
            self_trade_prevention=SelfTradePrevention.REJECT_TAKER,
            client_id=NO_CLIENT_ID,
        )
        insert(self.state, order)


def _waterfall(receipt: Receipt) -> WaterfallParameters:
    if isinstance(receipt, BookingReceipt | StandbyReceipt):
        return WaterfallParameters(stale_doubt=receipt.stale_doubt)
    common = WaterfallParameters(
        target_buffer=receipt.waterfall.target_buffer,
        stale_doubt=receipt.waterfall.stale_doubt,
        book_fee=receipt.waterfall.book_fee,
        opposites_fee=receipt.waterfall.opposites_fee,
    )
    if isinstance(receipt, AdlReceipt):
        return common
    return replace(
        common, max_discount=receipt.terms.max_discount, fund_share=receipt.terms.fund_share
    )


def _check_terms(terms: Sequence[AssetTerms]) -> None:
    """Asset 0 is USDC at one, numbers rise, and marks are marks."""
    if not terms or (terms[0].number, terms[0].mark, terms[0].stale) != (USDC, PRICE_SCALE, False):
        raise ReconstructionError("assets[0]: must be USDC, number 0, at a mark of one")
    for place, each in enumerate(terms):
        if place and each.number <= terms[place - 1].number:
            raise ReconstructionError(f"assets[{place}].number: must rise from the last one")
        if each.mark < 0:
            raise ReconstructionError(f"assets[{place}].mark: must not be negative")


def _asset(terms: AssetTerms, borrowing: BorrowTerms | None) -> AssetParameters:
    pool = PoolParameters(
        curve=_NO_CURVE,
        fee=0,
        optimal_utilization=0,
        max_utilization=RATIO,
        throttle_threshold=RATIO,
        state=PoolState.OPEN,
    )
    if borrowing is not None and terms.number == USDC:
        pool = PoolParameters(
            curve=Curve(borrowing.curve),
            fee=0,
            optimal_utilization=0,
            max_utilization=borrowing.max_utilization,
            throttle_threshold=borrowing.throttle_threshold,
            throttle_update_fraction=borrowing.throttle_update_fraction,
            open_borrow_lend_limit=borrowing.open_borrow_lend_limit,
            state=borrowing.state,
        )
    return AssetParameters(
        symbol=terms.symbol,
        decimals=terms.decimals,
        haircut=terms.haircut,
        initial=terms.initial,
        maintenance=terms.maintenance,
        pool=pool,
        market=None if terms.number == USDC else _ANY_MARKET,
    )


def _pool(terms: AssetTerms, bound: int) -> Pool:
    """The pool, with fees and residue (which no settlement depends on) as one residue."""
    if terms.debt_index <= 0 or terms.lend_index < 0:
        raise ReconstructionError(f"{terms.symbol}: an index is not positive")
    pool = Pool(
        lend_shares=terms.lend_shares,
        debt_shares=terms.debt_shares,
        lend_index=terms.lend_index,
        debt_index=terms.debt_index,
        bound=bound,
    )
    surplus = lent_total(pool) - borrowed_total(pool)
    pool.residue = max(0, -surplus)
    pool.cash = surplus + pool.residue
    pool.sink = exact_sink(pool) // INDEX_SCALE
    return pool
