"""I43: what hostile assets do stops nothing of the market beside them, in either engine."""

import pytest

from solvent.domain.commands import ChangeParameter
from solvent.domain.parameters import EngineParameters
from solvent.domain.rejections import Refusal
from solvent.proof.fuzz.beside import FIRST, HOSTS, Beside, beside
from solvent.reference import dispatch, governance, prices
from solvent.reference.engine import ReferenceEngine
from solvent.reference.state import State
from tests.proof import proves
from tests.sizes import sized

RUNS = sized(quick=4, usual=16, full=100)
COMMANDS = 1000


@proves("I43", "I34")
@pytest.mark.parametrize("seed", range(RUNS))
def test_hostile_assets_change_nothing_elsewhere(seed: int) -> None:
    found = beside(seed, COMMANDS)
    assert found.breach is None, str(found.breach)
    assert found.commands == COMMANDS
    assert found.hostile > COMMANDS // 4


@proves("I43")
@pytest.mark.parametrize(
    ("seed", "commands"),
    [
        # What a debt's atom costs of an asset worth nothing fits no column.
        (26, 20),
        # Debts, claims and fees end together, and claims were a part of an atom more.
        pytest.param(29, 850, marks=pytest.mark.slow),
    ],
)
def test_what_once_stopped_an_engine_stops_none(seed: int, commands: int) -> None:
    assert beside(seed, commands).breach is None


def engines(made: list[ReferenceEngine]) -> "type[ReferenceEngine]":
    """Reference engines that are kept, for what became of them."""

    class Kept(ReferenceEngine):
        def __init__(self, parameters: EngineParameters) -> None:
            super().__init__(parameters)
            made.append(self)

    return Kept


def test_hostile_assets_go_to_their_ends() -> None:
    """Debts that nobody pays, and prices of a unit, do occur."""
    made: list[ReferenceEngine] = []
    for seed in range(4):
        beside(seed, COMMANDS, engine_factory=engines(made))
    hostile = [state for engine in made[1::2] for state in [engine.state]]
    assert any(pool.deficit for state in hostile for pool in state.pools[-2:])
    assert min(price.mark for state in hostile for price in state.prices[-2:]) == 1
    for state in hostile:
        assert all(not any(each.lent_shares[-2:]) for each in state.accounts[FIRST:])
    assert any(any(state.accounts[host].lent_shares) for state in hostile for host in HOSTS)


def first_breach(runs: int = 20) -> Beside | None:
    """The first of so many runs that finds something."""
    for seed in range(runs):
        found = beside(seed, COMMANDS)
        if found.breach is not None:
            return found
    return None


def test_a_stale_price_that_stops_all_markets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = prices.refresh_staleness

    def wrong(state: State, asset: int) -> None:
        right(state, asset)
        if asset == len(state.prices) - 1 and state.prices[asset].stale:
            for price in state.prices[1:]:
                price.stale = True

    for module in (prices, governance):
        target = module if module is prices else module.prices
        monkeypatch.setattr(target, "refresh_staleness", wrong)
    found = first_breach()
    assert found is not None
    assert "I43" in str(found.breach)


def test_a_moment_that_any_parameter_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = governance.change_parameter

    def wrong(state: State, command: ChangeParameter) -> Refusal | None:
        refusal = right(state, command)
        for asset in range(1, len(state.prices)):
            prices.refresh_staleness(state, asset)
        return refusal

    monkeypatch.setitem(dispatch.HANDLERS, ChangeParameter, wrong)
    assert first_breach(40) is not None
