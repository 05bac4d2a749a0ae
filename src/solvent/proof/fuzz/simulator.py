"""The simulator: seeded random commands against an engine, every invariant checked on the way.

One seed gives one market, one population and one sequence of commands, set-up, trading, prices,
parameter changes and questions interleaved in any order; which kinds are frequent and which never
occur differs from seed to seed (swarm testing). After each command, and each pass of a time step,
the state is checked (`invariants`) and so is the step that led there (`transitions`); previews are
held against what execution then does (I37). Many short runs find more than one long one.

A run ends at its first breach: what follows one proves nothing. Same seed, same hashes, on every
machine (I35).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from random import Random

from solvent.domain import events as e
from solvent.domain import waterfall_events as w
from solvent.domain.commands import TimeStep
from solvent.domain.events import Event, Refused
from solvent.domain.labels import AdlCase, LegForm, SystemOrder, Tier
from solvent.domain.parameters import EngineParameters
from solvent.domain.rejections import Limit
from solvent.proof.fuzz.actions import Moves
from solvent.proof.fuzz.checked import CheckedEngine
from solvent.proof.fuzz.draws import Plan
from solvent.proof.fuzz.market import random_parameters
from solvent.proof.invariants.invariants import Breach
from solvent.reference.engine import ReferenceEngine
from solvent.reference.margin import health_of
from solvent.reference.state import State

RUN_LENGTH = 3000
"""Commands of one run where many are made: short enough to start often."""
PROGRESS_EVERY = 500

EngineFactory = Callable[[EngineParameters], ReferenceEngine]


@dataclass(frozen=True, slots=True)
class SimulationBreach:
    """An invariant that a run broke: at which command (counted from 0), and how to see it again."""

    seed: int
    command: int
    breach: Breach

    @property
    def again(self) -> str:
        """What the command line is told to see it again."""
        return f"sim --seed {self.seed} --commands {self.command + 1}"

    def __str__(self) -> str:
        """One line with the reproduction in front."""
        return f"{self.again}: {self.breach}"


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What one run did. `kinds` counts commands, `reached` what of the engine they reached."""

    seed: int
    commands: int
    accepted: int
    refused: int
    kinds: dict[str, int]
    reached: dict[str, int]
    state_hash: str
    event_hash: str
    breaches: tuple[SimulationBreach, ...]


def simulate(
    seed: int,
    commands: int,
    *,
    engine_factory: EngineFactory = ReferenceEngine,
    check_every: int = 1,
    checked_from: int = 0,
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Make one run of `commands` commands.

    With `check_every` above 1 only every so many commands are checked, the step and the state after
    it, and none before command `checked_from`, until which a market grows old. `progress` is called
    now and then with the number of commands done.
    """
    run = _Run(seed, engine_factory)
    for plan in run.plans(commands):
        run.carry_out(plan, checked=run.done >= checked_from and run.done % check_every == 0)
        if run.breaches:
            break
        if progress is not None and run.done % PROGRESS_EVERY == 0:
            progress(run.done)
    return run.result()


def simulate_many(
    seed: int,
    commands: int,
    *,
    run_length: int = RUN_LENGTH,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[SimulationResult]:
    """Make runs of at most `run_length` commands, `commands` in all, with seeds from `seed` on.

    The results are the same for any number of `processes`; `progress` is called with the number of
    commands done after each run.
    """
    lengths = [run_length] * (commands // run_length)
    if commands % run_length:
        lengths.append(commands % run_length)
    seeds = range(seed, seed + len(lengths))
    results: list[SimulationResult] = []
    done = 0
    for result in _all_runs(seeds, lengths, processes):
        results.append(result)
        done += result.commands
        if progress is not None:
            progress(done)
    return results


def _all_runs(seeds: range, lengths: list[int], processes: int) -> Iterator[SimulationResult]:
    if processes == 1:
        yield from map(simulate, seeds, lengths)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(simulate, seeds, lengths)


@dataclass(slots=True)
class _Tally:
    """Counts of what happened."""

    kinds: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    refused: int = 0

    def add(self, plan: Plan, events: tuple[Event, ...]) -> None:
        """Count one command and its events."""
        self.kinds[type(plan.command).__name__] += 1
        refused = isinstance(events[0], Refused) if events else False
        self.refused += refused
        self.accepted += not refused
        for event in events:
            name = _reached(event)
            if name:
                self.reached[name] += 1


def _reached(event: Event) -> str | None:
    """Which corner of the engine an event tells of, if any."""
    match event:
        case Refused():
            return _REFUSALS.get(event.limit)
        case e.Filled():
            user = event.system_order is SystemOrder.USER
            return "trades" if user else "book fills"
        case w.HandedOver():
            return f"{event.stage.name.lower()} handed over: {event.reason.name.lower()}"
        case w.AdlOpened():
            return _ROUNDS[event.case]
        case w.AdlLeg():
            return "flagged legs" if event.tier >= Tier.FLAGGED else _LEGS[event.form]
        case w.BackstopLeg() if event.form is LegForm.CLAIM:
            return "backstop claim legs"
        case _:
            return _COUNTED.get(type(event))


_ROUNDS = {
    AdlCase.STUCK_LENDER: "ADL rounds, case L",
    AdlCase.BORROWER_DEFAULT: "ADL rounds, case B",
    AdlCase.OPPOSITES: "ADL rounds, opposites",
}
_REFUSALS = {
    Limit.UTILIZATION_BOUND: "throttle refusals",
    Limit.POOL_CASH: "empty pool refusals",
    Limit.INSOLVENCY_GATE: "insolvency gate refusals",
    Limit.STALE_PRICE: "stale price refusals",
    Limit.UNCERTAIN_LOSS: "uncertain loss refusals",
    Limit.INITIAL_MARGIN: "margin refusals",
    Limit.LEVERAGE: "leverage refusals",
}
_LEGS = {
    LegForm.AVAILABLE: "available legs",
    LegForm.REDEEMED: "redeemed legs",
    LegForm.CLAIM: "claim legs",
    LegForm.BORROWED: "borrowed legs",
}
_COUNTED: dict[type[Event], str] = {
    e.InterestCharged: "hours charged",
    e.SharesRescaled: "shares rescaled",
    e.PoolFrozen: "pools frozen or thawed",
    e.PoolDoubted: "claims in doubt or not",
    e.Netted: "claims netted",
    w.LiquidationStarted: "liquidations",
    w.LiquidationEnded: "liquidations ended",
    w.BackstopFilled: "backstop fills",
    w.AdlMatched: "ADL matches",
    w.DebtWrittenOff: "deficits",
    w.StandbySwapped: "standby swaps",
    e.TriggerPlaced: "orders that wait",
    e.Triggered: "waiting orders fired",
    e.TriggerFailed: "waiting orders failed",
}


class _Run:
    """One run: the engine, the accounts, and what was seen."""

    def __init__(self, seed: int, engine_factory: EngineFactory) -> None:
        self._seed = seed
        rng = Random(seed)
        parameters, anchors = random_parameters(rng)
        self._engine = engine_factory(parameters)
        self._moves = Moves(rng, self._engine, anchors)
        self._checked = CheckedEngine(self._engine)
        self._tally = _Tally()
        self.done = 0
        self.breaches: list[SimulationBreach] = []

    def plans(self, commands: int) -> Iterator[Plan]:
        """The first `commands` commands, drawn as the state unfolds."""
        while self.done < commands:
            plan = self._moves.next()
            if plan is None:
                self._questioned()
                if self.breaches:
                    return
            else:
                yield plan

    def _questioned(self) -> None:
        """A move that only asked must have changed nothing (I37)."""
        self._report(self._checked.question_breaches())

    def carry_out(self, plan: Plan, *, checked: bool) -> None:
        """Apply one command and check its effect, and what a preview said of it."""
        under = self._checked
        under.carry_out(plan.command, checked=checked)
        self._report(under.breaches)
        if under.stopped:
            return
        self._tally.add(plan, under.events)
        self._count_shielded(plan)
        self._report(list(_preview(plan, under.events)))
        self.done += 1

    def _count_shielded(self, plan: Plan) -> None:
        """Count accounts that a stale price keeps out of the waterfall."""
        state = self._engine.state
        if isinstance(plan.command, TimeStep) and _shielded(state):
            self._tally.reached["stale price shields"] += 1

    def _report(self, found: list[Breach]) -> None:
        self.breaches += [SimulationBreach(self._seed, self.done, breach) for breach in found]

    def result(self) -> SimulationResult:
        """What the run did."""
        tally = self._tally
        return SimulationResult(
            seed=self._seed,
            commands=self.done,
            accepted=tally.accepted,
            refused=tally.refused,
            kinds=dict(sorted(tally.kinds.items())),
            reached=dict(sorted(tally.reached.items())),
            state_hash=self._engine.state_hash(),
            event_hash=self._checked.hasher.hexdigest(),
            breaches=tuple(self.breaches),
        )


def _shielded(state: State) -> bool:
    return any(price.stale for price in state.prices) and any(
        any(holder.debt_shares)
        and account not in state.liquidating
        and health_of(state, account).liquidatable
        for account, holder in enumerate(state.accounts)
    )


def _preview(plan: Plan, events: tuple[Event, ...]) -> Iterator[Breach]:
    """I37: what a preview allowed passes, and one unit more is refused."""
    if plan.passes is None:
        return
    refusal = events[0] if events and isinstance(events[0], Refused) else None
    if plan.passes and refusal is not None:
        numbers = (refusal.account, refusal.asset, refusal.code, refusal.limit)
        yield Breach("I37", "a preview's largest amount was refused", numbers)
    if not plan.passes and refusal is None:
        yield Breach("I37", "more than a preview's largest amount passed")
