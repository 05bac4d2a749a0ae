"""The five ADL policies on one stuck lender and forty borrowers, through the engine.

Loans and collateral come from a formula, so the market is the same every time. For each policy:
how many borrowers were touched, the largest part of anybody's loan that was closed, and the highest
leverage among the borrowers afterwards.
"""

from market import SOL, USDC, amount, market, quote, run, text

from solvent import (
    SECOND,
    AdlCandidate,
    AdlMatched,
    Borrow,
    Deposit,
    Lend,
    Policy,
    ReferenceEngine,
    TimeStep,
    WaterfallParameters,
    Withdraw,
)

BORROWERS = range(4, 44)


def crowded_market(policy: Policy) -> ReferenceEngine:
    """Account 2 lends what all borrow and owes USDC; account 3 lends him the USDC."""
    engine = market(accounts=42, waterfall=WaterfallParameters(lender_policy=policy))
    loans = {account: 5 + 7 * account % 20 for account in BORROWERS}
    lent = sum(loans.values())
    run(
        engine,
        Deposit(3, USDC, amount(USDC, str(lent * 170))),
        Lend(3, USDC, amount(USDC, str(lent * 170))),
        Deposit(2, SOL, amount(SOL, str(lent))),
        Lend(2, SOL, amount(SOL, str(lent))),
        Borrow(2, USDC, amount(USDC, str(lent * 170))),
        Withdraw(2, USDC, amount(USDC, str(lent * 170))),
    )
    for account, loan in loans.items():
        collateral = loan * (260 + 11 * account % 300)
        run(
            engine,
            Deposit(account, USDC, amount(USDC, str(collateral))),
            Borrow(account, SOL, amount(SOL, str(loan))),
            Withdraw(account, SOL, amount(SOL, str(loan))),
        )
    assert engine.queries.pool(SOL).cash == 0
    return engine


def leverage(engine: ReferenceEngine, account: int) -> float:
    """Assets over total value."""
    values = engine.queries.health(account)
    return values.assets_value / values.total_value


def compare(policy: Policy) -> None:
    """Let SOL fall to 190, let a minute pass, and print a row."""
    engine = crowded_market(policy)
    events = run(engine, quote(SOL, "190"), TimeStep(60 * SECOND))
    candidates = [event for event in events if isinstance(event, AdlCandidate)]
    settled = sum(event.quantity for event in events if isinstance(event, AdlMatched))
    touched = len({event.account for event in candidates if event.allotted})
    largest = max(event.allotted / event.position for event in candidates)
    highest = max(leverage(engine, account) for account in BORROWERS)
    print(
        f"{policy.name.lower():14}{text(SOL, settled):>16}{touched:>10}"
        f"{largest:>15.1%}{highest:>18.3f}"
    )


print(
    f"{'policy':14}{'settled, SOL':>16}{'touched':>10}{'largest part':>15}{'highest leverage':>18}"
)
for each in Policy:
    compare(each)
