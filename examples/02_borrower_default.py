"""ADL, case B: a borrower's assets go to the lenders of what he owes, at the mark.

Account 3 borrowed 1 BTC of account 2 at 80,000 against 100,000 USDC and sold it elsewhere. BTC
jumps, and nobody sells any. At 100,000 the lender gets 100,000 USDC for his BTC. At 110,000 the
borrower's assets do not reach: the backstop fund pays, and what is left is a deficit.
"""

from market import BTC, USDC, amount, market, quote, run, text

from solvent import (
    SECOND,
    AdlLeg,
    Borrow,
    DebtWrittenOff,
    Deposit,
    FundPaid,
    HandedOver,
    Lend,
    TimeStep,
    Withdraw,
)

NAMES = {0: "fund", 2: "lender", 3: "borrower"}


def default(jump_to: str) -> None:
    """Let BTC jump to a price and take one time step."""
    engine = market(accounts=2)
    run(
        engine,
        quote(BTC, "80000"),
        Deposit(0, USDC, amount(USDC, "4000")),
        Deposit(2, BTC, amount(BTC, "1")),
        Lend(2, BTC, amount(BTC, "1")),
        Deposit(3, USDC, amount(USDC, "100000")),
        Borrow(3, BTC, amount(BTC, "1")),
        Withdraw(3, BTC, amount(BTC, "1")),
        quote(BTC, jump_to),
    )
    print(f"BTC jumps from 80000 to {jump_to}")
    for event in run(engine, TimeStep(SECOND)):
        if isinstance(event, HandedOver):
            print(f"  {event.stage.name.lower()} hands over: {event.reason.name}")
        if isinstance(event, AdlLeg):
            paid = text(USDC, event.quantity)
            print(f"  {NAMES[event.giver]} pays {NAMES[event.receiver]} {paid} USDC")
        if isinstance(event, FundPaid):
            print(f"  the fund gives the borrower {text(USDC, event.quantity)} USDC")
        if isinstance(event, DebtWrittenOff):
            print(f"  deficit: {text(BTC, event.quantity)} BTC, {text(USDC, event.value)} USDC")
    lender, borrower = engine.queries.balances(2)[USDC], engine.queries.balances(3)[BTC]
    print(
        f"  the lender has {text(USDC, lender.available)} USDC, the borrower owes {borrower.debt}"
    )


default("100000")
default("110000")
