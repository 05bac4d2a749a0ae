"""Sale checks: the book sells first what needs the least value sold for the target (I17).

A sale adds to NE - M what its price brings after the fee, less what the asset weighed. So it is
wrong to sell one asset and then another which had bids all along that must be able to pay, and of
which even a sale at the order's limit would have added more than the best that was sold before.

Only what no reading of the rule allows is a breach, and of flat weights.

Specification: section 7.3.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from solvent.domain import events as e
from solvent.domain.commands import Side
from solvent.domain.events import Event
from solvent.domain.labels import SystemOrder
from solvent.domain.parameters import HaircutKind
from solvent.domain.units import RATIO
from solvent.proof.invariants.invariants import Breach, breach
from solvent.proof.invariants.state_view import StateView

UNFUNDED, REDUCE_ONLY = 7, 8
"""Places in an order of a view."""
SPARE = RATIO // 100
"""By how much prices that one sale could have had may change with the sales before it."""


@dataclass(slots=True)
class _Sale:
    """One order of the liquidation engine: its limit, its best fill, and whether a bid was sure."""

    asset: int
    limit: int
    best: int = 0
    sure: bool = False


def check_sales(before: StateView, after: StateView, events: tuple[Event, ...]) -> Iterator[Breach]:
    """I17: in which order accounts sold what they had in a pass."""
    sales: defaultdict[int, list[_Sale]] = defaultdict(list)
    for event in events:
        if isinstance(event, e.OrderAccepted) and event.side is Side.ASK:
            if event.system_order is SystemOrder.BOOK_LIQUIDATION:
                sales[event.account].append(_Sale(event.asset, event.price))
        elif isinstance(event, e.Filled) and event.side is Side.ASK and sales[event.taker]:
            sale = sales[event.taker][-1]
            sale.best = max(sale.best, event.price)
            sale.sure = sale.sure or _is_sure(before, event.maker, event.maker_order)
    for account, sold in sales.items():
        met = [sale for sale in sold if sale.best and _is_flat(after, sale.asset)]
        for place, later in enumerate(met):
            for earlier in met[:place]:
                if later.sure and _adds_more(after, later, earlier):
                    pair = earlier.asset, later.asset
                    yield breach("I17", "what needed more sold went first", account, *pair)


def _is_flat(view: StateView, asset: int) -> bool:
    return view.parameters.assets[asset].haircut.kind is HaircutKind.IDENTITY


def _adds_more(view: StateView, later: _Sale, earlier: _Sale) -> bool:
    """Whether for each unit of value sold the later sale must add more than the earlier did.

    What maintenance a repayment frees makes more of either price, up to as much again.
    """
    assets, prices = view.parameters.assets, view.prices
    rest = RATIO - view.parameters.waterfall.book_fee
    least = later.limit * rest // prices[later.asset].mark - SPARE
    most = earlier.best * rest // prices[earlier.asset].mark + SPARE
    heavier = assets[later.asset].haircut.weight - assets[earlier.asset].haircut.weight
    return min(least - most, 2 * (least - most)) > heavier


def _is_sure(before: StateView, maker: int, order: int) -> bool:
    """Whether an order rested before, paid for by one who owes and borrows nothing."""
    holding = before.holdings[maker]
    if any(holding.debt_shares) or any(holding.unfunded):
        return False
    resting = next((each for each in before.orders if each[0] == order), None)
    return resting is not None and not resting[UNFUNDED] and not resting[REDUCE_ONLY]
