"""Attacks: each strategy in a market of its own, with and without what the attackers do.

Both runs have the same deposits, prices, times and honest commands, so that what differs is what
the attack did. Fractions of 10^-6 USDC, and nothing is decided by a float.

Specification: section 9.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from solvent.domain.parameters import EngineParameters
from solvent.proof.attack.measure import Ledger, Measure, value
from solvent.proof.attack.strategies import STRATEGIES
from solvent.proof.attack.world import PLAIN, Act, Acts, World, plain_market
from solvent.proof.invariants.invariants import Breach, check_view
from solvent.proof.invariants.state_view import StateView, view_of
from solvent.proof.invariants.transitions import check_transition
from solvent.proof.passes import parts_of
from solvent.reference.engine import ReferenceEngine

EngineFactory = Callable[[EngineParameters], ReferenceEngine]
ENDS = 4
"""Atoms of each asset that may be lost to rounding at the beginning and the end of two runs."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: values in 10^-6 USDC.

    `paid` is what the attackers paid by the rules (fees, spreads, discounts, interest, gifts),
    `gain` what they got beyond them, `harm` what honest accounts lost by it, `left` how much more
    debt of accounts in the waterfall is left at the end. `allowed` is an atom a command.
    """

    strategy: str
    seed: int
    commands: int
    refused: int
    paid: Fraction
    gain: Fraction
    harm: Fraction
    left: Fraction
    allowed: Fraction
    breaches: tuple[Breach, ...]

    @property
    def pays(self) -> bool:
        """Whether somebody gained, was hurt, or was kept from settlement by more than rounding."""
        return max(self.gain, self.harm, self.left) > self.allowed

    @property
    def is_fault(self) -> bool:
        """Whether it pays or broke an invariant."""
        return self.pays or bool(self.breaches)


def attack(name: str, seed: int, *, engine_factory: EngineFactory = ReferenceEngine) -> Attack:
    """Play a strategy in the market of a seed, and the same without the attackers."""
    rng = Random(f"{name} {seed}")
    parameters, prices = plain_market(rng)
    played = _Run(engine_factory(parameters))
    world = World(rng, lambda: played.engine.state, PLAIN)
    acts: list[Act] = []
    for act in _whole(world, prices, name):
        acts.append(act)
        played.carry_out(act)
    without = _Run(engine_factory(parameters))
    for act in acts:
        if not act.mine:
            without.carry_out(act)
    mine, honest = played.ledgers
    mine_without, honest_without = without.ledgers
    commands = sum(act.mine for act in acts)
    atom = max(value(played.view, asset, 1) for asset in range(len(prices)))
    return Attack(
        strategy=name,
        seed=seed,
        commands=commands,
        refused=played.refused,
        paid=mine.paid - mine_without.paid,
        gain=mine.remainder - mine_without.remainder,
        harm=honest_without.remainder - honest.remainder,
        left=_left(played.view) - _left(without.view),
        allowed=atom * commands + ENDS * sum(value(played.view, each, 1) for each in range(4)),
        breaches=tuple(played.breaches + without.breaches),
    )


def attack_many(
    seed: int,
    runs: int,
    *,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[Attack]:
    """Play every strategy in so many markets, with seeds from `seed` on, strategy by strategy."""
    names = [name for name in STRATEGIES for _ in range(runs)]
    seeds = [*range(seed, seed + runs)] * len(STRATEGIES)
    found = []
    for each in _all(names, seeds, processes):
        found.append(each)
        if progress is not None:
            progress(len(found))
    return found


def _all(names: list[str], seeds: list[int], processes: int) -> Iterator[Attack]:
    if processes == 1:
        yield from map(attack, names, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(attack, names, seeds)


def _whole(world: World, prices: list[int], name: str) -> Acts:
    """The opening, the strategy, and the end: the attackers take their orders back, time passes."""
    yield from world.opening(prices)
    yield from STRATEGIES[name].play(world)
    yield from world.rest()


def _left(view: StateView) -> Fraction:
    """Debts of accounts in the waterfall, at the index."""
    return sum(
        (
            value(view, asset, debt)
            for account in view.liquidating
            for asset, debt in enumerate(view.health[account].debts)
        ),
        Fraction(0),
    )


class _Run:
    """One of the two runs: the engine, the measure, and what broke."""

    def __init__(self, engine: ReferenceEngine) -> None:
        self.engine = engine
        self.view = view_of(engine.state)
        self.ledgers = Ledger(PLAIN.attackers), Ledger(PLAIN.honest, bears_liquidation=True)
        self.breaches: list[Breach] = []
        self.refused = 0
        self._measure = Measure(self.view, self.ledgers)

    def carry_out(self, act: Act) -> None:
        """Apply one command, part by part, measure each and check every invariant."""
        for command, events in parts_of(self.engine, act.command):
            after = view_of(self.engine.state, self.view)
            self.breaches += check_transition(self.view, after, command, events)
            if after != self.view:
                self.breaches += check_view(after, self.view)
            self._measure.see(after, command, events)
            self.view = after
