"""Terms: the parameters, prices and pools that a receipt carries so that it stands alone.

Only assets that the settlement touches are carried: the settlement's own, USDC, and whatever a
party has or owes.
"""

from collections.abc import Iterable, Sequence

from solvent.domain.parameters import USDC, EngineParameters
from solvent.domain.settlements import Transfer
from solvent.domain.waterfall_events import HandedOver, LiquidationStarted, PoolRecorded
from solvent.receipts.form import (
    AssetTerms,
    BorrowTerms,
    DiscountTerms,
    Handover,
    Started,
    WaterfallTerms,
)
from solvent.receipts.lines import Words


def words_of(parameters: EngineParameters, pools: Sequence[PoolRecorded]) -> Words:
    """The engine's own names, at the marks that a settlement found."""
    return Words(
        symbols=[asset.symbol for asset in parameters.assets],
        decimals=[asset.decimals for asset in parameters.assets],
        marks=[pool.mark for pool in pools],
    )


def asset_terms(
    parameters: EngineParameters, pools: Sequence[PoolRecorded], touched: Iterable[int]
) -> tuple[AssetTerms, ...]:
    """Terms of USDC and of the `touched` assets, by number."""
    terms = []
    for number in sorted({USDC, *touched}):
        asset, pool = parameters.assets[number], pools[number]
        terms.append(
            AssetTerms(
                symbol=asset.symbol,
                number=number,
                decimals=asset.decimals,
                mark=pool.mark,
                stale=bool(pool.stale),
                haircut=asset.haircut,
                initial=asset.initial,
                maintenance=asset.maintenance,
                lend_shares=pool.lend_shares,
                lend_index=pool.lend_index,
                debt_shares=pool.debt_shares,
                debt_index=pool.debt_index,
            )
        )
    return tuple(terms)


def touched_assets(transfers: Iterable[Transfer]) -> set[int]:
    """Numbers of the assets in which a party has anything."""
    return {event.asset for transfer in transfers for event in transfer.balances}


def borrow_terms(parameters: EngineParameters, pools: Sequence[PoolRecorded]) -> BorrowTerms:
    """What limits a settlement in borrowed USDC."""
    pool = parameters.assets[USDC].pool
    return BorrowTerms(
        state=pool.state,
        open_borrow_lend_limit=pool.open_borrow_lend_limit,
        max_utilization=pool.max_utilization,
        throttle_threshold=pool.throttle_threshold,
        throttle_update_fraction=pool.throttle_update_fraction,
        bound=pools[USDC].bound,
        curve=pool.curve.points,
    )


def waterfall_terms(parameters: EngineParameters) -> WaterfallTerms:
    """The waterfall's parameters in force."""
    waterfall = parameters.waterfall
    return WaterfallTerms(
        target_buffer=waterfall.target_buffer,
        stale_doubt=waterfall.stale_doubt,
        book_fee=waterfall.book_fee,
        opposites_fee=waterfall.opposites_fee,
    )


def discount_terms(parameters: EngineParameters) -> DiscountTerms:
    """What bounds a backstop's discount now."""
    waterfall = parameters.waterfall
    return DiscountTerms(waterfall.max_discount, waterfall.fund_share)


def started_line(command: int, time: int, event: LiquidationStarted) -> Started:
    """When an account became liquidatable."""
    return Started(
        command=command,
        time=time,
        net_equity=event.net_equity,
        maintenance=event.maintenance,
        exposure=event.exposure,
        total_value=event.total_value,
    )


def handover_lines(events: Iterable[HandedOver], symbols: Sequence[str]) -> tuple[Handover, ...]:
    """What stages of this step left, in order."""
    return tuple(
        Handover(event.stage, event.reason, symbols[event.asset], event.value) for event in events
    )
