"""Attackers among honest accounts: nobody gains, is hurt, or is kept from settlement.

Each strategy plays in markets of its own, with every invariant checked. The measure is tried on
planted bugs: a rule that is off must show as gain, harm, or debt that is left.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import pytest

from solvent.domain.commands import Command, TimeStep
from solvent.domain.units import HOUR
from solvent.proof.attack.attacks import Attack, attack, attack_many
from solvent.proof.attack.strategies import STRATEGIES
from solvent.reference import limits, prices
from solvent.reference.engine import Part, ReferenceEngine
from solvent.reference.ledger import claim_of
from solvent.reference.orderbook import matching, orders
from tests.proof import proves
from tests.sizes import sized

MARKETS = sized(quick=1, usual=3, full=30)


@proves("I7", "I8", "I9", "I11", "I37", "I39", "I42")
@pytest.mark.parametrize("seed", range(1, MARKETS + 1))
@pytest.mark.parametrize("name", STRATEGIES)
def test_an_attack_does_not_pay(name: str, seed: int) -> None:
    found = attack(name, seed)
    assert found.breaches == ()
    assert found.commands > 0
    assert not found.pays, found


@pytest.mark.slow
def test_an_attack_repeats_itself_on_any_number_of_processes() -> None:
    alone = attack_many(5, 1)
    assert attack_many(5, 1, processes=2) == alone
    assert [each.strategy for each in alone] == list(STRATEGIES)


class WholeHours(ReferenceEngine):
    """An engine that pays a claim that stands at the full hour for the whole of it."""

    def parts(self, command: Command) -> Iterator[Part]:
        before = self.state.now
        step, *fired = super().parts(command)
        if isinstance(command, TimeStep) and self.state.now // HOUR > before // HOUR:
            for number, account in enumerate(self.state.accounts):
                for asset, free in enumerate(account.available):
                    claim = claim_of(self.state, number, asset)
                    account.available[asset] = free + claim // 100_000
        yield from (step, *fired)


@dataclass(frozen=True)
class Planted:
    """A bug, the attack that it lets pay, and where that shows."""

    strategy: str
    plant: Callable[[pytest.MonkeyPatch], None]
    shows: Callable[[Attack], Fraction]


def a_lot_moves_the_mark(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(prices, "impact_quantity", lambda *_: 1)


def trades_ask_for_no_margin(patch: pytest.MonkeyPatch) -> None:
    for module in (orders, matching):
        patch.setattr(module, "risk_refusal", lambda *_: None)
    patch.setattr(limits, "rounding_refusal", lambda *_: None)


PLANTED = (
    Planted("mark pusher", a_lot_moves_the_mark, lambda found: found.harm),
    Planted("wash trader", trades_ask_for_no_margin, lambda found: found.gain),
)


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.plant.__name__)
def test_the_measure_sees_a_planted_bug(bug: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)
    found = [attack(bug.strategy, seed) for seed in range(1, 5)]
    assert any(bug.shows(each) > 1000 * each.allowed for each in found)


def test_the_measure_sees_an_entry_that_earns_a_whole_hour() -> None:
    """Two seconds of lending earn two seconds' interest, whatever the index says."""
    found = attack("JIT lender", 2, engine_factory=WholeHours)
    assert found.gain > 1000 * found.allowed
