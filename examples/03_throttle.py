"""What the throttle's buffer is for: the same fall with and without it.

Borrowers take all the SOL they can get. Without a throttle the pool is empty when a lender is
liquidated, and ADL has to close a borrower's loan early. With a threshold of 85 % the pool still
has cash that only liquidations may redeem: the claim is redeemed and sold on the book.
"""

from market import SOL, USDC, amount, market, pool, quote, run, text

from solvent import (
    RATIO,
    SECOND,
    AdlMatched,
    Borrow,
    Deposit,
    Filled,
    HandedOver,
    Lend,
    PlaceOrder,
    Redeem,
    Redeemed,
    Refused,
    Side,
    TimeStep,
    WaterfallParameters,
    Withdraw,
    price,
    ratio,
)


def fall(threshold: str) -> None:
    """Let SOL fall from 200 to 190 with a throttle at `threshold`."""
    engine = market(
        accounts=4,
        lending=pool(throttle_threshold=ratio(threshold)),
        waterfall=WaterfallParameters(book_probability=RATIO),
    )
    run(
        engine,
        Deposit(5, USDC, amount(USDC, "100000")),
        Lend(5, USDC, amount(USDC, "50000")),
        Deposit(2, SOL, amount(SOL, "100")),
        Lend(2, SOL, amount(SOL, "100")),
        Borrow(2, USDC, amount(USDC, "17000")),
        Withdraw(2, USDC, amount(USDC, "17000")),
        Deposit(3, USDC, amount(USDC, "40000")),
        PlaceOrder(5, SOL, Side.BID, price=price("189.9"), quantity=amount(SOL, "50")),
    )
    everything = engine.apply_one(Borrow(3, SOL, amount(SOL, "101")))[0]
    assert isinstance(everything, Refused)
    run(engine, Borrow(3, SOL, everything.largest))
    report = engine.queries.pool(SOL)
    print(f"Threshold {threshold}: utilization {report.utilization / 10**7:.0f} %,", end=" ")
    print(f"cash {text(SOL, report.cash)} SOL")
    refusal = engine.apply_one(Redeem(2, SOL, amount(SOL, "1")))[0]
    assert isinstance(refusal, Refused)
    print(f"  the lender asks for 1 SOL: {refusal.code.name}, {refusal.limit.name}")
    run(engine, quote(SOL, "190"))
    for second in range(1, 5):
        for event in run(engine, TimeStep(second * SECOND)):
            if isinstance(event, Redeemed):
                print(f"  {second} s: redeemed {text(SOL, event.quantity)} SOL for the liquidation")
            if isinstance(event, Filled):
                print(f"  {second} s: sold {text(SOL, event.quantity)} SOL on the book")
            if isinstance(event, HandedOver):
                print(f"  {second} s: {event.stage.name.lower()} hands over: {event.reason.name}")
            if isinstance(event, AdlMatched):
                print(f"  {second} s: ADL closes {text(SOL, event.quantity)} SOL of a loan")
    print(f"  in liquidation after four steps: {len(engine.queries.liquidating())}")


fall("1")
fall("0.85")
