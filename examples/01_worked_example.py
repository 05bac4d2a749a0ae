"""ADL, case L: a stuck lender is paid by a borrower of the same asset, at the mark.

The pool of SOL is fully lent out, nobody bids, and no backstop provider is there. SOL falls from
200 to 190, and account 2, who lent 100 SOL and owes 17,000 USDC, becomes liquidatable.
"""

from market import BTC, SOL, USDC, market, quote, run, text, worked_example

from solvent import SECOND, AdlCandidate, AdlLeg, AdlOpened, HandedOver, ReferenceEngine, TimeStep

NAMES = {2: "lender", 3: "borrower 3", 4: "borrower 4"}
SYMBOLS = ("USDC", "BTC", "SOL")


def show_accounts(engine: ReferenceEngine, title: str) -> None:
    """One row an account: what it has and owes, what it is worth, its margin ratio."""
    print(f"\n{title}\n{'':12}{'USDC':>14}{'BTC':>12}{'SOL':>14}{'worth':>14}{'MMR':>9}")
    for account, name in NAMES.items():
        report = engine.queries.fractions(account)
        row = f"{name:12}"
        for asset, width in ((USDC, 14), (BTC, 12), (SOL, 14)):
            held = engine.queries.balances(account)[asset]
            row += f"{text(asset, held.available + held.lent - held.debt):>{width}}"
        row += f"{text(USDC, engine.queries.health(account).total_value):>14}"
        ratio = report.maintenance_ratio
        print(row + (f"{ratio / 10**7:>7.1f} %" if ratio else ""))


def main() -> None:
    """Let SOL fall, take one time step, and tell what happened."""
    engine = market(accounts=4)
    run(engine, *worked_example())
    show_accounts(engine, "SOL at 200")
    run(engine, quote(SOL, "190"))
    show_accounts(engine, "SOL at 190")
    print("\nOne time step")
    for event in run(engine, TimeStep(60 * SECOND)):
        if isinstance(event, HandedOver):
            print(f"  {event.stage.name.lower()} hands over: {event.reason.name}")
        if isinstance(event, AdlOpened):
            print(f"  ADL: {text(SOL, event.needed)} SOL of the claim must become value")
        if isinstance(event, AdlCandidate):
            leverage = event.assets_value / event.total_value
            print(
                f"    {NAMES[event.account]}, leverage {leverage:.3f}, gets {event.allotted} atoms"
            )
        if isinstance(event, AdlLeg):
            quantity = text(event.asset, event.quantity)
            print(f"    {NAMES[event.giver]} hands over {quantity} {SYMBOLS[event.asset]}")
    show_accounts(engine, "After it")


main()
