"""Who came first decides nothing: the same people in another order of commands end the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proof import proves
from tests.tables.story import run_story

LENDERS = {"ann": 30, "bea": 25, "cat": 20, "dee": 25}
BORROWERS = {"uma": 40, "vic": 35, "wim": 25}
ACCOUNTS = "".join(
    f"deposit {name} BTC 1\nwithdraw {name} BTC 1\n" for name in (*LENDERS, *BORROWERS)
)


def lender(name: str) -> str:
    """A lender of SOL who owes 85 % of it in USDC."""
    sol = LENDERS[name]
    return f"""
        deposit  {name} SOL  {sol}
        lend     {name} SOL  {sol}
        borrow   {name} USDC {sol * 170}
        withdraw {name} USDC {sol * 170}
    """


def borrower(name: str) -> str:
    """A borrower of SOL against USDC and BTC."""
    sol = BORROWERS[name]
    return f"""
        deposit  {name} USDC {sol * 90}
        deposit  {name} BTC  {sol / 500}
        borrow   {name} SOL  {sol}
        withdraw {name} SOL  {sol}
    """


@proves("I27")
@settings(max_examples=12)
@given(
    st.permutations(list(LENDERS)),
    st.permutations(list(BORROWERS)),
    st.sampled_from(["leverage", "pro_rata", "queue", "largest_loan", "risk_weighted"]),
)
def test_any_order_of_commands_ends_in_the_same_state(
    lenders: list[str], borrowers: list[str], policy: str
) -> None:
    def told(first: list[str], second: list[str]) -> bytes:
        story = run_story(
            f"set waterfall.lender_policy {policy}\n"
            + ACCOUNTS
            + "deposit lender USDC 20,000\nlend lender USDC 20,000\n"
            + "".join(map(lender, first))
            + "".join(map(borrower, second))
            + "price SOL 190\nstep +1s\nsaw AdlOpened case=STUCK_LENDER\ncount AdlStuck 4\n"
        )
        return story.engine.snapshot()

    assert told(lenders, borrowers) == told(list(LENDERS), list(BORROWERS))
