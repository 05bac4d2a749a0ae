"""An account's past, against sums over the raw events and the engine's state."""

from collections import Counter, defaultdict

import pytest

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.commands import Role
from solvent.domain.labels import Source, Stage, SystemOrder
from solvent.domain.parameters import USDC
from solvent.domain.units import INDEX_SCALE
from solvent.history.questions.accounts import AccountHistory
from solvent.history.tables.rows import (
    BorrowLendSide,
    FillKind,
    InterestPayment,
    Movement,
    MovementType,
    OrderStatus,
    Paging,
    PaymentType,
    Settlement,
    SettlementSource,
)
from tests.history.market_records import SCENARIOS, SEEDS, Told, simulated, told, views_of
from tests.proof import proves

ALL = Paging(limit=10**9, ascending=True)
MARKETS = [*SEEDS, *SCENARIOS]
ADDS = (MovementType.LEND, MovementType.BORROW)
OWN = [source for source in Source if source < Source.LIQUIDATION_BACKSTOP]
"""Sources that do not depend on whose side of a settlement one is."""
FUND = 0
_BACKSTOP = SettlementSource.BACKSTOP_PROVIDER_LIQUIDATION
_PROCEEDS = SettlementSource.BACKSTOP_LIQUIDITY_FUND_PROCEEDS


def accounts(market: Told) -> range:
    return range(len(market.state.accounts))


@proves("A9", "I2")
@pytest.mark.parametrize("name", MARKETS)
def test_movements_sum_to_positions(name: int | str) -> None:
    market, views = told(name), views_of(name)
    for account in accounts(market):
        sums: defaultdict[int, list[Movement]] = defaultdict(list)
        for movement in views.movements(account, paging=ALL).rows:
            sums[movement.position].append(movement)
        positions = views.positions(account, paging=ALL).rows
        assert {row.position for row in positions} >= set(sums)
        for row in positions:
            moved = sums[row.position]
            assert row.added == sum(each.quantity for each in moved if each.kind in ADDS)
            assert row.removed == sum(each.quantity for each in moved if each.kind not in ADDS)
            assert row.interest == row.quantity + row.removed - row.added
            assert (row.closed_at is None) or row.quantity == 0
            assert not moved or moved[0].kind in ADDS
            assert all(each.position_quantity >= 0 for each in moved)
            if row.closed_at is not None and moved:
                # A share of less than an atom ends without a movement of tokens.
                assert moved[-1].kind not in ADDS or moved[-1].position_quantity == 0


@pytest.mark.parametrize("name", MARKETS)
def test_what_accounts_did_themselves_is_told_as_it_was(name: int | str) -> None:
    market, views = told(name), views_of(name)
    expected: Counter[tuple[int, ...]] = Counter()
    kinds: list[tuple[type[e.Lent | e.Redeemed | e.Borrowed | e.Repaid], MovementType]] = [
        (e.Lent, MovementType.LEND),
        (e.Redeemed, MovementType.LEND_REDEEM),
        (e.Borrowed, MovementType.BORROW),
        (e.Repaid, MovementType.BORROW_REPAY),
    ]
    for event_kind, kind in kinds:
        for sequence, time, event in market.events(event_kind):
            if event.source in OWN:
                row = (sequence, time, event.account, event.asset, kind, event.source)
                expected[*row, event.quantity] += 1
    found: Counter[tuple[int, ...]] = Counter()
    for account in accounts(market):
        for each in views.movements(account, sources=OWN, paging=ALL).rows:
            row = (each.sequence, each.time, account, each.asset, each.kind, each.source)
            found[*row, each.quantity] += 1
    assert found == expected
    assert found


def earned(views: AccountHistory, account: int) -> list[InterestPayment]:
    return views.interest(account, paging=ALL).rows


def losses(views: AccountHistory, account: int) -> list[Settlement]:
    """What deficits took from the account as a lender; what the fund pays has a number."""
    sources = [SettlementSource.SYSTEM_LIABILITY_TRANSFER]
    rows = views.settlements(account, sources=sources, paging=ALL).rows
    return [row for row in rows if row.quantity < 0 and not row.number]


@pytest.mark.slow
@proves("I6")
@pytest.mark.parametrize("name", MARKETS)
def test_payments_sum_to_the_interest_of_positions(name: int | str) -> None:
    """To the atom, for positions that have ended or have stood still since the last full hour."""
    market, views = told(name), views_of(name)
    charged = {event.asset: number for number, _, event in market.events(e.InterestCharged)}
    restless = {
        each.asset for n, _, each in market.events(e.Borrowed) if n >= charged.get(each.asset, 0)
    }
    restless |= {
        each.asset
        for n, _, each in market.events(w.DebtWrittenOff)
        if n >= charged.get(each.asset, 0)
    }
    compared = 0
    for account in accounts(market):
        paid: Counter[int] = Counter()
        for payment in earned(views, account):
            paid[payment.position] += payment.quantity
        moved = {row.position: row.sequence for row in views.movements(account, paging=ALL).rows}
        lost: Counter[int] = Counter()
        for loss in losses(views, account):
            lost[loss.asset] += loss.quantity
        sums: Counter[int] = Counter()
        unclear = set()
        for row in views.positions(account, paging=ALL).rows:
            still = moved.get(row.position, -1) < charged.get(row.asset, -1)
            lends = row.side is BorrowLendSide.LEND
            if row.closed_at is None and (not still or (lends and row.asset in restless)):
                unclear.add((row.asset, row.side))
            elif not lends:
                compared += 1
                assert paid[row.position] == row.interest
            else:
                sums[row.asset] += row.interest - paid[row.position]
        for asset, difference in sums.items():
            if (asset, BorrowLendSide.LEND) not in unclear:
                compared += 1
                assert difference == lost[asset]
    assert compared


@pytest.mark.slow
@proves("I5", "I6")
@pytest.mark.parametrize("name", MARKETS)
def test_an_hours_payments_are_the_interest_charged(name: int | str) -> None:
    market, views = told(name), views_of(name)
    paid: Counter[tuple[int, int]] = Counter()
    rows: Counter[tuple[int, int]] = Counter()
    moved: Counter[int] = Counter()
    for account in accounts(market):
        for payment in earned(views, account):
            if payment.payment is PaymentType.BORROW:
                # A debt that ends pays for its running hour at once.
                hour = -(-payment.time // 3_600_000_000)
                paid[payment.asset, hour] += payment.quantity
                rows[payment.asset, hour] += 1
        for movement in views.movements(account, paging=ALL).rows:
            moved[movement.asset] += 1
    charged = {(event.asset, event.hour): event for _, _, event in market.events(e.InterestCharged)}
    for key, quantity in paid.items():
        assert abs(quantity - charged[key].interest) <= rows[key] + 2 * moved[key[0]]
    assert any(paid.values())


@pytest.mark.parametrize("name", MARKETS)
def test_nobody_is_charged_an_entry_fee(name: int | str) -> None:
    market, views = told(name), views_of(name)
    for account in accounts(market):
        assert not views.interest(account, payment=PaymentType.ENTRY_FEE, paging=ALL).rows


@proves("I29")
@pytest.mark.parametrize("name", [7, 57, "short-squeeze"])
def test_deficits_fall_on_lenders(name: int | str) -> None:
    market, views = told(name), views_of(name)
    lost: Counter[tuple[int, int]] = Counter()
    bearers: Counter[tuple[int, int]] = Counter()
    for account in accounts(market):
        for row in losses(views, account):
            lost[row.sequence, row.asset] -= row.quantity
            bearers[row.sequence, row.asset] += 1
            assert row.value <= 0
    booked: Counter[tuple[int, int]] = Counter()
    for sequence, _, event in market.events(w.PoolWrittenDown):
        booked[sequence, event.asset] += event.lenders
    assert any(booked.values())
    unit = {
        (sequence, event.asset): event.lend_shares // INDEX_SCALE + 1
        for sequence, _, event in market.events(w.PoolRecorded)
        if event.stage is Stage.DEFICIT
    }
    for key, quantity in booked.items():
        assert abs(lost[key] - quantity) <= bearers[key] + unit[key]


@proves("I23")
@pytest.mark.parametrize("name", MARKETS)
def test_settlements_off_the_book_sum_to_zero(name: int | str) -> None:
    market, views = told(name), views_of(name)
    sums: Counter[tuple[int, ...]] = Counter()
    for account in accounts(market):
        for row in views.settlements(account, paging=ALL).rows:
            if row.source is SettlementSource.BACKSTOP_ADL_LIQUIDATION:
                sums[row.sequence, 1, row.number] += row.value
            elif row.source in (_BACKSTOP, _PROCEEDS):
                assert account == FUND or row.source is _BACKSTOP
                sums[row.sequence, 0, row.number] += row.value
    assert set(sums) >= {(s, 0, event.fill) for s, _, event in market.events(w.BackstopFilled)}
    assert not any(sums.values())


@pytest.mark.parametrize("name", MARKETS)
def test_trading_fees_are_settlements(name: int | str) -> None:
    market, views = told(name), views_of(name)
    expected: Counter[tuple[int, SettlementSource]] = Counter()
    for _, _, event in market.events(e.Filled):
        system = event.system_order is not SystemOrder.USER
        source = SettlementSource.TRADING_FEES_SYSTEM if system else SettlementSource.TRADING_FEES
        expected[event.taker, source] += event.taker_fee
        expected[event.maker, SettlementSource.TRADING_FEES] += event.maker_fee
        if system:
            expected[FUND, source] -= event.taker_fee
    found: Counter[tuple[int, SettlementSource]] = Counter()
    wanted = (SettlementSource.TRADING_FEES, SettlementSource.TRADING_FEES_SYSTEM)
    for account in accounts(market):
        for row in views.settlements(account, sources=wanted, paging=ALL).rows:
            assert row.asset == USDC
            found[account, row.source] -= row.value
    assert {k: v for k, v in found.items() if v} == {k: v for k, v in expected.items() if v}


@pytest.mark.parametrize("name", MARKETS)
def test_fills_of_orders_add_up(name: int | str) -> None:
    market, views = told(name), views_of(name)
    resting: dict[int, int] = {}
    waiting: dict[int, int] = {}
    failed = set()
    for account in accounts(market):
        fills: Counter[int] = Counter()
        quotes: Counter[int] = Counter()
        for fill in views.fills(account, paging=ALL).rows:
            fills[fill.order] += fill.quantity
            quotes[fill.order] += fill.quote
        for row in views.orders(account, paging=ALL).rows:
            assert (row.executed, row.executed_quote) == (fills[row.order], quotes[row.order])
            # An order by quote that is filled says why no more of its quote was spent.
            ends = (OrderStatus.EXPIRED,) + (OrderStatus.FILLED,) * bool(row.quote_quantity)
            assert row.reason is None or row.status in ends
            assert row.reason is not None or row.status is not OrderStatus.EXPIRED
            if row.status is OrderStatus.FILLED:
                assert row.executed == row.quantity or row.quote_quantity
            if row.status is OrderStatus.TRIGGER_PENDING:
                waiting[row.order] = row.trigger_price
            if row.refused is not None:
                assert row.status is OrderStatus.TRIGGER_FAILED
                failed.add((row.order, row.refused, row.limit))
            if row.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED):
                assert (row.status is OrderStatus.PARTIALLY_FILLED) == (row.executed > 0)
                resting[row.order] = row.quantity - row.executed
    state = market.state
    assert resting == {number: each.quantity for number, each in state.orders.items()}
    assert waiting == {number: each.trigger_price for number, each in state.triggers.items()}
    assert failed == {
        (each.order, each.code, each.limit) for _, _, each in market.events(e.TriggerFailed)
    }


@proves("A6")
@pytest.mark.parametrize("name", MARKETS)
def test_each_stage_is_among_the_fills(name: int | str) -> None:
    market, views = told(name), views_of(name)
    expected: Counter[tuple[int, ...]] = Counter()
    for sequence, _, event in market.events(w.BackstopFilled):
        if event.debt_asset != USDC:
            expected[sequence, event.account, 0, FillKind.BACKSTOP, event.debt_quantity] += 1
            expected[sequence, event.provider, 1, FillKind.BACKSTOP, event.debt_quantity] += 1
    rounds = {event.round: event for _, _, event in market.events(w.AdlOpened)}
    for sequence, _, match in market.events(w.AdlMatched):
        if rounds[match.round].asset != USDC:
            expected[sequence, match.payer, 0, FillKind.ADL, match.quantity] += 1
            expected[sequence, match.lender, 1, FillKind.ADL, match.quantity] += 1
    found: Counter[tuple[int, ...]] = Counter()
    for account in accounts(market):
        stages = (FillKind.BACKSTOP, FillKind.ADL)
        for fill in views.fills(account, kinds=stages, paging=ALL).rows:
            assert fill.order == fill.trade == fill.fee == 0
            found[fill.sequence, account, fill.side, fill.kind, fill.quantity] += 1
        for fill in views.fills(account, kinds=[FillKind.BOOK], paging=ALL).rows:
            (order,) = views.orders(account, order=fill.order).rows
            assert order.system is SystemOrder.BOOK_LIQUIDATION
    assert not expected - found


@pytest.mark.parametrize("name", MARKETS)
def test_sources_say_what_an_account_was_to_the_waterfall(name: int | str) -> None:
    market, views = told(name), views_of(name)
    taken = {(s, event.account) for s, _, event in market.events(w.BackstopOffered)}
    stuck = {(s, event.account) for s, _, event in market.events(w.AdlStuck)}
    for account in accounts(market):
        role = market.state.accounts[account].role
        for row in views.movements(account, paging=ALL).rows:
            if row.source is Source.LIQUIDATION_BACKSTOP:
                assert (row.sequence, account) in taken
            if row.source is Source.BACKSTOP_PROVIDER:
                assert role in (Role.BACKSTOP_PROVIDER, Role.BACKSTOP_FUND)
            if row.source is Source.LIQUIDATION_ADL:
                assert (row.sequence, account) in stuck


@pytest.mark.parametrize("name", MARKETS)
def test_spot_margin_names_its_order(name: int | str) -> None:
    market, views = told(name), views_of(name)
    for account in accounts(market):
        for row in views.movements(account, sources=[Source.SPOT_MARGIN], paging=ALL).rows:
            (order,) = views.orders(account, order=row.order).rows
            assert order.time <= row.time
        others = [source for source in Source if source is not Source.SPOT_MARGIN]
        assert all(not row.order for row in views.movements(account, sources=others).rows)


@pytest.mark.parametrize("name", MARKETS)
def test_what_each_stood_by_with(name: int | str) -> None:
    market, views = told(name), views_of(name)
    said = defaultdict(list)
    for sequence, _, event in market.events(e.StandbyPosted):
        terms = event.posted, event.premium, event.leaving, event.leaves_at
        said[event.account].append((sequence, *terms))
    for account in accounts(market):
        rows = views.standbys(account, paging=ALL).rows
        found = [(r.sequence, r.posted, r.premium, r.leaving, r.leaves_at) for r in rows]
        assert found == said[account]


def test_somebody_stands_by_in_the_markets_here() -> None:
    markets = [*map(told, SEEDS), *map(told, SCENARIOS)]
    assert any([*market.events(e.StandbyPosted)] for market in markets)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_came_and_went(seed: int) -> None:
    market, views = simulated(seed), views_of(seed)
    came = defaultdict(list)
    for sequence, time, event in market.events(e.Deposited):
        came[event.account].append((sequence, time, event.account, event.asset, event.quantity))
    went = defaultdict(list)
    for sequence, time, left in market.events(e.Withdrawn):
        went[left.account].append((sequence, time, left.asset, left.quantity, f"w{sequence}"))
    dust = defaultdict(list)
    for sequence, _, sold in market.events(e.DustConverted):
        dust[sold.account].append((sequence, sold.asset, sold.quantity, sold.received))
    for account in accounts(market):
        deposits = views.deposits(account, paging=ALL).rows
        told_of = [(r.sequence, r.time, r.account, r.asset, r.quantity) for r in deposits]
        assert told_of == came[account]
        left_rows = views.withdrawals(account, paging=ALL).rows
        found = [(r.sequence, r.time, r.asset, r.quantity, r.client_id) for r in left_rows]
        assert found == went[account]
        assert all((r.address, r.blockchain) == ("an address", "Solana") for r in left_rows)
        for row in left_rows:
            assert views.withdrawals(account, client_id=row.client_id).rows == [row]
            assert views.withdrawals(account, sequence=row.sequence).rows == [row]
        sold_rows = views.dust(account, paging=ALL).rows
        assert [(r.sequence, r.asset, r.quantity, r.received) for r in sold_rows] == dust[account]
