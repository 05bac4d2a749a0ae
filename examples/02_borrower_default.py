"""ADL, case B: a borrower's assets go to the lenders of what he owes, at the mark.

Account 3 borrowed 1 BTC of account 2 at 80,000 against 100,000 USDC and sold it elsewhere. BTC
jumps, and nobody sells any. At 100,000 the lender gets 100,000 USDC for his BTC. At 110,000 the
borrower's assets do not reach: the backstop fund pays, and what is left is a deficit.
"""

from market import BTC, USDC, atoms, market, quote, run, tokens

from solvent.domain.commands import Borrow, Deposit, Lend, TimeStep, Withdraw
from solvent.domain.units import SECOND
from solvent.domain.waterfall_events import AdlLeg, DeficitBooked, HandedOver
from solvent.reference.queries import holding

NAMES = {0: "fund", 2: "lender", 3: "borrower"}


def default(jump_to: str) -> None:
    """Let BTC jump to a price and take one time step."""
    engine = market(accounts=2)
    run(
        engine,
        quote(BTC, "80000"),
        Deposit(0, USDC, atoms("4000", USDC)),
        Deposit(2, BTC, atoms("1", BTC)),
        Lend(2, BTC, atoms("1", BTC)),
        Deposit(3, USDC, atoms("100000", USDC)),
        Borrow(3, BTC, atoms("1", BTC)),
        Withdraw(3, BTC, atoms("1", BTC)),
        quote(BTC, jump_to),
    )
    print(f"BTC jumps from 80000 to {jump_to}")
    for event in run(engine, TimeStep(SECOND)):
        if isinstance(event, HandedOver):
            print(f"  {event.stage.name.lower()} hands over: {event.reason.name}")
        if isinstance(event, AdlLeg):
            paid = tokens(event.quantity, USDC)
            print(f"  {NAMES[event.giver]} pays {NAMES[event.receiver]} {paid} USDC")
        if isinstance(event, DeficitBooked):
            print(f"  deficit: {tokens(event.quantity, BTC)} BTC, {tokens(event.value, USDC)} USDC")
    lender, borrower = holding(engine.state, 2, USDC), holding(engine.state, 3, BTC)
    print(
        f"  the lender has {tokens(lender.available, USDC)} USDC, the borrower owes {borrower.debt}"
    )


default("100000")
default("110000")
