"""State machines: a pool against fractions, a book against a list, a waterfall and its promises.

Each model is a few lines of the plainest Python. Settings are small and derandomized: the three
together take less than a minute, and the same steps are taken every time. A failure is shown as it
was found; add Phase.shrink to look for a shorter one.
"""

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from solvent.domain import commands as c
from solvent.domain.events import Refused
from solvent.domain.units import (
    FINE_PER_VALUE,
    PRICE_SCALE,
    SECOND,
    value_up,
)
from solvent.domain.waterfall_events import DeficitBooked, LiquidationStarted
from solvent.reference.margin import below_auto_close, health_of
from solvent.reference.sizing import deliverable_value
from tests.proof import proves
from tests.reference.machines import SMALL, SOL, USDC, BookMachine, PoolMachine, engine_with
from tests.reference.rounds import faults_of_step
from tests.tables.audit import faults

QUIET_STEPS = 400
"""Steps after which fixed prices must have brought every account to rest."""


class WaterfallMachine(RuleBasedStateMachine):
    """Random positions, one price jump after the other, then steps until nothing moves."""

    people = tuple(range(2, 9))
    maker = 9

    def __init__(self) -> None:
        super().__init__()
        self.engine = engine_with("BTC haircut.weight 80%")

    @initialize(
        lent=st.integers(1, 100),
        depth=st.integers(0, 60),
        capacity=st.integers(0, 50),
        fund=st.integers(0, 2_000),
    )
    def populate(self, lent: int, depth: int, capacity: int, fund: int) -> None:
        """Lenders of all assets, a book of some depth, a provider, a fund."""
        apply = self.engine.apply_one
        for account in self.people:
            apply(c.OpenAccount(account))
        apply(c.OpenAccount(self.maker))
        apply(c.OpenAccount(10, c.Role.BACKSTOP_PROVIDER))
        apply(c.Deposit(10, USDC, capacity * 10**9))
        apply(c.PostBackstop(10, SOL, capacity * 10**10))
        apply(c.PostBackstop(10, USDC, capacity * 10**9))
        for asset, quantity in ((USDC, 300_000 * 10**6), (1, 10**8), (SOL, lent * 10**9)):
            apply(c.Deposit(2, asset, quantity))
            apply(c.Lend(2, asset, quantity))
        if fund:
            apply(c.Deposit(0, USDC, fund * 10**6))
        apply(c.Deposit(self.maker, SOL, 10**12))
        apply(c.Deposit(self.maker, USDC, 10**12))
        if depth:
            self._quote(200, depth)

    def _quote(self, price: int, lots: int) -> None:
        """Quote around the index, so that the book's mid moves no mark."""
        apply = self.engine.apply_one
        apply(c.CancelAllOrders(self.maker))
        for side, cents in ((c.Side.BID, price * 100 - 10), (c.Side.ASK, price * 100 + 10)):
            tick = cents * PRICE_SCALE // 100
            apply(c.PlaceOrder(self.maker, SOL, side, price=tick, quantity=lots * 10**8))

    @rule(
        account=st.sampled_from(people[1:]),
        held=st.sampled_from((USDC, 1, SOL)),
        owed=st.sampled_from((USDC, 1, SOL)),
        worth=st.integers(50, 20_000),
        share=st.integers(30, 99),
        lends=st.booleans(),
    )
    def open_position(
        self, account: int, held: int, owed: int, worth: int, share: int, lends: bool
    ) -> None:
        """Deposit one asset, maybe lend it, borrow another as far as margin goes, and leave."""
        state, apply = self.engine.state, self.engine.apply_one
        if held == owed:
            return
        decimals = state.asset(held).decimals
        quantity = worth * 10**decimals * PRICE_SCALE // state.mark(held)
        apply(c.Deposit(account, held, max(1, quantity)))
        if lends:
            apply(c.Lend(account, held, max(1, quantity)))
        largest = apply(c.Withdraw(account, owed, 10**17, auto_borrow=True))[0]
        if isinstance(largest, Refused) and largest.largest:
            wanted = max(1, largest.largest * share // 100)
            apply(c.Withdraw(account, owed, wanted, auto_borrow=True))

    @rule(
        asset=st.sampled_from((1, SOL)),
        percent=st.integers(40, 250),
        depth=st.integers(0, 30),
    )
    @precondition(lambda self: len(self.engine.state.accounts) > self.maker)
    def jump_and_rest(self, asset: int, percent: int, depth: int) -> None:
        """Move a price; then at fixed prices steps must end, and spread to nobody."""
        state = self.engine.state
        price = max(PRICE_SCALE, state.mark(asset) * percent // 100 // PRICE_SCALE * PRICE_SCALE)
        self.engine.apply_one(c.UpdatePrice(asset, 0, price, price, price))
        if asset == SOL and depth:
            self._quote(price // PRICE_SCALE, depth)
        else:
            self.engine.apply_one(c.CancelAllOrders(self.maker))
        quiet = 0
        for _ in range(QUIET_STEPS):
            before, surplus = self._positions(), self._surplus()
            events = self.engine.apply_one(c.TimeStep(state.now + SECOND))
            assert faults_of_step(events, self._rounding_unit()) == []
            self._nobody_fell(surplus)
            kinds = {type(event) for event in events}
            # Only a deficit, which lenders bear, may take another account below maintenance.
            assert LiquidationStarted not in kinds or DeficitBooked in kinds
            quiet = quiet + 1 if self._positions() == before else 0
            if quiet == 3:
                break
        assert quiet == 3, "the waterfall does not come to rest at fixed prices"
        self._everyone_is_settled()

    def _rounding_unit(self) -> int:
        """An atom of every asset, a few times over, in 10^-6 USDC."""
        state = self.engine.state
        atoms = [value_up(1, state.mark(asset), state.asset(asset).decimals) for asset in range(3)]
        return 4 * sum(atoms)

    def _surplus(self) -> dict[int, int]:
        """NE - M of who is being liquidated and not beyond recovery."""
        state = self.engine.state
        health = {account: health_of(state, account) for account in state.liquidating}
        return {
            account: values.surplus for account, values in health.items() if values.total_value > 0
        }

    def _nobody_fell(self, before: dict[int, int]) -> None:
        """I16: no step lowers the health of an account that can recover."""
        unit = self._rounding_unit() * FINE_PER_VALUE
        for account, surplus in before.items():
            assert health_of(self.engine.state, account).surplus >= surplus - unit

    def _positions(self) -> list[tuple[list[int], list[int], list[int]]]:
        return [
            (list(each.available), list(each.lent_shares), list(each.debt_shares))
            for each in self.engine.state.accounts
        ]

    def _everyone_is_settled(self) -> None:
        """I10, I19: no debt, or above maintenance; nobody owes who has nothing.

        Above the auto-close fraction an account waits for the book: no later stage may act yet.
        """
        state = self.engine.state
        for account, holder in enumerate(state.accounts):
            if any(holder.debt_shares):
                values = health_of(state, account)
                waits = account in state.liquidating and not below_auto_close(state, values)
                assert waits or not values.liquidatable
                assert deliverable_value(state, account) > 0

    @invariant()
    def the_books_add_up(self) -> None:
        """I1, I2, I3, at every step."""
        assert faults(self.engine.state) == []


@proves("I1", "I2", "I3", "I4", "I6")
def test_a_pool_against_fractions() -> None:
    run_state_machine_as_test(PoolMachine, settings=SMALL)


@proves("I3", "I20")
def test_a_book_against_a_list() -> None:
    run_state_machine_as_test(BookMachine, settings=SMALL)


@proves("I10", "I15", "I16", "I18", "I19", "I21", "I22", "I23", "I24", "I26")
def test_a_waterfall_comes_to_rest_with_everyone_settled() -> None:
    run_state_machine_as_test(WaterfallMachine, settings=SMALL)
