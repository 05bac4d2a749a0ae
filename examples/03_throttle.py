"""What the throttle's buffer is for: the same fall with and without it.

Borrowers take all the SOL they can get. Without a throttle the pool is empty when a lender is
liquidated, and ADL has to close a borrower's loan early. With a threshold of 85 % the pool still
has cash that only liquidations may redeem: the claim is redeemed and sold on the book.
"""

from market import SOL, USDC, atoms, market, pool, price, quote, ratio, run, tokens

from solvent.domain.commands import (
    Borrow,
    Deposit,
    Lend,
    PlaceOrder,
    Redeem,
    Side,
    TimeStep,
    Withdraw,
)
from solvent.domain.events import Filled, Redeemed, Refused
from solvent.domain.parameters import WaterfallParameters
from solvent.domain.units import RATIO, SECOND
from solvent.domain.waterfall_events import AdlMatched, HandedOver
from solvent.reference.queries import pool_report


def fall(threshold: str) -> None:
    """Let SOL fall from 200 to 190 with a throttle at `threshold`."""
    engine = market(
        accounts=4,
        lending=pool(throttle_threshold=ratio(threshold)),
        waterfall=WaterfallParameters(book_probability=RATIO),
    )
    run(
        engine,
        Deposit(5, USDC, atoms("100000", USDC)),
        Lend(5, USDC, atoms("50000", USDC)),
        Deposit(2, SOL, atoms("100", SOL)),
        Lend(2, SOL, atoms("100", SOL)),
        Borrow(2, USDC, atoms("17000", USDC)),
        Withdraw(2, USDC, atoms("17000", USDC)),
        Deposit(3, USDC, atoms("40000", USDC)),
        PlaceOrder(5, SOL, Side.BID, price=price("189.9"), quantity=atoms("50", SOL)),
    )
    everything = engine.apply_one(Borrow(3, SOL, atoms("101", SOL)))[0]
    assert isinstance(everything, Refused)
    run(engine, Borrow(3, SOL, everything.largest))
    report = pool_report(engine.state, SOL)
    print(f"Threshold {threshold}: utilization {report.utilization / 10**7:.0f} %,", end=" ")
    print(f"cash {tokens(report.cash, SOL)} SOL")
    refusal = engine.apply_one(Redeem(2, SOL, atoms("1", SOL)))[0]
    assert isinstance(refusal, Refused)
    print(f"  the lender asks for 1 SOL: {refusal.code.name}, {refusal.limit.name}")
    run(engine, quote(SOL, "190"))
    for second in range(1, 5):
        for event in run(engine, TimeStep(second * SECOND)):
            if isinstance(event, Redeemed):
                print(
                    f"  {second} s: redeemed {tokens(event.quantity, SOL)} SOL for the liquidation"
                )
            if isinstance(event, Filled):
                print(f"  {second} s: sold {tokens(event.quantity, SOL)} SOL on the book")
            if isinstance(event, HandedOver):
                print(f"  {second} s: {event.stage.name.lower()} hands over: {event.reason.name}")
            if isinstance(event, AdlMatched):
                print(f"  {second} s: ADL closes {tokens(event.quantity, SOL)} SOL of a loan")
    print(f"  in liquidation after four steps: {len(engine.state.liquidating)}")


fall("1")
fall("0.85")
